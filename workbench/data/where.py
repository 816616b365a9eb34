"""Where the choices on how data are read are made: in Python, on the command line and on the page."""

from __future__ import annotations

from typing import Literal

from workbench.api.text import Text, say

Choice = Literal[
    "label",
    "task",
    "weights",
    "ignore_label",
    "classes",
    "only_classes",
    "output",
    "test_fraction",
    "validation_fraction",
    "limit_gib",
    "samples",
    "steps",
]

PAGE: dict[Choice, Text] = {
    "label": say("Label column of a table"),
    "task": say("Task"),
    "weights": say("Column of sample weights"),
    "ignore_label": say("Label that does not count"),
    "classes": say("Names of the classes"),
    "only_classes": say("Only these classes"),
    "output": say("Output that is judged"),
    "test_fraction": say("Share of the test split"),
    "validation_fraction": say("Share of the validation split"),
    "limit_gib": say("Memory for the data (GiB)"),
}
"""The fields of the page's form that the choices are made in; the others are of notebooks and files only."""

COMMAND_LINE: dict[Choice, str] = {
    "label": "--label",
    "task": "--task",
    "weights": "--weights",
    "ignore_label": "--ignore-label",
    "classes": "--classes",
    "only_classes": "--only-classes",
    "output": "--output",
    "test_fraction": "--test-fraction",
    "validation_fraction": "--validation-fraction",
    "limit_gib": "--limit-gib",
}


def where(choice: Choice) -> Text:
    """Says where a choice is made, for a message that advises it.

    Args:
        choice: Name of the parameter of :meth:`workbench.Workbench.open`.
    """
    if choice not in COMMAND_LINE:
        return say("{choice}=... in Python", choice=choice)
    if choice not in PAGE:
        return say(
            "{choice}=... in Python, {option} on the command line", choice=choice, option=COMMAND_LINE[choice]
        )
    return say(
        '{choice}=... in Python, {option} on the command line, "{field}" on the page',
        choice=choice,
        option=COMMAND_LINE[choice],
        field=PAGE[choice],
    )
