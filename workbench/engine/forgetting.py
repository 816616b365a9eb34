"""Measures what variants have forgotten, in worker processes, and stores what comes out: each once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from workbench.api.errors import Refused
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.engine.context import JobContext
from workbench.engine.look import Look
from workbench.engine.measuring import candidate
from workbench.engine.submit import run_step
from workbench.jobs.job import Job
from workbench.measure.forgotten.explaining import compare_maps, perturbed_answers
from workbench.measure.forgotten.records import RANDOM, Forgotten, Perturbations, PerturbedAnswers
from workbench.results.forgotten import ANSWERS, drift_kind, drift_plan, explanation_drift
from workbench.runtimes import runtime


class Forgetting:
    """What variants look at, against others.

    Args:
        context: Where they read, run and write.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def missing(self, variant: Variant, reference: Variant) -> bool:
        """Whether anything could still be found out."""
        return explanation_drift(self._context.store, variant, reference) is None

    async def look(self, job: Job, variant: Variant, reference: Variant) -> Variant:
        """Measures how far a variant looks at something else than another one, and stores it.

        Args:
            job: Hears of its progress.
            variant: What is looked at.
            reference: What it is held against.

        Raises:
            Refused: If that cannot be measured, with the reason.
        """
        store, dataset = self._context.store, self._context.queries.dataset
        if not self.missing(variant, reference):  # it was asked for twice, and waited for its turn
            return variant
        plan = drift_plan(store, dataset, variant, reference, self._context.seed)
        if isinstance(plan, Text):
            raise Refused(plan)
        asked = [("reference", reference, plan), ("again", reference, plan), ("variant", variant, plan)]
        if plan.method in RANDOM:
            asked.append(("otherwise", reference, plan.otherwise()))
        answered = {}
        for number, (name, one, perturbations) in enumerate(asked):
            job.phase(0.95 * number / len(asked), 0.95 * (number + 1) / len(asked), _STAGES[name])
            kind = f"{ANSWERS} {'again ' if name == 'again' else ''}{perturbations.id}"
            answered[name] = await self._answers(job, one, perturbations, kind)
        job.phase(0.95, 1.0, say("Comparing what they look at"))
        drift, maps = await run_step(
            self._context,
            job,
            compare_maps,
            variant.id,
            reference.id,
            dataset.folder,
            plan,
            answered,
            worker="light",
        )
        store.add_measurement(drift_kind(reference.id), [variant.id], drift, arrays=maps)
        self._context.changed("results")
        return variant

    async def _answers(
        self, job: Job, variant: Variant, plan: Perturbations, kind: str
    ) -> npt.NDArray[np.float32]:
        known = self._context.store.arrays(kind, variant.id)
        if known is not None:
            return known["scores"]
        scores: npt.NDArray[np.float32] = await run_step(
            self._context,
            job,
            perturbed_answers,
            candidate(variant),
            self._context.queries.dataset.folder,
            variant.description.from_logits,
            plan,
            worker=runtime(variant.runtime).worker,
        )
        record = PerturbedAnswers(perturbations=plan.id)
        self._context.store.add_measurement(kind, [variant.id], record, arrays={"scores": scores})
        return scores


_STAGES = {
    "reference": say("The other variant answers to perturbed samples"),
    "again": say("The other variant answers to the same once more"),
    "otherwise": say("The other variant answers to samples perturbed otherwise"),
    "variant": say("The variant answers to perturbed samples"),
}


class ForgottenLook(Look[Forgotten, str]):
    """A look at what a variant has forgotten. Made by :meth:`workbench.Workbench.forgotten` only."""

    @property
    @override
    def now(self) -> Forgotten:
        """What is known by now."""
        return self._workbench.forgotten_now(self.variant, self.reference)

    def maps(self) -> dict[str, npt.NDArray[Any]]:
        """The maps of the samples that drifted most, in the order of ``drift.drifted``: before and after."""
        return self._workbench.drift_maps(self.variant, self.reference)
