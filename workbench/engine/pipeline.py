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

from workbench.advisor.demands import Demands
from workbench.api.dataset import Dataset
from workbench.api.errors import Cancelled, JobFailed, WorkbenchError
from workbench.api.lineage import Lineage
from workbench.api.technique import AnyTechnique, Parameters
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.data.outputs import OutputWish, with_wish
from workbench.engine.advising import Adviser
from workbench.engine.collecting import Collecting
from workbench.engine.compatibility import require_fit, same_variant
from workbench.engine.completing import Completing
from workbench.engine.context import JobContext
from workbench.engine.find import Finder
from workbench.engine.forgetting import Forgetting
from workbench.engine.goal import Goal
from workbench.engine.inspecting import Inspecting
from workbench.engine.making import Making, free_name
from workbench.engine.measuring import Measuring
from workbench.engine.opening import Opening
from workbench.engine.origin import FACT as ORIGIN
from workbench.engine.origin import Origin, already_holds, content_digest, data_digest, origin
from workbench.engine.shelving import Shelving, identifier
from workbench.engine.sources import HandedModel
from workbench.jobs.job import Job
from workbench.store.shelf import FromShelf


class Pipeline:
    """The steps of every kind of job of one workbench.

    Attributes:
        completing: Those that measure what is there.

    Args:
        context: Where they read, run and write.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._opening = Opening(context)
        self._making = Making(context)
        self._measuring = Measuring(context)
        self._shelving = Shelving(context)
        self.completing = Completing(context, self._making, self._measuring, self._shelving)
        self.inspecting = Inspecting(context)
        self.forgetting = Forgetting(context)
        self._finder = Finder(context, self._making, self._measuring)
        self._adviser = Adviser(context, self._measuring, self.completing, self.apply)

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

        Where the same was opened before, that baseline is returned, with what was missing measured. On a
        shared page, what another visitor has opened is taken over with its measurements.

        What fails or is cancelled before that leaves nothing behind. Its latency, for which it may have to
        wait, is measured then: if that fails the model is open; if it is cancelled nothing is.
        """
        # Asked again here: another page may have opened one while this job waited.
        if (same := await self._already_open(job, model.path, data, asked)) is not None:
            return same
        self._opening.require_turn(job)
        model_digest = await asyncio.to_thread(content_digest, model.path)
        key = await self._shelving.key_of_opening(model.path, name, model_digest, data, {**options, **asked})
        async with self._shelving.turn(job, key):
            if key is not None and (taken := await self._shelving.find(key)) is not None:
                opened_with = Origin(model=model_digest, data=data_digest(str(data)), options=asked)
                return self._take_baseline(job, key, taken, name, opened_with)
            baseline = await self._open_new(
                job, model, name, data, options, trust, shared, wish, asked, model_digest, identifier(key)
            )
            await self.completing.put(key, baseline, self._context.queries.dataset)
            return baseline

    async def _open_new(
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
        model_digest: str,
        id_: str | None,
    ) -> Variant:
        started = time.monotonic()
        job.update(part="model")
        opened = await self._opening.read(job, model, trust, shared, (0.0, 0.35))
        dataset: Dataset | None = None
        try:
            opened = replace(opened, description=with_wish(opened.description, wish))
            # after the model: what its inputs and outputs are decides how the data are read
            job.update(part="data")
            job.phase(0.35, 0.55, say("Reading the data"))
            source = await data.run(job, opened.description) if isinstance(data, Collecting) else data
            data_read = await asyncio.to_thread(data_digest, source)
            dataset = await self._opening.prepare(job, source, options, opened.description)
            job.phase(0.55, 0.6, say("Fitting the data to the model"))
            opened, dataset, notes = await self._opening.fit(job, opened, dataset, source, options, wish)
            job.update(part=None)
            baseline = self._opening.take_in(opened, name, None, notes, started, id_)
            opened_with = Origin(model=model_digest, data=data_read, options=asked)
            baseline = await self._look_and_keep(job, baseline, dataset, (0.6, 0.84), opened_with)
        except BaseException:
            self._opening.discard(dataset)
            shutil.rmtree(opened.path.parent, ignore_errors=True)
            raise
        try:
            await self.completing.time_new(job, baseline, (0.84, 1.0))
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
                self._opening.forget(baseline)
                job.update(variant=None)
            raise
        return baseline

    async def add(
        self, job: Job, model: HandedModel, name: str, trust: bool, shared: bool, wish: OutputWish
    ) -> Variant:
        """Loads a finished model file, measures it and stores it beside the baseline."""
        started = time.monotonic()
        baseline, dataset = self._context.queries.baseline, self._context.queries.dataset
        opened = await self._opening.read(job, model, trust, shared, (0.0, 0.35))
        try:
            if len(opened.description.outputs) > 1:  # the name may be that of the baseline's alone
                opened = replace(opened, description=with_wish(opened.description, wish))
            job.phase(0.35, 0.4, say("Fitting the data to the model"))
            like = baseline.description.judged.name
            opened, notes = await self._opening.compare(job, opened, dataset, wish, like)
            added = self._opening.take_in(opened, name, baseline, notes, started)
            added = await self._look_and_keep(job, added, dataset, (0.4, 0.76))
        except BaseException:
            shutil.rmtree(opened.path.parent, ignore_errors=True)
            raise
        await self._measuring.explain_loss(job, added, self._making.reference(added.runtime))
        await self.completing.time_new(job, added, (0.76, 1.0))
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

        Where there is one already that was made so, that is returned, with what was missing measured. On a
        shared page, what another visitor has had made is taken over with its measurements.

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
        known = self._context.store.variants()
        made = None if again else same_variant(technique, parent, parameters, known)
        if made is not None:
            job.update(variant=made.id)
            await self.completing.complete(job, made, share)
            return made
        require_fit(technique, parent, self._context.queries.dataset.info, parameters, known)
        key = None if again else await self._shelving.key_of_step(technique, parent, parameters)

        async def take_early() -> Variant | None:
            there = same_variant(technique, parent, parameters, self._context.store.variants())
            if there is None and key is not None:
                if (found := await self._shelving.find(key, early=True)) is None:
                    return None
                there = self._making.take(
                    key, found, self._shelving, technique, parent, parameters, automatic=False
                )
            if there is not None:
                job.update(variant=there.id)
            return there

        async with self._shelving.turn(job, key, take_early):
            if key is not None and (taken := await self._shelving.find(key)) is not None:
                await self.completing.ensure_reference(job, taken.kept.variant.runtime, share)
                variant = self._making.take(
                    key, taken, self._shelving, technique, parent, parameters, automatic=False
                )
                job.update(variant=variant.id)
                return variant
            if key is not None and (begun := await take_early()) is not None:
                await self.completing.complete(job, begun, share)  # who made it did not come to its end
                await self.completing.put(key, begun)
                return begun
            variant = await self._making.make(
                job,
                technique,
                parent,
                parameters,
                (start, start + 0.6 * width),
                automatic=False,
                id_=identifier(key),
            )
            job.update(variant=variant.id)
            await self.completing.measure_made(job, variant, (start + 0.6 * width, share[1]), key)
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

    async def find(self, job: Job, goal: Goal, training: bool) -> Variant | None:
        """Tries what serves a goal; see :class:`workbench.engine.find.Finder`."""
        return await self._finder.find(job, goal, training)

    async def advise(self, job: Job, demands: Demands) -> Variant | None:
        """Searches for what meets demands; see :class:`workbench.engine.advising.Adviser`."""
        return await self._adviser.advise(job, demands)

    # -- steps ------------------------------------------------------------------------------

    def _take_baseline(self, job: Job, key: str, taken: FromShelf, name: str, opened_with: Origin) -> Variant:
        """Stores what another visitor has opened."""
        assert taken.data is not None
        folder = taken.data.relative_to(self._context.store.folder)
        facts = {"dataset": str(folder), ORIGIN: opened_with.model_dump_json()}
        name = free_name(self._context.store, name)
        baseline = self._shelving.keep(key, taken, facts, name=name, parent=None)
        job.update(variant=baseline.id)
        return baseline

    async def _already_open(
        self, job: Job, model: Path, data: str | Path | Collecting, asked: dict[str, Any]
    ) -> Variant | None:
        """The baseline, if it was opened with the same; None where nothing is open yet.

        Raises:
            InvalidInput: If another model or other data are open.
        """
        store = self._context.store
        baseline = Lineage(store.variants()).baseline
        if baseline is None:
            return None
        source = await data.run(job, baseline.description) if isinstance(data, Collecting) else data
        found = await asyncio.to_thread(origin, model, source, asked)
        kept = store.fact(ORIGIN)
        if kept is None or Origin.model_validate_json(kept) != found:
            raise already_holds(baseline.name)
        job.update(variant=baseline.id)
        await self.completing.complete(job, baseline, (0.0, 1.0))
        return baseline

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
