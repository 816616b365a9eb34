"""The techniques: a list by use with search and filters; forms, what to expect, Apply, the code behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.panels.form import defaults, fields, help_of, values_of
from widgets.panels.jobs import job_card, job_labels
from widgets.panels.prediction import predicted
from widgets.panels.technique_list import (
    ABOUT,
    AIMS,
    FILTERS,
    Wish,
    in_order,
    wanted,
)
from widgets.session import Session, message_of, session_of
from widgets.transfer import send_file
from widgets.wording import family_title, short
from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.technique import FAMILIES, AnyTechnique, Family
from workbench.api.text import Text, current_language, say
from workbench.engine.compatibility import InvalidParameters
from workbench.jobs.state import JobState
from workbench.results.int8_instructions import aims_here
from workbench.workbench import Workbench

_LONGEST_SEARCH = 100
_LABELS = {
    "from": say("New variants start from"),
    "back": say("back to the baseline"),
    "search": say("Search techniques"),
    "filters": say("Show only what is"),
    "keys": say("Arrow keys move through the list."),
    "add": say("Apply with the defaults"),
    "advanced": say("More settings"),
    "more": say("More about it"),
    "help": say("What is this?"),
    "fixed": say("Fixed for this class."),
    "apply": say("Apply"),
    "another": say("Make another"),
    "show": say("Show it"),
    "expected": say("Expected:"),
    "code": say("The code that does the same"),
    "copy": say("Copy"),
    "copied": say("Copied"),
    "takeHome": say("Download with model and data"),
    "close": say("Close"),
}


class TechniquesPanel(Component):
    """All techniques, or those of some families.

    Args:
        workbench: A workbench, or the session of one.
        families: Which families; by default all, with search and filters.

    Example:
        >>> panel = TechniquesPanel(workbench, ("quantization", "inference"))
    """

    _esm = esm("techniques")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "jobs", "selection", "technique"})
    takes_long: ClassVar[bool] = True

    def __init__(self, workbench: Workbench | Session, families: tuple[Family, ...] = FAMILIES) -> None:
        self.families = families
        session = workbench if isinstance(workbench, Session) else session_of(workbench)
        self._techniques: dict[str, AnyTechnique] = {
            name: technique
            for name, technique in in_order(session.workbench.techniques()).items()
            if technique.family in families
        }
        self._values = {name: defaults(one.parameters_type) for name, one in self._techniques.items()}
        self._messages: dict[str, Text] = {}
        self._resets = session.resets
        self._open: str | None = None
        self._shown: tuple[int, str] | None = None
        self._predicted: dict[str, tuple[tuple[object, ...], dict[str, Any]]] = {}
        self._wish = Wish()
        self._start: tuple[str | None, Text | None] = None, None
        super().__init__(session)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        ready = self.session.baseline is not None
        asked = self.session.shown_technique
        if asked is not None and asked != self._shown and asked[1] in self._techniques:
            self._shown, self._open = asked, asked[1]
            self._values[asked[1]] |= self.session.prefilled.pop(asked[1], {})
            self.session.form = asked[1], self._values[asked[1]]
            if not self._is_wanted(asked[1], ready):
                self._wish = Wish()
        if self._resets != self.session.resets:
            self._resets, self._open, self._wish = self.session.resets, None, Wish()
            self._values = {name: defaults(one.parameters_type) for name, one in self._techniques.items()}
        for name, fixed in self.session.fixed.items():
            if name in self._values:
                self._values[name] |= fixed
        entries = [
            self._entry(name, one, ready)
            for name, one in self._techniques.items()
            if self._is_wanted(name, ready)
        ]
        title = say("Techniques") if len(self.families) > 1 else family_title(self.families[0])
        return {
            "labels": words(_LABELS) | job_labels(),
            "whole": len(self.families) > 1,
            "title": str(title),
            "opener": self._opener(),
            "notice": None if ready else str(say("Techniques can be applied as soon as a model is open.")),
            "ready": ready,
            "parents": [{"id": one.id, "name": short(one.name)} for one in self.session.variants],
            "parent": self.session.start,
            "baseline": None if self.session.baseline is None else self.session.baseline.id,
            "answer": self._answer(),
            "search": self._wish.words,
            "filters": [
                {"name": name, "title": str(one.title), "sign": one.sign, "on": name in self._wish.filters}
                for name, one in FILTERS.items()
            ],
            "found": None
            if self._wish.empty
            else str(say("{count} of {all} techniques", count=len(entries), all=len(self._techniques))),
            "open": self._open,
            "shown": None if self._shown is None else self._shown[0],
            "families": [
                {"name": family, "title": str(family_title(family)), "about": str(ABOUT[family])}
                for family in FAMILIES
                if any(entry["family"] == family for entry in entries)
            ],
            "techniques": entries,
        }

    def _opener(self) -> str:
        """What the button says that brings the techniques where there is no room beside."""
        start, baseline = self.session.start, self.session.baseline
        if baseline is None or start is None or start == baseline.id:
            return str(say("Techniques"))
        return str(say("Techniques, from {name}", name=short(self.session.workbench.variant(start).name, 24)))

    def _answer(self) -> str | None:
        """That new variants start from another one, as soon as they do."""
        before, said = self._start
        start = self.session.start
        if start != before:
            moved = before is not None and start is not None
            name = "" if start is None else short(self.session.workbench.variant(start).name)
            said = say("New variants start from {name} now.", name=name) if moved else None
            self._start = start, said
        return message_of(said)

    def _is_wanted(self, name: str, ready: bool) -> bool:
        technique = self._techniques[name]
        panels = self.session.panels
        if len(self.families) > 1 and panels is not None and not panels.shows(technique.family):
            return False
        if self._wish.empty:
            return True
        return wanted(
            technique,
            self._wish,
            aims_here(technique, self.session.workbench.environment),
            self._prediction(name).get("seconds") if ready else None,
            family_title(technique.family),
        )

    def _entry(self, name: str, technique: AnyTechnique, ready: bool) -> dict[str, Any]:
        unavailable = message_of(technique.unavailable())
        aims = aims_here(technique, self.session.workbench.environment)
        shown: dict[str, Any] = {
            "name": name,
            "family": technique.family,
            "title": str(Text(template=technique.title)),
            "aims": [{"sign": sign, "word": str(said)} for aim, (sign, said) in AIMS.items() if aim in aims],
            "problem": unavailable,
            "refusal": None,
            "time": None,
            "jobs": [job_card(job, self.session) for job in self._jobs(name)],
        }
        prediction = self._prediction(name) if ready else {}
        if name != self._open:
            return shown | {
                key: prediction[key] for key in ("problem", "refusal", "time") if key in prediction
            }
        summary, rest = help_of(technique)
        baseline = self.session.baseline
        several = baseline is not None and bool(baseline.description.further)
        return {
            **shown,
            "summary": summary,
            "help": rest,
            "fields": [
                {**one, "fixed": one["name"] in self.session.fixed.get(name, {})}
                for one in fields(technique.parameters_type, several_outputs=several)
            ],
            "values": self._values[name],
            "errors": {},
            "unavailable": unavailable,
            "message": message_of(self._messages.get(name)),
            "expectation": None,
            "figures": [],
            "existing": None,
            "code": None,
        } | prediction

    def _prediction(self, name: str) -> dict[str, Any]:
        """What is expected, found out once: a page is drawn often, and a large model is not read at once."""
        known = tuple((variant.id, variant.name) for variant in self.session.variants)
        asked = (
            self.session.start,
            repr(self._values[name]),
            name == self._open,
            current_language(),
            known,
        )
        if name not in self._predicted or self._predicted[name][0] != asked:
            values = values_of(self._techniques[name].parameters_type, self._values[name])
            self._predicted[name] = asked, predicted(self.session, name, values, whole=name == self._open)
        return self._predicted[name][1]

    def _jobs(self, name: str) -> list[JobState]:
        mine = [
            job for job in self.session.jobs if job.request.get("technique") == name or job.technique == name
        ]
        active = [job for job in mine if not job.ended]
        # The newest one is shown after it has ended only if something is to be said about it.
        return active or [job for job in mine[:1] if job.status in ("failed", "interrupted")]

    def _named(self, technique: object) -> str:
        if not isinstance(technique, str) or technique not in self._techniques:
            raise InvalidInput(say("There is no such technique in this panel."))
        return technique

    def act_search(self, text: object = None) -> None:
        """Shows only techniques that are called so, or whose help speaks of it."""
        self._wish = replace(self._wish, words=text[:_LONGEST_SEARCH] if isinstance(text, str) else "")

    def act_filter(self, filter: object = None, on: object = None) -> None:  # noqa: A002  (its name in the page)
        """Sets or lifts a condition."""
        if not isinstance(filter, str) or filter not in FILTERS:
            raise InvalidInput(say("There is no such filter."))
        change = frozenset({filter})
        filters = self._wish.filters | change if on is True else self._wish.filters - change
        self._wish = replace(self._wish, filters=filters)

    def act_open(self, technique: object = None) -> None:
        """Unfolds a technique, or none."""
        self._open = None if technique is None else self._named(technique)
        self.session.form = None if self._open is None else (self._open, self._values[self._open])

    def act_check(self, technique: object = None, values: object = None) -> None:
        """Takes what the form says now, and shows what to expect of it."""
        name = self._named(technique)
        self._messages.pop(name, None)
        if isinstance(values, dict):
            self._values[name] = values | self.session.fixed.get(name, {})
        self.session.form = name, self._values[name]

    def act_parent(self, variant: object = None) -> None:
        """Starts from another variant, in all panels."""
        self.session.continue_from(variant)

    def act_show(self, variant: object = None) -> None:
        """Shows a variant that is there already."""
        self.session.reveal(variant)

    def act_apply(self, technique: object = None, values: object = None, again: object = False) -> None:
        """Applies a technique; ``again`` makes another variant where there is one like it."""
        name = self._named(technique)
        self.act_check(name, values)
        parameters = values_of(self._techniques[name].parameters_type, self._values[name])
        another = again is True
        self._start_job(
            name,
            lambda: self.session.workbench.apply(name, self.session.start, again=another, **parameters),
        )

    def act_add(self, technique: object = None) -> None:
        """Applies a technique with its defaults; where another order is needed, in that."""
        name = self._named(technique)
        self._values[name] = defaults(self._techniques[name].parameters_type) | self.session.fixed.get(
            name, {}
        )
        self.act_before(name)

    def act_before(self, technique: object = None) -> None:
        """Applies a technique to what the variant was made from, and the later steps again."""
        name = self._named(technique)
        self._messages.pop(name, None)
        parameters = values_of(self._techniques[name].parameters_type, self._values[name])
        start = self.session.start
        if start is not None:
            self._start_job(name, lambda: self.session.workbench.apply_before(name, start, **parameters))

    def _start_job(self, name: str, start: Callable[[], object]) -> None:
        try:
            start()
        except InvalidParameters as error:
            if not error.fields:
                self._messages[name] = error.text
            self._open = name
        except WorkbenchError as error:
            self._messages[name], self._open = error.text, name

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
        self.session.rerun(job)
