"""Rules of recurrent layers: a unit is a channel of every gate and of the state."""

from __future__ import annotations

from typing import Any

from workbench.graph.channels import Axis
from workbench.graph.elementwise import check_activation
from workbench.graph.parts import Flow, Setting, Weight
from workbench.graph.site import Rule, Site, tiled

_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
_STATES = {"LSTM": 2, "GRU": 1, "SimpleRNN": 1}


def recurrent(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """LSTM, GRU or SimpleRNN over ``(batch, steps, features)``."""
    flow, config, kind = flows[0], site.call.config, site.call.kind
    if len(flow) != 3:
        return None
    source, units = site.bind("input", flow[-1]), site.own("", int(config["units"]))
    for at, (slot, state) in enumerate(zip(site.call.slots, flows, strict=True)):
        if at and slot != "mask":
            # The states that it starts from.
            site.tied([units, state[-1]])
    weights = _weights(site, config, kind, source, units, flow[1].length)
    site.record(weights, [Setting(("units",), units)], {"": units})
    return _results(config, kind, flow, units)


def bidirectional(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """A recurrent layer in both directions, each with as many units."""
    inner, other = site.call.config["layer"], site.call.config.get("backward_layer")
    kind, config, flow = inner["class_name"], inner["config"], flows[0]
    mode = site.call.config["merge_mode"]
    if kind not in _GATES or config.get("return_state") or len(flow) != 3 or mode is None:
        return None
    if len([slot for slot in site.call.slots if slot != "mask"]) > 1:
        return None
    source = site.bind("input", flow[-1])
    forward = site.own("forward", int(config["units"]))
    backward = site.own("backward", int(config["units"]))
    assert forward.channels is not None
    assert backward.channels is not None
    site.channels.tie(forward.channels, backward.channels)
    weights = [
        weight
        for units in (forward, backward)
        for weight in _weights(site, config, kind, source, units, flow[1].length)
    ]
    settings = [Setting(("layer", "config", "units"), forward)]
    if other is not None:
        if other["class_name"] != kind or other["config"]["units"] != config["units"]:
            return None
        settings.append(Setting(("backward_layer", "config", "units"), backward))
    site.record(weights, settings, {"": forward})
    if mode != "concat":
        return _results(config, kind, flow, forward)
    import numpy as np

    both = Axis(2 * len(forward.channels), np.concatenate([forward.channels, backward.channels]))
    return _results(config, kind, flow, both)


def _weights(
    site: Site, config: dict[str, Any], kind: str, source: Axis, units: Axis, steps: int | None
) -> list[Weight]:
    for name in ("activation", "recurrent_activation"):
        check_activation(site, config.get(name), units)
    gates = tiled(units, _GATES[kind])
    weights = [
        Weight((source, gates), (1,), steps, "kernel"),
        Weight((units, gates), (1,), steps, "kernel"),
    ]
    if config["use_bias"]:
        double = kind == "GRU" and config.get("reset_after")
        weights.append(Weight((Axis(2), gates) if double else (gates,), (1 if double else 0,), role="bias"))
    return weights


def _results(config: dict[str, Any], kind: str, flow: Flow, units: Axis) -> list[Flow]:
    result: Flow = (flow[0], flow[1], units) if config.get("return_sequences") else (flow[0], units)
    states = [(flow[0], units)] * _STATES[kind] if config.get("return_state") else []
    return [result, *states]


RULES: dict[str, Rule] = {**dict.fromkeys(_GATES, recurrent), "Bidirectional": bidirectional}
