"""What to do next, for somebody who sees the page for the first time."""

from __future__ import annotations

from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.session import Session
from widgets.wording import duration, family_title
from workbench.errors import InvalidInput, WorkbenchError
from workbench.text import Text, current_language, say
from workbench.workbench import Workbench

_FIRST = ("quantization.int8", "inference.runtime", "structure.pruning")
"""Good first steps, from the quickest: each of another family."""

_LABELS = {"next": say("Next step"), "settings": say("Settings")}


class FirstSteps(Component):
    """Says what comes next until there is something to compare; then it is empty.

    Args:
        workbench: A workbench, or the session of one.
    """

    _esm = esm("firstSteps")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results", "jobs"})

    def __init__(self, workbench: Workbench | Session) -> None:
        self._found: tuple[tuple[object, ...], list[dict[str, str]]] | None = None
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        text = self._text()
        return {
            "labels": words(_LABELS),
            "text": None if text is None else str(text),
            "choices": self._choices() if text is not None and self.session.baseline is not None else [],
        }

    def _text(self) -> Text | None:
        session = self.session
        if any(not job.ended for job in session.jobs) or len(session.variants) > 1:
            return None
        if session.baseline is None:
            # Before the page is seen nothing has been asked for: the first model opens by itself.
            return say("No model is open. Choose a model and data under “Open …”.") if session.jobs else None
        return say(
            "Apply a technique. It makes a new variant, measured beside this model, which stays as it is. "
            "Good to begin with:"
        )

    def _choices(self) -> list[dict[str, str]]:
        baseline = self.session.baseline
        asked = (baseline and baseline.id, current_language())
        if self._found is None or self._found[0] != asked:
            self._found = asked, [choice for name in _FIRST if (choice := self._choice(name)) is not None]
        return self._found[1]

    def _choice(self, name: str) -> dict[str, str] | None:
        workbench = self.session.workbench
        technique = workbench.techniques().get(name)
        if technique is None:
            return None
        try:
            if technique.unavailable() is not None or workbench.fits(name) is not None:
                return None
            seconds = workbench.estimate(name).seconds
        except WorkbenchError:
            return None
        title = Text(template=technique.title)
        return {
            "technique": name,
            "family": technique.family,
            "title": str(
                say("{family}: {technique}", family=family_title(technique.family), technique=title)
            ),
            "time": str(say("≈ {time}", time=duration(seconds))),
        }

    def act_apply(self, technique: object = None) -> None:
        """Applies one of them with its defaults: they are the right ones to begin with."""
        if not isinstance(technique, str) or technique not in _FIRST:
            raise InvalidInput(say("There is no such technique."))
        self.session.workbench.apply(technique)

    def act_show(self, technique: object = None) -> None:
        """Unfolds a technique in the panel of its family."""
        self.session.show_technique(technique)
