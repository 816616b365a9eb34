"""Measures what is not known of variants, and what their numbers are quoted against."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.api.dataset import Dataset
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.engine.context import JobContext
from workbench.engine.making import Making
from workbench.engine.measuring import Measuring
from workbench.engine.shelving import Shelving, identifier
from workbench.jobs.job import Job
from workbench.measure.records import Protocol
from workbench.runtimes import runtime
from workbench.techniques import technique as find_technique


class Completing:
    """Measures variants that are there, each against the float32 variant of its runtime.

    Args:
        context: Where it reads, runs and writes.
        making: Makes that variant where nobody has.
        measuring: Takes the numbers.
        shelving: Where it may be already.
    """

    def __init__(self, context: JobContext, making: Making, measuring: Measuring, shelving: Shelving) -> None:
        self._context = context
        self._making = making
        self._measuring = measuring
        self._shelving = shelving

    def is_complete(self, variant: Variant) -> bool:
        """Whether size, quality and latency of a variant are known."""
        return not self._measuring.missing(variant)

    async def complete(self, job: Job, variant: Variant, share: tuple[float, float]) -> Variant:
        """Measures what is not known yet of a variant that is there already."""
        start, end = share
        middle = start + 0.3 * (end - start)
        missing = self._measuring.missing(variant)
        if missing:
            await self.ensure_reference(job, variant.runtime, (start, middle))
        if missing - {"latency"}:
            await self._weigh_and_judge(job, variant, (middle, start + 0.7 * (end - start)))
        if "latency" in missing:
            await self.time_new(job, variant, (start + 0.7 * (end - start), end))
        return variant

    async def measure_whole(self, job: Job, variant: Variant) -> Variant:
        """Measures the size, quality and latency of a variant that is there already."""
        await self.ensure_reference(job, variant.runtime, (0.0, 0.3))
        await self.measure_new(job, variant, (0.3, 1.0))
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
            await self._weigh_and_judge(job, variant, (start, start + width))
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
        baseline = self._context.queries.baseline
        if any(variant.technique is None and variant.parent is not None for variant in variants):
            # Finished files of any origin: all in one interleaved run, against the first.
            return [_unique([baseline, *variants])]
        groups: dict[str, list[Variant]] = {}
        for variant in variants:
            groups.setdefault(variant.runtime, []).append(variant)
        runs: list[list[Variant]] = []
        references: list[Variant] = []
        for name, members in groups.items():
            await self.ensure_reference(job, name, (0.0, 0.05))
            reference = self._making.reference(name) or members[0]
            runs += _runs(reference, members)
            references += [reference] if reference.id != baseline.id else []
        if references:
            runs.append(_unique([*self._making.references(references), *references]))
        return runs

    async def ensure_reference(self, job: Job, runtime_name: str, share: tuple[float, float]) -> None:
        """Makes the float32 variant of a runtime that speed-ups in it are quoted against."""
        if self._making.reference(runtime_name) is not None:
            return
        technique = find_technique("inference.runtime")
        baseline = self._context.queries.baseline
        parameters = technique.parameters_type.model_validate({"runtime": runtime_name})
        if technique.obstacle(baseline, self._context.queries.dataset.info, parameters) is not None:
            return
        middle = (share[0] + share[1]) / 2
        key = await self._shelving.key_of_step(technique, baseline, parameters)
        async with self._shelving.turn(job, key):
            if key is not None and (taken := await self._shelving.find(key)) is not None:
                self._making.take(key, taken, self._shelving, technique, baseline, parameters, automatic=True)
                return
            reference = await self._making.make(
                job,
                technique,
                baseline,
                parameters,
                (share[0], middle),
                automatic=True,
                id_=identifier(key),
            )
            await self.measure_new(job, reference, (middle, share[1]))
            await self.put(key, reference)

    async def put(self, key: str | None, variant: Variant, data: Dataset | None = None) -> None:
        """Lets other visitors of a shared page have a variant, if all of it is measured."""
        if key is not None and self.is_complete(variant):
            await self._shelving.put(key, variant, data)

    async def measure_made(
        self, job: Job, variant: Variant, share: tuple[float, float], key: str | None
    ) -> None:
        """Measures what a technique has just made: first what need not wait until the machine is quiet.

        Args:
            job: Hears of the progress.
            variant: What was made.
            share: The part of the job that this is, from 0 to 1.
            key: By which other visitors of a shared page find it.
        """
        start, width = share[0], share[1] - share[0]
        job.phase(start, start + 0.3 * width, say("Measuring size and quality of {name}", name=variant.name))
        await self._measuring.weigh_and_judge(job, variant)
        if key is not None:
            await self._shelving.put(key, variant, early=True)
        await self.ensure_reference(job, variant.runtime, (start + 0.3 * width, start + 0.6 * width))
        await self._measuring.explain_loss(job, variant, self._making.reference(variant.runtime))
        await self.time_new(job, variant, (start + 0.6 * width, share[1]))
        await self.put(key, variant)

    async def measure_new(self, job: Job, variant: Variant, share: tuple[float, float]) -> None:
        """Measures the size, quality and latency of a variant that was just made."""
        start, end = share
        middle = start + 0.6 * (end - start)
        await self._weigh_and_judge(job, variant, (start, middle))
        await self.time_new(job, variant, (middle, end))

    async def _weigh_and_judge(self, job: Job, variant: Variant, share: tuple[float, float]) -> None:
        job.phase(*share, say("Measuring size and quality of {name}", name=variant.name))
        await self._measuring.weigh_and_judge(job, variant)
        await self._measuring.explain_loss(job, variant, self._making.reference(variant.runtime))

    async def time_new(self, job: Job, variant: Variant, share: tuple[float, float]) -> None:
        """Times a variant beside its parent and the reference of its runtime."""
        job.phase(*share, say("Measuring latency of {name}", name=variant.name))
        reference = self._making.reference(variant.runtime)
        added = variant.technique is None and variant.parent is not None
        group = [self._context.queries.baseline] if added or reference is None else [reference]
        parent = next((other for other in self._context.store.variants() if other.id == variant.parent), None)
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
