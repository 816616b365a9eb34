"""Rules of normalizations: which of them channels can be taken from without changing the others."""

from __future__ import annotations

import numpy as np

from workbench.api.text import say
from workbench.graph.channels import Axis
from workbench.graph.parts import Flow, Setting, Weight
from workbench.graph.site import Rule, Site


def batch(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Statistics of each channel by itself."""
    flow, config = flows[0], site.call.config
    if not isinstance(config["axis"], int):
        return None
    axis = site.bind("input", flow[config["axis"]])
    weights = [Weight((axis,), role="scale")] if config["scale"] else []
    weights += [Weight((axis,), role="shift")] * bool(config["center"])
    site.record([*weights, Weight((axis,)), Weight((axis,))])
    return [flow]


def across(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Mean or length over some axes: none of their positions can go."""
    flow, axis = flows[0], site.call.config.get("axis", -1)
    for at in axis if isinstance(axis, list | tuple) else [axis]:
        site.fix(
            [flow[at]],
            say("{layer} normalizes over it: without some values the others would change.", layer=site.name),
        )
    return [flow]


def group(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Statistics of each group of channels: a group goes as a whole."""
    flow, config = flows[0], site.call.config
    axis = site.bind("input", flow[config["axis"]])
    if axis.length is None:
        return None
    groups = axis.length if int(config["groups"]) == -1 else int(config["groups"])
    settings = []
    if axis.channels is not None:
        grid = axis.channels.reshape(groups, -1)
        for column in range(1, grid.shape[1]):
            site.channels.tie(np.ascontiguousarray(grid[:, 0]), np.ascontiguousarray(grid[:, column]))
        if int(config["groups"]) != -1:
            settings.append(Setting(("groups",), axis, grid.shape[1]))
    count = bool(config["scale"]) + bool(config["center"])
    site.record([Weight((axis,)) for _ in range(count)], settings)
    return [flow]


def adapted(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Statistics of the data, for each feature of the input."""
    flow = flows[0]
    for axis in flow:
        site.fix([axis], say("{layer} is adapted to the data.", layer=site.name))
    return [tuple(Axis(axis.length, None, axis.reason) for axis in flow)]


RULES: dict[str, Rule] = {
    "BatchNormalization": batch,
    "LayerNormalization": across,
    "RMSNormalization": across,
    "UnitNormalization": across,
    "Normalize": across,
    "GroupNormalization": group,
    "Normalization": adapted,
}
