"""Jobs: what runs now, what has ended and why, and running it again."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.panels.outcome import outcome_of
from widgets.session import Session, message_of
from widgets.wording import duration, short, status_word
from workbench.api.text import Text, say
from workbench.jobs.state import JobState

_MOST_ENDED = 30
_LABELS = {
    "title": say("Jobs"),
    "close": say("Close"),
    "cancelAll": say("Cancel all"),
}
_CARD_LABELS = {
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
    return words(_CARD_LABELS)


def job_card(job: JobState, session: Session) -> dict[str, Any]:
    """What the page shows of one job.

    Args:
        job: Its state.
        session: Knows whether it is being cancelled.
    """
    stage, progress = job.stage, job.progress
    if job.step is not None:
        stage = job.step if stage is None else say("{step}: {stage}", step=job.step, stage=stage)
    left = _time_left(job)
    if not job.ended and not session.is_own(job.id):
        elsewhere = say("runs in another page, open or closed, or in another program")
        stage = say("{stage} · {where}", stage=stage, where=elsewhere) if stage else elsewhere
    status = "waiting" if job.waits else job.status
    word = status_word(status)
    if job.status == "queued" and job.queue_position > 0:
        word = say("{status}: {count} before it", status=word, count=job.queue_position)
    return {
        "id": job.id,
        "title": short(str(job.title), 80),
        "status": status,
        "word": str(_ended_in(job, word)),
        "stage": message_of(stage),
        "progress": None if progress is None else min(1.0, max(0.0, progress)),
        "left": message_of(left),
        "outcome": message_of(outcome_of(job, session)),
        "error": message_of(job.error),
        "log": [str(line) for line in job.log[-50:]],
        "rerun": job.status in ("failed", "cancelled", "interrupted") and session.can_ask_again(job.id),
        "cancelling": session.is_cancelling(job.id),
        "mayGoOn": job.may_go_on and session.is_own(job.id),
    }


class JobsLine(Component):
    """All jobs of a workbench in one line: what runs, else what came out last; the rest in a drawer.

    Args:
        workbench: A workbench, or the session of one.

    Example:
        >>> line = JobsLine(workbench)
    """

    _esm = esm("jobs")
    follows: ClassVar[frozenset[str]] = frozenset({"jobs", "results"})

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        jobs = self.session.jobs
        ended = [job for job in jobs if job.ended][:_MOST_ENDED]
        # In the order in which they run.
        active = [job for job in reversed(jobs) if not job.ended]
        active.sort(key=lambda job: job.status != "running")
        last = max(ended, key=lambda job: job.finished or job.created, default=None)
        failed = [job for job in ended if job.status in ("failed", "interrupted")]
        return {
            "labels": words(_LABELS) | job_labels(),
            "jobs": [job_card(job, self.session) for job in (*active, *ended)],
            # Nobody looks among what has ended for the reason why nothing has come.
            "shown": active[0].id if active else None if last is None else last.id,
            "failed": last.id if last in failed and not active else None,
            "idle": str(say("Nothing is running.")),
            "more": message_of(_more(len(active), len(ended))),
            "drawerTitle": str(
                say(
                    "{active} at work or waiting, {ended} ended, of which {failed} failed",
                    active=len(active),
                    ended=len(ended),
                    failed=len(failed),
                )
            ),
            "several": len(active) > 1,
            "announcement": "" if last is None else str(self._announced(last)),
            # Only the project's own server keeps jobs when their page is closed.
            "busy": os.environ.get("WORKBENCH_KEEPS_JOBS") != "1"
            and any(self.session.is_own(job.id) for job in active),
            "message": message_of(self.problem),
        }

    def _announced(self, job: JobState) -> Text:
        came = outcome_of(job, self.session)
        if came is not None:
            return say("{title}: {outcome}", title=job.title, outcome=came)
        return say("{title}: {status}", title=job.title, status=status_word(job.status))

    def act_cancel(self, job: object = None) -> None:
        """Cancels a job."""
        self.session.cancel(job)

    def act_cancel_all(self) -> None:
        """Cancels every job that waits or runs."""
        self.session.cancel_all()

    def act_go_on(self, job: object = None) -> None:
        """Measures at once, beside what it waits for."""
        self.session.let_go_on(job)

    def act_rerun(self, job: object = None) -> None:
        """Asks again for what a job was asked for."""
        self.session.rerun(job)


def _more(active: int, ended: int) -> Text | None:
    """What the button of the drawer says."""
    if active > 1:
        return say("+{count} waiting", count=active - 1)
    if active + ended > 0:
        return say("All jobs")
    return None


def _ended_in(job: JobState, word: Text) -> Text:
    if not job.ended or job.started is None or job.finished is None:
        return word
    seconds = (job.finished - job.started).total_seconds()
    return say("{status} in {time}", status=word, time=duration(seconds))


def _time_left(job: JobState) -> Text | None:
    if job.status == "queued" and job.expected_seconds is not None:
        return say("takes about {time}", time=duration(job.expected_seconds))
    if job.waits and job.waiting_since is not None:
        waited = (datetime.now(UTC) - job.waiting_since).total_seconds()
        return say("has waited {time}", time=duration(waited))
    if job.status != "running" or job.eta_seconds is None:
        return say("longer than expected") if job.status == "running" and job.late else None
    time = duration(max(1, job.eta_seconds))
    if job.late:
        return say("about {time} left, longer than expected", time=time)
    return say("about {time} left", time=time)
