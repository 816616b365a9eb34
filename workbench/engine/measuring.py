"""Measures variants in worker processes and stores what comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from workbench.api.dataset import Dataset
from workbench.api.errors import WorkbenchError
from workbench.api.records import Record
from workbench.api.task import measure_of
from workbench.api.text import say
from workbench.api.variant import ROUNDED, FurtherOutput, Variant
from workbench.data.outputs import first_output
from workbench.engine import worker_functions
from workbench.engine.context import JobContext
from workbench.engine.submit import run_step
from workbench.jobs import onednn
from workbench.jobs.job import Job
from workbench.jobs.told import Told
from workbench.measure import tasks
from workbench.measure.collapse import explain_collapse
from workbench.measure.energy import measure_energy
from workbench.measure.environment import environment
from workbench.measure.judges import Answers, scores_key
from workbench.measure.latency import Candidate
from workbench.measure.narrowing import timed_variant
from workbench.measure.quality import quality_word
from workbench.measure.records import (
    Environment,
    LatencyMeasurement,
    Protocol,
    QualityMeasurement,
    QualityVerdict,
    SizeMeasurement,
)
from workbench.measure.timing import measure_latency
from workbench.measure.timing_together import Samples, leave_note
from workbench.measure.validation import judge_on_validation, validation_scores
from workbench.results.rows import BEFORE
from workbench.results.step_order import look_at_weights
from workbench.runtimes import runtime
from workbench.store.measured import Measured

COLLAPSE = 0.02
"""A quantized variant that loses so much (0 to 1) against its parent is looked into."""

_COLLAPSED_ERROR = 0.2
"""The same for an error, as a share of the parent's."""

TIMED_LAST = -100
"""A timing waits until nothing else runs on the machine: sizes and qualities of others appear before it."""


class ValidationScores(Record):
    """What the baseline answers on the validation split: the arrays kept with this."""


class ValidationChange(Record):
    """What a variant loses on the validation split.

    Attributes:
        verdict: Against the baseline.
        samples: How many validation samples it is of.
    """

    verdict: QualityVerdict
    samples: int


Missing = Literal["size", "quality", "latency"]

Keep = Callable[[Measured], None]


class Measuring:
    """Size, quality and latency of variants, each stored as soon as it is there.

    Args:
        context: Where they read, run and write.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def missing(self, variant: Variant) -> frozenset[Missing]:
        """What is not known yet of a stored variant, because its job was cancelled or failed."""
        from workbench.measure.weights import WeightEffects

        kinds: list[tuple[Missing, str, type[Record]]] = [
            ("size", "size", SizeMeasurement),  # its memory is not in it until the weights were looked at
            ("size", "weights", WeightEffects),
            ("quality", "quality", QualityMeasurement),
            ("latency", "latency", LatencyMeasurement),
        ]
        if variant.parent is not None:
            kinds.append(("quality", "quality change", QualityVerdict))
        return frozenset(
            word
            for word, kind, record in kinds
            if not self._context.store.measurements(kind, variant.id, record)
        )

    async def weigh_and_judge(self, job: Told, variant: Variant) -> None:
        """Measures size and quality of a stored variant."""

        def keep(measured: Measured) -> None:
            self._context.store.add_measurement(
                measured.kind,
                [variant.id],
                measured.record,
                environment=measured.environment,
                arrays=measured.arrays,
            )
            self._context.changed("results")

        await self._look(job, variant, self._context.queries.dataset.folder, keep)

    async def look(self, job: Job, variant: Variant, dataset: Path) -> list[Measured]:
        """Measures size and quality of a variant that is not stored, and stores nothing.

        Args:
            job: Hears of its progress.
            variant: Its file may be anywhere.
            dataset: Folder of the prepared data.
        """
        found: list[Measured] = []
        await self._look(job, variant, dataset, found.append)
        return found

    async def _look(self, job: Told, variant: Variant, dataset: Path, keep: Keep) -> None:
        """Size and quality, side by side where they need different workers."""
        if not runtime(variant.runtime).imports_tensorflow:
            await self._weigh(job, variant, dataset, keep)
            await self._judge(job, variant, dataset, keep)
            return
        both = asyncio.gather(
            self._weigh(job, variant, dataset, keep),
            self._judge(job, variant, dataset, keep),
            return_exceptions=True,
        )
        for failure in await both:
            if failure is not None:
                raise failure

    async def _weigh(self, job: Told, variant: Variant, dataset: Path, keep: Keep) -> None:
        """Measures the three sizes and the memory to run."""
        size = await run_step(
            self._context,
            job,
            tasks.measure_size_task,
            candidate(variant),
            variant.description.parameters,
            dataset,
            self._sizes(variant),
            worker="gpu" if runtime(variant.runtime).needs_gpu else "light",
        )
        keep(Measured("size", size))
        weights = await run_step(self._context, job, look_at_weights, variant, worker="light")
        keep(Measured("weights", weights))

    def _sizes(self, variant: Variant) -> SizeMeasurement | None:
        """What is known of a file since it was made; of one that is not stored, nothing."""
        return next(iter(self._context.store.measurements("size", variant.id, SizeMeasurement)), None)

    async def _judge(self, job: Told, variant: Variant, dataset: Path, keep: Keep) -> None:
        """Measures quality on the test split, and its change against the baseline."""
        before = None
        if not variant.is_baseline:
            before = self._context.store.arrays("quality", self._context.queries.baseline.id)
        description = variant.description
        quality, scores = await self._judge_output(job, variant, dataset, before)
        arrays, further = {"scores": scores}, []
        for one in description.further:
            measured, arrays[scores_key(one.key)] = await self._judge_output(
                job, variant, dataset, before, one
            )
            further.append(measured)
        if further:
            first = first_output(Dataset(dataset).info, description)
            quality = quality.model_copy(update={"output": first, "further": tuple(further)})
        keep(Measured("quality", quality, quality.environment, arrays))
        if variant.is_baseline or before is None:
            return
        change = await self._judge_change(job, variant, dataset, scores, before["scores"])
        changes = [
            await self._judge_change(job, variant, dataset, arrays[key], before[key], one.name)
            for one in description.further
            if (key := scores_key(one.key)) in before
        ]
        if changes:
            change = change.together(first_output(Dataset(dataset).info, description), tuple(changes))
        keep(Measured("quality change", change))

    async def _judge_output(
        self,
        job: Told,
        variant: Variant,
        dataset: Path,
        before: Mapping[str, Any] | None,
        further: FurtherOutput | None = None,
    ) -> tuple[QualityMeasurement, Answers]:
        """Predicts the test split and judges one output: the first, or a further one."""
        name = None if further is None else further.name
        description, asked = variant.description.of(name), asked_for(variant, name)
        reference = None
        if description.task == "agreement" and before is not None:
            reference = before.get(scores_key(None if further is None else further.key))
        found: tuple[QualityMeasurement, Answers] = await run_step(
            self._context,
            job,
            tasks.measure_quality,
            asked,
            dataset,
            description.from_logits,
            await self._environment(),
            0,
            description.doubts,
            reference,
            name,
            worker=runtime(variant.runtime).worker,
        )
        return found

    async def _judge_change(
        self,
        job: Told,
        variant: Variant,
        dataset: Path,
        scores: Answers,
        before: Answers,
        output: str | None = None,
    ) -> QualityVerdict:
        """The paired change of one output's measure against the baseline."""
        change: QualityVerdict = await run_step(
            self._context,
            job,
            worker_functions.judge_change,
            variant.id,
            self._context.queries.baseline.id,
            scores,
            before,
            dataset,
            self._context.seed,
            output,
            worker="light",
        )
        return change

    async def judge_on_validation(
        self, job: Told, variant: Variant, tolerance: float
    ) -> tuple[QualityVerdict, int]:
        """What a variant loses against the baseline on the validation split, for choosing; measured once.

        Args:
            job: Hears of its progress.
            variant: A stored variant.
            tolerance: The loss that is accepted, as a fraction; it is looked at until that is excluded.

        Returns:
            The verdict, and of how many samples it is; of several outputs that of the one which loses most.
        """
        found = [await self._on_validation(job, variant, tolerance, None)]
        found += [
            await self._on_validation(job, variant, tolerance, one) for one in variant.description.further
        ]
        return min(found, key=lambda one: one[0].change.low)

    async def _on_validation(
        self, job: Told, variant: Variant, tolerance: float, further: FurtherOutput | None
    ) -> tuple[QualityVerdict, int]:
        store, dataset = self._context.store, self._context.queries.dataset
        count = dataset.info.counts["validation"]
        name = None if further is None else further.name
        for known in store.measurements("validation change", variant.id, ValidationChange):
            found = known.verdict
            if found.output == name and (known.samples == count or found.change.high < -tolerance):
                word = quality_word(found.change, tolerance)
                return found.model_copy(update={"tolerance": tolerance, "word": word}), known.samples
        baseline = self._context.queries.baseline
        kind = "validation scores" if further is None else f"validation scores of {further.key}"
        kept = store.arrays(kind, baseline.id)
        if kept is None:
            scores = await run_step(
                self._context,
                job,
                validation_scores,
                asked_for(baseline, name),
                dataset.folder,
                baseline.description.of(name).from_logits,
                name,
                worker=runtime(baseline.runtime).worker,
            )
            kept = {"scores": scores}
            store.add_measurement(kind, [baseline.id], ValidationScores(), arrays=kept)
        verdict, samples = await run_step(
            self._context,
            job,
            judge_on_validation,
            asked_for(variant, name),
            baseline.id,
            kept["scores"],
            dataset.folder,
            variant.description.of(name).from_logits,
            tolerance,
            self._context.seed,
            name,
            worker=runtime(variant.runtime).worker,
        )
        store.add_measurement(
            "validation change", [variant.id], ValidationChange(verdict=verdict, samples=samples)
        )
        return verdict, samples

    async def explain_loss(self, job: Told, variant: Variant, reference: Variant | None) -> None:
        """Looks for the layer that destroyed a quantized variant, where one did.

        Args:
            job: Hears of its progress.
            variant: A variant whose quality is known.
            reference: The float32 form of the baseline in its runtime.
        """
        parent = next((one for one in self._context.store.variants() if one.id == variant.parent), None)
        if parent is None or variant.format not in ("tflite", "onnx"):
            return
        if variant.description.precision not in ROUNDED or not self._has_collapsed(variant, parent):
            return
        try:
            exact = reference.path if reference is not None and parent.is_baseline else None
            if exact is None:
                exact = await run_step(
                    self._context,
                    job,
                    worker_functions.export_float,
                    parent,
                    variant.format,
                    self._context.store.staging(),
                    worker="tensorflow",
                )
            found = await run_step(
                self._context,
                job,
                explain_collapse,
                exact,
                variant.path,
                self._context.queries.dataset.folder,
                worker="light",
            )
        except WorkbenchError as error:
            # The variant and its numbers are there; only the explanation is not.
            job.update(log=(*job.state.log, say("No layer could be blamed: {reason}", reason=error.text)))
            return
        self._context.store.add_measurement("error by layer", [variant.id], found)
        self._context.changed("results")

    def _has_collapsed(self, variant: Variant, parent: Variant) -> bool:
        after, before = (
            next(iter(self._context.store.measurements("quality", one.id, QualityMeasurement)), None)
            for one in (variant, parent)
        )
        if after is None or before is None:
            return False
        lost = before.goodness - after.goodness
        if not measure_of(after.task).higher_is_better:
            return lost >= _COLLAPSED_ERROR * abs(before.goodness)
        return lost >= COLLAPSE

    async def time(self, job: Job, variants: Sequence[Variant], protocol: Protocol) -> None:
        """Times variants in one interleaved run; the first one is the reference."""
        # The curves of a run before this one in the same job have other rounds.
        curves = job.state.metrics.items()
        job.update(metrics={name: points for name, points in curves if timed_variant(name) is None})
        dataset, seed = self._context.queries.dataset, self._context.seed
        on_gpu = any(runtime(variant.runtime).needs_gpu for variant in variants)
        candidates = [candidate(variant) for variant in variants]
        waiting = leave_note(
            candidates,
            [variant.sha256 for variant in variants],
            Samples(digest=dataset.info.sha256, folder=dataset.folder),
            protocol,
            seed,
            (await self._environment()).id,
            onednn=not (onednn.is_off() or onednn.stay_off(self._context.store.fact(onednn.FACT))),
        )
        with waiting as note:
            measurement, raw = await run_step(
                self._context,
                job,
                measure_latency,
                candidates,
                dataset.folder,
                protocol,
                seed,
                note,
                priority=TIMED_LAST,
                worker="gpu" if on_gpu else "light",
            )
        await self._environment()
        self._context.store.add_measurement(
            "latency",
            [variant.id for variant in variants],
            measurement,
            environment=measurement.environment,
            arrays=raw,
        )
        for variant in variants:  # from now on they are of this workbench
            self._context.store.drop_fact(BEFORE + variant.id)
        self._context.changed("results")

    async def meter(self, job: Job, variant: Variant) -> None:
        """Measures the energy of one sample, or stores why it cannot be known here."""
        energy = await run_step(
            self._context,
            job,
            measure_energy,
            candidate(variant),
            self._context.queries.dataset.folder,
            worker="gpu" if runtime(variant.runtime).needs_gpu else "light",
        )
        await self._environment()
        self._context.store.add_measurement("energy", [variant.id], energy, environment=energy.environment)
        self._context.changed("results")

    async def _environment(self) -> Environment:
        found = await asyncio.to_thread(environment)
        self._context.store.add_environment(found)
        return found


def candidate(variant: Variant) -> Candidate:
    """What measuring needs to know of a variant."""
    return Candidate(
        variant=variant.id, path=variant.path, runtime=variant.runtime, settings=variant.settings
    )


def asked_for(variant: Variant, output: str | None) -> Candidate:
    """What is measured of a variant, where its runtime gives a further output; None gives the first."""
    asked = candidate(variant)
    if output is None:
        return asked
    settings = {"output": variant.description.of(output).judged_output}
    return asked.model_copy(update={"settings": asked.settings.model_copy(update=settings)})
