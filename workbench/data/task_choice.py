"""What a model's answers are judged as: what was asked for, else what its labels and its output tell."""

from __future__ import annotations

from math import prod

import numpy as np

from workbench.api.errors import InvalidInput
from workbench.api.task import Task
from workbench.api.text import Text, say
from workbench.api.variant import Meaning, ModelDescription, TensorSpec
from workbench.data.outputs import width
from workbench.data.raw import Array, RawData
from workbench.data.where import where
from workbench.plain.outputs import plain_name

_SURE_NUMBERS = 20
"""More different whole numbers than these, of a model that gives one number, are numbers without a word."""


def task_of(raw: RawData, model: ModelDescription | None, wish: Task | None) -> tuple[Task, tuple[Text, ...]]:
    """What the labels are, and what is to be said of how that was found.

    Args:
        raw: The data as read, with one target.
        model: The model that they are for, where it is known.
        wish: What the user said.

    Raises:
        InvalidInput: If two tasks fit labels and model, so that the user must say which one is meant.
    """
    if wish is not None:
        return wish, ()
    labels = np.asarray(raw.splits["train"].y)
    if labels.ndim == 2 and not labels.shape[1]:
        raise InvalidInput(
            say("The data have no labels."),
            say(
                "Give labels, or compare every variant with what the model itself answers: {task} as the "
                "task, {where}.",
                task=Text(template="agreement"),
                where=where("task"),
            ),
        )
    if raw.classes is not None or labels.dtype.kind not in "biuf" or not labels.size:
        return "classification", ()
    specs = _judged(model, raw.target)
    whole = labels.dtype.kind != "f" or bool((labels[np.isfinite(labels)] % 1 == 0).all())
    if any(answers_by_position(spec, labels) for spec, _ in specs):
        return "per position", (_said("per position", say("there is a label for each position")),)
    columns = prod(labels.shape[1:])
    fitting = [(spec, meaning) for spec, meaning in specs if width(spec) in (None, columns)]
    if not whole:
        return _of_fractions(labels, columns, fitting, model)
    if columns > 1:
        return _of_rows(labels, columns, fitting)
    different = len(np.unique(labels))
    single = model is not None and bool(specs) and all(width(spec) == 1 for spec, _ in specs)
    if single and different > 2 and all(_may_be_a_number(spec, told) for spec, told in specs):
        reason = say("the labels have {count} different values and the output gives one", count=different)
        return "regression", () if different > _SURE_NUMBERS else (_said("regression", reason),)
    return "classification", ()


def answers_at_each(model: ModelDescription | None, target: str | None) -> int | None:
    """How many values the judged output gives at each position; None where that is not clear."""
    found = {spec.shape[-1] for spec, _ in _judged(model, target) if len(spec.shape) > 1}
    return found.pop() if len(found) == 1 else None


def answers_by_position(spec: TensorSpec, labels: Array) -> bool:
    """Whether an output gives a score of each class at every position that has a label.

    Args:
        spec: The output.
        labels: Class indices ``(n, *positions)``, also with a last axis of length 1, or one-hot rows.
    """
    if labels.ndim < 2 or len(spec.shape) < 2 or labels.dtype.kind not in "biuf":
        return False
    places = spec.shape[:-1]
    if spec.shape[-1] is None or (spec.shape[-1] == 1 and labels.dtype.kind == "f"):
        return False
    if max((length or 2 for length in places), default=1) < 2:
        return False
    given = labels.shape[1:]
    if len(given) == len(spec.shape) and given[-1] == spec.shape[-1] and given[-1] > 1:
        return _agree(given[:-1], places) and _is_one_hot(labels)
    given = given[:-1] if len(given) == len(spec.shape) and given[-1] == 1 else given
    if labels.dtype.kind == "f" and not bool((labels % 1 == 0).all()):
        return False
    return _agree(given, places)


def _agree(given: tuple[int, ...], places: tuple[int | None, ...]) -> bool:
    return len(given) == len(places) and all(
        wanted in (None, got) for wanted, got in zip(places, given, strict=True)
    )


def _judged(model: ModelDescription | None, target: str | None) -> list[tuple[TensorSpec, Meaning]]:
    """The outputs that the labels may belong to, with the meaning of their values."""
    if model is None:
        return []
    if model.output is not None:
        return [(model.judged, model.meaning)]
    every: list[tuple[TensorSpec, Meaning]] = [
        (spec, model.meanings[number] if model.meanings else "unknown")
        for number, spec in enumerate(model.outputs)
    ]
    named = [one for one in every if plain_name(one[0].name) == target]
    return named or every


def _may_be_a_number(spec: TensorSpec, meaning: Meaning) -> bool:
    return meaning in ("scores", "unknown") and spec.dtype.startswith(("float", "bfloat"))


def _of_fractions(
    labels: Array, columns: int, fitting: list[tuple[TensorSpec, Meaning]], model: ModelDescription | None
) -> tuple[Task, tuple[Text, ...]]:
    """Of labels with fractions: numbers, where an output gives as many; else they are no labels at all."""
    if model is not None and not fitting:
        return "classification", ()  # refused there, with the reason
    if columns > 1 and _are_shares(labels) and not any(told == "scores" for _, told in fitting):
        return "classification", ()  # soft labels, refused there
    reason = say(
        "the labels are numbers with fractions, such as {value:g}",
        value=float(labels[np.isfinite(labels) & (labels % 1 != 0)][0]),
    )
    return "regression", (_said("regression", reason),)


def _of_rows(
    labels: Array, columns: int, fitting: list[tuple[TensorSpec, Meaning]]
) -> tuple[Task, tuple[Text, ...]]:
    """Of rows of whole numbers: one-hot, several labels of a sample, or several numbers."""
    flat = labels.reshape(len(labels), -1)
    if not ((flat == 0) | (flat == 1)).all():
        if not fitting:
            return "classification", ()
        reason = say("there are {count} whole numbers for each sample", count=columns)
        return "regression", (_said("regression", reason),)
    if _is_one_hot(flat) or not fitting:
        return "classification", ()
    told = {meaning for _, meaning in fitting}
    reason = say("a row of labels has any number of ones")
    if told & {"probabilities", "unknown"}:
        return "multi-label", (_said("multi-label", reason),)
    raise InvalidInput(
        say(
            "Rows of {count} zeros and ones, any number of ones in each, and an output of as many raw "
            "scores: that may be several labels for a sample or numbers to be predicted.",
            count=columns,
        ),
        say(
            "Say which one is meant, {first} or {second}: {where}.",
            first="multi-label",
            second="regression",
            where=where("task"),
        ),
    )


def _are_shares(labels: Array) -> bool:
    """Whether each row adds up to 1, as probabilities of classes do."""
    flat = labels.reshape(len(labels), -1)
    return bool((flat >= 0).all() and np.abs(flat.sum(axis=1) - 1).max() < 1e-3)


def _is_one_hot(labels: Array) -> bool:
    """Whether the last axis holds a single 1 and zeros, everywhere."""
    ones = labels == 1
    return bool((ones | (labels == 0)).all() and (ones.sum(axis=-1) == 1).all())


def _said(task: Task, reason: Text) -> Text:
    return say(
        "Judged as {task}: {reason}. To be judged as something else: {where}.",
        task=Text(template=task),
        reason=reason,
        where=where("task"),
    )
