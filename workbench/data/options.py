"""How the user wants data to be read, checked before any work starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.task import Task
from workbench.api.text import say


def reading_options(
    *,
    scaling: str,
    label: str | None,
    classes: Sequence[object] | None,
    output: str | None,
    test_fraction: float | None,
    validation_fraction: float | None,
    limit_gib: float | None,
    task: Task | None = None,
) -> dict[str, Any]:
    """The arguments of :func:`workbench.data.prepare.prepare` that the user has chosen.

    Args:
        scaling: As there.
        label: As there.
        classes: As there; names of any type.
        output: As there.
        test_fraction: As there.
        validation_fraction: As there.
        limit_gib: Memory that the data may take, in GiB.
        task: As there.

    Raises:
        InvalidInput: For a share that is none, a memory limit of nothing, or names that are no list.
    """
    if classes is not None and (isinstance(classes, str | bytes) or not isinstance(classes, Sequence)):
        raise InvalidInput(
            say("The names of the classes came as {kind}.", kind=type(classes).__name__),
            say("Give a list of names in the order of the model's outputs."),
        )
    return {
        "scaling": scaling,
        "label": label,
        "classes": None if classes is None else tuple(str(name) for name in classes),
        "output": output,
        "task": task,
        "test_fraction": _number("test_fraction", test_fraction, 1.0),
        "validation_fraction": _number("validation_fraction", validation_fraction, 1.0),
        "limit_bytes": None if limit_gib is None else int(_number("limit_gib", limit_gib, None) * 2**30),
    }


def _number(name: str, value: Any, below: float | None) -> Any:
    if value is None:
        return None
    right = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < (below or 2.0**30)
    if right:
        return value
    raise InvalidInput(
        say("{name} is {value}.", name=name, value=repr(value)[:60]),
        say("It is a number above 0.")
        if below is None
        else say("It is a number above 0 and below 1: a share of the training samples."),
    )


def names_in(text: object) -> list[str] | None:
    """The names in a text of names separated by commas; None if there are none.

    Args:
        text: As typed.
    """
    names = [name.strip() for name in text.split(",")] if isinstance(text, str) else []
    return [name for name in names if name] or None
