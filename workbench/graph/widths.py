"""Which widths of a Keras model can change, and what they become: read from its configuration.

A *width* is the length of a tensor's last axis: the units of a Dense layer, the filters of a
convolution. Layers whose outputs meet in an addition must keep equal widths, so widths are collected
into groups (union-find over the graph); a group is fixed as soon as one of its tensors is: an input,
an output, the shape of a Reshape, or a layer that is not understood.

Neither Keras nor TensorFlow is needed for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from workbench.api.errors import Refused
from workbench.api.text import Text, say
from workbench.api.variant import Skip
from workbench.graph.calls import Call, Tensor, calls, outputs
from workbench.graph.width_groups import Group, Width, WidthGroups

WIDTH_PARAMETER = {
    "Dense": "units",
    "Conv1D": "filters",
    "Conv2D": "filters",
    "Conv3D": "filters",
    "Conv1DTranspose": "filters",
    "Conv2DTranspose": "filters",
    "Conv3DTranspose": "filters",
    "SeparableConv1D": "filters",
    "SeparableConv2D": "filters",
    "LSTM": "units",
    "GRU": "units",
    "SimpleRNN": "units",
    "Embedding": "output_dim",
}
"""Layers that have a width of their own, and the name of its parameter."""

# fmt: off
_STATELESS = frozenset((
    "Activation", "ActivityRegularization", "AlphaDropout", "Dropout", "ELU", "GaussianDropout",
    "GaussianNoise", "Identity", "LeakyReLU", "Masking", "ReLU", "Softmax",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
    "Cropping1D", "Cropping2D", "Cropping3D", "UpSampling1D", "UpSampling2D", "UpSampling3D",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
    # keras.ops, as nodes of the graph
    "Abs", "Elu", "Exp", "Gelu", "HardSigmoid", "HardSilu", "LeakyRelu", "Negative", "Relu", "Relu6",
    "Selu", "Sigmoid", "Silu", "Softplus", "Sqrt", "Square", "Tanh",
))
_FOLLOWING = frozenset((
    "BatchNormalization", "GroupNormalization", "LayerNormalization", "PReLU", "RMSNormalization",
    "UnitNormalization", "DepthwiseConv1D", "DepthwiseConv2D",
))
_ADAPTED = frozenset((
    "Discretization", "IntegerLookup", "Normalization", "StringLookup", "TextVectorization",
))
_MERGING = frozenset((
    "Add", "Average", "Divide", "Maximum", "Minimum", "Multiply", "Subtract", "TrueDivide",
))
# fmt: on


@dataclass
class WidthPlan:
    """What scaling every width by one factor does to a model.

    Attributes:
        changes: New parameters of layers by layer name, such as ``{"dense": {"units": 64}}``.
        before: The old ones.
        keep: Paths of layers that take over the parent's weights: frozen ones, and those adapted to
            data. A path goes from the outermost model inwards.
        skipped: Layers with a width that stays, each with its reason.
    """

    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    keep: list[tuple[str, ...]] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)


def plan_widths(config: dict[str, Any], factor: float, round_to: int) -> WidthPlan:
    """Scales every hidden width that can change.

    Args:
        config: ``get_config()`` of a Sequential or functional model.
        factor: New width / old width, above 0, at most 1.
        round_to: New widths are multiples of it, where the layer was at least so wide.

    Raises:
        workbench.api.errors.Refused: If the model is neither Sequential nor functional.
    """
    if "layers" not in config:
        raise Refused(
            say("The layers of a subclassed model are not in its file, so its widths cannot be scaled."),
            say("Build it with keras.Sequential or the functional API."),
        )
    graph = _Graph()
    graph.read(config)
    return graph.plan(factor, round_to)


def scaled(width: int, factor: float, multiple: int) -> int:
    """``width * factor``, rounded to the nearest multiple; at least one multiple, at most ``width``."""
    if multiple > width:
        multiple = 1
    return min(width, max(multiple, math.floor(width * factor / multiple + 0.5) * multiple))


class _Graph:
    def __init__(self) -> None:
        self._groups = WidthGroups()
        self._layers: dict[str, tuple[str, int, dict[str, Any]]] = {}
        self._reshapes: dict[str, tuple[int, dict[str, Any]]] = {}
        self._inputs: dict[str, Width] = {}
        self._keep: list[tuple[str, ...]] = []
        self._notes: list[Skip] = []

    def read(self, config: dict[str, Any]) -> None:
        for width in self._walk(config, None, ()):
            self._groups.fix(width, say("It gives the model's output."))

    def _walk(self, config: dict[str, Any], inputs: list[Width] | None, path: tuple[str, ...]) -> list[Width]:
        """Follows widths through a model.

        Args:
            config: The model's.
            inputs: Widths of its inputs; None for the outermost model.
            path: Names of the models around it.

        Returns:
            The widths of its outputs.
        """
        known: dict[Tensor, Width] = {}
        given = iter(inputs or ())
        waiting: list[Call] = []
        for call in calls(config):
            if call.kind == "InputLayer":
                known[call.name, 0, 0] = next(given, None) or self._groups.fixed(
                    say("It is tied to the model's input.")
                )
            else:
                waiting.append(call)
        while waiting:
            later = []
            for call in waiting:
                if all(tensor in known for tensor in call.inputs):
                    results = self._call(call, [known[tensor] for tensor in call.inputs], path)
                    known.update({(call.name, call.number, at): width for at, width in enumerate(results)})
                else:
                    later.append(call)
            if len(later) == len(waiting):
                raise Refused(say("The graph of {model} cannot be read.", model=config.get("name", "")))
            waiting = later
        return [known[tensor] for tensor in outputs(config)]

    def _call(self, call: Call, widths: list[Width], path: tuple[str, ...]) -> list[Width]:
        kind, config, name = call.kind, call.config, call.name
        if kind in ("Functional", "Sequential") and call.positional and call.calls == 1:
            for width in widths:
                # Its InputLayer states a width of its own.
                reason = say("It feeds {layer}, a model inside the model, whose input is fixed.", layer=name)
                self._groups.fix(width, reason)
            return self._walk(config, widths, (*path, name))
        last = config.get("data_format") != "channels_first" and not config.get("return_state")
        understood = call.positional and last
        if kind in _STATELESS and understood:
            return widths[:1]
        if config.get("trainable") is False and "layers" not in config:
            self._keep.append((*path, name))
            return self._closed(widths, kind, name, say("The weights of {layer} are frozen.", layer=name))
        if kind in _ADAPTED:
            self._keep.append((*path, name))
        elif understood:
            if kind in WIDTH_PARAMETER:
                return [self._producer(call, widths[0])]
            if kind in _FOLLOWING:
                return [self._follower(kind, config, widths[0])]
            if kind in _MERGING:
                # A tensor of width 1 is broadcast, and stays 1.
                wide = [width for width, size in zip(widths, call.widths, strict=True) if size != 1]
                return [self._groups.tie(wide or widths, name)]
            if kind == "Concatenate":
                return [self._concatenation(call, widths)]
            if kind == "Flatten":
                return [Width(widths[0].groups, exact=False)]
            if kind == "Reshape" and (shape := config["target_shape"]) and shape[-1] == call.widths[0]:
                return [self._reshape(name, shape, widths[0])]
        return self._closed(widths, kind, name, None)

    def _producer(self, call: Call, source: Width) -> Width:
        name, config = call.name, call.config
        if name in self._layers:
            _, group, known = self._layers[name]
            if known is not config:
                # A change is addressed to a layer by its name.
                self._groups.fix(Width((group,)), say("Two layers are named {layer}.", layer=name))
                return self._groups.fixed(say("Two layers are named {layer}.", layer=name))
            # A layer that is called more than once has one kernel: its inputs are equally wide.
            self._groups.tie([source, self._inputs[name]], name)
            return Width((group,))
        group = self._groups.new(int(config[WIDTH_PARAMETER[call.kind]]))
        self._layers[name] = call.kind, group, config
        self._inputs[name] = source
        if (count := int(config.get("groups") or 1)) > 1:
            self._groups.of(group).multiple = count
            self._groups.divisible(source, count, name)
        return Width((group,))

    def _follower(self, kind: str, config: dict[str, Any], width: Width) -> Width:
        name = config["name"]
        if kind == "GroupNormalization" and int(config["groups"]) > 1:
            self._groups.divisible(width, int(config["groups"]), name)
        if kind.startswith("Depthwise"):
            self._notes.append(
                Skip(name=name, reason=say("It has no width of its own: it follows its input."))
            )
            if config["depth_multiplier"] != 1:
                return Width(width.groups, exact=False)
        return width

    def _concatenation(self, call: Call, widths: list[Width]) -> Width:
        if call.config["axis"] not in (-1, call.rank - 1):
            return self._groups.tie(widths, call.name)
        groups = tuple(group for width in widths for group in width.groups)
        return Width(groups, exact=all(width.exact for width in widths))

    def _reshape(self, name: str, shape: list[int], width: Width) -> Width:
        if not (width.exact and len(width.groups) == 1):
            self._groups.fix(width, say("The shape that {layer} gives is fixed.", layer=name))
        else:
            self._reshapes[name] = width.groups[0], {"target_shape": shape}
        return width

    def _closed(self, widths: list[Width], kind: str, name: str, reason: Text | None) -> list[Width]:
        """A layer that widths do not pass through: they stay as they are on both sides."""
        if reason is None:
            reason = say("It feeds {layer}, a {kind} layer, which fixes it.", layer=name, kind=kind)
            self._notes.append(
                Skip(name=name, reason=say("The width of a {kind} layer is not scaled.", kind=kind))
            )
        elif kind in WIDTH_PARAMETER or kind in _FOLLOWING:
            self._notes.append(Skip(name=name, reason=reason))
        for width in widths:
            self._groups.fix(width, reason)
        # More outputs than any layer has; those that do not exist are never asked for.
        return [
            self._groups.fixed(say("It comes from {layer}, whose width stays.", layer=name)) for _ in range(8)
        ]

    def plan(self, factor: float, round_to: int) -> WidthPlan:
        plan = WidthPlan(keep=self._keep, skipped=[])
        for name, (kind, number, config) in self._layers.items():
            group, key = self._groups.of(number), WIDTH_PARAMETER[kind]
            before = int(config[key])
            after = self._after(group, before, factor, round_to)
            if group.reason is not None:
                plan.skipped.append(Skip(name=name, reason=_reason(group)))
            elif after == before:
                if factor < 1:
                    plan.skipped.append(Skip(name=name, reason=say("Rounding leaves {width}.", width=before)))
            else:
                plan.changes[name], plan.before[name] = {key: after}, {key: before}
        for name, (number, parameters) in self._reshapes.items():
            group, shape = self._groups.of(number), parameters["target_shape"]
            after = self._after(group, shape[-1], factor, round_to)
            if group.reason is None and after != shape[-1]:
                plan.changes[name] = {"target_shape": [*shape[:-1], after]}
                plan.before[name] = {"target_shape": list(shape)}
        plan.skipped += self._notes
        return plan

    @staticmethod
    def _after(group: Group, width: int, factor: float, round_to: int) -> int:
        multiple = math.lcm(group.multiple, round_to)
        return scaled(width, factor, multiple if multiple <= width else group.multiple)


def _reason(group: Group) -> Text:
    assert group.reason is not None
    if group.tie is None:
        return group.reason
    return say(
        "It shares its width with other layers through {layer}, and that width stays. {reason}",
        layer=group.tie,
        reason=group.reason,
    )
