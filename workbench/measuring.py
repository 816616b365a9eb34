"""Measures variants in worker processes and stores what comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

from workbench import work
from workbench.evidence import Evidence
from workbench.jobs.executor import Executor
from workbench.jobs.job import Job
from workbench.measure import tasks
from workbench.measure.latency import Candidate
from workbench.measure.passport import passport
from workbench.measure.records import Passport, Protocol
from workbench.runtimes import runtime
from workbench.store import Store
from workbench.variant import Variant
from workbench.workers import run_step


class Measuring:
    """Size, quality and latency of variants, each stored as soon as it is there.

    Args:
        store: Where measurements go.
        evidence: The baseline and the data.
        executor: Where work runs.
        changed: Called after something was stored.
        seed: Seeds the bootstrap and the order of measuring.
    """

    def __init__(
        self,
        store: Store,
        evidence: Evidence,
        executor: Executor,
        changed: Callable[[Literal["results"]], None],
        seed: int,
    ) -> None:
        self._store = store
        self._evidence = evidence
        self._executor = executor
        self._changed = changed
        self._seed = seed

    async def weigh_and_judge(self, job: Job, variant: Variant) -> None:
        """Measures size and quality; side by side where they need different workers."""
        if not runtime(variant.runtime).imports_tensorflow:
            await self._weigh(job, variant)
            await self._judge(job, variant)
            return
        both = asyncio.gather(self._weigh(job, variant), self._judge(job, variant), return_exceptions=True)
        for failure in await both:
            if failure is not None:
                raise failure

    async def _weigh(self, job: Job, variant: Variant) -> None:
        """Measures the three sizes and the memory to run."""
        size = await run_step(
            self._executor,
            job,
            tasks.measure_size_task,
            candidate(variant),
            variant.description.parameters,
            self._evidence.dataset.folder,
            worker="light",
        )
        self._store.add_measurement("size", [variant.id], size)
        self._changed("results")

    async def _judge(self, job: Job, variant: Variant) -> None:
        """Measures quality on the test split, and its change against the baseline."""
        needs_tensorflow = runtime(variant.runtime).imports_tensorflow
        quality, scores = await run_step(
            self._executor,
            job,
            tasks.measure_quality,
            candidate(variant),
            self._evidence.dataset.folder,
            variant.description.from_logits,
            await self._passport(),
            worker="tensorflow" if needs_tensorflow else "light",
        )
        self._store.add_measurement(
            "quality", [variant.id], quality, passport=quality.passport, arrays={"scores": scores}
        )
        baseline = self._evidence.baseline
        if variant.id != baseline.id:
            before = self._store.arrays("quality", baseline.id)
            if before is not None:
                change = await run_step(
                    self._executor,
                    job,
                    work.judge_change,
                    variant.id,
                    baseline.id,
                    scores,
                    before["scores"],
                    self._evidence.dataset.folder,
                    self._seed,
                    worker="light",
                )
                self._store.add_measurement("quality change", [variant.id], change)
        self._changed("results")

    async def time(self, job: Job, variants: Sequence[Variant], protocol: Protocol) -> None:
        """Times variants in one interleaved run; the first one is the reference."""
        measurement, raw = await run_step(
            self._executor,
            job,
            tasks.measure_latency,
            [candidate(variant) for variant in variants],
            self._evidence.dataset.folder,
            protocol,
            self._seed,
            worker="light",
        )
        await self._passport()
        self._store.add_measurement(
            "latency",
            [variant.id for variant in variants],
            measurement,
            passport=measurement.passport,
            arrays=raw,
        )
        self._changed("results")

    async def _passport(self) -> Passport:
        found = await asyncio.to_thread(passport)
        self._store.add_passport(found)
        return found


def candidate(variant: Variant) -> Candidate:
    """What measuring needs to know of a variant."""
    return Candidate(
        variant=variant.id, path=variant.path, runtime=variant.runtime, settings=variant.settings
    )
