"""Plain Keras code that folds normalization into weights."""

from __future__ import annotations

import json

from workbench.api.bundle import import_code
from workbench.api.file_format import file_format
from workbench.api.technique import CodePaths
from workbench.models.rebuilding.folding import FoldingPlan
from workbench.plain.keras.folding import Fold, Place


def fold_code(plan: FoldingPlan, paths: CodePaths) -> str:
    """The script; it writes the folded model.

    Args:
        plan: What is folded and left out.
        paths: File names.
    """
    output = file_format("keras").named(paths.output)
    folds = "".join(map(_fold, plan.folds))
    removed = "".join(f"    {_place(place)},\n" for place in plan.removed)
    names = "Fold, fold" if plan.folds else "fold"
    return f"""\
{import_code("import keras", f"from plain.keras.folding import {names}")}\
model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
# Layers by their name after those of the models around them, in the order in which they are folded:
# each goes into the weights of another, which it stands behind (after) or in front of.
folds = [
{folds}]
# These do nothing when the model predicts.
removed = [
{removed}]
folded = fold(model, folds, removed)
folded.save({json.dumps(output)})
""".replace("= [\n]", "= []")


def _fold(fold: Fold) -> str:
    layer, into = _place(fold.layer), _place(fold.into)
    return f"    Fold({layer}, {json.dumps(fold.kind)}, into={into}, after={fold.after}),\n"


def _place(place: Place) -> str:
    return "(" + "".join(json.dumps(name) + ", " for name in place).rstrip() + ")"
