"""The search for how many channels stay as plain code, where the shapes alone do not tell."""

from __future__ import annotations

import json

from workbench.api.variant import Variant
from workbench.techniques.structure.pruning.importance_code import Axis
from workbench.techniques.structure.pruning.latency import BLOCKS, DISCARDED, HALVINGS, RUNS
from workbench.techniques.structure.pruning.parameters import PruningParameters
from workbench.techniques.structure.pruning.plan import SEARCH_HALVINGS, PruningPlan


def search_code(plan: PruningPlan, axis: Axis, variant: Variant, parameters: PruningParameters) -> str:
    """Source of ``meeting``, which finds how many units of each group stay, and of ``fast_enough``.

    Args:
        plan: The model's groups.
        axis: Writes an axis as an expression.
        variant: For its runtime settings and the names of its inputs.
        parameters: Target and ranking.
    """
    limits = "".join(
        f"    {json.dumps(name)}: ({multiple}, {fewest}),\n"
        for name, multiple, fewest in zip(plan.names(), plan.multiples, plan.fewest, strict=True)
    )
    code = f"""
# For each group: its number of units is a multiple of the first, and at least the second.
limits = {{
{limits}}}
{_left(plan, axis, parameters)}
{_LOCAL if parameters.ranking == "local" else _GLOBAL}

def rounded(numbers, most):
    return {{
        name: min(most[name], max(fewest, math.floor(numbers[name] / multiple + 0.5) * multiple))
        for name, (multiple, fewest) in limits.items()
    }}


def meeting(part, most, scores, before):
    \"\"\"The numbers of units at which just ``part`` is left, or a little less.\"\"\"
    low, high, above = 0.0, 1.0, most
    keep = rounded(wanted(1.0, scores, before), most)
    for _ in range({SEARCH_HALVINGS}):
        level = (low + high) / 2
        tried = rounded(wanted(level, scores, before), most)
        if left(tried) <= part:
            high, keep = level, tried
        else:
            low, above = level, tried
    # Rounding makes groups of one width jump together: take back what was not needed.
    for name in keep:
        tried = {{**keep, name: above[name]}}
        if above[name] > keep[name] and left(tried) <= part:
            keep = tried
    return keep

"""
    return code + (_latency(variant) if parameters.target == "latency" else "")


def _left(plan: PruningPlan, axis: Axis, parameters: PruningParameters) -> str:
    if parameters.target == "channels":
        channels = ", ".join(
            f"{json.dumps(name)}: {group.channels}"
            for name, group in zip(plan.names(), plan.groups, strict=True)
        )
        return f"""
channels = {{{channels}}}


def left(keep):
    kept = sum(number * channels[name] for name, number in keep.items())
    return kept / sum(len(group) * channels[name] for name, group in groups.items())

"""
    whole, each = plan.whole(parameters.target)
    counted = parameters.target == "macs" or (
        parameters.target == "latency" and plan.remains(plan.all).macs is not None
    )
    lines = []
    for layer in plan.units.graph.layers.values():
        for weight in layer.weights:
            axes = [axis(one.channels, one.length) for one in weight.axes]
            times = weight.positions if counted else 1
            if times and not all(one.isdigit() for one in axes):
                lines.append(f"    ({times}, [{', '.join(axes)}]),\n")
    what = "multiply-accumulates of each element" if counted else "1"
    return f"""
# Every weight that can shrink: {what}, and its axes.
costs = [
{"".join(lines)}]


def cost(gone):
    return sum(
        times * math.prod(axis if isinstance(axis, int) else len(staying(axis, gone)) for axis in axes)
        for times, axes in costs
    )


def left(keep):
    nothing = np.zeros(count + 1, bool)
    gone = choose(keep, np.arange(count), nothing)
    return 1 - (cost(nothing) - cost(gone)) * {each!r} / {whole!r}

"""


_LOCAL = '''
def wanted(level, scores, before):
    """The same part of every group."""
    return {name: len(group) * (1 - level) for name, group in groups.items()}

'''

_GLOBAL = '''
def wanted(level, scores, before):
    """The units of highest score over all groups."""
    free = {name: group[~before[group]] for name, group in groups.items()}
    every = np.concatenate(list(free.values()))
    order = np.argsort(scores[every], kind="stable")
    kept = every[order[round(level * len(order)) :]]
    return {name: np.isin(group, kept).sum() for name, group in free.items()}

'''


def _latency(variant: Variant) -> str:
    names = [spec.name for spec in variant.description.inputs]
    batch, threads = variant.settings.batch, variant.settings.threads
    if len(names) == 1:
        samples = f'dict.fromkeys(details, data["x_train"][:{batch}])'
    else:
        pairs = (f"{json.dumps(name)}: data[{json.dumps('x_train.' + name)}][:{batch}]" for name in names)
        samples = "{" + ", ".join(pairs) + "}"
    return f'''
def session(model):
    """The model in LiteRT, with samples in it."""
    from ai_edge_litert.interpreter import Interpreter

    model.export("candidate.tflite", format="litert", verbose=False)
    interpreter = Interpreter(model_content=open("candidate.tflite", "rb").read(), num_threads={threads})
    signature = next(iter(interpreter.get_signature_list()))
    details = interpreter.get_signature_runner(signature).get_input_details()
    samples = {samples}
    for name, detail in details.items():
        interpreter.resize_tensor_input(detail["index"], samples[name].shape)
    interpreter.allocate_tensors()
    for name, detail in details.items():
        interpreter.set_tensor(detail["index"], samples[name].astype(detail["dtype"]))
    return interpreter


def seconds(interpreter):
    times = []
    for _ in range({DISCARDED + RUNS}):
        start = time.perf_counter()
        interpreter.invoke()
        times.append(time.perf_counter() - start)
    return np.median(times[{DISCARDED}:])


def fast_enough(part, scores):
    """How many units of each group stay for so much of the time; and what is left of the operations then."""
    nothing = np.zeros(count + 1, bool)
    parent = session(model)

    def ratio(keep):
        smaller = session(without(model, choose(keep, scores, nothing), nothing))
        return np.median([seconds(smaller) / seconds(parent) for _ in range({BLOCKS})])

    most = {{name: len(group) for name, group in groups.items()}}
    keep = {{name: fewest for name, (_, fewest) in limits.items()}}
    assert ratio(keep) <= part, "not even the smallest model is so fast"
    low, high = 0.0, 1.0
    for _ in range({HALVINGS}):
        level = (low + high) / 2
        tried = rounded(wanted(level, scores, nothing), most)
        if ratio(tried) <= part:
            high, keep = level, tried
        else:
            low = level
    return left(keep), keep

'''
