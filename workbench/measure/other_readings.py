"""Whether another reading of a model's outputs is right far more often than the one that was taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.measure.scores import to_predictions, to_scores

FAR_BETTER = 0.2
"""Accuracy (0 to 1) by which another reading must win before it is worth a word."""

_SIGMAS = 3.0
_MOST_CLASSES_ASSIGNED = 50
_NAMED_ORDER = 12
_FAR_BETTER_ASSIGNED = 0.3
"""As :data:`FAR_BETTER`, for the best of all orders: of so many, one looks good by chance."""
_FEWEST_OF_DISTANCES = 3
_PLAINER = 0.05
"""Accuracy that a reversed or shifted order may lack against the best of all, and still be named."""

Right = npt.NDArray[np.bool_]


def better_reading(
    values: npt.NDArray[np.floating],
    labels: npt.NDArray[np.int64],
    classes: Sequence[str],
    from_logits: bool,
    others: Mapping[str, npt.NDArray[np.floating]],
) -> tuple[Text, ...]:
    """Compares the accuracy of the reading that was taken with that of others.

    Args:
        values: The output that is judged, shape ``(n, columns)``.
        labels: Class indices, shape ``(n,)``. Not those of the test split.
        classes: Names of the classes.
        from_logits: Whether the values are read as raw scores.
        others: Further outputs of the model, by name.

    Returns:
        A sentence for each other reading that is far better, with both accuracies.
    """
    count = len(classes)
    predictions = to_predictions(to_scores(values, count, from_logits=from_logits)[0])
    right = predictions == labels
    found: list[Text] = []
    order = _better_order(predictions, labels, count, right)
    ordered = right if order is None else order[predictions] == labels
    if values.shape[1] == 1:
        border, meaning = (0.5, say("a probability")) if from_logits else (0.0, say("a raw score"))
        other = (values[:, 0] > border) == (labels == 1)
        # of exchanged classes a wrong reading is right by chance, and the other order far more often
        if far_better(other, right) and other.sum() >= ordered.sum():
            found.append(
                say(
                    "Read as {meaning}, the output would be right on {other}% of {count} training and "
                    "validation samples, as it is read on {share}%: say from_logits={said} if that is "
                    "meant.",
                    meaning=meaning,
                    other=percent(other),
                    share=percent(right),
                    count=len(labels),
                    said=str(not from_logits),
                )
            )
    if order is not None and not found:
        found.append(_order_text(order, classes, labels, predictions, right))
    for name, output in others.items():
        flat = np.asarray(output, np.float64).reshape(len(output), -1)
        if flat.shape[1] not in (count, 1) or not np.isfinite(flat).all():
            continue
        readings = [to_predictions(to_scores(flat, count, from_logits=raw)[0]) for raw in (True, False)]
        best = max((reading == labels for reading in readings), key=lambda one: float(one.mean()))
        if far_better(best, right):
            found.append(
                say(
                    "The output {name} is right on {other}% of {count} training and validation samples, the "
                    'one that is judged on {share}%: say output="{name}" if that is meant.',
                    name=name,
                    other=percent(best),
                    share=percent(right),
                    count=len(labels),
                )
            )
    return tuple(found)


def smallest_decides(
    name: str, values: npt.NDArray[np.floating], labels: npt.NDArray[np.int64]
) -> InvalidInput | None:
    """The refusal of values of which the smallest tells the class, as of distances; None if they are none.

    Of two classes they are like classes in the other order, which :func:`better_reading` names.

    Args:
        name: Of the output.
        values: Shape ``(n, classes)``.
        labels: Class indices, shape ``(n,)``. Not those of the test split.
    """
    smallest, largest = values.argmin(axis=1) == labels, values.argmax(axis=1) == labels
    if values.shape[1] < _FEWEST_OF_DISTANCES or not far_better(smallest, largest):
        return None
    return InvalidInput(
        say(
            'The smallest value of the output "{output}" names the class of {best}% of {count} samples, the '
            "largest that of {share}%: it gives distances, and a classifier gives the largest value to the "
            "class that it means.",
            output=name,
            best=percent(smallest),
            share=percent(largest),
            count=len(labels),
        ),
        say("Let the model end with the negative of these values, such as keras.layers.Rescaling(-1.0)."),
    )


def _better_order(
    predictions: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], classes: int, right: Right
) -> npt.NDArray[np.int64] | None:
    """Which class each column would stand for, if another order is right far more often."""
    columns = np.arange(classes)
    tried = [columns[::-1], (columns + 1) % classes, (columns - 1) % classes]
    simple = max(tried, key=lambda order: int((order[predictions] == labels).sum()))
    hits = simple[predictions] == labels
    if classes <= _MOST_CLASSES_ASSIGNED:
        from scipy.optimize import linear_sum_assignment

        table = np.zeros((classes, classes))
        np.add.at(table, (predictions, labels), 1)
        # ties keep the order that the classes have
        rows, assigned = linear_sum_assignment(table + 1e-6 * np.eye(classes), maximize=True)
        order = np.empty(classes, np.int64)
        order[rows] = assigned
        best = order[predictions] == labels
        if far_better(best, right, _FAR_BETTER_ASSIGNED) and best.mean() > hits.mean() + _PLAINER:
            return order
    return simple if far_better(hits, right) else None


def _order_text(
    order: npt.NDArray[np.int64],
    classes: Sequence[str],
    labels: npt.NDArray[np.int64],
    predictions: npt.NDArray[np.int64],
    right: Right,
) -> Text:
    names = ", ".join(classes[index][:20] for index in order[:_NAMED_ORDER])
    return say(
        "With the classes in another order ({names}) the model would be right on {other}% of {count} "
        "training and validation samples, with that of the data on {share}%: check the order of the labels.",
        names=names + (" …" if len(order) > _NAMED_ORDER else ""),
        other=percent(order[predictions] == labels),
        share=percent(right),
        count=len(labels),
    )


def far_better(other: Right, right: Right, margin: float = FAR_BETTER) -> bool:
    """Whether another reading is right so much more often that it is worth a word.

    Args:
        other: On which samples it is right, shape ``(n,)``.
        right: On which the reading is right that was taken.
        margin: Accuracy by which it must win.
    """
    gained, lost = int((other & ~right).sum()), int((right & ~other).sum())
    far = gained - lost >= margin * len(right)
    return bool(far and gained - lost > _SIGMAS * np.sqrt(gained + lost))


def percent(right: Right) -> str:
    """How often a reading is right, in whole percent."""
    return f"{100 * right.mean():.0f}"
