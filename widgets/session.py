"""What all widgets of one workbench share: the selection, the language, the jobs, the rhythm."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from widgets.charts.axes import USUAL_AXES
from widgets.openings import Openings
from widgets.rhythm import REDRAW_SECONDS, Rhythm
from widgets.wording import short
from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.lineage import Lineage
from workbench.api.task import Task
from workbench.api.text import LANGUAGES, Text, say, use_language
from workbench.api.variant import Variant
from workbench.engine.goal import Goal
from workbench.engine.workbench_folders import WorkbenchFolder, last_used, remember, workbench_folders
from workbench.jobs.state import JobState
from workbench.results.rows import ResultRow, task_of
from workbench.results.side_by_side import SideBySide

if TYPE_CHECKING:
    from widgets.panel_choice import PanelChoice
    from workbench.jobs.job import Job
    from workbench.workbench import Workbench

_PROGRESS_SECONDS = 0.5
"""Of how far a job is, fewer are shown: nobody reads them faster, and it may be timing a model beside."""
_SIBLINGS_SECONDS = 2.0
"""How long the list of workbenches is taken to be whole: other pages and programs make some, too."""

_sessions: weakref.WeakValueDictionary[int, Session] = weakref.WeakValueDictionary()


def session_of(workbench: Workbench) -> Session:
    """The one session of a workbench, so that panels in several cells share their state."""
    session = _sessions.get(id(workbench))
    if session is None or session.workbench is not workbench:
        session = Session(workbench)
    return session


class Session:
    """The state of the page, apart from the engine's.

    Args:
        workbench: What is shown.
    """

    def __init__(self, workbench: Workbench) -> None:
        me = weakref.ref(self)
        self.rhythm = Rhythm(lambda: (session := me()) is None or session.workbench.closed)
        self._stop: Callable[[], None] | None = None
        # One that the reader has left may still have work under way.
        self._opened: dict[Path, Workbench] = {}
        self.openings = Openings(self)
        self.shown_technique: tuple[int, str] | None = None
        self.resets = 0
        """How often the page was taken back to how it is seen first."""
        self.prefilled: dict[str, dict[str, Any]] = {}
        """By technique: what its form is to say when it is unfolded next."""
        self.form: tuple[str, dict[str, Any]] | None = None
        """The technique that was unfolded last, and what its form says."""
        self.panels: PanelChoice | None = None
        """The panels of the page, where it is a whole one."""
        self.hidden: frozenset[str] = frozenset()
        """Names of panels that a teacher does not show."""
        self.fixed: dict[str, dict[str, Any]] = {}
        """By technique: what its form says and cannot be made to say otherwise."""
        self.usual_seed = 0
        """Of the workbenches that this page makes, where no other one is asked for."""
        self.projector = False
        """Whether type is large, for a room."""
        self.learner: str | None = None
        """Whose page it is, where somebody has said so."""
        self.axes: tuple[str, str] = USUAL_AXES
        self.coloured_by = "verdict"
        self.opened = False
        self.revealed = 0
        self.has_drawer = False
        self._watch(workbench)

    def _watch(self, workbench: Workbench) -> None:
        if self._stop is not None:
            self._stop()
        self.workbench = workbench
        self._opened[workbench.folder] = workbench
        _sessions[id(workbench)] = self
        self.selected: str | None = None
        self.reference: str | None = None
        self.parent: str | None = None
        self._goal: Goal | None = None
        self._rows: tuple[ResultRow, ...] | None = None
        self._compared: dict[tuple[str, str], SideBySide | None] = {}
        self.undone: Text | None = None
        self._variants: tuple[Variant, ...] | None = None
        self._workbench_folders: tuple[float, tuple[WorkbenchFolder, ...]] | None = None
        self._jobs: dict[str, JobState] = {state.id: state for state in reversed(workbench.jobs)}
        self._cancelling: set[str] = set()
        me = weakref.ref(self)

        def on_event(event: Any) -> None:
            session = me()
            if session is not None:
                session._on_event(event)

        self._stop = workbench.observe(on_event)

    # -- what is known ----------------------------------------------------------------------

    @property
    def rows(self) -> tuple[ResultRow, ...]:
        """One row per variant, read once per change."""
        if self._rows is None:
            self._rows = self.workbench.results()
        return self._rows

    @property
    def variants(self) -> tuple[Variant, ...]:
        """All variants, read once per change."""
        if self._variants is None:
            self._variants = self.workbench.variants
        return self._variants

    @property
    def workbench_folders(self) -> tuple[WorkbenchFolder, ...]:
        """The workbenches that can be gone to, this one included."""
        now = time.monotonic()
        if self._workbench_folders is None or now - self._workbench_folders[0] > _SIBLINGS_SECONDS:
            self._workbench_folders = now, workbench_folders(self.workbench.folder)
        return self._workbench_folders[1]

    @property
    def baseline(self) -> Variant | None:
        """The model as it came."""
        return Lineage(self.variants).baseline

    @property
    def jobs(self) -> tuple[JobState, ...]:
        """All jobs, newest first, with the openings in other folders that are not listed there."""
        jobs = {job.id: job for job in (*self.openings.jobs, *self._jobs.values())}
        return tuple(sorted(jobs.values(), key=lambda job: job.created, reverse=True))

    @property
    def open_folders(self) -> frozenset[Path]:
        """The folders of the workbenches that were shown on this page."""
        return frozenset(self._opened)

    def can_ask_again(self, job: str) -> bool:
        """Whether what it was asked for is still known here."""
        return job in self._jobs or self.openings.knows(job)

    def is_own(self, job: str) -> bool:
        """Whether a job is one of this process."""
        return self.workbench.job(job) is not None or self.openings.workbench_of(job) is not None

    def is_cancelling(self, job: str) -> bool:
        """Whether the reader has asked to cancel it and it has not ended yet."""
        return job in self._cancelling

    def known(self, key: object) -> str:
        """The identifier of a variant that a page named.

        Raises:
            InvalidInput: If there is none.
        """
        if not isinstance(key, str):
            raise InvalidInput(say("A variant is named by text. Received: {kind}.", kind=type(key).__name__))
        return self.workbench.variant(key).id

    @property
    def start(self) -> str | None:
        """Identifier of the variant that techniques start from."""
        baseline = self.baseline
        return self.parent or (baseline.id if baseline else None)

    @property
    def compared(self) -> str | None:
        """Identifier of the variant that the selected one is compared with."""
        if self.reference is not None and self.reference != self.selected:
            return self.reference
        baseline = self.baseline
        if baseline is not None and baseline.id != self.selected:
            return baseline.id
        return next((one.id for one in self.variants if one.id != self.selected), None)

    @property
    def task(self) -> Task:
        """What its variants are judged as."""
        return task_of(self.rows)

    @property
    def tolerance(self) -> float:
        """How much F1, or another task's measure, may get worse, as a fraction."""
        return self.goal.f1_may_fall

    def side_by_side(self, variant: str, reference: str) -> SideBySide | None:
        """Two variants compared; None until that is computed, which a thread of its own does."""
        key = variant, reference
        if key not in self._compared:
            self._compared[key] = None
            threading.Thread(target=self._compare, args=(self.workbench, key), daemon=True).start()
        return self._compared[key]

    def _compare(self, workbench: Workbench, key: tuple[str, str]) -> None:
        try:
            found = workbench.side_by_side(*key)
        except WorkbenchError:  # one of them was deleted meanwhile
            return
        if workbench is self.workbench and not workbench.closed:
            self._compared[key] = found
            self.touch("selection")

    # -- what can be done -------------------------------------------------------------------

    def select(self, variant: object) -> None:
        """Shows a variant's details."""
        self.selected = self.known(variant)
        self.undone = None
        self.touch("selection")

    def reveal(self, variant: object) -> None:
        """Shows a variant's details and asks the page to bring them to the eye."""
        self.selected = self.known(variant)
        self.opened = True
        self.revealed += 1
        self.touch("selection")

    def delete(self, variant: object) -> None:
        """Hides a variant and everything that was made from it."""
        key = self.known(variant)
        self.workbench.delete(key)
        self.undone = None
        if self.selected == key:
            self.opened = False
        self.touch("selection")

    @property
    def undoable(self) -> Text | None:
        """The last deletion, as what would be taken back; None if there is none."""
        deleted = self.workbench.deleted
        if not deleted:
            return None
        name = short(deleted[0].name)
        if len(deleted) == 1:
            return say("Undo delete of {name}", name=name)
        return say(
            "Undo delete of {name} and {count} variant made from it",
            "Undo delete of {name} and {count} variants made from it",
            name=name,
            count=len(deleted) - 1,
        )

    def undo(self) -> None:
        """Takes the last deletion back."""
        self.undone = self.workbench.undo()
        self.touch("selection")

    def fold(self) -> None:
        """Closes the details; the variant stays selected."""
        self.opened = False
        self.touch("selection")

    def draw(self, across: str, up: str) -> None:
        """Chooses the axes of the trade-off chart."""
        self.axes = across, up
        self.touch("axes")

    def colour(self, by: str) -> None:
        """Chooses what the colours of the trade-off chart tell: ``verdict`` or ``family``."""
        self.coloured_by = by
        self.touch("axes")

    def compare(self, reference: object) -> None:
        """Compares the selected variant with another one."""
        self.reference = self.known(reference)
        self.touch("selection")

    def continue_from(self, variant: object) -> None:
        """Techniques start from this variant from now on."""
        self.parent = self.known(variant)
        self.touch("selection")

    @property
    def goal(self) -> Goal:
        """What is wanted of the model, read once per change."""
        if self._goal is None:
            self._goal = self.workbench.goal
        return self._goal

    def set_goal(self, goal: Goal) -> None:
        """Keeps what is wanted."""
        self.workbench.set_goal(goal)
        self._goal = goal
        self.touch("goal")

    def find(self, goal: Goal, *, training: bool) -> None:
        """Looks for what serves a goal."""
        self.workbench.find(goal, training=training)
        self._goal = goal
        self.touch("goal")

    def cancel_all(self) -> None:
        """Cancels every job that waits or runs."""
        for job in [job for job in self.jobs if not job.ended]:
            self.cancel(job.id)

    def show_technique(self, technique: object, values: dict[str, Any] | None = None) -> None:
        """Unfolds a technique in the panel that has it.

        Args:
            technique: Its name.
            values: What its form is to say, where that is not what it says already.

        Raises:
            InvalidInput: If there is no such technique.
        """
        if not isinstance(technique, str) or technique not in self.workbench.techniques():
            raise InvalidInput(say("There is no such technique."))
        number = 1 if self.shown_technique is None else self.shown_technique[0] + 1
        self.shown_technique = number, technique
        if values:
            self.prefilled[technique] = values
        self.touch("technique")

    def reset(self) -> None:
        """Takes the page back to how it is seen first; what was made stays."""
        self.selected = self.reference = self.parent = self.form = None
        self.resets += 1
        self.show_panels(None)
        self.touch("selection", "technique")

    def show_panels(self, names: frozenset[str] | None) -> None:
        """Shows these panels of a whole page and hides the others; None shows all."""
        if self.panels is not None:
            self.panels.show(names)
            self.touch("technique")

    def confine(
        self, hidden: frozenset[str], fixed: dict[str, dict[str, Any]], *, projector: bool = False
    ) -> None:
        """Takes what a teacher has fixed: by a link, an argument, or a file beside a lesson.

        Args:
            hidden: Names of panels.
            fixed: By technique: parameters and their values.
            projector: Whether type is large, and a whole page shows one panel at a time.
        """
        self.hidden, self.fixed, self.projector = hidden, fixed, projector
        if self.panels is not None:
            self.panels.confine(hidden, projector=projector)
        self.touch("technique")

    def call(self, learner: str) -> None:
        """Keeps whose page it is, in every workbench that it shows."""
        self.learner = self.workbench.course.call(learner)

    def cancel(self, job: object) -> None:
        """Cancels a job."""
        if isinstance(job, str) and (job in self._jobs or self.openings.knows(job)):
            self._cancelling.add(job)
            if job in self._jobs:
                self.workbench.cancel(job)
            else:
                self.openings.cancel(job)
            self.touch("jobs")

    def let_go_on(self, job: object) -> None:
        """Lets a job measure at once that waits until the machine is quiet."""
        if isinstance(job, str) and (job in self._jobs or self.openings.knows(job)):
            (self.openings.workbench_of(job) or self.workbench).let_go_on(job)

    def rerun(self, job: object) -> None:
        """Asks again for what a job was asked for.

        Raises:
            InvalidInput: If there is no such job.
        """
        if not isinstance(job, str):
            raise InvalidInput(say("There is no such job."))
        if job not in self._jobs and self.openings.knows(job):
            self.openings.again(job)
        else:
            self.workbench.rerun(job)

    def speak(self, language: object) -> None:
        """Shows every text in another language.

        Raises:
            InvalidInput: If there is no such language.
        """
        if not isinstance(language, str) or language not in LANGUAGES:
            raise InvalidInput(say("There is no language {language}.", language=repr(language)[:40]))
        use_language(language)
        self.touch("language", within=0.0)

    def open(self, model: Any, data: Any, **options: Any) -> Job:
        """Opens a model; the page moves to it when it is there. See :class:`widgets.openings.Openings`."""
        return self.openings.start(model, data, **options)

    def go_to(self, name: object) -> None:
        """Shows a workbench beside this one.

        Args:
            name: Name of its folder.

        Raises:
            InvalidInput: If there is none.
        """
        found = next((one for one in self.workbench_folders if one.folder.name == name), None)
        if found is None:
            raise InvalidInput(say("There is no such workbench beside this one."))
        self.return_to(found.folder)

    def return_to_last_used(self) -> None:
        """Shows the workbench that was used last: another page may have changed it since."""
        self.return_to(last_used().resolve())

    def return_to(self, folder: Path) -> None:
        """Shows the workbench in a folder."""
        if folder != self.workbench.folder:
            self.move_to(self._opened.get(folder) or self.workbench_in(folder))

    def workbench_in(self, folder: Path, seed: int | None = None) -> Workbench:
        """A workbench in a folder, whose work runs where that of this one runs."""
        return type(self.workbench)(
            folder, executor=self.workbench.executor, seed=seed if seed is not None else self.usual_seed
        )

    def forget(self, workbench: Workbench) -> None:
        """Does not return to a workbench any more."""
        self._opened.pop(workbench.folder, None)

    def move_to(self, workbench: Workbench) -> None:
        """Shows another workbench from now on, and at the next visit."""
        self._watch(workbench)
        if self.learner is not None:
            workbench.course.call(self.learner)
        remember(workbench.folder)
        self.touch("workbench")

    # -- the rhythm -------------------------------------------------------------------------

    def touch(self, *what: str, within: float = REDRAW_SECONDS) -> None:
        """Says what has changed; see :class:`widgets.rhythm.Rhythm`."""
        self.rhythm.touch(*what, within=within)

    def _on_event(self, event: tuple[Any, ...]) -> None:
        if self.workbench.closed:  # nothing can be read any more, and the widgets say why
            self.touch("workbench")
            return
        if event[0] == "job":
            state: JobState = event[1]
            before = self._jobs.get(state.id)
            self._jobs[state.id] = state
            if state.ended:
                self._cancelling.discard(state.id)
            if state.variant is not None and (before is None or before.variant is None):
                self._variants = self._rows = self._workbench_folders = None
                self.selected = state.variant
                self.touch("selection", "variants")
            only_further = before is not None and (before.status, before.variant, before.waits) == (
                state.status,
                state.variant,
                state.waits,
            )
            moved = ("jobs", "search") if state.kind == "advise" else ("jobs",)
            self.touch(*moved, within=_PROGRESS_SECONDS if only_further else REDRAW_SECONDS)
            return
        self._rows = self._goal = None
        self._compared.clear()
        if event[0] == "variants":
            self._variants = self._workbench_folders = None
            ids = {variant.id for variant in self.variants}
            self.selected = self.selected if self.selected in ids else None
            self.parent = self.parent if self.parent in ids else None
            self.reference = self.reference if self.reference in ids else None
        self.touch(event[0])


def message_of(text: Text | None) -> str | None:
    """A text in the current language, None if there is none."""
    return None if text is None else str(text)
