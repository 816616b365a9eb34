"""Depth scaling as plain Keras code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.api.bundle import import_code
from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.plain.keras.blocks import Block
from workbench.training import training_code
from workbench.training.fine_tuning import saving_code
from workbench.training.judging_code import JudgingCode
from workbench.training.script import training_imports

if TYPE_CHECKING:
    from workbench.techniques.structure.depth import DepthParameters


def depth_code(
    variant: Variant, parameters: DepthParameters, paths: CodePaths, blocks: Sequence[Block]
) -> str:
    """Plain Keras code that leaves out the least important blocks.

    Args:
        variant: The parent.
        parameters: The technique's.
        paths: The files.
        blocks: What can be left out.
    """
    how = "" if parameters.importance == "loss" else f", by={json.dumps(parameters.importance)}"
    how += ", again=True" if parameters.search == "again after each" else ""
    training = ""
    if parameters.epochs:
        fit = training_code("shorter", variant, parameters, callbacks=["preserve(shorter)"])
        training = f"\n{fit}\n"
    judging = JudgingCode(variant)
    return f"""\
{
        import_code(
            "import keras",
            "import numpy as np",
            "from plain.keras.blocks import Block, least_important, without",
            "from plain.keras.preserving import preserve" if parameters.epochs else "",
            f"from plain.keras.validation import {judging.names}",
            *judging.imports,
            *(training_imports(variant) if parameters.epochs else ()),
        )
    }\
model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
data = np.load({json.dumps(paths.data)})

# What can be left out: a residual block, whose addition then hands on its input of this number, the
# shortcut; or a layer of a chain. Path: the models around it.
blocks = [
{"".join(map(_block, blocks))}]


{judging.before}\
def validate(candidate):
    return {judging.function}(
{judging.arguments("candidate", " " * 8)}\
    )()


# Each is bypassed in turn, and the model judged on the validation split.
chosen = least_important(model, blocks, {parameters.blocks}, validate{how})
print("left out:", [block.name for block in chosen])
shorter = without(model, chosen)
{training}\
{saving_code("shorter", paths, parameters.epochs)}"""


def _block(block: Block) -> str:
    arguments = [
        json.dumps(block.name),
        f"residual={block.residual}",
        f"path={_names(block.path)}",
        f"layers={_names(block.layers)}",
    ]
    if block.shortcut is not None:
        arguments.append(f"shortcut={block.shortcut}")
    line = f"    Block({', '.join(arguments)}),\n"
    if len(line) < 100:
        return line
    return "    Block(\n" + "".join(f"        {argument},\n" for argument in arguments) + "    ),\n"


def _names(names: Sequence[str]) -> str:
    return "(" + ", ".join(map(json.dumps, names)) + (",)" if len(names) == 1 else ")")
