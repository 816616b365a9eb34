"""Why a model cannot be trained for the task of its data, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.task import Task
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.training.objectives import output_names, trained_positions
from workbench.training.parameters import TrainingSettings


def without_labels() -> tuple[Text, Text]:
    """What is said where labels are needed and there are none: the problem, and what to do."""
    return (
        say("The data have no labels, so there is nothing to train on but what the parent answers."),
        say(
            "Choose a technique that learns from the parent alone, such as distillation, pruning or "
            "clustering, with the weight of the parent at 1; leave fine-tuning at 0 epochs; or open the "
            "model with labelled data."
        ),
    )


def labels_obstacle(dataset: DatasetInfo, taught: float | None) -> Text | None:
    """Why the labels of the data do not suffice, or None.

    Args:
        dataset: The data.
        taught: The weight of what is learned from a teacher; None where there is no teacher to be had.
    """
    if dataset.task != "agreement" or taught == 1:
        return None
    if taught is None:
        return say("{problem} {action}", problem=without_labels()[0], action=without_labels()[1])
    return say(
        "The data have no labels, so nothing can be learned beside what the teacher answers. Set its weight "
        "to 1 (it is {weight}), or leave fine-tuning at 0 epochs.",
        weight=f"{taught:g}",
    )


def outputs_obstacle(variant: Variant) -> Text | None:
    """Why not all outputs of a model can be trained, or None."""
    description = variant.description
    labelled = trained_positions(description)
    if len(description.outputs) == 1 or (
        description.further and set(labelled) == set(range(len(description.outputs)))
    ):
        return None
    return say(
        "Training needs labels for each output. {name} has {count} outputs, and the data have labels for "
        "{labelled} of them: the others would not fit any more. Give labels for all, by the names of the "
        "outputs, or open a model of the labelled outputs alone, such as keras.Model(inputs, output).",
        name=variant.name,
        count=len(description.outputs),
        labelled=1 + len(description.further),
    )


def output_obstacle(variant: Variant, dataset: DatasetInfo) -> Text | None:
    """Why an output of a model does not fit its labels, or None.

    Args:
        variant: The model.
        dataset: The data; those that it has no labels of are not looked at.
    """
    if not variant.description.further:
        return _output_obstacle(variant.name, variant.description.outputs[0].shape, dataset)
    known = {one.output for one in dataset.further}
    names = output_names(variant.description)
    for name, (position, further) in zip(
        names, sorted(trained_positions(variant.description).items()), strict=True
    ):
        if further is not None and further not in known:
            return say("The data have no labels for the output {output}.", output=further)
        shape = variant.description.outputs[position].shape
        if (reason := _output_obstacle(name, shape, dataset.of(further))) is not None:
            return reason
    return None


def _output_obstacle(name: str, shape: tuple[int | None, ...], dataset: DatasetInfo) -> Text | None:
    classes = len(dataset.classes)
    values: dict[str, str | int] = {"name": name, "shape": str(shape)}
    match dataset.task:
        case "classification":
            if shape != (classes,) and not (shape == (1,) and classes == 2):
                return say(
                    "The output must be one score per class: the data set has {classes} classes, "
                    "the output of {name} has shape {shape}.",
                    classes=classes,
                    **values,
                )
        case "regression":
            numbers = max(len(dataset.targets), 1)
            if shape != (numbers,):
                return say(
                    "The output must be one value for each number to predict: the data set has {numbers}, "
                    "the output of {name} has shape {shape}.",
                    numbers=numbers,
                    **values,
                )
        case "multi-label":
            if shape != (classes,):
                return say(
                    "The output must be one score per label: the data set has {classes} labels, "
                    "the output of {name} has shape {shape}.",
                    classes=classes,
                    **values,
                )
        case "per position":
            if len(shape) < 2 or (shape[-1] != classes and not (shape[-1] == 1 and classes == 2)):
                return say(
                    "The output must be one score per class at each position: the data set has {classes} "
                    "classes, the output of {name} has shape {shape}.",
                    classes=classes,
                    **values,
                )
        case "agreement":
            pass
    return None


def settings_obstacle(settings: TrainingSettings, variant: Variant, dataset: DatasetInfo) -> Text | None:
    """Why a training for the task of the data cannot have these settings, or None; with what to change.

    Args:
        settings: Of the training.
        variant: The model.
        dataset: The data.
    """
    names = output_names(variant.description)
    if unknown := [name for name in settings.counts_of_outputs if name not in names]:
        return say(
            "The weights of outputs name {unknown}, and the outputs of {name} that are trained are: {names}.",
            unknown=", ".join(unknown),
            name=variant.name,
            names=", ".join(names) or "–",
        )
    if not names:
        return _settings_obstacle(settings, dataset)
    if settings.class_weights != "none":
        return say(
            "Weights of classes are for models with one output. Set the weights of classes to none; how much "
            "each output counts can be set."
        )
    each = [dataset.of(further) for further in trained_positions(variant.description).values()]
    if settings.label_smoothing and any(one.task in _SOFT for one in each):
        each = [one for one in each if one.task in _SOFT]  # the others have no labels to be smoothed
    return next((reason for one in each if (reason := _settings_obstacle(settings, one)) is not None), None)


_SOFT: tuple[Task, ...] = ("classification", "multi-label")
"""Tasks whose labels can be spread over classes."""


def _settings_obstacle(settings: TrainingSettings, dataset: DatasetInfo) -> Text | None:
    task = dataset.task
    if settings.class_weights != "none" and task != "classification":
        return say(
            "Weights of classes are for one class of a sample, and these labels are others. "
            "Set the weights of classes to none."
        )
    if settings.class_weights != "none" and "train" in dataset.weighted:
        return say(
            "The samples have weights of their own, and one more for each class would count twice. "
            "Set the weights of classes to none."
        )
    if settings.mixup and "train" in dataset.weighted:
        return say("Samples that have weights of their own are not mixed. Set mixing to 0.")
    if settings.label_smoothing and task not in _SOFT:
        return say(
            "Label smoothing spreads a label over the classes of a sample, and these labels are others. "
            "Set it to 0."
        )
    if settings.mixup and task in ("per position", "agreement"):
        return say("Samples are not mixed where each position has a class of its own. Set mixing to 0.")
    if settings.changes_pictures and task == "per position":
        return say(
            "Flips, shifts, rotations and cutouts would move the picture, but not the classes of its "
            "positions. Set them to none and 0; noise can stay."
        )
    return None


def require_shape(labels: Sequence[int], output: Sequence[int | None], task: Task) -> None:
    """Checks that an output can be compared with labels.

    Args:
        labels: Shape of those of one sample.
        output: Shape of the output for one sample.
        task: What the labels are.

    Raises:
        InvalidInput: If it cannot, with both shapes.
    """
    own = tuple(output[:-1]) if task == "per position" else tuple(output)
    if len(own) == len(labels) and all(
        mine in (None, theirs) for mine, theirs in zip(own, labels, strict=True)
    ):
        return
    raise InvalidInput(
        say(
            "The labels of a sample have the shape {labels}, and the model gives the shape {output}.",
            labels=str(tuple(labels)),
            output=str(tuple(output)),
        ),
        say("Give the labels the shape that the model predicts."),
    )
