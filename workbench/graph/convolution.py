"""Rules of convolutions and pooling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.api.text import Text, say
from workbench.graph.channels import Axis
from workbench.graph.elementwise import check_activation
from workbench.graph.parts import Flow, Setting, Weight
from workbench.graph.site import Rule, Site, positions, repeated


def convolution(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """A convolution, grouped or not."""
    flow, config, channel = _single(site, flows)
    kernel, places = _kernel(config), _strided(site, flow, channel)
    source, filters, groups = (
        site.bind("input", flow[channel]),
        int(config["filters"]),
        int(config.get("groups") or 1),
    )
    target = site.own("", filters)
    settings = [Setting(("filters",), target)]
    fan_in = source
    if groups > 1:
        assert source.length is not None
        fan_in = _grouped(site, source, target, groups)
        if fan_in.channels is None and source.channels is not None:
            settings.append(Setting(("groups",), source, source.length // groups))
    _record(site, (*map(Axis, kernel), fan_in, target), target, positions(places), settings)
    return [_output(site, flow, channel, places, target)]


def _grouped(site: Site, source: Axis, target: Axis, groups: int) -> Axis:
    """Ties the channels of a grouped convolution and gives the second last axis of its kernel.

    Either whole groups go, inputs and outputs together, or the same position inside all of them:
    whichever leaves more to choose from.
    """
    assert source.length is not None
    assert target.channels is not None
    inside = source.length // groups
    outs = target.channels.reshape(groups, -1)
    if source.channels is None:
        # Every group keeps its inputs; the same filter of each group can go.
        _tie_rows(site, outs.T)
        return Axis(inside)
    ins = source.channels.reshape(groups, -1)
    if groups >= inside:
        _tie_rows(site, ins)
        _tie_rows(site, outs)
        site.channels.tie(ins[:, 0], outs[:, 0])
        return Axis(inside)
    _tie_rows(site, ins.T)
    _tie_rows(site, outs.T)
    return Axis(inside, ins[0])


def _tie_rows(site: Site, grid: Any) -> None:
    for column in range(1, grid.shape[1]):
        site.channels.tie(np.ascontiguousarray(grid[:, 0]), np.ascontiguousarray(grid[:, column]))


def transposed(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """A transposed convolution; its kernel has the outputs before the inputs."""
    flow, config, channel = _single(site, flows)
    source, target = site.bind("input", flow[channel]), site.own("", int(config["filters"]))
    before = _places(flow, channel)
    axes = (*map(Axis, _kernel(config)), target, source)
    _record(site, axes, target, positions(before), [Setting(("filters",), target)])
    return [_output(site, flow, channel, [Axis()] * len(before), target)]


def depthwise(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """A depthwise convolution: its channels are those of its input."""
    flow, config, channel = _single(site, flows)
    times, places = int(config["depth_multiplier"]), _strided(site, flow, channel)
    source = site.bind("input", flow[channel])
    target = repeated(source, times)
    weights = [Weight((*map(Axis, _kernel(config)), source, Axis(times)), positions=positions(places))]
    if config["use_bias"]:
        weights.append(Weight((target,)))
    check_activation(site, config.get("activation"), target)
    site.record(weights)
    return [_output(site, flow, channel, places, target)]


def separable(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """A depthwise convolution and one of kernel size 1, in one layer."""
    flow, config, channel = _single(site, flows)
    times, places = int(config["depth_multiplier"]), _strided(site, flow, channel)
    source, target = site.bind("input", flow[channel]), site.own("", int(config["filters"]))
    kernel, count = _kernel(config), positions(places)
    weights = [
        Weight((*map(Axis, kernel), source, Axis(times)), positions=count),
        Weight(
            (*[Axis(1)] * len(kernel), repeated(source, times), target),
            (len(kernel) + 1,),
            count,
            "kernel",
        ),
    ]
    if config["use_bias"]:
        weights.append(Weight((target,), (0,), role="bias"))
    check_activation(site, config.get("activation"), target)
    site.record(weights, [Setting(("filters",), target)], {"": target})
    return [_output(site, flow, channel, places, target)]


def pooling(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Pooling over a window."""
    flow, _, channel = _single(site, flows)
    places = _strided(site, flow, channel, size="pool_size")
    return [_output(site, flow, channel, places, flow[channel])]


def global_pooling(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Pooling over everything but the channels."""
    flow, config, channel = _single(site, flows)
    if config.get("keepdims"):
        return [_output(site, flow, channel, [Axis(1)] * (len(flow) - 2), flow[channel])]
    return [(flow[0], flow[channel])]


def resized(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Padding, cropping, repetition: other places, the same channels."""
    flow, _, channel = _single(site, flows)
    return [_output(site, flow, channel, [Axis()] * (len(flow) - 2), flow[channel])]


def _single(site: Site, flows: list[Flow]) -> tuple[Flow, dict[str, Any], int]:
    (flow,) = flows
    config = site.call.config
    # Layers without a data format have the channels last.
    return flow, config, 1 if config.get("data_format") == "channels_first" else len(flow) - 1


def _places(flow: Flow, channel: int) -> list[Axis]:
    return [axis for at, axis in enumerate(flow) if at not in (0, channel)]


def _kernel(config: dict[str, Any]) -> list[int]:
    size = config["kernel_size"]
    return [int(length) for length in size] if isinstance(size, list | tuple) else [int(size)]


def _each(value: Any, count: int) -> list[int]:
    return [int(item) for item in value] if isinstance(value, list | tuple) else [int(value)] * count


def _strided(site: Site, flow: Flow, channel: int, size: str = "kernel_size") -> list[Axis]:
    """The places after a window has moved over those of the input."""
    config, before = site.call.config, _places(flow, channel)
    windows = _each(config[size], len(before))
    strides = _each(config.get("strides") or windows, len(before))
    dilations = _each(config.get("dilation_rate") or 1, len(before))
    after = []
    for axis, window, stride, dilation in zip(before, windows, strides, dilations, strict=True):
        site.fix([axis], _swept(site))
        if axis.length is None:
            after.append(Axis())
            continue
        lost = (window - 1) * dilation if config["padding"] == "valid" else 0
        after.append(Axis(math.ceil((axis.length - lost) / stride)))
    return after


def _swept(site: Site) -> Text:
    return say("{layer} moves a window over it.", layer=site.name)


def _output(site: Site, flow: Flow, channel: int, places: list[Axis], target: Axis) -> Flow:
    site.fix(_places(flow, channel), _swept(site))
    after = list(places)
    after.insert(channel - 1, target)
    return (flow[0], *after)


def _record(site: Site, axes: Flow, target: Axis, count: int | None, settings: list[Setting]) -> None:
    config = site.call.config
    made = next(at for at, axis in enumerate(axes) if axis is target)
    weights = [Weight(axes, (made,), count, "kernel")]
    if config["use_bias"]:
        weights.append(Weight((target,), (0,), role="bias"))
    check_activation(site, config.get("activation"), target)
    site.record(weights, settings, {"": target})


_DIMENSIONS = ("1D", "2D", "3D")

RULES: dict[str, Rule] = {
    **{f"Conv{n}": convolution for n in _DIMENSIONS},
    **{f"Conv{n}Transpose": transposed for n in _DIMENSIONS},
    **{f"DepthwiseConv{n}": depthwise for n in _DIMENSIONS[:2]},
    **{f"SeparableConv{n}": separable for n in _DIMENSIONS[:2]},
    **{f"{kind}Pooling{n}": pooling for kind in ("Max", "Average") for n in _DIMENSIONS},
    **{f"Global{kind}Pooling{n}": global_pooling for kind in ("Max", "Average") for n in _DIMENSIONS},
    **{f"Adaptive{kind}Pooling{n}": resized for kind in ("Max", "Average") for n in _DIMENSIONS},
    **{f"{kind}{n}": resized for kind in ("ZeroPadding", "Cropping", "UpSampling") for n in _DIMENSIONS},
    "Resizing": resized,
}
