"""A model that is trained as it will compute in whole numbers.

Weights and activations are rounded to the numbers that an integer file can hold, on the way forward;
on the way back the rounding is passed through as if it were not there (straight-through estimator;
Jacob et al., CVPR 2018, arXiv:1712.05877, section 3). The range of a weight tensor is that of its
values; the range of an activation is a moving average over batches. The operations are TensorFlow's
fake-quantization operations, so that LiteRT's converter takes the ranges from the graph.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from .retracing import Steps, replaced, retraced

_VANISHING = (
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"),
    *("GaussianDropout", "GaussianNoise", "ActivityRegularization", "Identity"),
)
"""Layers that do nothing in inference."""
_KEEPING = (
    *_VANISHING,
    *("Flatten", "Reshape", "Permute", "Transpose", "RepeatVector", "ExpandDims", "Squeeze", "GetItem"),
    *("AddRows", "DropRows", "ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D"),
    *("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"),
    *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "UpSampling1D", "UpSampling2D"),
)
"""Operations whose output LiteRT stores with the scale of their input."""
_FUSING = ("Dense", "Conv2D", "DepthwiseConv2D", "Add", "Subtract", "Multiply")
"""Operations that LiteRT computes together with a ReLU behind them."""
_FIXED = {"softmax": (0.0, 255 / 256), "sigmoid": (0.0, 255 / 256), "tanh": (-1.0, 127 / 128)}
"""Ranges that LiteRT prescribes."""
KERNELS = ("Dense", "Conv2D", "Conv3D", "DepthwiseConv2D", "Conv2DTranspose")
"""Layers whose kernel is rounded."""


class AddRows(keras.layers.Layer):
    """A sequence as an image of height 1."""

    def call(self, inputs: Any) -> Any:
        """(batch, steps, channels) to (batch, 1, steps, channels)."""
        return keras.ops.expand_dims(inputs, 1)


class DropRows(keras.layers.Layer):
    """An image of height 1 as a sequence."""

    def call(self, inputs: Any) -> Any:
        """(batch, 1, steps, channels) to (batch, steps, channels)."""
        return keras.ops.squeeze(inputs, 1)


class FakeQuantize(keras.layers.Layer):
    """Rounds an activation to 8 bits, with one range for the whole tensor.

    Args:
        limits: Lowest and highest value; None observes them in training.
        momentum: Weight of what was seen before, once that is much.
        **kwargs: Those of every layer.
    """

    def __init__(
        self, limits: tuple[float, float] | None = None, momentum: float = 0.99, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.limits, self.momentum = limits, momentum

    def build(self, shape: Any) -> None:
        """Makes the range's two ends and a count of the batches seen."""
        low, high = self.limits or (0.0, 0.0)
        for name, value in (("low", low), ("high", high), ("seen", 0.0)):
            start = keras.initializers.Constant(value)
            setattr(self, name, self.add_weight(name=name, shape=(), initializer=start, trainable=False))

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        """As the input, and dense: Keras calls what was multiplied by a number sparse."""
        return keras.KerasTensor(inputs.shape, inputs.dtype)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Rounds; in training the range is updated before."""
        if training and self.limits is None:
            # The plain mean of the first batches, a moving average afterwards.
            keep = tf.minimum(self.momentum, self.seen / (self.seen + 1))
            low = tf.minimum(tf.reduce_min(inputs), 0.0)
            high = tf.maximum(tf.reduce_max(inputs), low + 1e-3)
            self.low.assign(keep * self.low + (1 - keep) * low)
            self.high.assign(keep * self.high + (1 - keep) * tf.maximum(high, 0.0))
            self.seen.assign(self.seen + 1)
        low, high = (tf.convert_to_tensor(x) for x in (self.low, self.high))
        return tf.quantization.fake_quant_with_min_max_vars(inputs, low, high)


class _FakeQuantizedKernel:
    """A layer that computes with its kernel rounded."""

    bits: int
    per_channel: bool

    def rounded_kernel(self) -> Any:
        """The kernel as the integer file holds it, float32, symmetric around 0."""
        kernel = tf.convert_to_tensor(self.kernel)  # type: ignore[attr-defined]  # of the class it is mixed into
        shape = kernel.shape
        if isinstance(self, keras.layers.DepthwiseConv2D):
            kernel = tf.reshape(kernel, (*shape[:-2], shape[-2] * shape[-1]))
        axes = list(range(len(kernel.shape) - 1)) if self.per_channel else None
        high = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(kernel), axis=axes), 1e-6))
        fake_quantize = (
            tf.quantization.fake_quant_with_min_max_vars_per_channel
            if self.per_channel
            else tf.quantization.fake_quant_with_min_max_vars
        )
        rounded = fake_quantize(kernel, -high, high, num_bits=self.bits, narrow_range=True)
        return tf.reshape(rounded, shape)

    def call(self, inputs: Any) -> Any:
        """What the layer does, with the rounded kernel in place of its own."""
        with keras.StatelessScope(state_mapping=[(self.kernel, self.rounded_kernel())]):  # type: ignore[attr-defined]  # of the class it is mixed into
            plain = len(inputs.shape) < 3 or None in inputs.shape[1:]
            if plain or not isinstance(self, keras.layers.Dense):
                return super().call(inputs)  # type: ignore[misc]  # as above
            # As LiteRT multiplies matrices; Keras would leave a tensor without a range before the bias.
            rows = super().call(keras.ops.reshape(inputs, (-1, inputs.shape[-1])))  # type: ignore[misc]  # as above
            return keras.ops.reshape(rows, (-1, *inputs.shape[1:-1], self.units))


_CLASSES: dict[str, Any] = {
    kind: type(f"{kind}FakeQuantized", (_FakeQuantizedKernel, getattr(keras.layers, kind)), {})
    for kind in KERNELS
}


def fake_quantized(model: keras.Model, bits: int = 8) -> keras.Model:
    """The model that is trained.

    Args:
        model: What ``batchnorm_folding.folded`` returns.
        bits: 8, or 4 for the kernels of convolutions and matrix products (depthwise and transposed
            ones stay at 8).

    Returns:
        A model with the same weights, besides ranges that are observed in training.
    """
    wide = replaced(model, _two_dimensional)
    rounded = replaced(wide, lambda layer, name, rank: _rounded_kernel(layer, name, bits))
    return _rounded_activations(rounded)


def baked(trained: keras.Model, model: keras.Model) -> keras.Model:
    """The trained weights, rounded, in a model without fake quantization.

    Args:
        trained: What was made by :func:`fake_quantized`.
        model: What it was made of; its layers get the weights.
    """
    wide = replaced(model, _two_dimensional)
    for layer in wide.layers:
        values = trained.get_layer(layer.name)
        if isinstance(values, _FakeQuantizedKernel):
            layer.set_weights([values.rounded_kernel().numpy(), *values.get_weights()[1:]])  # type: ignore[attr-defined]  # of the class it is mixed into
    return wide


def _two_dimensional(layer: Any, name: str, rank: int) -> Steps | None:
    """One-dimensional convolutions as LiteRT has them: two-dimensional, of height 1."""
    kind = type(layer).__name__
    if kind not in ("Conv1D", "DepthwiseConv1D") or layer.data_format != "channels_last":
        return None
    config = {**layer.get_config(), "name": name}
    before: Steps = []
    if config["padding"] == "causal":
        behind = (layer.kernel_size[0] - 1) * layer.dilation_rate[0]
        before = [(keras.layers.ZeroPadding1D((behind, 0), name=f"{name}_causal"), [])]
        config["padding"] = "valid"
    for key, one in (("kernel_size", 1), ("strides", config["strides"][0]), ("dilation_rate", 1)):
        config[key] = (one, config[key][0])
    kernel, *bias = layer.get_weights()
    wide = getattr(keras.layers, kind.replace("1D", "2D")).from_config(config)
    return [
        *before,
        (AddRows(name=f"{name}_add_rows"), []),
        (wide, [kernel[None], *bias]),
        (DropRows(name=f"{name}_drop_rows"), []),
    ]


def _rounded_kernel(layer: Any, name: str, bits: int) -> Steps | None:
    kind = type(layer).__name__
    if kind not in KERNELS or getattr(layer, "data_format", "channels_last") != "channels_last":
        return None
    new = _CLASSES[kind].from_config({**layer.get_config(), "name": name})
    new.bits = bits if kind in ("Dense", "Conv2D") else 8
    # LiteRT stores these two with the axes swapped, where its converter wants one scale.
    new.per_channel = kind != "Conv2DTranspose" and (kind != "Dense" or bits < 8)
    return [(new, layer.get_weights())]


def _rounded_activations(model: keras.Model) -> keras.Model:
    """Puts a FakeQuantize wherever LiteRT stores a tensor with a scale of its own."""
    fused = _fused_with_relu(model)
    number = 0

    def rounded(tensors: Any, name: str, limits: tuple[float, float] | None = None) -> Any:
        def one(tensor: Any) -> Any:
            nonlocal number
            if not str(tensor.dtype).startswith("float"):
                return tensor
            number += 1
            return FakeQuantize(limits, name=f"{name}_range_{number}")(tensor)

        return keras.tree.map_structure(one, tensors)

    def call(operation: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], old: list[Any]) -> Any:
        result = operation(*arguments, **keywords)
        if type(operation).__name__ in _KEEPING or id(old[0]) in fused:
            return result
        return rounded(result, operation.name, _FIXED.get(_function(operation)))

    raw = _normalized_first(model)
    return retraced(
        model, call, lambda tensor: tensor if tensor.name in raw else rounded(tensor, tensor.name)
    )


def _normalized_first(model: keras.Model) -> set[str]:
    """The inputs that only a Normalization reads.

    One range over columns of different scales would round the small ones to nothing, so these inputs stay
    float32, and so does the Normalization, behind which all columns have one scale.
    """
    readers: dict[int, set[str]] = {}
    for nodes in model._nodes_by_depth.values():
        for node in nodes:
            for tensor in () if node.is_input else node.input_tensors:
                readers.setdefault(id(tensor), set()).add(type(node.operation).__name__)
    return {tensor.name for tensor in model.inputs if readers.get(id(tensor)) == {"Normalization"}}


def _function(operation: Any) -> str:
    activation = getattr(operation, "activation", None)
    if type(operation).__name__ == "Activation":
        return str(getattr(activation, "__name__", activation))
    return type(operation).__name__.lower()


def _is_relu(operation: Any) -> bool:
    if isinstance(operation, keras.layers.ReLU):
        return operation.max_value in (None, 6) and not operation.negative_slope and not operation.threshold
    return _function(operation) in ("relu", "relu6")


def _fused_with_relu(model: keras.Model) -> set[int]:
    """The tensors that exist nowhere in a LiteRT file, since a ReLU is computed with what gives them."""
    nodes = [node for nodes in model._nodes_by_depth.values() for node in nodes if not node.is_input]
    users: dict[int, list[Any]] = {}
    for node in nodes:
        for tensor in node.input_tensors:
            users.setdefault(id(tensor), []).append(node)
    outputs = {id(tensor) for tensor in model.outputs}
    fused = set()
    for node in nodes:
        kind = type(node.operation).__name__.removesuffix("FakeQuantized")
        if kind not in _FUSING or getattr(node.operation, "activation", None) not in (
            None,
            keras.activations.linear,
        ):
            continue
        tensor = node.output_tensors[0]
        while id(tensor) not in outputs and len(users.get(id(tensor), [])) == 1:
            (user,) = users[id(tensor)]
            if _is_relu(user.operation):
                fused.add(id(node.output_tensors[0]))
                break
            if type(user.operation).__name__ not in _VANISHING:
                break
            tensor = user.output_tensors[0]
    return fused
