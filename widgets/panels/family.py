"""A family of techniques: forms, what to expect, Apply, progress, and the code behind it."""

from __future__ import annotations

from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.panels.form import defaults, fields, help_of, values_of
from widgets.panels.jobs import job_card, job_labels
from widgets.session import Session, message_of, session_of
from widgets.transfer import send_file
from widgets.wording import duration, family_title, short
from workbench.compatibility import InvalidParameters
from workbench.errors import InvalidInput, WorkbenchError
from workbench.jobs.state import JobState
from workbench.technique import AnyTechnique, Family
from workbench.text import Text, current_language, say
from workbench.workbench import Workbench

_LABELS = {
    "from": say("Start from"),
    "advanced": say("More settings"),
    "more": say("More about it"),
    "apply": say("Apply"),
    "off": say("not here"),
    "misfit": say("Does not fit:"),
    "expected": say("Expected:"),
    "code": say("The code that does the same"),
    "copy": say("Copy"),
    "copied": say("Copied"),
    "takeHome": say("Download with model and data"),
}


class FamilyPanel(Component):
    """All techniques of one family.

    Args:
        workbench: A workbench, or the session of one.
        family: Name of the family.
    """

    _esm = esm("family")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "jobs", "selection", "technique"})

    def __init__(self, workbench: Workbench | Session, family: Family) -> None:
        self.family: Family = family
        session = workbench if isinstance(workbench, Session) else session_of(workbench)
        self._techniques: dict[str, AnyTechnique] = {
            name: technique
            for name, technique in session.workbench.techniques().items()
            if technique.family == family
        }
        self._values = {name: defaults(one.parameters_type) for name, one in self._techniques.items()}
        self._messages: dict[str, Text] = {}
        self._resets = session.resets
        self._open: str | None = None
        self._shown: tuple[int, str] | None = None
        self._predicted: dict[str, tuple[tuple[object, ...], dict[str, Any]]] = {}
        super().__init__(session)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        ready = self.session.baseline is not None
        wanted = self.session.shown_technique
        if wanted is not None and wanted != self._shown and wanted[1] in self._techniques:
            self._shown, self._open = wanted, wanted[1]
            self._values[wanted[1]] |= self.session.prefilled.pop(wanted[1], {})
            self.session.form = wanted[1], self._values[wanted[1]]
        if self._resets != self.session.resets:
            self._resets, self._open = self.session.resets, None
            self._values = {name: defaults(one.parameters_type) for name, one in self._techniques.items()}
        return {
            "labels": words(_LABELS) | job_labels(),
            "family": self.family,
            "title": str(family_title(self.family)),
            "notice": None if ready else str(say("Techniques can be applied as soon as a model is open.")),
            "ready": ready,
            "parents": [{"id": one.id, "name": short(one.name)} for one in self.session.variants],
            "parent": self.session.start,
            "open": self._open,
            "shown": None if self._shown is None else self._shown[0],
            "techniques": [self._entry(name, one, ready) for name, one in self._techniques.items()],
        }

    def _entry(self, name: str, technique: AnyTechnique, ready: bool) -> dict[str, Any]:
        unavailable = message_of(technique.unavailable())
        shown: dict[str, Any] = {
            "name": name,
            "title": str(Text(template=technique.title)),
            "problem": unavailable,
            "time": None,
            "jobs": [job_card(job, self.session) for job in self._jobs(name)],
        }
        prediction = self._prediction(name) if ready else {}
        if name != self._open:
            return shown | {key: prediction[key] for key in ("problem", "time") if key in prediction}
        summary, rest = help_of(technique)
        return {
            **shown,
            "summary": summary,
            "help": rest,
            "fields": fields(technique.parameters_type),
            "values": self._values[name],
            "errors": {},
            "unavailable": unavailable,
            "message": message_of(self._messages.get(name)),
            "expectation": None,
            "effect": None,
            "code": None,
        } | prediction

    def _prediction(self, name: str) -> dict[str, Any]:
        """What is expected, found out once: a page is drawn often, and a large model is not read at once."""
        known = tuple(variant.id for variant in self.session.variants)
        asked = (
            self.session.start,
            repr(self._values[name]),
            name == self._open,
            current_language(),
            known,
        )
        if name not in self._predicted or self._predicted[name][0] != asked:
            self._predicted[name] = asked, self._predict(name)
        return self._predicted[name][1]

    def _predict(self, name: str) -> dict[str, Any]:
        workbench, parent = self.session.workbench, self.session.start
        values = values_of(self._techniques[name].parameters_type, self._values[name])
        try:
            problem = workbench.fits(name, parent, values)
            if problem is not None:
                return {"problem": str(problem)}
            estimate = workbench.estimate(name, parent, values)
            shown: dict[str, Any] = {
                "expectation": str(estimate.expectation),
                "time": str(say("≈ {time}", time=duration(estimate.seconds))),
                "effect": str(_effect(estimate.seconds, estimate.size_ratio)),
            }
            if name == self._open:
                shown["code"] = workbench.code(name, parent, values)
            return shown
        except InvalidParameters as error:
            placed = {field: str(reason) for field, reason in error.fields.items() if field}
            return {"errors": placed} if placed else {"message": str(error.text)}
        except WorkbenchError as error:
            return {"message": str(error.text)}

    def _jobs(self, name: str) -> list[JobState]:
        mine = [job for job in self.session.jobs if job.request.get("technique") == name]
        active = [job for job in mine if not job.ended]
        # The newest one is shown after it has ended only if something is to be said about it.
        return active or [job for job in mine[:1] if job.status in ("failed", "interrupted")]

    def _named(self, technique: object) -> str:
        if not isinstance(technique, str) or technique not in self._techniques:
            raise InvalidInput(say("There is no such technique in this panel."))
        return technique

    def act_open(self, technique: object = None) -> None:
        """Unfolds a technique, or none."""
        self._open = None if technique is None else self._named(technique)
        self.session.form = None if self._open is None else (self._open, self._values[self._open])

    def act_check(self, technique: object = None, values: object = None) -> None:
        """Takes what the form says now, and shows what to expect of it."""
        name = self._named(technique)
        self._messages.pop(name, None)
        if isinstance(values, dict):
            self._values[name] = values
        self.session.form = name, self._values[name]

    def act_parent(self, variant: object = None) -> None:
        """Starts from another variant, in all panels."""
        self.session.continue_from(variant)

    def act_apply(self, technique: object = None, values: object = None) -> None:
        """Applies a technique."""
        name = self._named(technique)
        self.act_check(name, values)
        parameters = values_of(self._techniques[name].parameters_type, self._values[name])
        try:
            self.session.workbench.apply(name, self.session.start, **parameters)
        except InvalidParameters as error:
            if not error.fields:
                self._messages[name] = error.text
        except WorkbenchError as error:
            self._messages[name] = error.text

    def act_take_home(self, technique: object = None) -> None:
        """Sends the plain code, with the model and data that it reads, to the browser."""
        name = self._named(technique)
        self._messages.pop(name, None)
        values = values_of(self._techniques[name].parameters_type, self._values[name])
        try:
            send_file(self, *self.session.workbench.take_home(name, self.session.start, values))
        except WorkbenchError as error:
            self._messages[name] = error.text

    def act_cancel(self, job: object = None) -> None:
        """Cancels a job."""
        self.session.cancel(job)

    def act_go_on(self, job: object = None) -> None:
        """Measures at once, beside what it waits for."""
        self.session.let_go_on(job)

    def act_rerun(self, job: object = None) -> None:
        """Asks again for what a job was asked for."""
        if isinstance(job, str):
            self.session.workbench.rerun(job)


class QuantizationPanel(FamilyPanel):
    """Fewer bits for each number: ``QuantizationPanel(workbench)`` in a cell is a full panel."""

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench, "quantization")


class StructurePanel(FamilyPanel):
    """Fewer numbers: scaling, pruning, factorization."""

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench, "structure")


class InferencePanel(FamilyPanel):
    """The same numbers in another runtime."""

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench, "inference")


class TrainingPanel(FamilyPanel):
    """The same network, trained otherwise."""

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench, "training")


class DistillationPanel(FamilyPanel):
    """A small network that learns from a large one."""

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench, "distillation")


def _effect(seconds: float, size_ratio: float | None) -> Text:
    if size_ratio is None:
        return say("takes about {time}", time=duration(seconds))
    return say(
        "takes about {time}; file about {ratio}× its size", time=duration(seconds), ratio=f"{size_ratio:.2g}"
    )
