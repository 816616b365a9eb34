"""Weight clustering as plain Keras code."""

from __future__ import annotations

import json

from workbench.api.bundle import import_code
from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.plain.keras.clusters import Initialization
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


def clustering_code(
    variant: Variant,
    parameters: TaughtParameters,
    paths: CodePaths,
    *,
    kernels: KernelParameters,
    clusters: int,
    initialization: Initialization,
    moving: bool,
) -> str:
    """Plain Keras code that clusters the weights of a model.

    Args:
        variant: The parent.
        parameters: Of fine-tuning.
        paths: The files.
        kernels: Which layers are changed.
        clusters: Distinct values of each layer.
        initialization: Of k-means.
        moving: Whether weights may change their cluster while training.
    """
    trains = parameters.epochs > 0
    moves = moving and trains
    training = ""
    if trains:
        fit = taught_code(variant, parameters, callbacks=["preserve(model)"])
        training = f"\n{teaching_code(variant, parameters, loaded(paths.model))}{fit}\n"
    return f"""\
{
        import_code(
            "import keras",
            "import numpy as np",
            TEACHING_IMPORT if parameters.distill and trains else "",
            "from plain.keras.clustering import can_share_values, share_values",
            "from plain.keras.kernels import kernels",
            "from plain.keras.preserving import preserve" if trains else "",
            *(training_imports(variant) if trains else ()),
        )
    }\
model = {loaded(paths.model)}
data = np.load({json.dumps(paths.data)})

{chosen_code(kernels, f"can_share_values(kernel, {clusters})")}\
for kernel in chosen:
    share_values(kernel, {clusters}, {json.dumps(initialization)}, {parameters.seed}, moving={moves})
{training}\
{saving_code("model", paths, parameters.epochs)}"""
