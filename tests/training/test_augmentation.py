from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.test_loop import variant
from workbench.api.variant import Layer
from workbench.training import TrainingSettings
from workbench.training.augmentation import augmentation_call, augmentation_obstacle

keras = pytest.importorskip("keras")


def pictures(count: int = 64) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform(0.2, 1.0, (count, 12, 12, 1)).astype(np.float32)


def changed(x, y=None, mean=0.0, seed=0, **settings):
    y = (
        np.zeros((len(next(iter(x.values())) if isinstance(x, dict) else x), 3), np.float32)
        if y is None
        else y
    )
    change = augmentation_call(TrainingSettings(**settings), seed, mean).make(keras)
    x, y = change(keras.tree.map_structure(keras.ops.convert_to_tensor, x), keras.ops.convert_to_tensor(y))
    return keras.tree.map_structure(np.asarray, x), np.asarray(y)


def test_flips_mirror_about_half_of_the_pictures_and_nothing_else():
    x = pictures(200)
    got, _ = changed(x, flip="horizontal")
    same = np.array([np.allclose(a, b) for a, b in zip(got, x, strict=True)])
    mirrored = np.array([np.allclose(a, b[:, ::-1]) for a, b in zip(got, x, strict=True)])
    assert (same | mirrored).all()
    assert 60 < mirrored.sum() < 140


def test_no_flips_unless_asked():
    x = np.zeros((50, 12, 12, 1), np.float32)
    x[:, :, :6] = 1.0  # the left half
    got, _ = changed(x, shift=0.1, rotation=5.0)
    assert (got[:, :, :6].sum((1, 2, 3)) > got[:, :, 6:].sum((1, 2, 3))).all()


def test_cutout_replaces_a_square_by_the_mean():
    got, _ = changed(pictures(), cutout=0.5, mean=-7.0)
    cut = got == -7.0
    sides = [np.ptp(np.nonzero(one)[axis]) + 1 for one in cut for axis in (0, 1)]
    assert set(sides) <= {6, 7}
    assert all(one.sum() in (36, 42, 49) for one in cut)


def test_noise_has_its_deviation_and_changes_every_input():
    x = {"picture": pictures(), "numbers": np.zeros((64, 6), np.float32)}
    got, _ = changed(x, noise=0.3)
    for name, values in x.items():
        assert (got[name] - values).std() == pytest.approx(0.3, rel=0.15)


def test_only_pictures_are_shifted():
    x = {
        "picture": pictures(),
        "series": np.random.default_rng(0).normal(size=(64, 12, 3)).astype(np.float32),
    }
    got, _ = changed(x, shift=0.3)
    assert not np.allclose(got["picture"], x["picture"])
    np.testing.assert_array_equal(got["series"], x["series"])


def test_mixup_blends_samples_and_labels_by_the_same_part():
    rng = np.random.default_rng(0)
    y = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 64)]
    x = {"vector": y[:, :, None, None] * np.ones((1, 3, 2, 2), np.float32), "numbers": y.copy()}
    got, labels = changed(x, y, mixup=0.4)
    np.testing.assert_allclose(labels.sum(-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(got["numbers"], labels, rtol=1e-5)
    np.testing.assert_allclose(got["vector"][:, :, 0, 1], labels, rtol=1e-5)
    assert ((labels > 0.01) & (labels < 0.99)).any()


def test_the_same_seed_changes_in_the_same_way():
    x = pictures()
    first, _ = changed(x, rotation=20.0, shift=0.2, seed=4)
    np.testing.assert_array_equal(first, changed(x, rotation=20.0, shift=0.2, seed=4)[0])
    assert not np.allclose(first, changed(x, rotation=20.0, shift=0.2, seed=5)[0])


def test_what_cannot_be_changed_is_refused_with_its_reason(digits):
    assert augmentation_obstacle(TrainingSettings(noise=0.1, mixup=0.2), variant(), digits.info) is None
    for settings in ({"flip": "vertical"}, {"shift": 0.1}, {"rotation": 1.0}, {"cutout": 0.1}):
        reason = str(augmentation_obstacle(TrainingSettings(**settings), variant(), digits.info))
        assert "need pictures" in reason
        assert "(64,)" in reason
    tokens = variant()
    layer = Layer(name="words", kind="Embedding", parameters=1, size_bytes=4)
    tokens = tokens.model_copy(
        update={"description": tokens.description.model_copy(update={"layers": (layer,)}), "path": Path("x")}
    )
    assert "words" in str(augmentation_obstacle(TrainingSettings(noise=0.1), tokens, digits.info))
    assert augmentation_obstacle(TrainingSettings(), tokens, digits.info) is None
