"""Rules of layers that multiply by a matrix: Dense, EinsumDense, Embedding."""

from __future__ import annotations

import re

from workbench.graph.channels import Axis
from workbench.graph.elementwise import check_activation
from workbench.graph.parts import Flow, Setting, Weight
from workbench.graph.site import Rule, Site, positions


def dense(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """``(..., inputs) -> (..., units)``."""
    (flow,) = flows
    config = site.call.config
    source, target = site.bind("input", flow[-1]), site.own("", int(config["units"]))
    weights = [Weight((source, target), (1,), positions(flow[1:-1]), "kernel")]
    if config["use_bias"]:
        weights.append(Weight((target,), (0,), role="bias"))
    check_activation(site, config.get("activation"), target)
    site.record(weights, [Setting(("units",), target)], {"": target})
    return [(*flow[:-1], target)]


def einsum_dense(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """An einsum of the input with a kernel; letters of the kernel alone are made here."""
    (flow,) = flows
    config = site.call.config
    parts = re.fullmatch(r"(\.*)([a-zA-Z]+)(\.*),([a-zA-Z]+)->(\.*)([a-zA-Z]+)(\.*)", config["equation"])
    if parts is None:
        return None
    left, ins, right, kernel, _, outs, _ = parts.groups()
    elided = len(flow) - len(ins)
    start = elided if left else 0
    axes = dict(zip(ins, flow[start : start + len(ins)], strict=True))
    rest = flow[:elided] if left else flow[len(flow) - elided :] if right else ()
    stated = config["output_shape"]
    stated = list(stated) if isinstance(stated, list | tuple) else [stated]
    settings, made = [], {}
    for at, letter in enumerate(outs):
        if letter in axes:
            continue
        # The batch axis is not stated, and elided axes on the left are not either.
        number = at - 1 if not left else at - (len(outs) - len(stated))
        length = stated[number]
        if letter not in kernel or length is None:
            return None
        axes[letter] = site.own(letter, int(length))
        made[letter] = axes[letter]
    for letter in kernel:
        if letter not in made:
            axes[letter] = site.bind(f"input {letter}", axes[letter])
    for at, letter in enumerate(outs):
        number = at - 1 if not left else at - (len(outs) - len(stated))
        if 0 <= number < len(stated) and stated[number] is not None and letter in kernel:
            key = (
                ("output_shape", number)
                if isinstance(config["output_shape"], list | tuple)
                else ("output_shape",)
            )
            settings.append(Setting(key, axes[letter]))
    around = [axes[letter] for letter in ins if letter not in kernel]
    count = positions([axis for axis in (*rest, *around) if axis is not flow[0]])
    weights = [
        Weight(
            tuple(axes[letter] for letter in kernel),
            tuple(at for at, letter in enumerate(kernel) if letter in made),
            count,
            "kernel",
        )
    ]
    if config["bias_axes"]:
        letters = [letter for letter in outs if letter in config["bias_axes"]]
        # A bias has length 1 along every output axis after its first one that it does not name.
        first = outs.index(letters[0])
        named = [(letter, axes[letter] if letter in letters else Axis(1)) for letter in outs[first:]]
        bias_made = tuple(
            at for at, (letter, axis) in enumerate(named) if letter in made and axis.length != 1
        )
        weights.append(Weight(tuple(axis for _, axis in named), bias_made, role="bias"))
    result = tuple(axes[letter] for letter in outs)
    result = (*rest, *result) if left else (*result, *rest)
    check_activation(site, config.get("activation"), result[-1])
    site.record(weights, settings, made)
    return [result]


def embedding(site: Site, flows: list[Flow]) -> list[Flow] | None:
    """A row of the table for every number."""
    (flow,) = flows
    config = site.call.config
    target = site.own("", int(config["output_dim"]))
    table = Weight((Axis(int(config["input_dim"])), target), (1,), 0, "kernel")
    site.record([table], [Setting(("output_dim",), target)], {"": target})
    return [(*flow, target)]


RULES: dict[str, Rule] = {
    "Dense": dense,
    "EinsumDense": einsum_dense,
    "Embedding": embedding,
}
