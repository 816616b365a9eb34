"""Makes variants by techniques, in worker processes, and stores them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from workbench.api.dataset import Dataset
from workbench.api.lineage import Lineage
from workbench.api.technique import AnyTechnique, Applied, Parameters
from workbench.api.text import say
from workbench.api.variant import STEP, Report, RuntimeSettings, Variant
from workbench.data.outputs import judged_note
from workbench.engine import worker_functions
from workbench.engine.context import JobContext
from workbench.engine.origin import FACT as ORIGIN
from workbench.engine.origin import Origin
from workbench.engine.output_steps import carried
from workbench.engine.shelving import Shelving
from workbench.engine.submit import run_step
from workbench.jobs import onednn
from workbench.jobs.job import Job
from workbench.measure.environment import environment
from workbench.measure.records import SizeMeasurement
from workbench.results.forecast import FACT as FORECAST
from workbench.results.forecast import Forecast
from workbench.store import Store
from workbench.store.measured import Measured
from workbench.store.shelf import FromShelf

_MOST_OF_MEMORY = 0.1
"""Files that take more of the memory together are not all loaded at once: each takes some times its size."""


class Making:
    """Applies techniques; what is finished is durable.

    Args:
        context: Where it reads, runs and writes.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def keep(
        self,
        variant: Variant,
        measured: Sequence[Measured],
        dataset: Dataset | None = None,
        origin: Origin | None = None,
        forecast: Forecast | None = None,
    ) -> Variant:
        """Stores a variant together with its first measurements, and the data as the workbench's.

        Args:
            variant: What is stored.
            measured: What was measured of it already.
            dataset: The data, with the baseline.
            origin: What it was opened with, likewise.
            forecast: What was expected of it.
        """
        facts = {}
        if dataset is not None:
            facts["dataset"] = str(dataset.folder.relative_to(self._context.store.folder))
        if origin is not None:
            facts[ORIGIN] = origin.model_dump_json()
        if forecast is not None:
            facts[FORECAST + variant.id] = forecast.model_dump_json()
        stored = self._context.store.add_variant(variant, variant.path, measured, facts)
        self._context.changed("variants")
        self._context.changed("results")
        return stored

    async def make(
        self,
        job: Job,
        technique: AnyTechnique,
        parent: Variant,
        parameters: Parameters,
        share: tuple[float, float],
        *,
        automatic: bool,
        id_: str | None = None,
    ) -> Variant:
        """Applies a technique.

        Args:
            job: Hears of the progress.
            technique: What is applied.
            parent: To what.
            parameters: How.
            share: The part of the job that this is, from 0 to 1.
            automatic: Whether it is a reference that nobody asked for.
            id_: The identifier that it is to have; by default a new one.
        """
        job.phase(*share, say("Applying {technique}", technique=say(technique.title)))
        folder = self._context.store.staging()
        foreseen = (
            None if automatic else await asyncio.to_thread(self._foresee, technique, parent, parameters)
        )
        made: tuple[Applied, float, SizeMeasurement] = await run_step(
            self._context,
            job,
            worker_functions.apply_technique,
            technique,
            parameters,
            parent,
            self._context.queries.dataset.folder,
            folder,
            self._context.seed,
            self._context.queries.others(technique, parameters),
            writes_into=folder,
            worker=technique.worker,
        )
        applied, seconds, size = made
        description, output = await carried(self._context, job, parent, applied)
        judged = judged_note(description, self._context.queries.dataset.info.target)
        report = applied.report if judged is None else applied.report.followed_by(Report(notes=(judged,)))
        variant = Variant(
            id=id_ or new_id(),
            name=self.name(technique, parent, parameters),
            format=applied.format,
            path=applied.path,
            sha256="",
            runtime=applied.runtime,
            settings=applied.settings.model_copy(
                update={
                    "trusted": parent.settings.trusted and applied.format == "keras",
                    "output": output,
                }
            ),
            # a file that was made from a model for calls of 32 samples is timed with as many
            description=description.model_copy(update={"batch": parent.description.batch}),
            technique=technique.name,
            parameters=parameters.model_dump(mode="json"),
            parent=parent.id,
            automatic=automatic,
            is_reference=automatic
            or self._serves_as_reference(technique, parent, applied.runtime, applied.settings),
            report=with_kernels(self._context.store, report, technique.worker == "tensorflow"),
            created=datetime.now(UTC),
            seconds=seconds,
        )
        return self.keep(variant, (Measured("size", size),), forecast=foreseen)

    def _foresee(self, technique: AnyTechnique, parent: Variant, parameters: Parameters) -> Forecast:
        """What is expected of it now, by what the form that asked for it has shown, or later measurements."""
        from workbench.engine.forecasting import foresee  # what a search takes is estimated by it, too

        queries = self._context.queries
        return foresee(
            self._context.store, technique, parent, parameters, queries.dataset.info, queries.results()
        )

    def take(
        self,
        key: str,
        taken: FromShelf,
        shelving: Shelving,
        technique: AnyTechnique,
        parent: Variant,
        parameters: Parameters,
        *,
        automatic: bool,
    ) -> Variant:
        """Stores what another visitor has had made by the same technique of the same variant."""
        known = taken.kept.variant
        serves = self._serves_as_reference(technique, parent, known.runtime, known.settings)
        return shelving.keep(
            key,
            taken,
            name=self.name(technique, parent, parameters),
            parent=parent.id,
            automatic=automatic,
            is_reference=automatic or serves,
        )

    def name(self, technique: AnyTechnique, parent: Variant, parameters: Parameters) -> str:
        """A free name for what a technique makes of a variant."""
        return free_name(self._context.store, _name_after(parent, technique.variant_name(parameters)))

    def _serves_as_reference(
        self, technique: AnyTechnique, parent: Variant, runtime_name: str, settings: RuntimeSettings
    ) -> bool:
        return (
            technique.name == "inference.runtime"
            and parent.is_baseline
            and (settings.threads, settings.batch) == (1, parent.settings.batch)
            and self.reference(runtime_name) is None
        )

    def reference(self, runtime_name: str) -> Variant | None:
        """The float32 form of the baseline in a runtime, with default settings."""
        return Lineage(self._context.store.variants()).reference(runtime_name)

    def references(self, wanted: Sequence[Variant]) -> list[Variant]:
        """The float32 forms of the baseline in all runtimes, the baseline itself first.

        Args:
            wanted: Those that are needed; of files so large that memory may not hold all, only these.
        """
        found = Lineage(self._context.store.variants()).references()
        if sum(_bytes(variant.path) for variant in found) > _MOST_OF_MEMORY * environment().memory_bytes:
            ids = {variant.id for variant in wanted}
            found = [variant for variant in found if variant.is_baseline or variant.id in ids]
        return found


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _name_after(parent: Variant, step: str) -> str:
    """The name of what a step makes: where it comes from, unless that is the baseline, and the step."""
    return step if parent.is_baseline else f"{parent.name}{STEP}{step}"


def with_kernels(store: Store, report: Report, in_tensorflow: bool) -> Report:
    """A report that says so where TensorFlow's usual kernels were off.

    Args:
        store: What is known of them here.
        report: Of what was made.
        in_tensorflow: Whether it was made by TensorFlow.
    """
    if not in_tensorflow or not onednn.stay_off(store.fact(onednn.FACT)):
        return report
    return report.followed_by(Report(notes=(onednn.made_without(),)))


def free_name(store: Store, wish: str) -> str:
    """A name that no variant has, nor one that was deleted."""
    taken = {variant.name for deleted in (False, True) for variant in store.variants(deleted=deleted)}
    name, number = wish, 2
    while name in taken:
        name, number = f"{wish} {number}", number + 1
    return name


def new_id() -> str:
    """An identifier that nothing has yet."""
    return uuid.uuid4().hex[:10]
