"""Depth scaling: leaving out blocks."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import Refused
from workbench.api.task import TaskMeasure, measure_of
from workbench.api.technique import Aim, Applied, CodePaths, Context, Estimate, Parameters, Technique
from workbench.api.text import Text, say
from workbench.api.variant import Format, Report, Table, Variant
from workbench.graph.blocks import Blocks, find_blocks
from workbench.graph.calls import read_config
from workbench.plain.keras.blocks import Block, BlockLoss, Importance, least_important, without
from workbench.plain.keras.kernels import leaves
from workbench.techniques.structure.depth_code import depth_code
from workbench.training import training_obstacle
from workbench.training.fine_tuning import (
    FineTuningParameters,
    fine_tune,
    fine_tuning_seconds,
    finish,
    load_parent,
    require_rebuildable,
)
from workbench.training.results import change_column, change_shown
from workbench.training.validation import validation_labels, validator


class _Depth(Parameters):
    blocks: int = Field(
        1,
        ge=1,
        le=500,
        title="Blocks to leave out",
        description="How many residual blocks, or layers that give the shape that they take, are left out.",
        json_schema_extra={"unit": "blocks"},
    )
    importance: Importance = Field(
        "loss",
        title="Importance by",
        description="What is judged on the validation split when a block is bypassed: the loss, which "
        "tells small differences apart, or F1, which is the measure of the task where that is another.",
        json_schema_extra={"advanced": True},
    )
    search: Literal["once", "again after each"] = Field(
        "once",
        title="Measured",
        description="once: every block is bypassed once, and the least important are left out. again after "
        "each: one is left out, then the others are measured again, which takes longer.",
        json_schema_extra={"advanced": True},
    )


class DepthParameters(FineTuningParameters, _Depth):
    """How many blocks go, which, and how the model recovers."""


class DepthScaling(Technique[DepthParameters]):
    """Leaves out the blocks that the model needs least, and fine-tunes what is left.

    Each residual block is bypassed in turn, so that only its shortcut remains, and the model is judged on
    the validation split: the blocks that matter least go. In a chain without shortcuts the same is done
    with layers that give the shape that they take, such as Dense 64 to 64.

    It is faster in every runtime: a block that is not there takes no time.

    Source: Veit et al., 2016 (arXiv:1605.06431): residual networks survive the loss of single blocks.
    """

    name: ClassVar[str] = "structure.depth"
    title: ClassVar[str] = "Depth scaling"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = True
    produces: ClassVar[Format | None] = "keras"

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: DepthParameters) -> Text | None:
        # Without labels blocks are still judged, by how much the model answers otherwise without them.
        taught = None if parameters.epochs else 1.0
        if (reason := training_obstacle(variant, dataset, taught=taught)) is not None:
            return reason
        blocks = _blocks(variant)
        return None if blocks is None else _blocks_obstacle(blocks, parameters)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: DepthParameters) -> Estimate:
        blocks = _blocks(variant)
        count = len(blocks.found) if blocks else 4
        macs = variant.description.macs or 1e6
        once = 0.5 + 0.01 * len(variant.description.layers) + dataset.counts["validation"] * macs / 2e10
        rounds = parameters.blocks if parameters.search == "again after each" else 1
        ratio: float | None = None
        if blocks and blocks.found:
            sizes = {layer.name: layer.parameters for layer in variant.description.layers}
            held = [
                sum(sizes.get("/".join((*block.path, layer)), 0) for layer in block.layers)
                for block in blocks.found
            ]
            total = sum(sizes.values()) or 1
            ratio = max(0.0, 1 - parameters.blocks * sum(held) / len(held) / total)
        return Estimate(
            seconds=fine_tuning_seconds(parameters, variant, dataset) + rounds * count * once,
            size_ratio=ratio,
            weights_ratio=ratio,
            operations_ratio=ratio,
            expectation=say(
                "Size and time fall by what the blocks had, in every runtime. Deep residual models lose a "
                "few blocks with little loss of quality; shallow ones and chains lose more, and need "
                "fine-tuning."
            ),
        )

    @override
    def apply(self, context: Context, parameters: DepthParameters) -> Applied:
        model = load_parent(context)
        config = model.get_config()
        blocks = find_blocks(config) if "layers" in config else Blocks((), ())
        if (reason := _blocks_obstacle(blocks, parameters)) is not None:
            raise Refused(reason)
        require_rebuildable(model)
        chosen, table, notes = _choose(model, blocks.found, context, parameters)
        before = model.count_params()
        shorter = without(model, chosen)
        tuned = fine_tune(shorter, context, parameters, share=(0.5, 0.95))
        applied = finish(shorter, context, Report())
        report = Report(
            touched=tuple(
                say("{block} was left out: {layers}.", block=block.name, layers=tuple(block.layers))
                for block in chosen
            ),
            skipped=blocks.skipped,
            notes=(
                say(
                    "{before} weights became {after}.",
                    before=f"{before:,}",
                    after=f"{shorter.count_params():,}",
                ),
                *notes,
            ),
            tables=(table,),
        )
        return replace(applied, report=report.followed_by(tuned))

    @override
    def code(self, variant: Variant, parameters: DepthParameters, paths: CodePaths) -> str:
        blocks = _blocks(variant)
        return depth_code(variant, parameters, paths, blocks.found if blocks else ())

    @override
    def variant_name(self, parameters: DepthParameters) -> str:
        return f"depth -{parameters.blocks}"


def _blocks(variant: Variant) -> Blocks | None:
    """The blocks of a file; None if its configuration cannot be read."""
    try:
        config = read_config(variant.path)
        return find_blocks(config) if "layers" in config else Blocks((), ())
    except (OSError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile):
        return None


def _blocks_obstacle(blocks: Blocks, parameters: DepthParameters) -> Text | None:
    if not blocks.found:
        reasons = " ".join(f"{skip.name}: {skip.reason}" for skip in blocks.skipped[:5])
        return say(
            "No block of this model can be left out: it has no residual block with a plain shortcut, and no "
            "layer of a chain that gives the shape that it takes. {reasons}",
            reasons=reasons,
        )
    if parameters.blocks > len(blocks.found):
        return say(
            "Only {count} block can be left out: {names}.",
            "Only {count} blocks can be left out: {names}.",
            count=len(blocks.found),
            names=tuple(block.name for block in blocks.found),
        )
    return None


def _choose(
    model: Any, blocks: Sequence[Block], context: Context, parameters: DepthParameters
) -> tuple[list[Block], Table, tuple[Text, ...]]:
    """The least important blocks, and what was measured."""
    context.report.stage(say("Measuring the importance of blocks"))
    sizes = {name: sum(prod(weight.shape) for weight in layer.weights) for name, layer in leaves(model)}
    labels = validation_labels(model, context)
    parent = context.parent.description
    measure = None if parent.further else measure_of(parent.task)  # of several the one that loses most
    rows: list[tuple[Any, ...]] = []

    def tried(bypassed: BlockLoss, done: float) -> None:
        rows.append(_row(bypassed, sizes, measure))
        context.report.progress(0.5 * done)

    chosen = least_important(
        model,
        blocks,
        parameters.blocks,
        lambda candidate: validator(candidate, context, labels)(),
        by=parameters.importance,
        again=parameters.search == "again after each",
        tried=tried,
    )
    table = Table(
        title=say("Importance of each block"),
        columns=(
            say("Block"),
            say("Rise of the loss"),
            change_column(measure),
            say("Weights in it"),
            say("Round"),
        ),
        rows=tuple(rows),
        picture="bars",
        note=say("Each block was bypassed alone on the validation split, before fine-tuning."),
    )
    notes: tuple[Text, ...] = ()
    if len(chosen) < parameters.blocks:
        notes = (
            say(
                "Only {count} block was left out: the others lie inside it.",
                "Only {count} blocks were left out: the others lie inside them.",
                count=len(chosen),
            ),
        )
    return chosen, table, notes


def _row(bypassed: BlockLoss, sizes: dict[str, int], measure: TaskMeasure | None) -> tuple[Any, ...]:
    block = bypassed.block
    inside = [
        size
        for name, size in sizes.items()
        if any(
            name == start or name.startswith(f"{start}/")
            for start in ("/".join((*block.path, layer)) for layer in block.layers)
        )
    ]
    return (
        block.name,
        round(bypassed.loss, 4),
        round(change_shown(measure, bypassed.change), 3),
        sum(inside),
        bypassed.number + 1,
    )
