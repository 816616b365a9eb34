"""Looks inside variants, in worker processes, and stores what comes out: each once."""

from __future__ import annotations

import shutil

from typing_extensions import override

from workbench.api.errors import Refused
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.engine import worker_functions
from workbench.engine.context import JobContext
from workbench.engine.look import Look
from workbench.engine.measuring import TIMED_LAST, candidate
from workbench.engine.submit import run_step
from workbench.jobs.job import Job
from workbench.measure.environment import environment
from workbench.measure.inside.records import Inside, LayerMatches
from workbench.measure.inside.times import time_layers, times_obstacle
from workbench.results.inside import MATCHES, TIMES, layer_matches, layer_times, match_obstacle, stand_in


class Inspecting:
    """Times and errors of the layers of variants.

    Args:
        context: Where they read, run and write.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def missing(self, variant: Variant, reference: Variant | None) -> bool:
        """Whether anything could still be found out."""
        return self._unmatched(variant, reference) or bool(self._untimed(variant, reference))

    async def look(self, job: Job, variant: Variant, reference: Variant | None) -> Variant:
        """Finds out what is not known yet of a variant's layers, and stores it.

        Args:
            job: Hears of its progress.
            variant: What is looked at.
            reference: What it is held against; None for nothing.
        """
        if reference is not None and self._unmatched(variant, reference):
            job.phase(0.0, 0.4, say("Comparing layer by layer"))
            await self._match(job, variant, reference)
        untimed = self._untimed(variant, reference)
        for number, one in enumerate(untimed):
            start = 0.4 + 0.6 * number / len(untimed)
            job.phase(start, start + 0.6 / len(untimed), say("Timing the layers"))
            await self._time(job, one)
        return variant

    def _unmatched(self, variant: Variant, reference: Variant | None) -> bool:
        return (
            reference is not None
            and layer_matches(self._context.store, variant, reference) is None
            and match_obstacle(self._context.store.variants(), variant, reference) is None
        )

    def _untimed(self, variant: Variant, reference: Variant | None) -> list[Variant]:
        """Those of the two, or of what stands for them, whose layers were not timed on this machine."""
        beside = None
        if reference is not None and reference.id != variant.id:
            beside = stand_in(self._context.store.variants(), variant, reference)
        here = environment().id
        return [
            one
            for one in (variant, beside)
            if one is not None
            and one.description.layers
            and times_obstacle(one.runtime, one.format) is None
            and layer_times(self._context.store, one, here) is None
        ]

    async def _match(self, job: Job, variant: Variant, reference: Variant) -> None:
        store, dataset = self._context.store, self._context.queries.dataset.folder
        beside = stand_in(store.variants(), variant, reference)
        made = None
        if variant.format == "keras":
            matches, samples, unseen = await run_step(
                self._context,
                job,
                worker_functions.match_models,
                variant,
                reference,
                dataset,
                worker="tensorflow",
            )
            theirs = reference.description
        else:
            if beside is None:
                made = store.staging()
                path = await run_step(
                    self._context,
                    job,
                    worker_functions.export_float,
                    reference,
                    variant.format,
                    made,
                    worker="tensorflow",
                )
            else:
                path = beside.path
            matches, samples, unseen, theirs = await run_step(
                self._context,
                job,
                worker_functions.match_files,
                variant,
                path,
                None if beside is None else beside.description,
                dataset,
                worker="light",
            )
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        found = LayerMatches(
            variant=variant.id,
            reference=reference.id,
            beside=None if beside is None else beside.id,
            layers=theirs.layers,
            edges=theirs.edges,
            matches=matches,
            samples=samples,
            unseen=unseen,
        )
        store.add_measurement(MATCHES, [variant.id], found)
        self._context.changed("results")

    async def _time(self, job: Job, variant: Variant) -> None:
        try:
            times = await run_step(
                self._context,
                job,
                time_layers,
                candidate(variant),
                variant.description.layers,
                self._context.queries.dataset.folder,
                self._context.seed,
                priority=TIMED_LAST,
                worker="light",
            )
        except Refused as refused:  # the rest is there
            job.update(log=(*job.state.log, refused.text))
            return
        self._context.store.add_environment(environment())
        self._context.store.add_measurement(TIMES, [variant.id], times, environment=times.environment)
        self._context.changed("results")


class InsideLook(Look[Inside, str | None]):
    """A look inside a variant on its way. Made by :meth:`workbench.Workbench.inside` only."""

    @property
    @override
    def now(self) -> Inside:
        """What is known by now."""
        return self._workbench.inside_now(self.variant, self.reference)
