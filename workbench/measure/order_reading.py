"""Which order of classes a model was trained with, where their names hold numbers: its answers tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import DatasetInfo
from workbench.api.text import Text, say
from workbench.data.class_order import ClassOrder, in_order, order_text, other_order
from workbench.data.where import where
from workbench.measure.other_readings import percent

_SIGMAS = 3.0

Integers = npt.NDArray[np.int64]


def labels_in_other_order(labels: Integers, info: DatasetInfo) -> Integers:
    """Class indices as they would be with the names sorted the other way; unchanged where there is none.

    Args:
        labels: Class indices as the data have them.
        info: The data.
    """
    if info.class_order is None:
        return labels
    position = {
        name: index for index, name in enumerate(in_order(info.classes, other_order(info.class_order)))
    }
    return np.array([position[name] for name in info.classes], np.int64)[labels]


@dataclass(frozen=True)
class OrderReading:
    """In which order the classes are.

    Attributes:
        better: The other order, where the model is right far more often with it.
        reason: How they are sorted and why, where that was a question that its answers decide.
        doubt: Where they do not, that it is right a little more often with the other order.
    """

    better: ClassOrder | None = None
    reason: Text | None = None
    doubt: Text | None = None


def read_order(predictions: Integers, labels: Integers, info: DatasetInfo) -> OrderReading:
    """Decides between the two orders by how often the model is right.

    Args:
        predictions: Class indices that the model gives, shape ``(n,)``.
        labels: Those of the data, in their order. Not of the test split.
        info: The data.
    """
    if info.class_order is None:
        return OrderReading()
    right = predictions == labels
    other = predictions == labels_in_other_order(labels, info)
    gained, lost = int((other & ~right).sum()), int((right & ~other).sum())
    facts: dict[str, Any] = {
        "order": order_text(info.class_order),
        "other": order_text(other_order(info.class_order)),
        "share": percent(right),
        "less": percent(other),
        "count": len(labels),
    }
    if abs(gained - lost) > _SIGMAS * np.sqrt(gained + lost):
        reason = say(
            "The names of the classes are sorted {order}: the model is right on {share}% of {count} training "
            "and validation samples, and on {less}% if they are sorted {other}.",
            **facts,
        )
        return OrderReading(other_order(info.class_order) if gained > lost else None, reason)
    if gained - lost <= np.sqrt(gained + lost):
        return OrderReading()
    doubt = say(
        "The names of the classes are sorted {order}: the model is right on {share}% of {count} training and "
        "validation samples, and on {less}% if they are sorted {other}. If that is meant, name the classes "
        "in the order of the model's outputs: {where}.",
        **facts,
        where=where("classes"),
    )
    return OrderReading(doubt=doubt)
