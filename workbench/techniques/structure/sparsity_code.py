"""Sparsity as plain Keras code."""

from __future__ import annotations

import json

from workbench.api.bundle import import_code
from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.plain.keras.masks import Ranking
from workbench.training.fine_tuning import saving_code
from workbench.training.kernel_choice import KernelParameters, chosen_code
from workbench.training.script import training_imports
from workbench.training.self_distillation import (
    TEACHING_IMPORT,
    TaughtParameters,
    loaded,
    taught_code,
    teaching_code,
)


def sparsity_code(
    variant: Variant,
    parameters: TaughtParameters,
    paths: CodePaths,
    *,
    kernels: KernelParameters,
    share: float,
    pattern: tuple[int, int] | None,
    ranking: Ranking,
    every: int,
    ramp: int,
) -> str:
    """Plain Keras code that makes a model sparse.

    Args:
        variant: The parent.
        parameters: Of fine-tuning.
        paths: The files.
        kernels: Which layers are changed.
        share: Share of zeros.
        pattern: How many weights stay of how many; None for unstructured sparsity.
        ranking: How weights of different layers are compared.
        every: Steps between two rounds of pruning.
        ramp: Epochs during which weights go; 0 if all go at once.
    """
    trains = parameters.epochs > 0
    names, lines, callbacks = ["prune"], f"prune(chosen, {share}, {json.dumps(ranking)})\n", []
    if pattern is not None:
        names, lines = ["prune_pattern"], f"prune_pattern(chosen, keep={pattern[0]}, of={pattern[1]})\n"
    if ramp:
        names = ["GradualPruning"]
        lines = f"""\
kept = preserve_kernels(chosen)  # what is zero stays zero
# More and more weights go during the first {ramp} epochs; in the others the model recovers.
pruning = GradualPruning(
    chosen,
    kept,
    share={share},
    ranking={json.dumps(ranking)},
    steps={ramp} * -(-len(data["y_train"]) // {parameters.batch_size}),
    every={every},
)
"""
        callbacks = ["kept", "pruning"]
    elif trains and pattern is None:
        lines += "kept = preserve_kernels(chosen)  # what is zero stays zero\n"
        callbacks = ["kept"]
    training = ""
    if trains:
        fit = taught_code(variant, parameters, callbacks=[*callbacks, "preserve(model)"], judged_from=ramp)
        training = f"\n{teaching_code(variant, parameters, loaded(paths.model))}{fit}\n"
    by_name = "from plain.keras.preserving import preserve_kernels" if callbacks else ""
    return f"""\
{
        import_code(
            "import keras",
            "import numpy as np",
            TEACHING_IMPORT if parameters.distill and trains else "",
            "from plain.keras.kernels import kernels",
            "from plain.keras.preserving import preserve" if trains else "",
            *(training_imports(variant) if trains else ()),
            by_name,
            f"from plain.keras.sparsity import {', '.join(names)}",
        )
    }\
model = {loaded(paths.model)}
data = np.load({json.dumps(paths.data)})

{chosen_code(kernels)}\
{lines}\
{training}\
{saving_code("model", paths, parameters.epochs)}"""
