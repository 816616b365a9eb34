"""The rule of TimeDistributed: a layer inside a layer."""

from __future__ import annotations

from dataclasses import replace

from workbench.graph import convolution, dense, elementwise, normalization, shapes
from workbench.graph.parts import Flow
from workbench.graph.site import Rule, Site

_INNER: dict[str, Rule] = {
    **elementwise.RULES,
    **convolution.RULES,
    **dense.RULES,
    **normalization.RULES,
    "Flatten": shapes.flatten,
}


def time_distributed(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """A layer of its own for every time step, with the same weights."""
    flow = flows[0]
    inner = site.call.config["layer"]
    rule = _INNER.get(inner["class_name"])
    if rule is None or inner.get("registered_name") not in (None, inner["class_name"]):
        return None
    if flow[1].channels is not None:
        return None
    call = replace(
        site.call,
        kind=inner["class_name"],
        config=inner["config"],
        inputs=site.call.inputs[:1],
        slots=(0,),
        arguments=(),
        keywords={},
    )
    wide = None if flow[1].length is None or site.wide is None else site.wide * flow[1].length
    found = rule(
        replace(site, call=call, wide=wide, keys=(*site.keys, "layer", "config")), [(flow[0], *flow[2:])]
    )
    return None if found is None else [(one[0], flow[1], *one[1:]) for one in found]


RULES: dict[str, Rule] = {"TimeDistributed": time_distributed}
