"""Models on their way into the page: it moves to another one only when that is there."""

from __future__ import annotations

import shutil
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.text import say
from workbench.engine.elsewhere import OpeningElsewhere, openings_elsewhere
from workbench.engine.repeating import ask_again
from workbench.engine.shared_mode import require_idle
from workbench.engine.workbench_folders import cut_short, folder_beside
from workbench.jobs.job import Job
from workbench.jobs.state import JobState

if TYPE_CHECKING:
    from widgets.session import Session
    from workbench.workbench import Workbench

_LOOK_SECONDS = 1.0


class Openings:
    """Opens models for a session, in folders beside that of the one which is shown.

    Until its baseline is there, and for good where it comes to nothing, the page stays as it was; what was
    made for it is then removed.

    Args:
        session: Whose page it is.
    """

    def __init__(self, session: Session) -> None:
        self._session = weakref.proxy(session)
        self._beside: dict[str, Workbench] = {}
        self._states: dict[str, JobState] = {}
        self._moved: set[str] = set()
        self._elsewhere: dict[str, OpeningElsewhere] = {}
        self.last: JobState | None = None
        """What became of the opening that was asked for last on this page."""

    @property
    def jobs(self) -> tuple[JobState, ...]:
        """Those in other folders than the one that is shown, and those that came to nothing."""
        shown = self._session.workbench
        return tuple(state for id_, state in self._states.items() if self._beside.get(id_) is not shown)

    def workbench_of(self, job: str) -> Workbench | None:
        """The workbench that an opening is for, while it is under way."""
        return self._beside.get(job)

    def knows(self, job: str) -> bool:
        """Whether a job is one of these."""
        return job in self._states

    def start(self, model: Any, data: Any, *, seed: int | None = None, **options: Any) -> Job:
        """Opens a model: here if nothing is or gets open here, else in a folder of its own.

        Args:
            model: As for :meth:`workbench.Workbench.open`.
            data: As there.
            seed: Of the new workbench; None takes the usual one.
            **options: As there.
        """
        return self._open(lambda workbench: workbench.open(model, data, **options), seed)

    def recall(self) -> None:
        """Tells of openings that another page is at, and of those that were cut short with their process."""
        folder = self._session.workbench.folder
        for state in cut_short(folder):
            self._states.setdefault(state.id, state)
        here = {workbench.folder for workbench in self._beside.values()}
        for opening in openings_elsewhere(folder, here | self._session.open_folders):
            if opening.state.id not in self._states:
                self._states[opening.state.id] = opening.state
                self._elsewhere[opening.state.id] = opening
        if self._elsewhere:
            threading.Thread(target=_watch, args=(weakref.ref(self),), daemon=True).start()

    def look_elsewhere(self) -> bool:
        """Finds out how far openings of other pages are; whether any has not ended."""
        for id_, opening in list(self._elsewhere.items()):
            if (state := opening.look()) != self._states.get(id_):
                self._states[id_] = state
                self._session.touch("jobs")
            if state.ended:
                del self._elsewhere[id_]
        return bool(self._elsewhere)

    def cancel(self, job: str) -> None:
        """Cancels an opening, whoever is at it."""
        if job in self._elsewhere:
            self._elsewhere[job].cancel()
        elif job in self._beside:
            self._beside[job].cancel(job)

    def again(self, job: str) -> Job:
        """Asks again for an opening that came to nothing."""
        state = self._states[job]
        started = self._open(lambda workbench: ask_again(workbench, "open", state.request), None)
        self._states.pop(job, None)
        return started

    def judged_as(self, tasks: dict[str, str]) -> Job:
        """Opens the model that is shown again, in a folder of its own, with outputs judged as other tasks.

        Args:
            tasks: By output.

        Raises:
            InvalidInput: If it is not known any more where it came from.
        """
        workbench = self._session.workbench
        baseline, judged = workbench.baseline, workbench.tasks
        opened = next(
            (one for one in workbench.jobs if one.kind == "open" and baseline and one.variant == baseline.id),
            None,
        )
        if opened is None:
            raise InvalidInput(
                say("It is not known any more where this model and its data came from."),
                say("Open them again, and choose the task there."),
            )
        every = {**judged, **tasks}
        several = (
            {"task": None, "tasks": every} if len(judged) > 1 else {"task": tasks.get(next(iter(judged)))}
        )
        request = {**opened.request, "tasks": {}, **several}
        return self._open(lambda beside: ask_again(beside, "open", request), workbench.seed)

    def _open(self, ask: Callable[[Workbench], Job], seed: int | None) -> Job:
        here = self._session.workbench
        taken = here.baseline is not None or any(job.kind == "open" and not job.ended for job in here.jobs)
        if not taken and seed in (None, here.seed):
            job = ask(here)
            self._follow(job, here, None)
            return job
        require_idle(self._session.jobs)
        beside = self._session.workbench_in(folder_beside(here.folder), seed)
        try:
            job = ask(beside)
        except WorkbenchError:
            self._discard(beside)
            raise
        self._beside[job.id] = beside
        self._follow(job, beside, here.folder)
        return job

    def _follow(self, job: Job, workbench: Workbench, before: Path | None) -> None:
        me = weakref.ref(self)

        def on_state(state: JobState) -> None:
            openings = me()
            if openings is not None:
                openings._on_state(state, workbench, before)

        job.observe(on_state)
        on_state(job.state)

    def _on_state(self, state: JobState, workbench: Workbench, before: Path | None) -> None:
        if self.last is None or self.last.id == state.id or self.last.created <= state.created:
            self.last = state
        self._session.touch("jobs")
        if before is None or workbench.closed:
            return
        self._states[state.id] = state
        if state.variant is not None and state.id not in self._moved:
            self._moved.add(state.id)
            self._session.move_to(workbench)
        if not state.ended:
            return
        self._beside.pop(state.id, None)
        if workbench.variants:
            del self._states[state.id]  # its own workbench lists it
            return
        if self._session.workbench is workbench:  # cancelled after its baseline was there
            self._session.return_to(before)
        self._discard(workbench)

    def _discard(self, workbench: Workbench) -> None:
        self._session.forget(workbench)
        workbench.close()
        shutil.rmtree(workbench.folder, ignore_errors=True)


def _watch(openings: weakref.ref[Openings]) -> None:
    while True:
        time.sleep(_LOOK_SECONDS)
        watched = openings()
        try:
            if watched is None or not watched.look_elsewhere():
                return
        except ReferenceError:  # the page is gone
            return
        del watched
