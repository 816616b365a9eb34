"""Rules of layers and operations that treat every position alike, alone or of several tensors."""

from __future__ import annotations

from typing import Any

from workbench.api.text import Text, say
from workbench.graph.channels import Axis
from workbench.graph.parts import Flow, Setting, Weight
from workbench.graph.site import Rule, Site

# fmt: off
_UNARY = (
    "Activation", "ActivityRegularization", "AlphaDropout", "Dropout", "ELU", "GaussianDropout",
    "GaussianNoise", "Identity", "LeakyReLU", "ReLU", "Rescaling", "StochasticDepth",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    # keras.ops, as nodes of the graph
    "Abs", "Absolute", "Cast", "Celu", "Clip", "Cos", "Elu", "Erf", "Exp", "Expm1", "Gelu", "HardShrink",
    "HardSigmoid", "HardSilu", "HardTanh", "LeakyRelu", "Log", "Log1p", "LogSigmoid", "Negative",
    "Reciprocal", "Relu", "Relu6", "Round", "Rsqrt", "Selu", "Sigmoid", "Sign", "Silu", "Sin",
    "SoftShrink", "Softplus", "Softsign", "Sqrt", "Square", "SquarePlus", "StopGradient", "Tanh",
    "TanhShrink", "Threshold",
)
_MERGING = (
    "Add", "Average", "CustomScaleLayer", "Divide", "Maximum", "Minimum", "Multiply", "Power",
    "Subtract", "TrueDivide",
)
# fmt: on
_ACROSS = frozenset({"glu", "log_softmax", "softmax", "sparsemax"})
"""Activations in which every position depends on the others of its axis."""


def unary(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """One tensor in, one of the same shape out."""
    if len(flows) != 1 or not _scalars(site) or isinstance(site.call.config.get("scale"), list | dict):
        return None
    check_activation(site, site.call.config.get("activation"), flows[0][-1])
    return [flows[0]]


def merge(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Several tensors that meet position by position, with axes of length 1 repeated."""
    if not flows or not _scalars(site) or "weights" in site.call.config:
        return None  # keras.ops.average has weights, and is another thing than the layer
    return [merged(site, flows)]


def merged(site: Site, flows: list[Flow]) -> Flow:
    """The result of meeting position by position."""
    rank = max(map(len, flows))
    return tuple(site.tied([flow[at] for flow in flows if len(flow) >= -at]) for at in range(-rank, 0))


def check_activation(site: Site, activation: Any, axis: Axis) -> None:
    """Fixes the channels of an axis that an activation normalizes over.

    Args:
        site: The call.
        activation: As the configuration has it: a name, or a dictionary.
        axis: The axis that it runs over, the last one.
    """
    name = activation
    while isinstance(name, dict):
        inner = name.get("config")
        name = inner if isinstance(inner, str) else name.get("class_name")
    if isinstance(name, str) and name.lower() in _ACROSS:
        site.fix([axis], _normalized(site))


def softmax(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """A softmax over some axes: those cannot lose a position without changing the others."""
    if len(flows) != 1:
        return None
    axis = site.call.config.get("axis", -1)
    for at in axis if isinstance(axis, list | tuple) else [axis]:
        site.fix([flows[0][at]], _normalized(site))
    return [flows[0]]


def prelu(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """A slope for each channel, shared over some axes."""
    (flow,) = flows
    shared = site.call.config.get("shared_axes") or ()
    axes = [
        Axis(1) if at in shared else site.bind(f"input {at}", axis)
        for at, axis in enumerate(flow[1:], start=1)
    ]
    site.record([Weight(tuple(axes))])
    return [flow]


def layer_scale(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """A factor for each channel, as in ConvNeXt."""
    axis = site.bind("input", flows[0][-1])
    site.record([Weight((axis,))], [Setting(("projection_dim",), axis)])
    return [flows[0]]


def _normalized(site: Site) -> Text:
    return say("{layer} normalizes over it: without some values the others would change.", layer=site.name)


def _scalars(site: Site) -> bool:
    """Whether no argument is an array, whose length would stay."""
    given = [*site.call.arguments, *site.call.keywords.values()]
    return not any(isinstance(value, dict) and value.get("class_name") == "__numpy__" for value in given)


RULES: dict[str, Rule] = {
    **dict.fromkeys(_UNARY, unary),
    **dict.fromkeys(_MERGING, merge),
    "Softmax": softmax,
    "LogSoftmax": softmax,
    "PReLU": prelu,
    "LayerScale": layer_scale,
}
