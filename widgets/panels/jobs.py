"""Jobs: what runs now, what has ended and why, and running it again."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.session import Session, message_of
from widgets.wording import duration, short, status_word
from workbench.jobs.state import JobState
from workbench.text import say

_MOST_ENDED = 30
_LABELS = {
    "cancel": say("Cancel"),
    "cancelling": say("Cancelling …"),
    "again": say("Run again"),
    "log": say("Log"),
    "dismiss": say("Dismiss"),
    "goOn": say("Measure now"),
    "goOnHint": say("Beside the other work: the times are then disturbed, and say so."),
}


def job_labels() -> dict[str, str]:
    """The labels that a job's card needs."""
    return words(_LABELS)


def job_card(job: JobState, session: Session) -> dict[str, Any]:
    """What the page shows of one job.

    Args:
        job: Its state.
        session: Knows whether it is being cancelled.
    """
    left = None
    stage, progress = job.stage, job.progress
    if not job.ended and not session.is_own(job.id):
        elsewhere = say("runs in another page, open or closed, or in another program")
        stage = say("{stage} · {where}", stage=stage, where=elsewhere) if stage else elsewhere
    if job.status == "queued" and job.queue_position > 0:
        left = say("{count} before this one", count=job.queue_position)
    elif job.waits and job.waiting_since is not None:
        left = say(
            "has waited {time}", time=duration((datetime.now(UTC) - job.waiting_since).total_seconds())
        )
    elif job.status == "running" and job.eta_seconds is not None:
        left = say("about {time} left", time=duration(max(1, job.eta_seconds)))
    status = "waiting" if job.waits else job.status
    word = status_word(status)
    if job.ended and job.started is not None and job.finished is not None:
        word = say(
            "{status} in {time}", status=word, time=duration((job.finished - job.started).total_seconds())
        )
    return {
        "id": job.id,
        "title": short(str(job.title), 80),
        "status": status,
        "word": str(word),
        "stage": message_of(stage),
        "progress": None if progress is None else min(1.0, max(0.0, progress)),
        "left": message_of(left),
        "error": message_of(job.error),
        "log": [str(line) for line in job.log[-50:]],
        "rerun": job.status in ("failed", "cancelled", "interrupted") and session.can_ask_again(job.id),
        "cancelling": session.is_cancelling(job.id),
        "mayGoOn": job.may_go_on and session.is_own(job.id),
    }


class JobsBar(Component):
    """All jobs of a workbench.

    Args:
        workbench: A workbench, or the session of one.
    """

    _esm = esm("jobs")
    follows: ClassVar[frozenset[str]] = frozenset({"jobs"})

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        jobs = self.session.jobs
        ended = [job for job in jobs if job.ended][:_MOST_ENDED]
        # In the order in which they run.
        active = [job for job in reversed(jobs) if not job.ended]
        active.sort(key=lambda job: job.status != "running")
        last = max(ended, key=lambda job: job.finished or job.created, default=None)
        # Nobody looks among what has ended for the reason why nothing has come; who asks for more knows it.
        said = last if last is not None and last.status in ("failed", "interrupted") else None
        if said is not None and any(job.created > (said.finished or said.created) for job in active):
            said = None
        failed = sum(job.status in ("failed", "interrupted") for job in ended)
        return {
            "labels": job_labels(),
            "title": str(say("Jobs")),
            "endedTitle": str(
                say(
                    "Ended jobs: {count}, of which failed or interrupted: {failed}",
                    count=len(ended),
                    failed=failed,
                )
            ),
            "announcement": str(say("{title}: {status}", title=last.title, status=status_word(last.status)))
            if last is not None
            else "",
            "jobs": [job_card(job, self.session) for job in (*active, *ended)],
            "said": None if said is None else said.id,
            # Only the project's own server keeps jobs when their page is closed.
            "busy": os.environ.get("WORKBENCH_KEEPS_JOBS") != "1"
            and any(self.session.is_own(job.id) for job in active),
            "message": message_of(self.problem),
        }

    def act_cancel(self, job: object = None) -> None:
        """Cancels a job."""
        self.session.cancel(job)

    def act_go_on(self, job: object = None) -> None:
        """Measures at once, beside what it waits for."""
        self.session.let_go_on(job)

    def act_rerun(self, job: object = None) -> None:
        """Asks again for what a job was asked for."""
        self.session.rerun(job)
