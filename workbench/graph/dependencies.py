"""Which channels of a Keras model depend on each other: read from its configuration.

Every layer that can follow a change is recorded with the channels on each axis of its weights, so
what removes channels needs to know nothing of layers. Neither Keras nor TensorFlow is needed.

Source: Fang et al., DepGraph: Towards Any Structural Pruning, 2023 (arXiv:2301.12900). Here channels
are followed one by one instead of layer by layer, so that concatenation, flattening, repetition and
grouping need no index mappings of their own.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from workbench.api.errors import Refused
from workbench.api.text import Text, say
from workbench.api.variant import Skip
from workbench.graph import (
    attention,
    convolution,
    dense,
    distributed,
    elementwise,
    normalization,
    recurrent,
    shapes,
)
from workbench.graph.calls import Call, Lengths, Tensor, calls, inputs, outputs
from workbench.graph.channels import Axis, Channels
from workbench.graph.parts import Flow, LayerParts, Path, Setting
from workbench.graph.site import Rule, Site

RULES: dict[str, Rule] = {
    **elementwise.RULES,
    **convolution.RULES,
    **dense.RULES,
    **normalization.RULES,
    **shapes.RULES,
    **attention.RULES,
    **recurrent.RULES,
    **distributed.RULES,
}
"""What is known of each class of layer and operation."""

_MODELS = ("Functional", "Sequential")


class DependencyGraph:
    """The channels of a model and the layers that carry them.

    Attributes:
        channels: All channels.
        layers: The layers that can follow a change, in order of execution.
        closed: Layers that channels are not followed through, each with its reason.

    Args:
        config: ``get_config()`` of a Sequential or functional model.

    Raises:
        workbench.api.errors.Refused: If it is neither, or its graph cannot be read.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        if "layers" not in config:
            raise Refused(
                say("A subclassed model's layers are not in its file: its channels cannot be followed."),
                say("Build it with keras.Sequential or the functional API."),
            )
        self.channels = Channels(say("It gives the model's output."))
        self.layers: dict[Path, LayerParts] = {}
        self.closed: list[Skip] = []
        self._closed_paths: set[Path] = set()
        self._bound: dict[tuple[Path, str], Axis] = {}
        for flow in self._walk(config, None, (), {}):
            for axis in flow or ():
                self.channels.fix_foremost(axis)

    def _walk(
        self,
        config: dict[str, Any],
        given: list[Flow] | None,
        path: Path,
        expected: dict[int, Lengths],
    ) -> list[Flow | None]:
        """Follows channels through a model.

        Args:
            config: The model's.
            given: Its inputs; None for the outermost model.
            path: Names of the models around it.
            expected: Lengths of its outputs where its surroundings tell.

        Returns:
            Its outputs; None for one of unknown shape.
        """
        every = list(calls(config))
        results = outputs(config)
        lengths: dict[Tensor, Lengths] = {results[at]: shape for at, shape in expected.items()}
        for call in every:
            lengths.update({t: s for t, s in zip(call.inputs, call.shapes, strict=True) if s})
        known: dict[Tensor, Flow | None] = {}
        entered = dict(zip(inputs(config), given, strict=True)) if given is not None else {}
        waiting: deque[Call] = deque()
        for call in every:
            if call.inputs or call.kind != "InputLayer":
                waiting.append(call)
                continue
            tensor = (call.name, 0, 0)
            if given is None:
                known[tensor] = _fixed(_batch_shape(call), say("It is tied to the model's input."))
            else:
                known[tensor] = self._entry(call, (*path, call.name), entered[tensor])
        stuck = 0
        while waiting:
            call = waiting.popleft()
            if not all(tensor in known for tensor in call.inputs):
                waiting.append(call)
                stuck += 1
                if stuck > len(waiting):
                    raise Refused(say("The graph of {model} cannot be read.", model=config.get("name", "")))
                continue
            stuck = 0
            flows = [self._known(known[t], lengths.get(t), call, path) for t in call.inputs]
            for at, flow in enumerate(self._call(call, flows, path, lengths)):
                tensor = (call.name, call.number, at)
                known[tensor] = _with_lengths(flow, lengths.get(tensor))
        return [known.get(tensor) for tensor in results]

    def _entry(self, call: Call, path: Path, flow: Flow) -> Flow:
        """An input of a model inside the model: its layer states a shape."""
        site = Site(call, path, self.channels, self.layers, self._bound)
        bound = tuple(site.bind(f"axis {at}", axis) for at, axis in enumerate(flow))
        carrying = [(at, axis) for at, axis in enumerate(bound) if axis.channels is not None]
        site.record(settings=[Setting(("batch_shape", at), axis) for at, axis in carrying])
        return bound

    @staticmethod
    def _known(flow: Flow | None, lengths: Lengths | None, call: Call, path: Path) -> Flow:
        if flow is not None:
            return flow
        # The output of a layer that is not understood, in the shape that its consumer states.
        return _fixed(lengths or (), say("It comes from a layer whose shape stays."))

    def _call(
        self, call: Call, flows: list[Flow], path: Path, lengths: dict[Tensor, Lengths]
    ) -> list[Flow | None]:
        own = (*path, call.name)
        if call.kind in _MODELS and "layers" in call.config and not call.is_registered:
            inner = inputs(call.config)
            if len(inner) == len(flows):
                count = len(outputs(call.config))
                expected = {
                    at: lengths[tensor]
                    for at in range(count)
                    if (tensor := (call.name, call.number, at)) in lengths
                }
                return self._walk(call.config, flows, own, expected)
        site = Site(call, own, self.channels, self.layers, self._bound)
        rule = RULES.get(call.kind) if call.module.startswith("keras") and not call.is_registered else None
        obstacle = _obstacle(call) if rule is not None else None
        if rule is not None and obstacle is None:
            try:
                found = rule(site, flows)
            except (ValueError, KeyError, IndexError, TypeError):
                # A configuration that the rule was not written for: the layer is closed like an unknown one.
                found = None
            if found is not None and all(
                _agrees(flow, lengths.get((call.name, call.number, at))) for at, flow in enumerate(found)
            ):
                if (parts := self.layers.get(own)) is not None and not parts.inputs:
                    parts.inputs = list(zip(call.slots, flows, strict=True))
                return list(found)
        return self._closed(site, flows, obstacle)

    def _closed(self, site: Site, flows: list[Flow], reason: Text | None) -> list[Flow | None]:
        """A layer that channels do not pass: they are fixed before it, and after it there are none."""
        reason = reason or say("Channels are not followed through a {kind} layer.", kind=site.call.kind)
        carrying = any(axis.channels is not None for flow in flows for axis in flow)
        if (carrying or ".ops" not in site.call.module) and site.path not in self._closed_paths:
            self._closed_paths.add(site.path)
            self.closed.append(Skip(name=site.name, reason=reason))
        self.layers.pop(site.path, None)
        for (path, _), axis in self._bound.items():
            if path == site.path:
                self.channels.fix(axis, reason)
        for flow in flows:
            site.fix(flow, say("It feeds {layer}. {reason}", layer=site.name, reason=reason))
        # More outputs than a layer has; those that do not exist are never asked for.
        return [None] * 8


def _agrees(flow: Flow, lengths: Lengths | None) -> bool:
    """Whether a rule came to the shape that the consumers of the tensor state."""
    if lengths is None:
        return True
    return len(flow) == len(lengths) and all(
        length is None or axis.length is None or axis.length == length
        for axis, length in zip(flow, lengths, strict=True)
    )


def _obstacle(call: Call) -> Text | None:
    policy = call.config.get("dtype")
    name = policy.get("class_name", "") if isinstance(policy, dict) else str(policy)
    if "Quantized" in name or "_from_" in name:
        return say("Its weights are quantized.")
    if call.config.get("lora_rank"):
        return say("It has a LoRA adapter.")
    return None


def _batch_shape(call: Call) -> Lengths:
    return tuple(call.config.get("batch_shape") or call.config.get("batch_input_shape") or ())


def _fixed(lengths: Lengths, reason: Text) -> Flow:
    return tuple(Axis(length, None, reason) for length in lengths)


def _with_lengths(flow: Flow | None, lengths: Lengths | None) -> Flow | None:
    """Lengths that the rules left open, as the consumers of the tensor state them."""
    if flow is None or lengths is None or len(flow) != len(lengths):
        return flow
    return tuple(
        Axis(length, axis.channels, axis.reason) if axis.length is None else axis
        for axis, length in zip(flow, lengths, strict=True)
    )
