"""What a model's answers are judged as, and the one number that stands for how good they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from workbench.api.number_format import digits, points, points_end, score
from workbench.api.text import Text, say

Task = Literal["classification", "regression", "multi-label", "per position", "agreement"]
"""What a model's answers are judged as.

``classification``: one class of a sample. ``regression``: one or several numbers. ``multi-label``: any number
of labels, each there or not. ``per position``: a class for each place or step of a sample. ``agreement``:
there are no labels, and a variant is compared with what the baseline answers.
"""


class _Interval(Protocol):
    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


@dataclass(frozen=True)
class TaskMeasure:
    """The number that variants of a task are compared by.

    A change is a fraction in all of them, and above 0 where the variant is better: 0.01 is a point where the
    number is itself a share of 1, and a hundredth of the reference's error where it is an error.

    Attributes:
        key: Its name in tables of data, such as ``f1``.
        title: As the head of a column, such as ``F1``.
        name: In full, at the head of a longer table or an axis, such as ``Macro F1``.
        higher_is_better: Whether it is a score; else it is an error, which has a unit and no upper end.
    """

    key: str
    title: Text
    name: Text
    higher_is_better: bool = True

    def value(self, value: float) -> str:
        """The number as it is read: ``0.987``; an error with three digits."""
        return score(value) if self.higher_is_better else digits(value)

    def interval(self, interval: _Interval) -> str:
        """The ends of its interval."""
        return f"[{self.value(interval.low)}, {self.value(interval.high)}]"

    def change(self, fraction: float) -> str:
        """A change with its sign, without its unit: in points, or in per cent of the reference's error.

        An error that has become larger has a plus: what is written is how the number itself has changed.
        """
        return points(fraction) if self.higher_is_better else points(-fraction)

    def change_ends(self, change: _Interval) -> tuple[str, str]:
        """The lower and the upper end of the interval of a change, as :meth:`change` writes them."""
        if self.higher_is_better:
            return points_end(change.low), points_end(change.high)
        return points_end(-change.high), points_end(-change.low)

    @property
    def unit(self) -> Text:
        """Of a change and of what may be lost: points, or per cent of the reference's error."""
        return say("pt") if self.higher_is_better else say("%")


MEASURES: dict[Task, TaskMeasure] = {
    "classification": TaskMeasure("f1", say("F1"), say("Macro F1")),
    "regression": TaskMeasure("mae", say("MAE"), say("Mean absolute error"), higher_is_better=False),
    "multi-label": TaskMeasure("f1", say("F1"), say("Macro F1 over labels")),
    "per position": TaskMeasure("miou", say("mIoU"), say("Mean IoU")),
    "agreement": TaskMeasure("agreement", say("Agreement"), say("Agreement with the baseline")),
}


def measure_of(task: Task) -> TaskMeasure:
    """The number that variants of a task are compared by."""
    return MEASURES[task]
