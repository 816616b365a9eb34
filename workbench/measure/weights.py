"""What is left in the weights of a finished file: zeros, shared values, element types.

Nothing here imports TensorFlow: it runs in the light worker, on the file that is deployed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.records import Record
from workbench.api.text import Text, say
from workbench.api.variant import Format
from workbench.measure.weight_files import StoredTensor, stored_tensors
from workbench.plain.keras.weight_values import shares_values

_SMALLEST_LOSS = 0.01
"""Rounding to 8 bits makes a few more zeros, and never fewer; so much less is a loss."""


class TensorEffects(Record):
    """One weight matrix as it is stored.

    Attributes:
        name: Its name in the file.
        shape: Its shape there.
        precision: Element type.
        zeros: Share of its elements that stand for zero, 0 to 1.
        distinct: Number of distinct stored values. Of a quantized matrix these are codes: with a scale
            for each channel, one code stands for several values.
    """

    name: str
    shape: tuple[int, ...]
    precision: str
    zeros: float
    distinct: int

    @property
    def elements(self) -> int:
        """Number of its elements."""
        return prod(self.shape)

    @property
    def clustered(self) -> bool:
        """Whether many elements share few values."""
        return shares_values(self.distinct, self.elements)


class WeightEffects(Record):
    """The weight matrices of a file.

    Attributes:
        tensors: Every stored tensor of numbers with at least two axes longer than 1: biases,
            normalizations, scales and shapes are none.
    """

    tensors: tuple[TensorEffects, ...]

    @property
    def elements(self) -> int:
        """Number of weights in all matrices."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def zeros(self) -> float:
        """Share of zeros in all matrices together, 0 to 1."""
        return sum(tensor.zeros * tensor.elements for tensor in self.tensors) / (self.elements or 1)

    @property
    def distinct(self) -> int:
        """The largest number of distinct values of a matrix; 0 if there is none."""
        return max((tensor.distinct for tensor in self.tensors), default=0)

    @property
    def precisions(self) -> dict[str, int]:
        """Number of weights of each element type."""
        counts: dict[str, int] = defaultdict(int)
        for tensor in self.tensors:
            counts[tensor.precision] += tensor.elements
        return dict(counts)


def weight_effects(
    path: Path,
    format: Format,
    check: Callable[[], None] = lambda: None,
) -> WeightEffects:
    """Measures what earlier steps left in the weights of a file.

    Args:
        path: A file that the workbench wrote, or that was opened safely before; for ``openvino`` a folder.
        format: Its format.
        check: Called after each tensor; may raise to stop.

    Raises:
        workbench.api.errors.InvalidInput: If the file cannot be read.
    """
    found = []
    for tensor in stored_tensors(path, format):
        check()
        if sum(length > 1 for length in tensor.shape) >= 2:
            found.append(_effects(tensor))
    return WeightEffects(tensors=tuple(found))


def _effects(tensor: StoredTensor) -> TensorEffects:
    elements = prod(tensor.shape)
    values = tensor.values
    # Fewer than there should be: a sparse format, in which the zeros are left out.
    left_out = max(elements - values.size, 0)
    zeros = int(np.count_nonzero(values == tensor.zero)) + left_out
    return TensorEffects(
        name=tensor.name,
        shape=tensor.shape,
        precision=tensor.precision,
        zeros=zeros / elements,
        distinct=_distinct(values) + int(left_out > 0 and not np.any(values == tensor.zero)),
    )


def _distinct(values: npt.NDArray[Any]) -> int:
    if values.dtype.itemsize == 1:
        return int(np.count_nonzero(np.bincount(values.view(np.uint8).ravel(), minlength=256)))
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    return len(np.unique(values))


def losses(before: WeightEffects, after: WeightEffects, *, per_channel: bool = False) -> tuple[Text, ...]:
    """What a step lost of the zeros and shared values that earlier steps had left.

    Args:
        before: The parent's file.
        after: The file that was made of it.
        per_channel: Whether the step could have given each layer one scale, and gave one to each channel.

    Returns:
        Sentences for each effect that was lost; nothing where all was kept, or nothing was there.
    """
    found = []
    pairs = list(_pairs(before, after))
    if pairs:
        count = sum(old.elements for old, _ in pairs)
        was = sum(old.zeros * old.elements for old, _ in pairs) / count
        now = sum(new.zeros * new.elements for _, new in pairs) / count
    else:
        was, now = before.zeros, after.zeros
    if was - now > _SMALLEST_LOSS:
        found.append(
            say(
                "Zeros were lost: they were {was}% of the weights and are {now}%.",
                was=f"{100 * was:.1f}",
                now=f"{100 * now:.1f}",
            )
        )
    clustered = [(old, new) for old, new in pairs if old.clustered]
    spoilt = [(old, new) for old, new in clustered if new.distinct > old.distinct]
    if spoilt:
        old, new = max(spoilt, key=lambda pair: pair[1].distinct)
        found.append(
            say(
                "Shared values were lost in {count} of {all} layers: in {name}, {was} distinct values became "
                "{now}.",
                count=len(spoilt),
                all=len(clustered),
                name=new.name,
                was=old.distinct,
                now=f"{new.distinct:,}",
            )
        )
        if per_channel:
            found.append(
                say(
                    "A scale for each channel spreads shared values: one for each layer keeps them, except "
                    "where a normalization is folded into it."
                )
            )
    return tuple(found)


def _pairs(before: WeightEffects, after: WeightEffects) -> Iterator[tuple[TensorEffects, TensorEffects]]:
    """Tensors of equal size, in the order in which both files hold them: converters change the names."""
    waiting: dict[int, list[TensorEffects]] = defaultdict(list)
    for tensor in after.tensors:
        waiting[tensor.elements].append(tensor)
    for elements in {tensor.elements for tensor in before.tensors}:
        olds = [tensor for tensor in before.tensors if tensor.elements == elements]
        news = waiting[elements]
        if len(olds) == len(news):
            # Files order their tensors differently; what is sparse in one is sparse in the other.
            yield from zip(
                sorted(olds, key=lambda tensor: (tensor.zeros, tensor.distinct)),
                sorted(news, key=lambda tensor: (tensor.zeros, tensor.distinct)),
                strict=True,
            )
