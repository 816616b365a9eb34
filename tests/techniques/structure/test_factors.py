import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.plain.keras.factors import MatrixFactors, TuckerFactors

rng = np.random.default_rng(0)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 50))
def test_the_error_is_that_of_the_singular_values_left_out(height, width, seed):
    kernel = np.random.default_rng(seed).normal(size=(height, width))
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(kernel @ kernel.T)[::-1][: min(height, width)], 0))
    factors = MatrixFactors(kernel, (0,), (1,))
    for rank in range(1, min(height, width) + 1):
        left, right = factors.split((rank,))
        assert left.shape == (height, rank)
        assert right.shape == (rank, width)
        error = np.linalg.norm(kernel - left @ right)
        assert error == pytest.approx(np.sqrt((values[rank:] ** 2).sum()), abs=1e-5)
        np.testing.assert_allclose(factors.product((rank,)), left @ right, atol=1e-5)
        kept = (values[:rank] ** 2).sum() / (values**2).sum()
        assert factors.energy((rank,)) == pytest.approx(kept, abs=1e-6)
        assert factors.at_energy(kept * 0.999)[0] <= rank
        assert factors.parameters((rank,)) == left.size + right.size


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [
        ((3, 5, 4, 6), (0, 2), (1, 3)),
        ((5, 4, 6), (0, 1), (2,)),
        ((2, 3, 4), (0, 1), (2,)),
        ((6, 2, 3), (0,), (1, 2)),
    ],
)
def test_full_rank_is_the_kernel(shape, rows, columns):
    kernel = rng.normal(size=shape)
    factors = MatrixFactors(kernel, rows, columns)
    np.testing.assert_allclose(factors.product(factors.full), kernel, atol=1e-6)
    assert factors.at_energy(1) == factors.full
    # By hand: the squared error of a truncation is what the singular values leave out.
    truncated = factors.product((2,))
    lost = (factors.singular_values[2:] ** 2).sum()
    assert ((kernel - truncated) ** 2).sum() == pytest.approx(lost, rel=1e-4)


def test_tucker_is_within_its_bound():
    kernel = rng.normal(size=(3, 3, 8, 6))
    factors = TuckerFactors(kernel)
    assert factors.full == (8, 6)
    np.testing.assert_allclose(factors.product((8, 6)), kernel, atol=1e-5)
    first, core, last = factors.split((5, 4))
    assert (first.shape, core.shape, last.shape) == ((1, 1, 8, 5), (3, 3, 5, 4), (1, 1, 4, 6))
    assert factors.parameters((5, 4)) == first.size + core.size + last.size
    lost = 0.0
    for axis, rank in ((2, 5), (3, 4)):
        unfolded = np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1)
        lost += (np.linalg.svd(unfolded, compute_uv=False)[rank:] ** 2).sum()
    error = ((kernel - factors.product((5, 4))) ** 2).sum()
    # De Lathauwer et al., 2000, property 10
    assert error <= lost * (1 + 1e-6)
    assert factors.energy((5, 4)) == pytest.approx(1 - error / (kernel**2).sum(), abs=1e-6)


def test_a_kernel_of_zeros():
    assert MatrixFactors(np.zeros((4, 3)), (0,), (1,)).at_energy(0.9) == (1,)
