"""Low-rank factorization as plain Keras code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.api.bundle import import_code
from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.training import training_code
from workbench.training.fine_tuning import saving_code
from workbench.training.judging_code import JudgingCode
from workbench.training.kernel_choice import names
from workbench.training.script import training_imports

if TYPE_CHECKING:
    from workbench.techniques.structure.low_rank.low_rank import LowRankParameters

_KINDS = {"all": "", "dense": "DENSE", "convolutions": "CONVOLUTIONS"}


def low_rank_code(variant: Variant, parameters: LowRankParameters, paths: CodePaths) -> str:
    """Plain Keras code that splits layers and fine-tunes the model.

    Args:
        variant: The parent.
        parameters: The technique's.
        paths: The files.
    """
    kinds, left = _KINDS[parameters.layers], names(parameters.leave)
    wanted = f", kinds={kinds}" if kinds else ""
    wanted += f", leave={json.dumps(left)}" if left else ""
    if parameters.layers != "dense":
        wanted += f", convolutions={json.dumps(parameters.convolutions)}"
    chosen, lines = _ranks(variant, parameters)
    training = ""
    if parameters.epochs:
        fit = training_code("smaller", variant, parameters, callbacks=["preserve(smaller)"])
        training = f"\n{fit}\n"
    judging, judges = JudgingCode(variant), parameters.choose == "sensitivity"
    needs_data = parameters.epochs or judges
    data = f"data = np.load({json.dumps(paths.data)})\n" if needs_data else ""
    return f"""\
{
        import_code(
            "import keras",
            "import numpy as np" if needs_data else "",
            f"from plain.keras.factor_layers import {kinds}" if kinds else "",
            "from plain.keras.factor_layers import factorable, split",
            "from plain.keras.preserving import preserve" if parameters.epochs else "",
            f"from plain.keras.ranks import {chosen}",
            f"from plain.keras.validation import {judging.names}" if judges else "",
            *(judging.imports if judges else ()),
            *(training_imports(variant) if parameters.epochs else ()),
        )
    }\
model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
{data}
# The layers whose weight matrix can become a product of smaller ones, with its singular values.
layers = factorable(model{wanted})
{lines}\
print("ranks:", ranks)
smaller = split(model, layers, ranks)
{training}\
{saving_code("smaller", paths, parameters.epochs)}"""


def _ranks(variant: Variant, parameters: LowRankParameters) -> tuple[str, str]:
    """What is imported to choose the ranks, and the lines that do."""
    if parameters.choose == "sensitivity":
        judging = JudgingCode(variant)
        return (
            "ranks_by_sensitivity",
            f"""\
# Each layer is tried alone at falling ranks: {judging.title} may fall by so much.
{judging.before}\
validate = {judging.function}(
{judging.arguments("model", " " * 4)}\
)
ranks = ranks_by_sensitivity(layers, {parameters.tolerance}, validate)
""",
        )
    if parameters.choose == "weights":
        return (
            "energy_for, ranks_by_energy",
            f"""\
# The energy that every layer can keep where {100 * parameters.weights:g} % of the weights are left.
energy = energy_for(model, layers, {parameters.weights})
ranks = ranks_by_energy(layers, energy)
""",
        )
    return (
        "ranks_by_energy",
        f"""\
# Each layer keeps so much of its energy, the squared singular values, where that makes it smaller.
ranks = ranks_by_energy(layers, {parameters.energy})
""",
    )
