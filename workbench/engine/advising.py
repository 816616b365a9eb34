"""The advisor at work: makes and measures what the search proposes, and keeps its ledger.

Every trial is an ordinary variant, made by the same calls as a click. So what is there already counts, and
a search that was ended goes on where it was: its variants and their measurements are in the store, its
ledger is there after every trial.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from workbench.advisor.cells import Cell, space_of
from workbench.advisor.demands import Demands
from workbench.advisor.explaining import feasibility
from workbench.advisor.ledger import Observation
from workbench.advisor.priors import shipped
from workbench.advisor.search import Search, Start
from workbench.api.errors import Cancelled, WorkbenchError
from workbench.api.technique import AnyTechnique, Parameters
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.engine.advice_run import AdviceRun, kept_ledger
from workbench.engine.compatibility import same_variant
from workbench.engine.completing import Completing
from workbench.engine.context import JobContext
from workbench.engine.estimates import confirming_seconds, estimate, measuring_seconds
from workbench.engine.measuring import Measuring
from workbench.jobs.job import Job
from workbench.measure.environment import environment
from workbench.measure.records import Interval, LatencyMeasurement
from workbench.results.rows import ResultRow

Apply = Callable[[Job, AnyTechnique, Variant, Parameters, bool, tuple[float, float]], Awaitable[Variant]]
"""Makes a variant as a click does: :meth:`workbench.engine.pipeline.Pipeline.apply`."""

_UNCHANGED = Interval(value=0.0, low=0.0, high=0.0)


class Adviser:
    """Searches for one workbench.

    Args:
        context: Where it reads, runs and writes.
        measuring: Measures variants.
        completing: Measures what is not known of them, and confirms.
        apply: Makes a variant as a click does.
    """

    def __init__(
        self, context: JobContext, measuring: Measuring, completing: Completing, apply: Apply
    ) -> None:
        self._context = context
        self._measuring = measuring
        self._completing = completing
        self._apply = apply

    async def advise(self, job: Job, demands: Demands) -> Variant | None:
        """Searches until the time is up, or nothing better is to be expected.

        Args:
            job: Hears of the progress.
            demands: What is needed; a search for the same that was interrupted is continued.

        Returns:
            The variant that serves best; None if none does.
        """
        run = await self._begin(job, demands)
        run.write()
        first = feasibility(run.search)
        if first is not None:
            run.log(first.text)
        for trainings in (False, True) if demands.training else (False,):
            while not run.out_of_time:
                costs = await asyncio.to_thread(self._costs, run)
                cell = run.search.propose(costs.of, run.seconds_left, trainings=trainings)
                if cell is None:
                    break
                await self._try(run, cell, costs)
        await self._confirm(run)
        run.done = True
        ledger = run.write()
        for sentence in ledger.sentences:
            run.log(sentence.text)
        if ledger.winner is None:
            job.update(variant=None, step=None, technique=None)
            return None
        observed = ledger.row(ledger.winner).observed
        assert observed is not None
        job.update(variant=observed.variant, step=None, technique=None)
        return next(one for one in self._context.store.variants() if one.id == observed.variant)

    # -- its parts ----------------------------------------------------------------------------

    async def _begin(self, job: Job, demands: Demands) -> AdviceRun:
        baseline, info = self._context.queries.baseline, self._context.queries.dataset.info
        before = kept_ledger(self._context.store)
        if before is not None and (before.done or before.demands != demands):
            before = None
        started = time.monotonic() - (0.0 if before is None else before.spent_s)
        space = await asyncio.to_thread(space_of, baseline, info, demands)
        row = await self._row(baseline)
        if row is None or row.size is None or row.shown_ms is None:
            await self._completing.complete(job, baseline, (0.0, 0.05))
            row = await self._row(baseline)
        assert row is not None
        assert row.size is not None
        estimates = {
            cell.structure_key: cell.structure.made_by.estimate(baseline, info, cell.structure.values)
            for cell in {cell.structure_key: cell for cell in space.cells}.values()
            if cell.structure is not None
        }
        search = Search(
            demands=demands,
            cells=space.cells,
            start=Start(
                layers=baseline.description.layers,
                file_bytes=row.size.file_bytes,
                ms=None if row.shown_ms is None else row.shown_ms.value,
                variant=baseline.id,
            ),
            priors=shipped(),
            remains={key: one.weights_ratio for key, one in estimates.items()},
            guessed=frozenset(key for key, one in estimates.items() if not one.counted),
            task=info.task,
        )
        run = AdviceRun(
            job,
            self._context,
            demands,
            space,
            search,
            baseline,
            started,
            confirming_seconds(self._context.store),
        )
        if before is not None:
            run.remember(before)
        job.phase(0.0, 0.05, say("Looking at what is there"))
        await self._gather(run)
        return run

    async def _gather(self, run: AdviceRun) -> None:
        """Takes what is there already: of earlier work, or made on the way to something else."""
        for cell in run.space.cells:
            if cell.key in run.search.observed or cell.key in run.search.failed:
                continue
            made = _made(cell, run.baseline, self._context.store.variants())
            if made is not None:
                with suppress(WorkbenchError):  # what cannot be judged is not known
                    await self._observe(run, cell, made, 0.0)

    async def _try(self, run: AdviceRun, cell: Cell, costs: _Costs) -> None:
        """Makes and measures a cell within the time that is left."""
        number = run.begin(cell)
        work = asyncio.ensure_future(self._make(run, cell))
        try:
            await asyncio.wait({work}, timeout=run.seconds_left)
            if not work.done():
                run.out_of_time = True
                await self._context.executor.cancel(run.job.id)
                work.cancel()
                await asyncio.wait({work})
        finally:
            work.cancel()
        try:
            work.result()
        except (Cancelled, asyncio.CancelledError):
            if run.job.asked_to_stop or not run.out_of_time:
                raise
            run.log(say("{name} was stopped: the time was up.", name=cell.title))
        except WorkbenchError as error:
            run.search.failed[cell.key] = error.text
            run.log(say("{name} failed: {reason}", name=cell.title, reason=error.text))
        if cell.key in run.search.observed:
            run.numbers[cell.key] = number
        if not run.out_of_time:
            await self._gather(run)
        run.write()

    async def _make(self, run: AdviceRun, cell: Cell) -> None:
        began = time.monotonic()
        variant = run.baseline
        steps = cell.steps
        start, end = run.share()
        for place, step in enumerate(steps):
            width = (end - start) / len(steps)
            share = (start + place * width, start + (place + 1) * width)
            run.job.update(technique=step.technique)
            try:
                variant = await self._apply(run.job, step.made_by, variant, step.values, False, share)
            except WorkbenchError as error:
                if step == cell.structure:
                    run.give_up(cell, error.text)
                raise
            if step == cell.structure and len(steps) > 1:
                alone = next(
                    (
                        one
                        for one in run.space.cells
                        if (one.structure, one.form, one.threads) == (step, None, cell.threads)
                    ),
                    None,
                )
                run.search.structures[cell.structure_key] = variant.description.layers
                if alone is not None and alone.threads == 1:
                    await self._observe(run, alone, variant, time.monotonic() - began)
                    run.write()
                    if run.search.outlook()[cell.key].meets < _HOPELESS:
                        return  # its row says by which number
        await self._observe(run, cell, variant, time.monotonic() - began)

    async def _observe(self, run: AdviceRun, cell: Cell, variant: Variant, seconds: float) -> None:
        """Takes what is known of a variant; measures what is not."""
        if not self._completing.is_complete(variant):
            await self._completing.complete(run.job, variant, run.share())
        change, samples = _UNCHANGED, 0
        if not variant.is_baseline:
            verdict, samples = await self._measuring.judge_on_validation(run.job, variant, run.search.bound)
            change = verdict.change
        row = await self._row(variant)
        if row is None or row.size is None:
            return
        if cell.structure is not None and (
            cell.form is None or cell.structure_key not in run.search.structures
        ):
            line = _line(variant, self._context.store.variants())
            made = line.get(cell.structure.technique)
            if made is not None:
                run.search.structures[cell.structure_key] = made.description.layers
        run.search.observed[cell.key] = Observation(
            variant=variant.id,
            file_bytes=row.size.file_bytes,
            ms=row.shown_ms,
            distrust=row.distrust or row.total_distrust,
            change=change,
            samples=samples,
            seconds=seconds or row.made_in_s,
        )

    async def _confirm(self, run: AdviceRun) -> None:
        """Times the best two by the ``final`` protocol; their quality on the test split is known."""
        first = run.search.ranking()[:2]
        if not first:
            return
        known = {one.id: one for one in self._context.store.variants()}
        variants = [known[run.search.observed[key].variant] for key in first]
        left = run.whole_seconds_left
        missing = [one for one in variants if not self._was_confirmed(one)]
        if missing and left is not None:
            while missing and measuring_seconds(self._context.store, missing, "final") > max(left, 1.0):
                missing.pop()
            if not missing:
                run.log(say("There was no time left to confirm the best in fresh processes."))
        if missing:
            run.job.update(step=say("Confirming the best"))
            await self._completing.measure(run.job, missing, "final")
        for key, variant in zip(first, variants, strict=True):
            row = await self._row(variant)
            if row is not None and self._was_confirmed(variant):
                run.confirmed[key] = row

    def _was_confirmed(self, variant: Variant) -> bool:
        return any(
            one.protocol == "final"
            for one in self._context.store.measurements("latency", variant.id, LatencyMeasurement)
        )

    def _costs(self, run: AdviceRun) -> _Costs:
        """Seconds that every step would take now, with all measuring."""
        info, machine = self._context.queries.dataset.info, environment()
        seconds: dict[str, float] = {}
        for cell in run.space.cells:
            if cell.key in run.search.observed:
                continue
            for step in cell.steps:
                if step.key not in seconds:
                    seconds[step.key] = estimate(
                        self._context.store, step.made_by, run.baseline, step.values, info, machine
                    ).seconds
        return _Costs(seconds, run.search.structures)

    async def _row(self, variant: Variant) -> ResultRow | None:
        rows = await asyncio.to_thread(self._context.queries.results)
        return next((row for row in rows if row.variant.id == variant.id), None)


_HOPELESS = 0.02
"""A structure after which a cell meets the demands less often is not given that form."""


class _Costs:
    """What cells cost, as far as their steps are not there."""

    def __init__(self, seconds: Mapping[str, float], made: Mapping[str, object]) -> None:
        self._seconds = seconds
        self._made = made

    def of(self, cell: Cell) -> float:
        return sum(
            self._seconds.get(step.key, 1.0)
            for step in cell.steps
            if step != cell.structure or cell.structure_key not in self._made or len(cell.steps) == 1
        )


def _made(cell: Cell, baseline: Variant, variants: tuple[Variant, ...]) -> Variant | None:
    """The variant that a cell is, where somebody has made it."""
    found: Variant | None = baseline
    for step in cell.steps:
        if found is None:
            return None
        found = same_variant(step.made_by, found, step.values, variants)
    return found


def _line(variant: Variant, variants: tuple[Variant, ...]) -> dict[str, Variant]:
    """What a variant was made over, by the techniques that made it."""
    by_id = {one.id: one for one in variants}
    found: dict[str, Variant] = {}
    while variant.technique is not None:
        found[variant.technique] = variant
        variant = by_id[variant.parent or ""]
    return found
