"""Which output of a model is judged, and as what: what was asked for, else what fits the labels."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import get_args

from pydantic import Field

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.records import Record
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription, Task, TensorSpec
from workbench.data.options import named_values
from workbench.data.where import where
from workbench.plain.outputs import plain_name

_NO_SCORES = frozenset({"int32", "int64", "uint32", "uint64", "bool", "str", "undefined"})
"""Types of outputs that hold numbers or names of classes, and no scores: quantized ones are smaller."""

JUDGED: tuple[Task, ...] = get_args(Task)
"""The tasks that can be asked for."""

_FEW_CLASSES = 20
"""A single linear output and more different labels than these is regression."""


class OutputWish(Record):
    """What the user said of a model's outputs; None where nothing was said.

    Attributes:
        task: What the answers are judged as.
        tasks: The same by output, of a model with several.
        output: Name of the output that is judged, or its position as a number.
        from_logits: Whether it is raw scores (True) or probabilities (False).
    """

    task: Task | None = None
    tasks: dict[str, Task] = Field(default_factory=dict)
    output: str | None = None
    from_logits: bool | None = None


def output_wish(
    task: str | Mapping[str, str] | None = None,
    output: str | int | None = None,
    from_logits: bool | None = None,
) -> OutputWish:
    """Checks what was said of a model's outputs.

    Args:
        task: A task; of a model with several outputs also one for each by name, in a dict or as
            ``kind=classification, size=regression``.
        output: Name or position.
        from_logits: Whether it is raw scores.

    Raises:
        InvalidInput: If there is no such task, or a value is of another kind.
    """
    task, tasks = _by_output(task)
    for one in (task, *tasks.values()):
        if one is not None and one not in JUDGED:
            raise InvalidInput(
                say("There is no task {task}.", task=repr(one)[:40]),
                say("Choose from: {names}.", names=JUDGED),
            )
    if from_logits not in (None, True, False):
        raise InvalidInput(
            say("from_logits is True, False or None. Received: {given}.", given=repr(from_logits)[:40])
        )
    if output is not None and (isinstance(output, bool) or not isinstance(output, str | int)):
        raise InvalidInput(
            say("An output is named, or given by its position. Received: {given}.", given=repr(output)[:40])
        )
    said = None if output is None else str(output).strip() or None
    wanted = next((one for one in JUDGED if one == task), None)
    each = {name: one for name, given in tasks.items() for one in JUDGED if one == given}
    return OutputWish(task=wanted, tasks=each, output=said, from_logits=from_logits)


def _by_output(task: str | Mapping[str, str] | None) -> tuple[str | None, dict[str, str]]:
    """A task for all, and those of outputs by name."""
    if isinstance(task, Mapping):
        return None, {str(name): given for name, given in task.items()}
    if not isinstance(task, str) or "=" not in task:
        return task, {}
    return None, named_values(task)


def width(spec: TensorSpec) -> int | None:
    """Values that an output gives of a sample; None where a length is free."""
    known = [length for length in spec.shape if length is not None]
    return prod(known) if len(known) == len(spec.shape) else None


def answers_often(spec: TensorSpec) -> bool:
    """Whether an output gives an answer for each of several steps or places, and not one for a sample."""
    return sum(length is not None and length > 1 for length in spec.shape) > 1


def fits(spec: TensorSpec, classes: int) -> bool:
    """Whether an output may answer for so many classes: one value each, or a single one for two."""
    if answers_often(spec):
        return False
    values = width(spec)
    return values is None or values == classes or (values == 1 and classes == 2)


def with_wish(model: ModelDescription, wish: OutputWish) -> ModelDescription:
    """The description with the output that was asked for.

    Raises:
        InvalidInput: If the model has no such output; with the names of those that it has.
    """
    if wish.output is None or not model.outputs:
        return model
    names = [plain_name(spec.name) for spec in model.outputs]
    exact = [spec.name for spec in model.outputs]
    if exact.count(wish.output) == 1:
        position = exact.index(wish.output)
    elif names.count(wish.output) == 1:
        position = names.index(wish.output)
    elif wish.output.isdecimal() and int(wish.output) < len(names):
        position = int(wish.output)
    else:
        raise InvalidInput(
            say("The model has no output {output}.", output=wish.output[:80]),
            say("It has: {outputs}.", outputs=outputs_text(model)),
        )
    return _judging(model, position)


def judged_model(model: ModelDescription, data: DatasetInfo, like: str | None = None) -> ModelDescription:
    """The description with the output that is judged: the one that was asked for, else that which fits.

    Args:
        model: What the file holds.
        data: The prepared data.
        like: Name of the output that is judged of the model that this one stands beside.

    Raises:
        InvalidInput: If none fits the labels, or several do and no name tells which is meant.
    """
    if not model.outputs:
        return model
    if model.output is None and len(model.outputs) > 1:
        model = _judging(model, _position(model, data, [name for name in (data.target, like) if name]))
    if not fits_data(model.judged, data):
        raise (
            _misfit(model, len(data.classes)) if data.task == "classification" else _other_misfit(model, data)
        )
    if data.task == "classification" and not data.weighted:
        return model
    return model.model_copy(update={"task": data.task, "weighted": data.weighted})


def fits_data(spec: TensorSpec, data: DatasetInfo) -> bool:
    """Whether an output may answer for the labels of prepared data, whatever its task."""
    match data.task:
        case "regression":
            return width(spec) in (None, len(data.targets)) and spec.dtype not in _NO_SCORES
        case "multi-label":
            return width(spec) in (None, len(data.classes))
        case "per position":
            last = spec.shape[-1] if len(spec.shape) > 1 else 0
            return last in (None, len(data.classes)) or (last == 1 and len(data.classes) == 2)
        case "agreement":
            return spec.dtype not in _NO_SCORES
        case _:
            return fits(spec, len(data.classes))


def needed_text(data: DatasetInfo) -> Text:
    """What a model has to give of a sample, for what says that it does not."""
    match data.task:
        case "regression":
            return say("{count} number", "{count} numbers", count=len(data.targets))
        case "multi-label":
            return say("{count} label", "{count} labels", count=len(data.classes))
        case "per position":
            return say("a score of each of {count} classes at every position", count=len(data.classes))
        case "agreement":
            return say("numbers")
        case _:
            return say("{count} class", "{count} classes", count=len(data.classes))


def _other_misfit(model: ModelDescription, data: DatasetInfo) -> InvalidInput:
    return InvalidInput(
        say(
            "The model's outputs are {outputs}, and the data need {needed} of each sample.",
            outputs=outputs_text(model),
            needed=needed_text(data),
        ),
        say("Use data that the model was trained for, or say another task: {where}.", where=where("task")),
    )


def _position(model: ModelDescription, data: DatasetInfo, wanted: list[str]) -> int:
    classes = len(data.classes)
    names = [plain_name(spec.name).casefold() for spec in model.outputs]
    for name in wanted:
        if names.count(plain_name(name).casefold()) == 1:
            return names.index(plain_name(name).casefold())
    fitting = [position for position, spec in enumerate(model.outputs) if fits_data(spec, data)]
    if data.task != "classification":
        if not fitting:
            raise _other_misfit(model, data)
        if len(fitting) == 1 or data.task == "agreement":
            return fitting[0]
    # one of known width goes before those whose width is only known when it runs
    exact = [position for position in fitting if width(model.outputs[position]) is not None] or fitting
    exact = [position for position in exact if model.outputs[position].dtype not in _NO_SCORES] or exact
    if len(exact) == 1:
        return exact[0]
    if not exact:
        raise InvalidInput(
            say(
                "The model has {count} outputs: {outputs}. None of them fits the data's {classes} classes.",
                count=len(names),
                outputs=outputs_text(model),
                classes=classes,
            ),
            say(
                "A classifier has one value per class in one of its outputs, or a single one for two classes."
            ),
        )
    chosen = plain_name(model.outputs[exact[0]].name)
    raise InvalidInput(
        say(
            "The model has {count} outputs: {outputs}. {fitting} of them fit the data's {classes} classes.",
            count=len(names),
            outputs=outputs_text(model),
            fitting=len(exact),
            classes=classes,
        )
        if data.task == "classification"
        else say(
            "The model has {count} outputs: {outputs}. {fitting} of them give {needed} of a sample.",
            count=len(names),
            outputs=outputs_text(model),
            fitting=len(exact),
            needed=needed_text(data),
        ),
        say(
            'Say which one the labels belong to, such as output="{name}": as an argument of open, as '
            '--output on the command line, under "Output that is judged" on the page.',
            name=chosen,
        ),
    )


def _judging(model: ModelDescription, position: int) -> ModelDescription:
    told = model.meanings[position] if model.meanings else "unknown"
    return model.model_copy(update={"output": position, "from_logits": told != "probabilities"})


def _misfit(model: ModelDescription, classes: int) -> InvalidInput:
    values, name = width(model.judged), plain_name(model.judged.name)
    if answers_often(model.judged):
        return InvalidInput(
            say(
                "The model's output {output} has the shape {shape}: it gives an answer for each step or "
                "place of a sample, and each sample has one label.",
                output=name,
                shape=str(model.judged.shape),
            ),
            say("A classifier gives one answer for a sample, such as that of the last step or the average."),
        )
    if values == 1 and model.meaning == "probabilities":
        return InvalidInput(
            say(
                "The model's output {output} is a single probability, which tells two classes apart, and "
                "the labels have {classes} different values.",
                output=name,
                classes=classes,
            ),
            say("A classifier has one output per class (or one output for two classes)."),
        )
    if values == 1 and model.judged.dtype in _NO_SCORES:
        return InvalidInput(
            say(
                "The model's output {output} gives a single value of type {dtype} of a sample, and the data "
                "has {classes} classes.",
                output=name,
                dtype=model.judged.dtype,
                classes=classes,
            ),
            say("A model is judged by its scores: use one without an argmax at its end."),
        )
    if values == 1:
        return regression(name, classes)
    if len(model.outputs) > 1:
        return InvalidInput(
            say(
                "The model's output {output} gives {values} values of a sample and the data has {classes} "
                "classes. Its outputs are: {outputs}.",
                output=name,
                values=values,
                classes=classes,
                outputs=outputs_text(model),
            ),
            say("Choose the output that the labels belong to, or data with its classes."),
        )
    return InvalidInput(
        say(
            "The model gives {values} values of a sample and the data has {classes} classes.",
            values=values,
            classes=classes,
        ),
        say(
            "A classifier has one output per class (or one output for two classes). Where a class does not "
            "occur in the data, name all: {where}.",
            where=where("classes"),
        ),
    )


def regression(output: str, values: int) -> InvalidInput:
    """The refusal of a model of one linear output with many different labels."""
    return InvalidInput(
        say(
            "One linear output, {output}, and {values} different label values: that is regression.",
            output=output,
            values=values,
        ),
        say(
            "Leave the task to the data, or say regression: {where}. A classifier has one output for each "
            "class.",
            where=where("task"),
        ),
    )


def require_classes(model: ModelDescription, distinct: int) -> None:
    """Refuses numbers as labels of a model that gives a number, before they are taken for classes.

    Args:
        model: What the file holds.
        distinct: Different values among the labels.

    Raises:
        InvalidInput: If it is regression.
    """
    if distinct <= _FEW_CLASSES or not model.outputs:
        return
    asked = [model.judged] if model.output is not None else model.outputs
    if all(width(spec) == 1 for spec in asked) and "probabilities" not in model.meanings:
        raise regression(plain_name(asked[0].name), distinct)


def outputs_text(model: ModelDescription) -> str:
    """The outputs with the values that each gives of a sample: ``amount (1), kind (3)``."""
    return ", ".join(
        f"{plain_name(spec.name)} ({'?' if width(spec) is None else width(spec)})" for spec in model.outputs
    )


def reading_notes(model: ModelDescription) -> tuple[Text, ...]:
    """Which output is judged and how it is read, for what says how the data were read."""
    return tuple(note for note in (judged_note(model), model.reading) if note is not None)


def first_output(data: DatasetInfo, model: ModelDescription) -> str:
    """What the first of several judged outputs is called: as the data call it, since converters rename it."""
    return data.target or plain_name(model.judged.name)


def judged_note(model: ModelDescription, first: str | None = None) -> Text | None:
    """Which output is judged, for every row; None where there is only one.

    Args:
        model: What the file holds.
        first: What the output that stands for all is called; None takes its name in the file.
    """
    if len(model.outputs) < 2:
        return None
    if model.further:
        return say(
            "The outputs {outputs} are judged, each by its own task; {output} stands for them in tables.",
            output=first or plain_name(model.judged.name),
            outputs=(
                f"{first or plain_name(model.judged.name)} ({model.task})",
                *(f"{one.name} ({one.task})" for one in model.further),
            ),
        )
    return say(
        "The output {output} is judged, one of {count}: {outputs}.",
        output=plain_name(model.judged.name),
        count=len(model.outputs),
        outputs=outputs_text(model),
    )
