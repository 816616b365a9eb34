"""The measures of importance as plain Keras code."""

from __future__ import annotations

import json
from collections.abc import Callable

from workbench.api.variant import Variant
from workbench.graph.channels import Ids
from workbench.techniques.structure.pruning.importance import TAYLOR_BATCHES, gate_axes
from workbench.techniques.structure.pruning.parameters import PruningParameters
from workbench.techniques.structure.pruning.plan import PruningPlan
from workbench.training.losses import loss_call

Axis = Callable[[Ids | None, int | None], str]


def importance_code(
    plan: PruningPlan, axis: Axis, numbers: Ids, variant: Variant, parameters: PruningParameters
) -> str:
    """Source of ``importance(model, before)``: a score for every unit, by its number.

    Args:
        plan: The model's groups.
        axis: Writes an axis as an expression.
        numbers: The script's number of each unit, -1 for one that stays.
        variant: For the names of inputs and what the output means.
        parameters: Which measure, and its seed.
    """
    match parameters.importance:
        case "l1" | "l2":
            mean = "np.abs(weight).mean(others)" if parameters.importance == "l1" else _SQUARE
            return (
                _judged("kernels", plan, axis, "kernel")
                + _MAGNITUDE
                + _magnitude_of(mean)
                + "\n\ndef importance(model, before):\n    return magnitude(model, before, kernels)\n"
            )
        case "batchnorm":
            return (
                _judged("kernels", plan, axis, "kernel")
                + _judged("scales", plan, axis, "scale")
                + _MAGNITUDE
                + _magnitude_of("np.abs(weight).mean(others)")
                + _BATCHNORM
            )
        case "random":
            chosen = {int(unit): int(n) for unit, n in enumerate(numbers[:-1]) if n >= 0}
            # The same draw as for all channels of the model, of which these are the removable units.
            drawn = [unit for unit, _ in sorted(chosen.items(), key=lambda item: item[1])]
            return f"""
drawn = np.random.default_rng({parameters.seed}).random({len(plan.units.of)})


def importance(model, before):
    return drawn[{_runs(drawn)}]
"""
        case "taylor":
            return _taylor(plan, axis, variant, parameters)


_SQUARE = "np.sqrt((weight**2).mean(others))"

_MAGNITUDE = """

def magnitude(model, before, judged):
    total, times = np.zeros(count), np.zeros(count)
    for name, number, at, axis in judged:
        weight = layer_at(model, name).get_weights()[number].astype(np.float64)
        others = tuple(other for other in range(weight.ndim) if other != at)
"""


def _magnitude_of(mean: str) -> str:
    return f"""\
        sizes = {mean}
        here = axis[~before[axis]]
        np.add.at(total, here[here >= 0], (sizes / (sizes.mean() or 1.0))[here >= 0])
        np.add.at(times, here[here >= 0], 1)
    return total / np.maximum(times, 1)

"""


_BATCHNORM = """
def importance(model, before):
    found = magnitude(model, before, scales)
    return np.where(found > 0, found, magnitude(model, before, kernels))
"""


def _judged(variable: str, plan: PruningPlan, axis: Axis, role: str) -> str:
    lines = []
    for layer in plan.units.graph.layers.values():
        for number, weight in enumerate(layer.weights):
            if weight.role != role:
                continue
            for at in weight.made if role == "kernel" else (0,):
                written = axis(weight.axes[at].channels, None)
                if not written.isdigit():
                    lines.append(f"    ({json.dumps(layer.name)}, {number}, {at}, {written}),\n")
    what = "that make the units" if role == "kernel" else "of BatchNormalization behind them"
    return f"""
# Weights {what}: layer, number of the weight, axis, and the units along it.
{variable} = [
{"".join(lines)}]
"""


def _runs(numbers: list[int]) -> str:
    """An index array as an expression of ranges."""
    pieces, start = [], 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            pieces.append(f"{numbers[start]}:{numbers[at - 1] + 1}")
            start = at
    return f"np.r_[{', '.join(pieces)}]"


def _taylor(plan: PruningPlan, axis: Axis, variant: Variant, parameters: PruningParameters) -> str:
    lines = []
    for path, number, at, channels in gate_axes(plan.units):
        written = axis(channels, None)
        if not written.isdigit():
            lines.append(f"    ({json.dumps('/'.join(path))}, {number}, {at}, {written}),\n")
    names = [spec.name for spec in variant.description.inputs]
    if len(names) == 1:
        features, some = 'data["x_train"]', "features[index]"
    else:
        pairs = ", ".join(f"{json.dumps(name)}: data[{json.dumps('x_train.' + name)}]" for name in names)
        features, some = "{" + pairs + "}", "{name: array[index] for name, array in features.items()}"
    loss = loss_call(variant.description.outputs[0].shape[-1] or 1, variant.description.from_logits)
    return f"""
import tensorflow as tf

# What multiplies a unit as a whole: layer, number of the weight, axis, and the units along it.
gates = [
{"".join(lines)}]


def importance(model, before):
    loss = {loss.code("    ")}
    features, labels = {features}, data["y_train"]
    order = np.random.default_rng({parameters.seed}).permutation(len(labels))
    variables = [layer_at(model, name).weights[number].value for name, number, _, _ in gates]
    total = np.zeros(count)
    for start in range(0, min({TAYLOR_BATCHES * parameters.batch_size}, len(order)), {parameters.batch_size}):
        index = np.sort(order[start : start + {parameters.batch_size}])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for variable in variables:
                tape.watch(variable)
            error = loss(labels[index], model({some}, training=False))
        gradients = tape.gradient(error, variables, unconnected_gradients="zero")
        felt = np.zeros(count)
        for (_, _, at, axis), variable, gradient in zip(gates, variables, gradients):
            product = np.float64(variable.numpy()) * np.float64(tf.convert_to_tensor(gradient).numpy())
            sums = product.sum(tuple(other for other in range(product.ndim) if other != at))
            here = axis[~before[axis]]
            np.add.at(felt, here[here >= 0], sums[here >= 0])
        total += felt**2
    return total
"""
