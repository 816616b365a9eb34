"""Why a model cannot be trained for the task of its data, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.task import Task
from workbench.api.text import Text, say
from workbench.api.variant import Variant
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


def output_obstacle(variant: Variant, dataset: DatasetInfo) -> Text | None:
    """Why the output of a model does not fit the labels of the data, or None."""
    shape, classes = variant.description.outputs[0].shape, len(dataset.classes)
    values: dict[str, str | int] = {"name": variant.name, "shape": str(shape)}
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


def settings_obstacle(settings: TrainingSettings, dataset: DatasetInfo) -> Text | None:
    """Why a training for the task of the data cannot have these settings, or None; with what to change."""
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
    if settings.label_smoothing and task not in ("classification", "multi-label"):
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
