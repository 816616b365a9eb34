import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.plain.keras.masks import (
    adaptive_scores,
    magnitude_masks,
    pattern_mask,
    polynomial_share,
)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_exactly_the_smallest_go(shapes, share, seed):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=shape).round(1).astype(np.float32) for shape in shapes]  # with ties
    masks = magnitude_masks(weights, share, "all layers")
    total = sum(one.size for one in weights)
    removed = sum(int((~mask).sum()) for mask in masks)
    asked = round(share * total)
    assert asked - len(weights) <= removed <= asked
    for one, mask in zip(weights, masks, strict=True):
        assert mask.shape == one.shape
        assert mask.any()
    if removed == asked and 0 < asked < total:
        gone = np.concatenate([np.abs(one[~mask]) for one, mask in zip(weights, masks, strict=True)])
        kept = np.concatenate([np.abs(one[mask]) for one, mask in zip(weights, masks, strict=True)])
        assert gone.max() <= kept.min()


def test_each_layer_loses_the_same_share():
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(10, 10)), 100 * rng.normal(size=(4, 5, 5))]
    masks = magnitude_masks(weights, 0.3, "each layer")
    assert [int((~mask).sum()) for mask in masks] == [30, 30]
    together = magnitude_masks(weights, 0.3, "all layers")
    assert [int((~mask).sum()) for mask in together] == [60, 0]


@pytest.mark.parametrize(("keep", "of"), [(2, 4), (1, 4)])
@pytest.mark.parametrize(("shape", "reduced"), [((8, 5), (0,)), ((3, 3, 4, 6), (2,)), ((2, 4, 3), (0, 1))])
def test_patterns_hold_along_the_inputs(shape, reduced, keep, of):
    weights = np.random.default_rng(1).normal(size=shape)
    mask = pattern_mask(weights, reduced, keep, of)
    assert mask.mean() == keep / of
    # By hand, one output value after the other.
    others = [axis for axis in range(weights.ndim) if axis not in reduced]
    for place in np.ndindex(*(shape[axis] for axis in others)):
        index = [slice(None)] * weights.ndim
        for axis, at in zip(others, place, strict=True):
            index[axis] = at
        row, kept = np.abs(weights[tuple(index)]).ravel(), mask[tuple(index)].ravel()
        for start in range(0, len(row), of):
            group = row[start : start + of]
            assert set(np.flatnonzero(kept[start : start + of])) == set(np.argsort(-group)[:keep])


def test_inputs_that_cannot_be_grouped():
    assert pattern_mask(np.ones((6, 4)), (0,), 2, 4) is None
    assert pattern_mask(np.ones((8, 4)), (), 2, 4) is None


def test_the_schedule_is_that_of_the_paper():
    assert polynomial_share(0.8, 0) == 0
    assert polynomial_share(0.8, 1) == 0.8
    assert polynomial_share(0.8, 7) == 0.8
    assert polynomial_share(0.8, 0.5, 0.2) == pytest.approx(0.8 + (0.2 - 0.8) * 0.5**3)


def test_adaptive_scores_are_those_of_the_paper():
    weights = np.array([[3.0, -1.0], [0.0, 2.0]], np.float32)
    # sorted 0 1 2 3: squares over the sums of those from there on
    expected = np.array([[9 / 9, 1 / 14], [0, 4 / 13]]).ravel()
    np.testing.assert_allclose(adaptive_scores(weights), expected)
    assert (adaptive_scores(np.zeros((2, 2), np.float32)) == 0).all()


def test_an_adaptive_ranking_does_not_empty_a_layer_of_small_weights():
    rng = np.random.default_rng(0)
    weights = [0.01 * rng.normal(size=(20, 20)), rng.normal(size=(20, 20))]
    kept = [int(mask.sum()) for mask in magnitude_masks(weights, 0.5, "all layers")]
    assert kept[0] < 20
    kept = [int(mask.sum()) for mask in magnitude_masks(weights, 0.5, "adaptive")]
    assert sum(kept) == 400
    assert min(kept) > 150
