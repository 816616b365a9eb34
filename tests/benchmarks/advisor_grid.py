"""Measures every stack of a small space on demo models, once: what ``advisor`` replays, and shipped priors.

    python -m tests.benchmarks.advisor_grid [MODEL ...]

writes a file for each model beside this one, then ``workbench/advisor/priors.json`` from all of them. A
model of which the file is there is not measured again; one that was interrupted goes on. Latency is that of
the fastest sample of one interleaved run: what other work on the machine did not disturb. It is what is
replayed, and never shown as a result.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from workbench import Workbench
from workbench.advisor.cells import Cell, space_of
from workbench.advisor.demands import Demands
from workbench.advisor.ledger import Observation
from workbench.advisor.priors import FILE, Measured, learned
from workbench.api.errors import WorkbenchError
from workbench.api.lineage import Lineage
from workbench.api.text import Text
from workbench.api.variant import Layer, Variant
from workbench.engine.compatibility import same_variant
from workbench.jobs.job import Job
from workbench.measure.records import Interval, LatencyMeasurement, SizeMeasurement
from workbench.models.demo.demo import DEMO_MODELS
from workbench.runtimes import runtime

FOLDER = Path(__file__).with_name("advisor_grids")
MODELS = {
    "dense-digits": ("structure.pruning", "distillation.distill"),
    "cnn-mnist-5k": ("structure.pruning",),  # its students train for many minutes
}
"""The models, with the structures that are made of each."""

FORMS = (
    "inference.runtime",
    "quantization.float16",
    "quantization.dynamic_range",
    "quantization.int8",
    "quantization.int8_weights",
    "quantization.int4_weights",
    "quantization.onnx_int8",
    "quantization.openvino_int8",
)
_KEPT = Path("artifacts")


def grids() -> list[Measured]:
    """What was measured, of every model that was."""
    return [Measured.model_validate_json(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.json"))]


def in_grid(name: str, cell: Cell) -> bool:
    """Whether a cell is measured: files for a runtime, of the model as it came and of smaller ones."""
    if cell.structure is not None and cell.structure.technique not in MODELS[name]:
        return False
    return cell.form is None or (
        cell.form.technique in FORMS and not cell.runtime.startswith(("keras", "tensorrt"))
    )


def measure(name: str) -> Measured:
    """Makes and measures every cell; what is in the folder already is not made again.

    All files that need no TensorFlow are timed in one interleaved run, and those of Keras in another.
    """
    with Workbench(_KEPT / f"advisor-{name}") as workbench:
        if workbench.baseline is None:
            workbench.open(name, DEMO_MODELS[name].dataset).wait()
        baseline, info = workbench.baseline, workbench.dataset_info
        assert baseline is not None
        assert info is not None
        cells = [cell for cell in space_of(baseline, info, Demands()).cells if in_grid(name, cell)]
        print(f"{name}: {len(cells)} cells", flush=True)
        found: dict[str, Observation] = {}

        async def work(job: Job) -> None:
            found.update(await _measured(workbench, job, cells, baseline))

        workbench._add_job("measure", Text(template="Grid"), {}, work).wait()
        lineage = Lineage(workbench.variants)
        structures: dict[str, tuple[Layer, ...]] = {}
        remains: dict[str, float | None] = {}
        costs: dict[str, float] = {}
        for cell in cells:
            if cell.structure is None or cell.form is not None or cell.key not in found:
                continue
            variant = workbench.variant(found[cell.key].variant)
            structures[cell.structure_key] = lineage.of(variant)[1].description.layers
            remains[cell.structure_key] = cell.structure.made_by.estimate(
                baseline, info, cell.structure.values
            ).weights_ratio
            costs[cell.structure_key] = variant.seconds
        first = found[cells[0].key]
        assert first.ms is not None
        machine = workbench.environment
        return Measured(
            name=name,
            machine=f"{machine.cpu} ({', '.join(machine.features)}), {machine.cores} cores",
            layers=baseline.description.layers,
            file_bytes=first.file_bytes,
            ms=first.ms.value,
            cells=tuple(cell for cell in cells if cell.key in found),
            observed={key: one.model_copy(update={"variant": ""}) for key, one in found.items()},
            structures=structures,
            remains=remains,
            costs_s=costs,
        )


async def _measured(
    workbench: Workbench, job: Job, cells: Sequence[Cell], baseline: Variant
) -> dict[str, Observation]:
    pipeline, store = workbench._pipeline, workbench._store
    made: dict[str, Variant] = {}
    changes: dict[str, tuple[Interval, int]] = {}
    for number, cell in enumerate(cells, 1):
        variant = baseline
        try:
            for step in cell.steps:
                known = same_variant(step.made_by, variant, step.values, store.variants())
                variant = known or await pipeline._making.make(
                    job, step.made_by, variant, step.values, (0.0, 1.0), automatic=False
                )
            verdict, samples = await pipeline._measuring.judge_on_validation(job, variant, 1.0)
        except WorkbenchError as error:
            print(f"  {cell.title}: {error}", flush=True)
            continue
        made[cell.key], changes[cell.key] = variant, (verdict.change, samples)
        print(f"  {number} {cell.title}", flush=True)
    times: dict[str, Interval] = {}
    for tensorflow in (False, True):
        group = [one for one in made.values() if runtime(one.runtime).imports_tensorflow == tensorflow]
        run = _run_of(workbench, group)
        if run is None:
            await pipeline._measuring.time(job, group, "quick")
            run = _run_of(workbench, group)
        assert run is not None
        for summary in run.summaries:
            least = summary.min_ms
            times[summary.variant] = Interval(value=least, low=0.99 * least, high=1.01 * least)
    sizes = {
        one.id: store.measurements("size", one.id, SizeMeasurement)[0].file_bytes for one in made.values()
    }
    return {
        key: Observation(
            variant=one.id,
            file_bytes=sizes[one.id],
            ms=times[one.id],
            change=Interval(value=0.0, low=0.0, high=0.0) if one.is_baseline else changes[key][0],
            samples=changes[key][1],
            seconds=one.seconds,
        )
        for key, one in made.items()
    }


def _run_of(workbench: Workbench, group: Sequence[Variant]) -> LatencyMeasurement | None:
    """The run in which all of a group were timed together."""
    return next(
        (
            run
            for run in workbench._store.measurements("latency", group[0].id, LatencyMeasurement)
            if {one.id for one in group} <= {summary.variant for summary in run.summaries}
        ),
        None,
    )


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MODELS:
        if name in MODELS and not (FOLDER / f"{name}.json").exists():
            (FOLDER / f"{name}.json").write_text(measure(name).model_dump_json(indent=1) + "\n", "utf-8")
    FILE.write_text(learned(grids()).model_dump_json(indent=1) + "\n", "utf-8")
    print(f"{FILE} is learned from {', '.join(grid.name for grid in grids())}.")


if __name__ == "__main__":
    main()
