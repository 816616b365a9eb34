"""One job in a cell: how far it is, and what came out."""

from __future__ import annotations

from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component
from widgets.panels.jobs import job_card, job_labels
from widgets.session import Session, message_of
from widgets.wording import quality_chip, short, size, size_chip, speed_chip, time
from workbench.api.task import measure_of
from workbench.api.text import say
from workbench.jobs.job import Job
from workbench.results.lookup import row_of
from workbench.workbench import Workbench


class JobCard(Component):
    """A job, live.

    Args:
        workbench: The workbench that it belongs to, or the session of one.
        job: What is shown.
    """

    _esm = esm("jobOfCell")
    follows: ClassVar[frozenset[str]] = frozenset({"jobs", "variants", "results"})

    def __init__(self, workbench: Workbench | Session, job: Job) -> None:
        self.job = job
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        job, made = job_card(self.job.state, self.session), self._made()
        return {
            "labels": job_labels(),
            "job": job if made is None else {**job, "outcome": None},  # said once, with its numbers
            "made": made,
            "message": message_of(self.problem),
        }

    def act_cancel(self, job: object = None) -> None:
        """Cancels the job."""
        self.session.cancel(self.job.id)

    def act_go_on(self, job: object = None) -> None:
        """Measures at once, beside what it waits for."""
        self.session.let_go_on(self.job.id)

    def act_rerun(self, job: object = None) -> None:
        """Asks again for what it was asked for, and shows that."""
        self.job = self.session.workbench.rerun(self.job.id)

    def _made(self) -> dict[str, Any] | None:
        made = self.job.state.variant
        row = row_of(self.session.rows, made)
        if row is None:
            return None
        measure = measure_of(row.variant.description.task)
        quality = None if row.quality is None else row.quality.shown
        facts = [
            (say("Size"), None if row.size is None else size(row.size.file_bytes), size_chip(row)),
            (say("Latency"), None if row.shown_ms is None else time(row.shown_ms.value), speed_chip(row)),
            (measure.title, quality, quality_chip(row)),
        ]
        return {
            "name": short(row.variant.name),
            "facts": [
                {
                    "name": str(name),
                    "number": number,
                    "words": None if chip is None else str(chip.words),
                    "tone": None if chip is None else chip.tone,
                }
                for name, number, chip in facts
                if number is not None
            ],
        }
