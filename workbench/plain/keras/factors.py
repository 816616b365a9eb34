"""Products of small matrices in place of a large one: SVD and Tucker-2, in NumPy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from math import prod

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
Ranks = tuple[int, ...]
"""One rank for a matrix, two (inputs, outputs) for Tucker-2."""


class Factors(ABC):
    """A kernel, and what it becomes at any rank.

    Args:
        kernel: As Keras stores it.
    """

    def __init__(self, kernel: Array) -> None:
        self.kernel = np.asarray(kernel, np.float64)

    @property
    @abstractmethod
    def full(self) -> Ranks:
        """The ranks at which nothing is lost."""

    @abstractmethod
    def at_energy(self, share: float) -> Ranks:
        """The smallest ranks that keep a share of the energy: the squared singular values."""

    @abstractmethod
    def parameters(self, ranks: Ranks) -> int:
        """Number of weights of the factors."""

    @abstractmethod
    def split(self, ranks: Ranks) -> list[npt.NDArray[np.float32]]:
        """The factors, as kernels of layers that are called one after the other."""

    @abstractmethod
    def product(self, ranks: Ranks) -> npt.NDArray[np.float32]:
        """The kernel that the factors stand for, in the shape of the old one."""

    @abstractmethod
    def energy(self, ranks: Ranks) -> float:
        """Share of the energy that is kept, 0 to 1."""

    def shrinks(self, ranks: Ranks) -> bool:
        """Whether the factors have fewer weights than the kernel."""
        return self.parameters(ranks) < self.kernel.size


class MatrixFactors(Factors):
    """A kernel as a matrix of inputs by outputs, by its singular values: the best of each rank.

    The truncation error in the Frobenius norm is the root of the sum of the squared singular values that
    are left out (Eckart and Young, 1936).

    Args:
        kernel: As Keras stores it.
        rows: The axes that the first factor takes in.
        columns: The axes that the second factor gives out.
    """

    def __init__(self, kernel: Array, rows: tuple[int, ...], columns: tuple[int, ...]) -> None:
        super().__init__(kernel)
        self.rows, self.columns = rows, columns

    @cached_property
    def _parts(self) -> tuple[Array, Array, Array]:
        height = prod(self.kernel.shape[axis] for axis in self.rows)
        matrix = self.kernel.transpose(*self.rows, *self.columns).reshape(height, -1)
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        return left, values, right

    @property
    def singular_values(self) -> Array:
        """In falling order."""
        return self._parts[1]

    @property
    def full(self) -> Ranks:
        """The number of singular values."""
        return (len(self.singular_values),)

    def at_energy(self, share: float) -> Ranks:
        """The fewest singular values whose squares are that share of all."""
        return (_rank(self.singular_values, share),)

    def parameters(self, ranks: Ranks) -> int:
        """Number of weights of both matrices."""
        left, _, right = self._parts
        return int(ranks[0] * (len(left) + right.shape[1]))

    def energy(self, ranks: Ranks) -> float:
        """Share of the squared singular values that is kept."""
        squares = self.singular_values**2
        return float(squares[: ranks[0]].sum() / (squares.sum() or 1.0))

    def split(self, ranks: Ranks) -> list[npt.NDArray[np.float32]]:
        """Two matrices: inputs by rank, rank by outputs."""
        left, values, right = self._parts
        # The root of the singular values to each side: both factors then train at the same pace.
        root = np.sqrt(values[: ranks[0]])
        return [
            (left[:, : ranks[0]] * root).astype(np.float32),
            (root[:, None] * right[: ranks[0]]).astype(np.float32),
        ]

    def product(self, ranks: Ranks) -> npt.NDArray[np.float32]:
        """The product of both, in the shape of the kernel."""
        left, values, right = self._parts
        rank = ranks[0]
        matrix = (left[:, :rank] * values[:rank]) @ right[:rank]
        order = [*self.rows, *self.columns]
        shaped = matrix.reshape([self.kernel.shape[axis] for axis in order])
        return shaped.transpose(np.argsort(order)).astype(np.float32)


class TuckerFactors(Factors):
    """A convolution's kernel between a change of basis of its inputs and one of its outputs.

    The bases are those of the higher-order SVD: singular vectors of the kernel unfolded along its
    inputs and along its outputs.

    Source: Kim et al., 2016 (arXiv:1511.06530).

    Args:
        kernel: Shape ``(height, width, inputs, outputs)``.
    """

    @cached_property
    def _bases(self) -> tuple[tuple[Array, Array], ...]:
        bases = []
        for axis in (2, 3):
            unfolded = np.moveaxis(self.kernel, axis, 0).reshape(self.kernel.shape[axis], -1)
            left, values, _ = np.linalg.svd(unfolded, full_matrices=False)
            bases.append((left, values))
        return tuple(bases)

    @property
    def full(self) -> Ranks:
        """The sizes of both bases."""
        return tuple(len(values) for _, values in self._bases)

    def at_energy(self, share: float) -> Ranks:
        """The fewest singular values of both bases whose squares are that share."""
        return tuple(_rank(values, share) for _, values in self._bases)

    def parameters(self, ranks: Ranks) -> int:
        """Number of weights of the three kernels."""
        height, width, inputs, outputs = self.kernel.shape
        return int(inputs * ranks[0] + height * width * ranks[0] * ranks[1] + ranks[1] * outputs)

    def energy(self, ranks: Ranks) -> float:
        """Share of the squared weights that is not lost."""
        lost = np.linalg.norm(self.kernel - self.product(ranks)) ** 2
        return float(1 - lost / (np.linalg.norm(self.kernel) ** 2 or 1.0))

    def split(self, ranks: Ranks) -> list[npt.NDArray[np.float32]]:
        """Three kernels: inputs to the first basis, a smaller convolution, the last basis to outputs."""
        (first, _), (last, _) = self._bases
        first, last = first[:, : ranks[0]], last[:, : ranks[1]]
        core = np.einsum("hwio,ir,os->hwrs", self.kernel, first, last, optimize=True)
        return [
            first[None, None].astype(np.float32),
            core.astype(np.float32),
            last.T[None, None].astype(np.float32),
        ]

    def product(self, ranks: Ranks) -> npt.NDArray[np.float32]:
        """The kernel of the one convolution that does the same."""
        first, core, last = (part.astype(np.float64) for part in self.split(ranks))
        whole = np.einsum("ir,hwrs,so->hwio", first[0, 0], core, last[0, 0], optimize=True)
        return np.asarray(whole, np.float32)


def _rank(values: Array, share: float) -> int:
    squares = np.cumsum(values**2)
    if share >= 1 or squares[-1] == 0:
        return len(values) if share >= 1 else 1
    # A share that is reached up to rounding is reached.
    return int(np.searchsorted(squares, share * squares[-1] * (1 - 1e-12))) + 1
