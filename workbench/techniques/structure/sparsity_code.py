"""Sparsity as plain Keras code."""

from __future__ import annotations

import json

from workbench.plain.keras.masks import Ranking
from workbench.technique import CodePaths
from workbench.techniques.structure.fine_tuning import saving_code
from workbench.techniques.structure.parent_teaching import (
    TaughtParameters,
    loaded,
    taught_code,
    teaching_code,
)
from workbench.training.preserving_code import KEPT, WEIGHT_MATRICES, keeping_code
from workbench.variant import Variant


def weight_matrices_code(layers: str, leave: tuple[str, ...]) -> str:
    """Code of ``weight_matrices`` and the list ``kernels``: the weight matrices that are changed.

    Args:
        layers: ``all``, ``dense`` or ``convolutions``.
        leave: Names of layers that are left alone.
    """
    conditions = ["kernel.trainable"]
    if layers == "dense":
        conditions.append('"Conv" not in type(layer).__name__')
    if layers == "convolutions":
        conditions.append('"Conv" in type(layer).__name__')
    if leave:
        conditions.append(f"layer.name not in {json.dumps(list(leave))}")
    return f"""\
{WEIGHT_MATRICES}

kernels, owners = [], []
for layer, kernel in weight_matrices(model):
    if {" and ".join(conditions)}:
        kernels.append(kernel)
        owners.append(layer)
"""


_RELATIVE = """\
def relative(weights):
    \"\"\"Each weight's square over those of all in its layer that are not smaller (Lee et al., 2021).\"\"\"
    squares = weights.astype("float64") ** 2
    order = np.argsort(squares, kind="stable")
    scores = np.empty_like(squares)
    left = np.cumsum(squares[order][::-1])[::-1]
    scores[order] = squares[order] / np.maximum(left, np.finfo("float64").tiny)
    return scores


"""

_SMALLEST = """\
def prune(share):
    groups = {groups}
    for group in groups:
        scores = np.concatenate([{score}(kernel.numpy().ravel()) for kernel in group])
        stay = np.ones(scores.size, bool)
        stay[np.argsort(scores, kind="stable")[: round(share * scores.size)]] = False
        parts = np.split(stay, np.cumsum([kernel.numpy().size for kernel in group])[:-1])
        for kernel, part in zip(group, parts):
            if not part.any():  # a layer without weights cuts the network
                part[np.abs(kernel.numpy()).argmax()] = True
            kernel.assign(np.where(part.reshape(kernel.shape), kernel.numpy(), 0))
"""

_PATTERN = """\
def input_axes(layer, kernel):
    kind, axes = type(layer).__name__, len(kernel.shape)
    if kind == "EinsumDense":
        operands, _, result = layer.equation.partition("->")
        return [axis for axis, letter in enumerate(operands.partition(",")[2]) if letter not in result]
    if "Attention" in kind:
        return [0, 1] if "output" in kernel.path.split("/")[-2] else [0]
    if "Conv" in kind and kernel.name != "recurrent_kernel":
        return [axes - 1] if "Transpose" in kind else [axes - 2]
    if kind in ("Dense", "LSTM", "GRU", "SimpleRNN", "Bidirectional") or kernel.name == "recurrent_kernel":
        return [0]
    return []


def prune(keep, of):
    for layer, kernel in zip(owners, kernels):
        values, inputs = kernel.numpy(), input_axes(layer, kernel)
        if not inputs or np.prod([values.shape[axis] for axis in inputs]) % of:
            continue
        order = [axis for axis in range(values.ndim) if axis not in inputs] + inputs
        groups = np.abs(values).transpose(order).reshape(-1, of)
        rank = np.argsort(np.argsort(-groups, axis=1, kind="stable"), axis=1)
        stay = (rank < keep).reshape([values.shape[axis] for axis in order]).transpose(np.argsort(order))
        kernel.assign(np.where(stay, values, 0))
"""

_GRADUAL = """\
class GradualPruning(keras.callbacks.Callback):
    \"\"\"Zhu and Gupta, 2017: quick at first, slow at the end.\"\"\"

    step = 0

    def on_train_batch_begin(self, batch, logs=None):
        if self.step == ramp or (self.step < ramp and self.step % {every} == 0):
            prune({share} + (start - {share}) * (1 - self.step / ramp) ** 3)
            for one in kept:
                one.refresh()
        self.step += 1


zeros = sum(np.count_nonzero(kernel.numpy() == 0) for kernel in kernels)
start = zeros / sum(kernel.numpy().size for kernel in kernels)
ramp = {steps}
"""


def sparsity_code(
    variant: Variant,
    parameters: TaughtParameters,
    paths: CodePaths,
    *,
    share: float,
    pattern: tuple[int, int] | None,
    ranking: Ranking,
    layers: str,
    leave: tuple[str, ...],
    every: int,
    ramp: int,
) -> str:
    """Plain Keras code that makes a model sparse.

    Args:
        variant: The parent.
        parameters: Of fine-tuning.
        paths: The files.
        share: Share of zeros.
        pattern: How many weights stay of how many; None for unstructured sparsity.
        ranking: How weights of different layers are compared.
        layers: ``all``, ``dense`` or ``convolutions``.
        leave: Names of layers that are left alone.
        every: Steps between two rounds of pruning.
        ramp: Epochs during which weights go; 0 if all go at once.
    """
    taught = bool(parameters.distill and parameters.epochs)
    parts = [
        f"""\
import keras
import numpy as np
{"from keras import ops" + chr(10) if taught else ""}
model = {loaded(paths.model)}
data = np.load({json.dumps(paths.data)})


{weight_matrices_code(layers, leave)}

"""
    ]
    keeping = f"\n\n{KEPT}\n\n{keeping_code('model', also='kernels')}\n"
    if pattern is not None:
        parts.append(f"{_PATTERN}\n\nprune(keep={pattern[0]}, of={pattern[1]})\n")
    else:
        groups = "[[kernel] for kernel in kernels]" if ranking == "each layer" else "[kernels]"
        score = "relative" if ranking == "adaptive" else "np.abs"
        parts.append(_RELATIVE if ranking == "adaptive" else "")
        parts.append(_SMALLEST.replace("{groups}", groups).replace("{score}", score))
        parts.append("" if ramp else f"\n\nprune({share})\n")
    if parameters.epochs:
        parts.append(keeping)
    if taught:
        parts.append(teaching_code(variant, parameters, loaded(paths.model)) + "\n\n")
    callbacks = ["Preserving()"]
    if ramp:
        callbacks.append("GradualPruning()")
        steps = f'{ramp} * -(-len(data["y_train"]) // {parameters.batch_size})'
        parts.append(
            "\n"
            + _GRADUAL.replace("{every}", str(every)).replace("{share}", str(share)).replace("{steps}", steps)
        )
    if parameters.epochs:
        if ramp:
            parts.append("# Weights of the epochs before have fewer zeros: none of them is kept.\n")
        training = taught_code(variant, parameters, callbacks=callbacks, judged_from=ramp)
        parts.append(training + "\n")
    parts.append(saving_code("model", paths, parameters.epochs))
    return "".join(parts)
