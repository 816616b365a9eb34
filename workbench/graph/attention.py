"""The rule of MultiHeadAttention: its heads, their width, and the width of its output."""

from __future__ import annotations

from workbench.graph.channels import Axis
from workbench.graph.parts import Flow, Setting, Weight
from workbench.graph.site import Rule, Site, positions


def multi_head_attention(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """Attention of a query to a value, ``(batch, ..., features)`` each.

    A head is one channel of four kernels. A position inside the heads is one channel of all heads:
    of query and key, whose products are summed and divided by the root of their number; or of value
    and output.
    """
    config = site.call.config
    if config.get("use_gate") or list(config.get("attention_axes") or [1]) != [1]:
        return None
    given = dict(zip(site.call.slots, flows, strict=True))
    query = given.get("query", given.get(0))
    value = given.get("value", given.get(1))
    if query is None or value is None or len(query) != 3 or len(value) != 3:
        return None
    key = given.get("key", given.get(2)) or value
    stated = config.get("output_shape")
    stated = [stated] if isinstance(stated, int) else list(stated or [query[-1].length])
    if len(stated) != 1:
        return None
    width = stated[0]
    if width is None:
        return None
    heads = site.own("heads", int(config["num_heads"]))
    keys = site.own("key width", int(config["key_dim"]))
    values = site.own("value width", int(config["value_dim"] or config["key_dim"]))
    output = site.own("output", width)
    sources = [site.bind(name, flow[-1]) for name, flow in (("query", query), ("key", key), ("value", value))]
    weights = []
    for source, flow, inside in zip(sources, (query, key, value), (keys, keys, values), strict=True):
        weights.append(Weight((source, heads, inside), (1, 2), positions(flow[1:-1]), "kernel"))
        if config["use_bias"]:
            weights.append(Weight((heads, inside), (0, 1), role="bias"))
    weights.append(Weight((heads, values, output), (2,), positions(query[1:-1]), "kernel"))
    if config["use_bias"]:
        weights.append(Weight((output,), (0,), role="bias"))
    settings = [Setting(("num_heads",), heads), Setting(("key_dim",), keys), Setting(("value_dim",), values)]
    settings.append(Setting(("output_shape",), output))
    site.record(
        weights,
        settings,
        {"heads": heads, "key width": keys, "value width": values, "output": output},
        # The layer divides by the root of the new width; the query makes up for the difference.
        [(at, keys) for at in range(2 if config["use_bias"] else 1)],
    )
    result: Flow = (*query[:-1], output)
    scores = config.get("return_attention_scores") or site.call.keywords.get("return_attention_scores")
    return [result, (query[0], Axis(heads.length), query[1], value[1])] if scores else [result]


RULES: dict[str, Rule] = {"MultiHeadAttention": multi_head_attention}
