"""What a technique would do to a variant, as its form shows it; or why it cannot be applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from widgets.panels.foreseen import figures
from widgets.panels.technique_list import refusal_help, refusal_lead, refusal_word
from widgets.session import Session, message_of
from widgets.wording import duration, short
from workbench.api.bundle import SCRIPT, Bundle
from workbench.api.errors import WorkbenchError
from workbench.api.text import say
from workbench.engine.compatibility import InvalidParameters
from workbench.engine.refusal import Refusal


def predicted(session: Session, name: str, values: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """What is expected of a technique, or what stands against it, in the current language.

    Args:
        session: Knows the workbench, and where new variants start.
        name: The technique.
        values: Its parameters.
        whole: Whether the figures that are expected, and the code that does the same, are wanted too.
    """
    workbench, parent = session.workbench, session.start
    try:
        refused = workbench.refusal(name, parent, values)
        if refused is not None:
            return {"problem": str(refused.reason), "refusal": _refusal(refused, session)}
        estimate = workbench.estimate(name, parent, values)
        made = workbench.existing(name, parent, values)
        shown: dict[str, Any] = {
            "expectation": str(estimate.expectation),
            "seconds": estimate.seconds,
            "time": str(say("≈ {time}", time=duration(estimate.seconds))),
            "existing": None
            if made is None
            else {
                "variant": made.id,
                "text": str(say("This is there already: {name}.", name=short(made.name))),
            },
        }
        if whole:
            forecast = workbench.forecast(name, parent, values, rows=session.rows, said=estimate)
            makes = not workbench.techniques()[name].measures
            shown["figures"] = figures(forecast, session.task, makes=makes)
            shown["code"] = shown_files(workbench.code(name, parent, values))
        return shown
    except InvalidParameters as error:
        placed = {field: str(reason) for field, reason in error.fields.items() if field}
        return {"errors": placed} if placed else {"message": str(error.text)}
    except WorkbenchError as error:
        return {"message": str(error.text)}


def shown_files(code: Bundle) -> list[dict[str, str]]:
    """The files of plain code as they are shown: the script, then what it imports."""
    return [{"name": name, "text": text} for name, text in {SCRIPT: code.script, **code.helpers}.items()]


def _refusal(refused: Refusal, session: Session) -> dict[str, Any]:
    variants = {one.id: one for one in session.variants}
    return {
        "kind": refused.kind,
        "word": str(refusal_word(refused, variants)),
        "lead": str(refusal_lead(refused)),
        "help": message_of(refusal_help(refused, variants)),
    }
