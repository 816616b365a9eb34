"""How a Keras model is traced for LiteRT's converter, which computes at run time what is known before."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def static_shapes() -> Iterator[None]:
    """Within it Flatten and Reshape are traced with shapes that are constants.

    Keras asks for the batch size of the tensor that it reshapes. In a LiteRT file that becomes three
    operations (SHAPE, STRIDED_SLICE, PACK) that no delegate takes: the graph is cut in two there, and a
    small model takes a tenth longer. -1 for the batch says the same in a constant.
    """
    from keras import layers, ops

    plain = layers.Flatten.call, layers.Reshape.call

    def flatten(self: Any, inputs: Any) -> Any:
        shape = tuple(inputs.shape)[1:]
        if not shape or None in shape or self.data_format == "channels_first":
            return plain[0](self, inputs)
        return ops.reshape(inputs, (-1, math.prod(shape)))

    def reshape(self: Any, inputs: Any) -> Any:
        shape = self.compute_output_shape(tuple(inputs.shape))[1:]
        if None in shape:
            return plain[1](self, inputs)
        return ops.reshape(inputs, (-1, *shape))

    _replace(layers, flatten, reshape)
    try:
        yield
    finally:
        _replace(layers, *plain)


def _replace(layers: Any, flatten: Callable[..., Any], reshape: Callable[..., Any]) -> None:
    layers.Flatten.call, layers.Reshape.call = flatten, reshape
