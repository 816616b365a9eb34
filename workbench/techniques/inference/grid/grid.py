"""The grid of runtime, precision, threads and batch."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import Refused, WorkbenchError
from workbench.api.number_format import percent, time
from workbench.api.technique import Aim, Applied, CodePaths, Context, Estimate, Technique
from workbench.api.text import Text, say
from workbench.api.variant import Format, Report, Variant
from workbench.exporting.judging import chosen_by_first
from workbench.jobs.part import PartReporter
from workbench.jobs.slot import shared_slot
from workbench.measure.grid import GridTimes, time_grid
from workbench.measure.latency import Candidate
from workbench.measure.records import LatencySummary
from workbench.measure.trust import beside_other_work
from workbench.runtimes import runtime
from workbench.techniques.inference.grid.cells import (
    Cell,
    FileRecipe,
    Model,
    cell_obstacle,
    skips,
    way_of,
)
from workbench.techniques.inference.grid.choice import FileQuality, tables
from workbench.techniques.inference.grid.code import grid_code
from workbench.techniques.inference.grid.files import Judge, candidate_of, keep, make
from workbench.techniques.inference.grid.filling import Filling
from workbench.techniques.inference.grid.parameters import GridParameters
from workbench.techniques.inference.grid.seconds import grid_seconds
from workbench.techniques.inference.grid.selection import Selection

_MOST_CELLS = 200


class Grid(Technique[GridParameters]):
    """Measures every combination of runtime, precision, threads and batch, and keeps the best one.

    Each file is made once, judged on the validation split, and timed with each number of threads and
    each batch: in random order, a few files interleaved in a fresh process, alone on the machine. The
    best few are then timed once more against each other, since the best of many is too good by chance;
    of those that cannot be told apart, the one with the fewest threads and the smallest file is kept.
    What cannot be (a precision that a runtime lacks, more threads than cores) is listed with its
    reason. Nothing is trained.
    """

    name: ClassVar[str] = "inference.grid"
    title: ClassVar[str] = "Grid of runtimes, precisions, threads, batches"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster"})
    trains: ClassVar[bool] = False
    produces: ClassVar[Format | None] = None
    measures: ClassVar[bool] = True

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: GridParameters) -> Text | None:
        cells = parameters.cells()
        if len(cells) > _MOST_CELLS:
            return say(
                "{count} combinations are more than {most}: choose fewer.", count=len(cells), most=_MOST_CELLS
            )
        if not dataset.counts.get("validation"):
            return say("The validation split has no samples to judge with.")
        possible, refused = _possible(cells, variant, dataset)
        if not possible:
            return say(
                "None of these combinations can be measured. {reasons}",
                reasons=" ".join(f"{skip.name}: {skip.reason}" for skip in skips(refused, cells)[:5]),
            )
        return None

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: GridParameters) -> Estimate:
        possible, _ = _possible(parameters.cells(), variant, dataset)
        files = {cell.model for cell in possible}
        return Estimate(
            seconds=grid_seconds(possible, variant, dataset),
            expectation=say(
                "{cells} combinations of {files} files. A runtime made for inference is often several "
                "times faster than Keras at batch 1; what int8 and threads bring depends on this "
                "processor.",
                cells=len(possible),
                files=len(files),
            ),
        )

    @override
    def apply(self, context: Context, parameters: GridParameters) -> Applied:
        # Its progress never goes back, not even by rounding.
        context = replace(context, report=PartReporter(context.report, 0.0, 1.0))
        cells = parameters.cells()
        possible, refused = _possible(cells, context.parent, context.dataset.info)
        with tempfile.TemporaryDirectory(prefix="workbench-grid-") as temporary:
            files, judged = _files(context, possible, refused, Path(temporary))
            candidates = {
                candidate.variant: candidate
                for cell in possible
                if cell.model in files
                for candidate in [candidate_of(cell.id, files[cell.model], cell.settings, cell.model.runtime)]
            }
            if not candidates:
                raise Refused(
                    say(
                        "None of these files could be made. {reasons}",
                        reasons=" ".join(f"{skip.name}: {skip.reason}" for skip in skips(refused, cells)[:5]),
                    )
                )
            by_id = {cell.id: cell for cell in possible}
            measured = _timed(context, candidates, by_id)
            refused |= {by_id[name]: reason for name, reason in measured.failed.items()}
            times = {by_id[name]: summary for name, summary in measured.summaries.items()}
            choice = Selection(context, parameters, times, judged, candidates)
            best = choice.best()
            context.report.stage(say("Keeping the best"))
            applied = files[best.model]
            path = keep(applied, context.folder)
        context.report.progress(1.0)
        ordered = {cell: times[cell] for cell in possible if cell in times}
        return Applied(
            path=path,
            format=applied.format,
            runtime=best.model.runtime,
            settings=candidates[best.id].settings,
            description=applied.description,
            report=Report(
                touched=(choice.told(best),),
                skipped=skips(refused, cells),
                notes=(*_notes(measured, choice.final), *chosen_by_first(context.parent.description)),
                tables=tables(
                    ordered, judged, choice.excluded, choice.memory, best, context.parent.description.task
                ),
            ),
        )

    @override
    def code(self, variant: Variant, parameters: GridParameters, paths: CodePaths) -> str:
        cells = parameters.cells()
        ways: dict[Model, FileRecipe] = {}
        for model in dict.fromkeys(cell.model for cell in cells):
            # Which machine it will run on is not known: only what the model itself forbids is left out.
            way = _way_for_code(model, variant)
            if way is not None:
                ways[model] = way
        return grid_code(variant, ways, parameters, cells, paths)

    @override
    def variant_name(self, parameters: GridParameters) -> str:
        return f"best {parameters.goal}"


def _way_for_code(model: Model, variant: Variant) -> FileRecipe | None:
    found = way_of(model, variant, None)
    return found if isinstance(found, FileRecipe) else None


def _possible(
    cells: Sequence[Cell], variant: Variant, dataset: DatasetInfo
) -> tuple[list[Cell], dict[Cell, Text]]:
    ways: dict[Model, FileRecipe | Text] = {}
    possible, refused = [], {}
    for cell in cells:
        if cell.model not in ways:
            ways[cell.model] = way_of(cell.model, variant, dataset)
        way = ways[cell.model]
        reason = cell_obstacle(cell) or (None if isinstance(way, FileRecipe) else way)
        if reason is None:
            possible.append(cell)
        else:
            refused[cell] = reason
    return possible, refused


def _files(
    context: Context, possible: Sequence[Cell], refused: dict[Cell, Text], folder: Path
) -> tuple[dict[Model, Applied], dict[Model, FileQuality]]:
    """Makes and judges each file once; what fails is listed."""
    models = list(dict.fromkeys(cell.model for cell in possible))
    files: dict[Model, Applied] = {}
    judged: dict[Model, FileQuality] = {}
    with shared_slot(context.report):
        judge = Judge(context)
        for number, model in enumerate(models):
            own = folder / str(number)
            own.mkdir()
            part = PartReporter(
                context.report, 0.4 * number / len(models), 0.4 * (number + 0.7) / len(models)
            )
            try:
                way = way_of(model, context.parent, context.dataset.info)
                assert isinstance(way, FileRecipe)
                applied = make(context, model, way, own, part)
                context.report.stage(say("Judging {file}", file=model.label))
                judged[model] = judge.judge(model, applied)
                files[model] = applied
            except WorkbenchError as error:
                refused |= {cell: error.problem for cell in possible if cell.model == model}
            context.report.progress(0.4 * (number + 1) / len(models))
    return files, judged


def _timed(context: Context, candidates: Mapping[str, Candidate], cells: Mapping[str, Cell]) -> GridTimes:
    context.report.stage(say("Timing {count} combinations", count=len(candidates)))
    return time_grid(
        PartReporter(context.report, 0.4, 0.9),
        # A light file first: it can share a process with every other one.
        sorted(candidates.values(), key=lambda candidate: runtime(candidate.runtime).imports_tensorflow),
        context.dataset.folder,
        seed=context.seed,
        watch=Filling(context.report, {name: cell for name, cell in cells.items() if name in candidates}),
    )


def _notes(measured: GridTimes, final: Mapping[Cell, LatencySummary]) -> tuple[Text, ...]:
    notes = [
        say(
            "{cells} combinations were timed in {processes} fresh processes. A file that was in each of "
            "them changed by {drift} from one to the next: smaller differences between combinations mean "
            "nothing.",
            cells=len(measured.summaries),
            processes=measured.processes,
            drift=percent(measured.drift),
        )
    ]
    if not measured.alone:
        notes.append(beside_other_work())
    if final:
        notes.append(
            say(
                "Timed again against each other: {cells}.",
                cells="; ".join(
                    f"{cell.label}: {time(summary.p50_ms.value)}" for cell, summary in final.items()
                ),
            )
        )
    return tuple(notes)
