"""Rules of layers and operations that move, join or split axes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from workbench.api.text import Text, say
from workbench.graph.channels import Axis
from workbench.graph.elementwise import merged
from workbench.graph.parts import Flow, Setting
from workbench.graph.site import Rule, Site


def flatten(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Everything but the batch axis in one."""
    (flow,) = flows
    if site.call.config.get("data_format") == "channels_first" and len(flow) > 2:
        flow = (flow[0], *flow[2:], flow[1])  # Keras moves the channels to the end first
    if len(flow) == 1:
        return [(flow[0], Axis(1))]
    return [(flow[0], _joined(site, list(flow[1:])))]


def reshape(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Other axes over the same values."""
    if len(flows) != 1:
        return None
    if "target_shape" in site.call.config:
        return _reshaped(site, flows[0], list(site.call.config["target_shape"]), "target_shape", 0)
    # keras.ops.reshape states the batch axis too.
    target = site.call.config["newshape"]
    if not isinstance(target, list | tuple) or target[0] not in (-1, None):
        return None
    return _reshaped(site, flows[0], list(target[1:]), "newshape", 1)


def permute(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Axes in another order."""
    (flow,) = flows
    return [(flow[0], *(flow[at] for at in site.call.config["dims"]))]


def transpose(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """``keras.ops.transpose``."""
    (flow,) = flows
    axes = site.call.config.get("axes")
    return [tuple(flow[at] for at in (axes if axes is not None else reversed(range(len(flow)))))]


def repeat_vector(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """The same vector so many times."""
    (flow,) = flows
    return [(flow[0], Axis(int(site.call.config["n"])), flow[1])]


def concatenate(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Tensors one after the other along an axis."""
    at = int(site.call.config.get("axis", -1)) % len(flows[0])
    rest = merged(site, [(*flow[:at], Axis(1), *flow[at + 1 :]) for flow in flows])
    along = [flow[at] for flow in flows]
    if any(axis.channels is not None for axis in along):
        listed = [site.listed(axis) for axis in along]
        channels = np.concatenate([axis.channels for axis in listed if axis.channels is not None])
        joined = Axis(len(channels), channels)
    else:
        lengths = [axis.length for axis in along]
        known = [length for length in lengths if length is not None]
        joined = Axis(sum(known) if len(known) == len(lengths) else None, None, along[0].reason)
    return [(*rest[:at], joined, *rest[at + 1 :])]


def expand(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """``keras.ops.expand_dims``."""
    (flow,) = flows
    axis = site.call.config["axis"]
    axes: list[Axis] = list(flow)
    for at in sorted(axis if isinstance(axis, list | tuple) else [axis]):
        axes.insert(at if at >= 0 else len(axes) + 1 + at, Axis(1))
    return [tuple(axes)]


def squeeze(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """``keras.ops.squeeze`` of named axes."""
    (flow,) = flows
    axis = site.call.config["axis"]
    if axis is None:
        return None
    gone = {at % len(flow) for at in (axis if isinstance(axis, list | tuple) else [axis])}
    site.fix([flow[at] for at in gone], say("{layer} removes the axis.", layer=site.name))
    return [tuple(kept for at, kept in enumerate(flow) if at not in gone)]


def reduce(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Mean, maximum or sum over axes; one with channels cannot lose any."""
    (flow,) = flows
    config = site.call.config
    axis = config.get("axis")
    every = range(len(flow)) if axis is None else axis if isinstance(axis, list | tuple) else [axis]
    over = {at % len(flow) for at in every}
    site.fix([flow[at] for at in over], say("{layer} summarizes over it.", layer=site.name))
    if config.get("keepdims"):
        return [tuple(Axis(1) if at in over else kept for at, kept in enumerate(flow))]
    return [tuple(kept for at, kept in enumerate(flow) if at not in over)]


def _joined(site: Site, axes: list[Axis]) -> Axis:
    """One axis from several, the last one running fastest."""
    lengths = [axis.length for axis in axes]
    known = [length for length in lengths if length is not None]
    carrying = [at for at, axis in enumerate(axes) if axis.channels is not None]
    reason: Text = say("{layer} joins it with another axis.", layer=site.name)
    if len(known) < len(lengths) or len(carrying) > 1:
        # A value would belong to two channels at once.
        site.fix(axes, reason)
        return Axis(prod(known) if len(known) == len(lengths) else None, None, reason)
    if not carrying:
        return Axis(prod(known), None, next((axis.reason for axis in axes if axis.reason), None))
    (at,) = carrying
    channels = axes[at].channels
    assert channels is not None
    shape = [1] * len(known)
    shape[at] = known[at]
    return Axis(prod(known), np.broadcast_to(channels.reshape(shape), known).ravel())


def _split(site: Site, axis: Axis, lengths: list[int]) -> list[Axis]:
    """Several axes from one: what is tied is each position of the first of them."""
    if axis.channels is None:
        return [Axis(length, None, axis.reason) for length in lengths]
    grid = axis.channels.reshape(lengths[0], -1)
    for column in range(1, grid.shape[1]):
        site.channels.tie(np.ascontiguousarray(grid[:, 0]), np.ascontiguousarray(grid[:, column]))
    reason = say("{layer} splits an axis.", layer=site.name)
    return [Axis(lengths[0], np.ascontiguousarray(grid[:, 0])), *(Axis(n, None, reason) for n in lengths[1:])]


def _reshaped(site: Site, flow: Flow, target: list[Any], key: str, offset: int) -> list[Flow] | None:
    before = list(flow[1:])
    lengths = [axis.length for axis in before]
    if any(length is None for length in lengths) or any(value is None for value in target):
        return None
    total = prod(length for length in lengths if length is not None)
    wanted = [int(value) for value in target]
    if -1 in wanted:
        wanted[wanted.index(-1)] = total // -prod(wanted)
    site.fix([axis for axis in before if axis.length == 1], say("{layer} moves the axis.", layer=site.name))
    sources = [axis for axis in before if axis.length != 1]
    goals = [length for length in wanted if length != 1]
    made: list[Axis] = []
    while goals:
        some, others = [sources.pop(0)], [goals.pop(0)]
        while (a := prod(axis.length or 0 for axis in some)) != (b := prod(others)):
            if a < b:
                some.append(sources.pop(0))
            else:
                others.append(goals.pop(0))
        if len(others) == 1:
            made.append(some[0] if len(some) == 1 else _joined(site, some))
        elif len(some) == 1:
            made += _split(site, some[0], others)
        else:
            reason = say("{layer} cuts across it.", layer=site.name)
            site.fix(some, reason)
            made += [Axis(length, None, reason) for length in others]
    given = iter(made)
    after = [Axis(1) if length == 1 else next(given) for length in wanted]
    site.record(
        settings=[
            Setting((key, at + offset), axis)
            for at, axis in enumerate(after)
            if target[at] != -1 and axis.channels is not None
        ]
    )
    return [(flow[0], *after)]


RULES: dict[str, Rule] = {
    "Flatten": flatten,
    "Reshape": reshape,
    "Permute": permute,
    "Transpose": transpose,
    "RepeatVector": repeat_vector,
    "Concatenate": concatenate,
    "ExpandDims": expand,
    "Squeeze": squeeze,
    **dict.fromkeys(("Amax", "Amin", "Max", "Mean", "Min", "Sum"), reduce),
}
