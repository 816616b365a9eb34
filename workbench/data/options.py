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
    tasks: dict[str, Task] | None = None,
    weights: str | None = None,
    ignore_label: int | None = None,
    only_classes: Sequence[object] | None = None,
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
        tasks: As there.
        weights: As there.
        ignore_label: As there.
        only_classes: As there; names of any type.

    Raises:
        InvalidInput: For a share that is none, a memory limit of nothing, names that are no list, or a label
            that is no whole number.
    """
    if weights is not None and not isinstance(weights, str):
        raise InvalidInput(
            say("weights names a column of a table. Received: {given}.", given=type(weights).__name__),
            say("Give weights as the third of (x, y, sample_weight), or as w_train, w_test in an .npz file."),
        )
    if ignore_label is not None and (
        isinstance(ignore_label, bool) or not hasattr(ignore_label, "__index__")
    ):
        raise InvalidInput(
            say("ignore_label is {given}.", given=repr(ignore_label)[:60]),
            say("It is the whole number that stands where a label does not count, such as 255 or -1."),
        )
    for names, action in (
        (classes, say("Give a list of names in the order of the model's outputs.")),
        (only_classes, say("Give a list of names, as the data have them.")),
    ):
        if names is not None and (isinstance(names, str | bytes) or not isinstance(names, Sequence)):
            raise InvalidInput(
                say("The names of the classes came as {kind}.", kind=type(names).__name__), action
            )
    return {
        "scaling": scaling,
        "label": label,
        "classes": None if classes is None else tuple(str(name) for name in classes),
        "only_classes": tuple(str(name) for name in only_classes) if only_classes else None,
        "output": output,
        "task": task,
        "tasks": tasks or {},
        "weights": weights,
        "ignore_label": None if ignore_label is None else int(ignore_label),
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


def named_values(text: str) -> dict[str, str]:
    """What a text says of things by name: ``kind=classification, size=regression``.

    Args:
        text: As typed.
    """
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return {name.strip(): value.strip() for name, _, value in pairs}


def names_in(text: object) -> list[str] | None:
    """The names in a text of names separated by commas; None if there are none.

    Args:
        text: As typed.
    """
    names = [name.strip() for name in text.split(",")] if isinstance(text, str) else []
    return [name for name in names if name] or None
