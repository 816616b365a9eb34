"""Find: makes and measures what serves a goal, one after the other, and says which is best.

Every variant that it makes is an ordinary one: it stays whatever becomes of the job, and one that is there
already is not made twice. All of one runtime are timed in one interleaved run, after the runtimes have
been timed against each other, so that the chart grows while it works.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import JobFailed, Refused, WorkbenchError
from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.engine.candidates import Plan, Trial, plan_of, training_for_rounding, trainings, trial_obstacle
from workbench.engine.context import JobContext
from workbench.engine.goal import Goal, best, conclusion, keeps, ranked
from workbench.engine.looking import Looking
from workbench.engine.making import Making
from workbench.engine.measuring import Measuring
from workbench.jobs.job import Job
from workbench.jobs.told import Told
from workbench.measure.records import LatencyMeasurement, QualityMeasurement, SizeMeasurement
from workbench.results.rows import ResultRow

LOOK, TIME, BRIDGE = 2.0, 6.0, 10.0
"""To judge the last variant of one runtime, to time all of one runtime, and to time the runtimes against each
other: seconds of a small model on an idle machine. They share out the progress, and are said before any was
seen. Variants before the last are judged while the next is made."""

_FORMATS = 2
"""So many of the best quick techniques follow a training."""


class Finder:
    """Searches for one workbench.

    Args:
        context: Where it reads, runs and writes.
        making: Makes variants.
        measuring: Measures them.
    """

    def __init__(self, context: JobContext, making: Making, measuring: Measuring) -> None:
        self._context = context
        self._making = making
        self._measuring = measuring

    async def find(self, job: Job, goal: Goal, training: bool) -> Variant | None:
        """Tries what serves a goal.

        Args:
            job: Hears of the progress; what was passed over or failed is in its log, and the conclusion.
            goal: What is wanted.
            training: Whether it goes on with short trainings.

        Returns:
            The best variant of all that are there; None if none serves.

        Raises:
            Refused: If nothing can be tried, with the reasons.
        """
        baseline, info = self._context.queries.baseline, self._context.queries.dataset.info
        plan = plan_of(goal, baseline, info, self._context.store.variants())
        for one in plan.passed_over:
            _log(job, say("Not tried: {technique}. {reason}", technique=one.trial.title, reason=one.reason))
        if not plan.references and not plan.trials:
            raise Refused(
                say("Nothing that serves this goal fits here without training."),
                plan.passed_over[0].reason if plan.passed_over else None,
            )
        weights = [*_quick_weights(plan, baseline, info)]
        if training:
            weights += _training_weights(goal, baseline, info)
        shares = _Shares(weights)
        await self._compare_runtimes(job, plan, baseline, shares)
        await self._try_all(job, plan.trials, baseline, shares)
        if best(await self._rows(), goal) is None:
            await self._try_all(job, plan.fallbacks, baseline, shares)
        if training:
            await self._train(job, goal, plan, baseline, shares)
        rows = await self._rows()
        job.update(step=None, technique=None)
        if shares.failures and all(row.variant.is_baseline for row in rows):
            # "Nothing found" would sound as if something had been looked at.
            raise JobFailed(
                say(
                    "Nothing could be made: what was tried has failed, {count} time. {first}",
                    "Nothing could be made: what was tried has failed, {count} times. {first}",
                    count=len(shares.failures),
                    first=shares.failures[0],
                )
            )
        _log(job, conclusion(rows, goal))
        found = best(rows, goal)
        if found is not None:
            job.update(variant=found.variant.id)
        return None if found is None else found.variant

    # -- its parts --------------------------------------------------------------------------

    async def _compare_runtimes(self, job: Job, plan: Plan, baseline: Variant, shares: _Shares) -> None:
        """The same weights in each runtime, timed against each other in one run."""
        async with Looking(job, self._look) as looking:
            for name in plan.runtimes:
                reference = self._making.reference(name)
                trial = next((one for one in plan.references if one.runtime == name), None)
                if reference is None and trial is not None:
                    job.update(step=trial.title)
                    reference = await self._attempt(job, trial, baseline, shares, automatic=True)
                if reference is not None:
                    looking.begin(reference)
            there = [one for one in await self._looked_at(job, looking, shares) if one.id != baseline.id]
        unbridged = [one for one in there if not self._timed_against(one, baseline)]
        if unbridged:
            job.update(step=say("Runtimes"))
            # With those that were timed before: what disturbs the baseline is then the same for all.
            together = [one for one in self._making.references(unbridged) if one.id != baseline.id]
            await self._time(job, baseline, together, shares.take(BRIDGE))

    async def _try_all(
        self,
        job: Job,
        trials: Sequence[Trial],
        parent: Variant,
        shares: _Shares,
        *,
        counted: bool = True,
    ) -> list[Variant]:
        """Makes what trials make of a parent, and times together what is of one runtime."""
        made: list[Variant] = []
        number = 0
        for name in dict.fromkeys(trial.runtime for trial in trials):
            async with Looking(job, self._look) as looking:
                for trial in (trial for trial in trials if trial.runtime == name):
                    number += 1
                    if counted:
                        job.update(
                            step=say(
                                "{technique}, {number} of {count}",
                                technique=trial.title,
                                number=number,
                                count=len(trials),
                            )
                        )
                    variant = await self._attempt(job, trial, parent, shares)
                    if variant is not None:
                        looking.begin(variant)
                here = await self._looked_at(job, looking, shares)
            made += here
            reference = self._making.reference(name) or self._context.queries.baseline
            untimed = [
                one for one in here if one.id != reference.id and not self._timed_against(one, reference)
            ]
            share = shares.take(TIME)
            if untimed:
                await self._time(job, reference, untimed, share)
        return made

    async def _train(self, job: Job, goal: Goal, plan: Plan, baseline: Variant, shares: _Shares) -> None:
        """Smaller networks, each with the best of the quick techniques on top."""
        rows = await self._rows()
        formats = _formats(rows, goal, plan, baseline)
        if _lost_by_rounding(rows, goal):
            job.update(step=training_for_rounding().title)
            await self._try_if_it_fits(job, [training_for_rounding()], baseline, shares)
        for trial in trainings(goal):
            job.update(step=trial.title)
            made = await self._try_if_it_fits(job, [trial], baseline, shares)
            if not made:
                continue
            row = next((row for row in await self._rows() if row.variant.id == made[0].id), None)
            change = None if row is None else row.quality_change
            if change is not None and change.change.high < -goal.f1_may_fall:
                measure = measure_of(change.task)
                holes: dict[str, str | Text] = {"name": made[0].name, "measure": measure.title}
                _log(
                    job,
                    say("{name} has lost too much {measure}: nothing was built on it.", **holes)
                    if measure.higher_is_better
                    else say("{measure} of {name} has grown too much: nothing was built on it.", **holes),
                )
                continue
            job.update(step=say("{technique}, then a quick one", technique=trial.title))
            await self._try_if_it_fits(job, formats, made[0], shares)

    async def _try_if_it_fits(
        self, job: Job, trials: Sequence[Trial], parent: Variant, shares: _Shares
    ) -> list[Variant]:
        possible = []
        for trial in trials:
            info, variants = self._context.queries.dataset.info, self._context.store.variants()
            reason = trial_obstacle(trial, parent, info, variants)
            if reason is None:
                possible.append(trial)
            else:
                _log(job, say("Not tried: {technique}. {reason}", technique=trial.title, reason=reason))
        return await self._try_all(job, possible, parent, shares, counted=False)

    # -- one at a time ----------------------------------------------------------------------

    async def _attempt(
        self, job: Job, trial: Trial, parent: Variant, shares: _Shares, *, automatic: bool = False
    ) -> Variant | None:
        """Makes a variant, or takes the one that is there; None if it fails."""
        make = shares.take(_seconds(trial, parent, self._context.queries.dataset.info))
        try:
            variant = trial.made(parent, self._context.store.variants())
            if variant is None:
                job.update(technique=trial.technique)
                variant = await self._making.make(
                    job, trial.made_by, parent, trial.values, make, automatic=automatic
                )
        except WorkbenchError as error:
            shares.failures.append(
                say("{technique} failed: {reason}", technique=trial.title, reason=error.text)
            )
            _log(job, shares.failures[-1])
            return None
        return variant

    async def _looked_at(self, job: Job, looking: Looking, shares: _Shares) -> list[Variant]:
        """Those of what was made whose size and quality are known, the last of them being looked at."""
        job.phase(*shares.take(LOOK), say("Measuring size and quality"))
        return await looking.finished()

    async def _look(self, job: Told, variant: Variant) -> bool:
        """Measures size and quality where they are not known; whether they are known then."""
        if self._has(variant, "size", SizeMeasurement) and self._has(variant, "quality", QualityMeasurement):
            return True
        try:
            await self._measuring.weigh_and_judge(job, variant)
            await self._measuring.explain_loss(job, variant, self._making.reference(variant.runtime))
        except WorkbenchError as error:
            _log(job, say("{name} could not be judged: {reason}", name=variant.name, reason=error.text))
            return False
        return True

    async def _time(
        self, job: Job, reference: Variant, variants: Sequence[Variant], share: tuple[float, float]
    ) -> None:
        """Times variants against a reference; one by one where they cannot be timed together."""
        job.update(technique=None)  # those that are timed together were made by several
        job.phase(*share, say("Measuring latency"))
        try:
            await self._measuring.time(job, [reference, *variants], "quick")
        except WorkbenchError as error:
            if len(variants) > 1:
                for variant in variants:
                    await self._time(job, reference, [variant], share)
                return
            _log(
                job,
                say("{name} could not be timed: {reason}", name=variants[0].name, reason=error.text),
            )

    def _timed_against(self, variant: Variant, reference: Variant) -> bool:
        return any(
            (verdict.variant, verdict.reference) == (variant.id, reference.id)
            for run in self._context.store.measurements("latency", variant.id, LatencyMeasurement)
            for verdict in run.verdicts
        )

    def _has(
        self, variant: Variant, kind: str, record: type[SizeMeasurement] | type[QualityMeasurement]
    ) -> bool:
        return bool(self._context.store.measurements(kind, variant.id, record))

    async def _rows(self) -> tuple[ResultRow, ...]:
        return await asyncio.to_thread(self._context.queries.results)


class _Shares:
    """Divides a job's progress into parts that follow each other, by how long each takes.

    Attributes:
        failures: What took its part and failed, with the reasons.
    """

    def __init__(self, weights: Iterable[float]) -> None:
        self.failures: list[Text] = []
        self._total = sum(weights)
        self._taken = 0.0

    def take(self, weight: float) -> tuple[float, float]:
        """The next part; what was not foreseen finds room at the end."""
        start = self._taken
        self._taken += weight
        return min(0.99, start / self._total), min(1.0, self._taken / self._total)


def _seconds(trial: Trial, parent: Variant, info: DatasetInfo) -> float:
    return trial.made_by.estimate(parent, info, trial.values).seconds


def _quick_weights(plan: Plan, baseline: Variant, info: DatasetInfo) -> Iterator[float]:
    for trial in (*plan.references, *plan.trials):
        yield _seconds(trial, baseline, info)
    if plan.references:
        yield LOOK + BRIDGE
    yield from (LOOK + TIME for _ in {trial.runtime for trial in plan.trials})


def _training_weights(goal: Goal, baseline: Variant, info: DatasetInfo) -> Iterator[float]:
    for trial in trainings(goal):
        if trial.made_by.obstacle(baseline, info, trial.values) is None:
            yield _seconds(trial, baseline, info) + LOOK + TIME + _FORMATS * (LOOK + LOOK + TIME)


def _formats(rows: Sequence[ResultRow], goal: Goal, plan: Plan, baseline: Variant) -> tuple[Trial, ...]:
    """The quick techniques that have served best, to follow a training."""
    by_key = {(one.technique, one.values.model_dump_json()): one for one in (*plan.trials, *plan.references)}
    kept = ranked([row for row in rows if keeps(row, goal)], goal)
    found = []
    for row in (*kept, *ranked(rows, goal)):
        variant = row.variant
        if variant.parent != baseline.id or variant.technique is None:
            continue
        for trial in by_key.values():
            if trial.made(baseline, [variant]) is not None and trial not in found:
                found.append(trial)
    return tuple(found or plan.trials or plan.references)[:_FORMATS]


def _lost_by_rounding(rows: Sequence[ResultRow], goal: Goal) -> bool:
    """Whether int8 of LiteRT, where it was tried, has not kept the quality."""
    if goal.runtime not in (None, "litert"):
        return False
    rounded = [row for row in rows if row.variant.technique == "quantization.int8"]
    return bool(rounded) and not any(keeps(row, goal) for row in rounded)


def _log(job: Told, line: Text) -> None:
    job.update(log=(*job.state.log, line))
