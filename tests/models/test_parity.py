import numpy as np
import pytest

from workbench.api.errors import InvalidInput
from workbench.api.variant import TensorSpec
from workbench.models.intake.parity import largest_difference, random_inputs, require_parity


def test_difference_is_relative_to_large_outputs_only():
    ones = np.ones((2, 3), "float32")
    assert largest_difference([ones], [ones + 0.5]) == pytest.approx(0.5)
    assert largest_difference([1000 * ones], [1000 * ones + 0.5]) == pytest.approx(0.0005)
    assert largest_difference([0.001 * ones], [0.002 * ones]) == pytest.approx(0.001)


@pytest.mark.parametrize(
    "after", [[], [np.ones((2, 2))], [np.full((2, 3), np.nan)], [np.ones((2, 3)), np.ones((2, 3))]]
)
def test_other_shapes_and_nan_are_no_parity(after):
    assert largest_difference([np.ones((2, 3))], after) == float("inf")


def test_a_model_that_changed_is_an_error():
    with pytest.raises(InvalidInput) as caught:
        require_parity([np.zeros((2, 3))], [np.full((2, 3), 2e-5)], "old.h5")
    assert str(caught.value) == (
        "old.h5 was read, but it no longer computes the same: on random input its output differs by 2.0e-05 "
        "(at most 1e-05 is accepted). "
        "Save the model as a .keras file with the Keras that made it, and open that."
    )


def test_random_inputs_fit_embeddings_and_free_axes():
    whole, free = random_inputs(
        [TensorSpec(name="words", shape=(5,), dtype="int32"), TensorSpec(name="signal", shape=(None, 2))]
    )
    assert whole.shape == (4, 5)
    assert set(np.unique(whole)) <= {0, 1}
    assert free.shape == (4, 64, 2)
    assert 0 <= free.min() <= free.max() < 1


def test_a_model_that_gives_no_numbers_is_told_so_and_not_that_it_changed():
    broken = [np.array([[0.5, np.nan]])]
    with pytest.raises(InvalidInput, match=r"broken\.keras gives values that are no numbers"):
        require_parity(broken, broken, "broken.keras")
