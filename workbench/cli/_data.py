"""The options of opening a model and data, the same for every command that opens some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--scaling", default="auto", show_default=True, help="How raw values become inputs."),
    click.option(
        "--label",
        help="Label column of a table; by default label, target, class or y, else the one that fits the "
        "model, else the last.",
    ),
    click.option(
        "--task",
        help="What the answers are judged as, such as regression, or kind=classification,size=regression "
        "for several outputs; by default labels and outputs tell.",
    ),
    click.option(
        "--weights",
        help="Column of a table that says how much each sample counts; by default sample_weight.",
    ),
    click.option(
        "--ignore-label",
        type=int,
        help="What stands among labels of positions where one does not count, such as 255 or -1; by default "
        "the one value that is no class.",
    ),
    click.option(
        "--classes", help="Names of all classes in the order of the model's outputs, separated by commas."
    ),
    click.option(
        "--only-classes",
        help="Names of the classes that are measured, separated by commas; by default all. All are trained.",
    ),
    click.option(
        "--output",
        help="Name of the output that is judged, and of its target in the data; by default the one that fits "
        "the labels.",
    ),
    click.option(
        "--from-logits/--probabilities",
        "from_logits",
        default=None,
        help="What that output gives: raw scores or probabilities; by default its layers and values decide.",
    ),
    click.option(
        "--test-fraction",
        type=float,
        help="Share of the training samples that becomes the test split, above 0 and below 1.",
    ),
    click.option("--validation-fraction", type=float, help="The same for the validation split."),
    click.option("--limit-gib", type=float, help="Memory that the data may take, in GiB."),
    click.option("--trust", is_flag=True, help="Let code inside model files run."),
    click.option(
        "--code", type=click.Path(path_type=Path), help="Python file with own classes that model files name."
    ),
    click.option(
        "--trust-packages",
        help="Installed packages whose classes model files may name, such as keras_hub, separated by commas.",
    ),
)
_OF_A_MODEL = ("trust", "code", "trust_packages", "output", "from_logits")


def opening_options(command: Command) -> Command:
    """Gives a command the options; it hands what it gets to :func:`chosen`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen(options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of :meth:`workbench.Workbench.open` that the options stand for.

    Args:
        options: The options' values as click gives them.
    """
    from workbench.data.options import names_in

    packages = names_in(options["trust_packages"]) or []
    return {
        **options,
        "classes": names_in(options["classes"]),
        "only_classes": names_in(options["only_classes"]),
        "trust_packages": packages,
    }


def chosen_of_another(options: dict[str, Any]) -> dict[str, Any]:
    """Those of :meth:`workbench.Workbench.add`, for a further model beside the one that was opened.

    Args:
        options: The options' values as click gives them.
    """
    every = chosen(options)
    return {name: every[name] for name in _OF_A_MODEL}
