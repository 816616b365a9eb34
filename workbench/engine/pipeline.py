"""What happens after a click: the steps of a job, each finished one made durable before the next.

Runs on the executor's event loop; every step that computes runs in a worker process.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.api.dataset import Dataset
from workbench.api.errors import Cancelled, JobFailed, WorkbenchError
from workbench.api.lineage import Lineage
from workbench.api.technique import AnyTechnique, Parameters
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.data.outputs import OutputWish, with_wish
from workbench.engine.collecting import Collecting
from workbench.engine.compatibility import require_fit, same_variant
from workbench.engine.context import Bench
from workbench.engine.find import Finder
from workbench.engine.goal import Goal
from workbench.engine.making import Making
from workbench.engine.measuring import Measuring
from workbench.engine.origin import FACT as ORIGIN
from workbench.engine.origin import Origin, already_holds, content_digest, data_digest, origin
from workbench.engine.sources import HandedModel
from workbench.jobs.job import Job
from workbench.measure.records import Protocol
from workbench.runtimes import runtime
from workbench.techniques import technique as find_technique


class Pipeline:
    """The steps of every kind of job of one workbench.

    Args:
        bench: Where they read, run and write.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._making = Making(bench)
        self._measuring = Measuring(bench)
        self._finder = Finder(bench, self._making, self._measuring)

    # -- jobs -------------------------------------------------------------------------------

    async def open(
        self,
        job: Job,
        model: HandedModel,
        name: str,
        data: str | Path | Collecting,
        options: dict[str, Any],
        trust: bool,
        shared: bool,
        wish: OutputWish,
        asked: dict[str, Any],
    ) -> Variant:
        """Loads the model and the data, measures the baseline and stores it with what was measured.

        Where the same was opened before, that baseline is returned, with what was missing measured.

        What fails or is cancelled before that leaves nothing behind. Its latency, for which it may have to
        wait, is measured then: if that fails the model is open; if it is cancelled nothing is.
        """
        started = time.monotonic()
        # Asked again here: another page may have opened one while this job waited.
        if (same := await self._already_open(job, model.path, data, asked)) is not None:
            return same
        self._making.require_turn(job)
        model_digest = await asyncio.to_thread(content_digest, model.path)
        job.update(part="model")
        opened = await self._making.read(job, model, trust, shared, (0.0, 0.35))
        dataset: Dataset | None = None
        try:
            opened = replace(opened, description=with_wish(opened.description, wish))
            # after the model: what its inputs and outputs are decides how the data are read
            job.update(part="data")
            job.phase(0.35, 0.55, say("Reading the data"))
            source = await data.run(job, opened.description) if isinstance(data, Collecting) else data
            data_read = await asyncio.to_thread(data_digest, source)
            dataset = await self._making.prepare(job, source, options, opened.description)
            job.phase(0.55, 0.6, say("Fitting the data to the model"))
            opened, dataset, notes = await self._making.fit(job, opened, dataset, source, options, wish)
            job.update(part=None)
            baseline = self._making.take_in(opened, name, None, notes, started)
            opened_with = Origin(model=model_digest, data=data_read, options=asked)
            baseline = await self._look_and_keep(job, baseline, dataset, (0.6, 0.84), opened_with)
        except BaseException:
            self._making.discard(dataset)
            shutil.rmtree(opened.path.parent, ignore_errors=True)
            raise
        try:
            await self._time_new(job, baseline, (0.84, 1.0))
        except WorkbenchError as error:
            raise JobFailed(
                say(
                    "{name} is open, but its latency could not be measured: {reason}",
                    name=baseline.name,
                    reason=error.text,
                ),
                say("Measure it again."),
            ) from error
        except (Cancelled, asyncio.CancelledError):
            if job.asked_to_stop:
                self._making.forget(baseline)
                job.update(variant=None)
            raise
        return baseline

    async def add(
        self, job: Job, model: HandedModel, name: str, trust: bool, shared: bool, wish: OutputWish
    ) -> Variant:
        """Loads a finished model file, measures it and stores it beside the baseline."""
        started = time.monotonic()
        baseline, dataset = self._bench.evidence.baseline, self._bench.evidence.dataset
        opened = await self._making.read(job, model, trust, shared, (0.0, 0.35))
        try:
            if len(opened.description.outputs) > 1:  # the name may be that of the baseline's alone
                opened = replace(opened, description=with_wish(opened.description, wish))
            job.phase(0.35, 0.4, say("Fitting the data to the model"))
            like = baseline.description.judged.name
            opened, notes = await self._making.compare(job, opened, dataset, wish, like)
            added = self._making.take_in(opened, name, baseline, notes, started)
            added = await self._look_and_keep(job, added, dataset, (0.4, 0.76))
        except BaseException:
            shutil.rmtree(opened.path.parent, ignore_errors=True)
            raise
        await self._measuring.explain_loss(job, added, self._making.reference(added.runtime))
        await self._time_new(job, added, (0.76, 1.0))
        return added

    async def apply(
        self,
        job: Job,
        technique: AnyTechnique,
        parent: Variant,
        parameters: Parameters,
        again: bool,
        share: tuple[float, float] = (0.0, 1.0),
    ) -> Variant:
        """Applies a technique, stores the new variant and measures it.

        Where there is one already that was made so, that is returned, with what was missing measured.

        Args:
            job: Hears of the progress.
            technique: What is applied.
            parent: To what.
            parameters: How.
            again: Whether another one is made all the same.
            share: The part of the job that this is, from 0 to 1.
        """
        start, width = share[0], share[1] - share[0]
        # Asked here, too: a job before this one, or another page, may have made it meanwhile.
        known = self._bench.store.variants()
        made = None if again else same_variant(technique, parent, parameters, known)
        if made is not None:
            job.update(variant=made.id)
            await self.complete(job, made, share)
            return made
        require_fit(technique, parent, self._bench.evidence.dataset.info, parameters, known)
        variant = await self._making.make(
            job, technique, parent, parameters, (start, start + 0.6 * width), automatic=False
        )
        job.update(variant=variant.id)
        await self._ensure_reference(job, variant.runtime, (start + 0.6 * width, start + 0.7 * width))
        await self._measure_new(job, variant, (start + 0.7 * width, share[1]))
        return variant

    async def run_steps(
        self, job: Job, steps: Sequence[tuple[AnyTechnique, Parameters]], parent: Variant, again: bool
    ) -> Variant:
        """Applies the steps of a recipe one after the other; each step's variant is kept and measured."""
        variant = parent
        width = 1.0 / len(steps)
        for number, (technique, parameters) in enumerate(steps):
            share = number * width, (number + 1) * width
            job.update(technique=technique.name)
            variant = await self.apply(job, technique, variant, parameters, again, share)
        return variant

    def is_complete(self, variant: Variant) -> bool:
        """Whether size, quality and latency of a variant are known."""
        return not self._measuring.missing(variant)

    async def complete(self, job: Job, variant: Variant, share: tuple[float, float]) -> Variant:
        """Measures what is not known yet of a variant that is there already."""
        start, end = share
        middle = start + 0.3 * (end - start)
        missing = self._measuring.missing(variant)
        if missing:
            await self._ensure_reference(job, variant.runtime, (start, middle))
        if missing - {"latency"}:
            job.phase(
                middle,
                start + 0.7 * (end - start),
                say("Measuring size and quality of {name}", name=variant.name),
            )
            await self._measuring.weigh_and_judge(job, variant)
            await self._measuring.explain_loss(job, variant, self._making.reference(variant.runtime))
        if "latency" in missing:
            await self._time_new(job, variant, (start + 0.7 * (end - start), end))
        return variant

    async def find(self, job: Job, goal: Goal, training: bool) -> Variant | None:
        """Tries what serves a goal; see :class:`workbench.engine.find.Finder`."""
        return await self._finder.find(job, goal, training)

    async def measure_whole(self, job: Job, variant: Variant) -> Variant:
        """Measures the size, quality and latency of a variant that is there already."""
        await self._ensure_reference(job, variant.runtime, (0.0, 0.3))
        await self._measure_new(job, variant, (0.3, 1.0))
        return variant

    async def measure(self, job: Job, variants: Sequence[Variant], protocol: Protocol) -> None:
        """Times variants: those of one runtime together, and the runtimes' references together.

        What else is not known of them, because an earlier job was cancelled, is measured before. The
        ``final`` protocol also reads the energy meter, where the machine has one.
        """
        incomplete = [one for one in variants if self._measuring.missing(one) - {"latency"}]
        looked = len(incomplete) / (len(incomplete) + len(variants))
        for number, variant in enumerate(incomplete):
            start, width = looked * number / len(incomplete), looked / len(incomplete)
            job.phase(start, start + width, say("Measuring size and quality of {name}", name=variant.name))
            await self._measuring.weigh_and_judge(job, variant)
            await self._measuring.explain_loss(job, variant, self._making.reference(variant.runtime))
        timed = 0.9 if protocol == "final" else 1.0
        runs = await self._runs_of(job, variants)
        for number, run in enumerate(runs):
            start = looked + (timed - looked) * (0.05 + 0.95 * number / len(runs))
            end = looked + (timed - looked) * (0.05 + 0.95 * (number + 1) / len(runs))
            job.phase(start, end, say("Measuring latency"))
            await self._measuring.time(job, run, protocol)
        if protocol == "final":
            for number, variant in enumerate(variants):
                start = timed + (1 - timed) * number / len(variants)
                job.phase(start, start + (1 - timed) / len(variants), say("Measuring energy"))
                await self._measuring.meter(job, variant)

    async def _runs_of(self, job: Job, variants: Sequence[Variant]) -> list[list[Variant]]:
        """What is timed together; the first of each run is its reference."""
        baseline = self._bench.evidence.baseline
        if any(variant.technique is None and variant.parent is not None for variant in variants):
            # Finished files of any origin: all in one interleaved run, against the first.
            return [_unique([baseline, *variants])]
        groups: dict[str, list[Variant]] = {}
        for variant in variants:
            groups.setdefault(variant.runtime, []).append(variant)
        runs: list[list[Variant]] = []
        references: list[Variant] = []
        for name, members in groups.items():
            await self._ensure_reference(job, name, (0.0, 0.05))
            reference = self._making.reference(name) or members[0]
            runs += _runs(reference, members)
            references += [reference] if reference.id != baseline.id else []
        if references:
            runs.append(_unique([*self._making.references(references), *references]))
        return runs

    # -- steps ------------------------------------------------------------------------------

    async def _already_open(
        self, job: Job, model: Path, data: str | Path | Collecting, asked: dict[str, Any]
    ) -> Variant | None:
        """The baseline, if it was opened with the same; None where nothing is open yet.

        Raises:
            InvalidInput: If another model or other data are open.
        """
        store = self._bench.store
        baseline = Lineage(store.variants()).baseline
        if baseline is None:
            return None
        source = await data.run(job, baseline.description) if isinstance(data, Collecting) else data
        found = await asyncio.to_thread(origin, model, source, asked)
        if store.fact(ORIGIN) != found.model_dump_json():
            raise already_holds(baseline.name)
        job.update(variant=baseline.id)
        await self.complete(job, baseline, (0.0, 1.0))
        return baseline

    async def _ensure_reference(self, job: Job, runtime_name: str, share: tuple[float, float]) -> None:
        """Makes the float32 variant of a runtime that speed-ups in it are quoted against."""
        if self._making.reference(runtime_name) is not None:
            return
        technique = find_technique("inference.runtime")
        baseline = self._bench.evidence.baseline
        parameters = technique.parameters_type.model_validate({"runtime": runtime_name})
        if technique.obstacle(baseline, self._bench.evidence.dataset.info, parameters) is not None:
            return
        middle = (share[0] + share[1]) / 2
        reference = await self._making.make(
            job, technique, baseline, parameters, (share[0], middle), automatic=True
        )
        await self._measure_new(job, reference, (middle, share[1]))

    async def _look_and_keep(
        self,
        job: Job,
        variant: Variant,
        dataset: Dataset,
        share: tuple[float, float],
        opened_with: Origin | None = None,
    ) -> Variant:
        """Stores what was read as soon as its size and quality are known, with them."""
        job.phase(*share, say("Measuring size and quality of {name}", name=variant.name))
        measured = await self._measuring.look(job, variant, dataset.folder)
        new = dataset if variant.is_baseline else None
        stored = self._making.keep(variant, measured, new, opened_with)
        job.update(variant=stored.id)
        return stored

    async def _measure_new(self, job: Job, variant: Variant, share: tuple[float, float]) -> None:
        start, end = share
        middle = start + 0.6 * (end - start)
        job.phase(start, middle, say("Measuring size and quality of {name}", name=variant.name))
        await self._measuring.weigh_and_judge(job, variant)
        await self._measuring.explain_loss(job, variant, self._making.reference(variant.runtime))
        await self._time_new(job, variant, (middle, end))

    async def _time_new(self, job: Job, variant: Variant, share: tuple[float, float]) -> None:
        job.phase(*share, say("Measuring latency of {name}", name=variant.name))
        reference = self._making.reference(variant.runtime)
        added = variant.technique is None and variant.parent is not None
        group = [self._bench.evidence.baseline] if added or reference is None else [reference]
        parent = next((other for other in self._bench.store.variants() if other.id == variant.parent), None)
        if parent is not None and parent.runtime == variant.runtime:
            group.append(parent)
        await self._measuring.time(job, [*_timed_with(variant, group), variant], "quick")
        if variant.is_reference and variant.parent is not None:
            # The change of runtime is a step of its own: timed once, between the references, and of all
            # runtimes together. From a run for each they would differ by what disturbed the baseline in one.
            await self._measuring.time(job, self._making.references([variant]), "quick")


def _timed_with(variant: Variant, others: Sequence[Variant]) -> list[Variant]:
    """Which others can be timed in one process with a variant.

    TensorFlow sets its threads once for a process, so files of different threads cannot share one.
    """
    together = [
        other
        for other in others
        if other.id != variant.id
        and (other.settings.threads == variant.settings.threads or not _runs_in_tensorflow(variant))
    ]
    return _unique(together)


def _runs(reference: Variant, members: Sequence[Variant]) -> list[list[Variant]]:
    if not _runs_in_tensorflow(reference):
        return [_unique([reference, *members])]
    by_threads: dict[int, list[Variant]] = {}
    for member in members:
        by_threads.setdefault(member.settings.threads, []).append(member)
    return [_unique([*_timed_with(same[0], [reference]), *same]) for same in by_threads.values()]


def _runs_in_tensorflow(variant: Variant) -> bool:
    return runtime(variant.runtime).imports_tensorflow


def _unique(variants: Sequence[Variant]) -> list[Variant]:
    return list({variant.id: variant for variant in variants}.values())
