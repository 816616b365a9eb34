"""The state of a job: one frozen record, made only by the job layer, rendered by widgets.

::

    queued ──> running ──> done
       │          ├──────> failed        the reason is in ``error``
       │          ├──────> cancelled     by the user
       └──────────┴──────> interrupted   the process that ran it is gone; can be run again
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from workbench.api.records import Record
from workbench.api.text import Text, say
from workbench.api.variant import Table

JobKind = Literal["open", "apply", "measure", "compare", "find", "advise", "inside"]
JobStatus = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ENDED: frozenset[JobStatus] = frozenset({"done", "failed", "cancelled", "interrupted"})

Point = tuple[float, ...]
"""Of a live curve: ``(step, value)``, or ``(step, value, low, high)`` where its interval is known."""

PROCESS_ENDED = say(
    "The process that ran this job ended before it was finished: its notebook or server was stopped, its "
    "page was closed for longer than jobs are kept, or the machine went down."
)
"""Why a job is interrupted."""


class JobState(Record):
    """What is known of a job at one moment.

    Attributes:
        id: Identifier inside its workbench.
        kind: What it does.
        title: In words.
        request: What was asked, as JSON: enough to run it again.
        status: Where it is; see the module's diagram.
        stage: What is being done now.
        step: Which of its steps that belongs to, of a job that makes several variants.
        technique: Name of the technique that it applies now, of such a job.
        progress: 0 to 1; None where it is not known.
        eta_seconds: Time left, from the progress of the last seconds, else from what was expected; None where
            too little is known.
        late: Whether that is more than was said before.
        expected_seconds: How long it was expected to take, once it runs; None where nothing was.
        queue_position: Jobs before this one; 0 when it runs.
        metrics: Live curves: name -> points.
        tables: Those that fill while it runs, as they are now.
        log: The last lines.
        error: Why it failed.
        part: Of an opening: what it is at, or what it failed at: the model or the data.
        variant: Identifier of the variant that it made.
        created: When it was asked for, UTC.
        waiting_since: Since when it waits, with its worker or for one, instead of running; None if it does
            not. ``stage`` says for what.
        may_go_on: Whether :meth:`Job.let_go_on` would end the waiting.
        started: When it began to run.
        finished: When it ended.
    """

    id: str
    kind: JobKind
    title: Text
    request: dict[str, Any] = Field(default_factory=dict)
    status: JobStatus = "queued"
    stage: Text | None = None
    step: Text | None = None
    technique: str | None = None
    progress: float | None = None
    eta_seconds: float | None = None
    late: bool = False
    expected_seconds: float | None = None
    queue_position: int = 0
    metrics: dict[str, tuple[Point, ...]] = Field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    log: tuple[Text, ...] = ()
    error: Text | None = None
    part: Literal["model", "data"] | None = None
    variant: str | None = None
    created: datetime
    waiting_since: datetime | None = None
    may_go_on: bool = False
    started: datetime | None = None
    finished: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether it has begun and stands still."""
        return self.status == "running" and self.waiting_since is not None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in ENDED
