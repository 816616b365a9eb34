"""Whether a single value for two classes is a raw score or a probability, where no activation says so.

A layer without an activation may have been trained towards 0 and 1, as squared errors do: then 0.5 is the
border, and not 0. What is never negative and goes beyond 1, such as behind a ReLU or an exponential function,
is neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.measure.other_readings import far_better, percent

_SIGMAS = 3.0
_LEAST_EXPLAINED = 0.02
"""Share of the labels' variance that values which follow them explain, at least."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Values:
    """A single value of each sample, and what the labels are.

    Attributes:
        name: Of the output.
        values: Shape ``(n,)``.
        labels: Class indices, 0 or 1, shape ``(n,)``. Not those of the test split.
        classes: Names of the two classes.
    """

    name: str
    values: Floats
    labels: Integers
    classes: Sequence[str]

    def right(self, border: float) -> npt.NDArray[np.bool_]:
        """On which samples the class is right, if values above a border are the second one."""
        return np.asarray((self.values > border) == (self.labels == 1))

    @property
    def follow_the_labels(self) -> bool:
        """Whether the values themselves, and not their sigmoids, are near the labels 0 and 1."""
        wanted = self.labels.astype(np.float64)
        as_probability = np.square(self.values - wanted)
        as_score = np.square(0.5 + 0.5 * np.tanh(0.5 * self.values) - wanted)
        nearer = as_score - as_probability
        explained = as_probability.mean() < (1 - _LEAST_EXPLAINED) * wanted.var()
        surely = nearer.mean() > _SIGMAS * nearer.std() / np.sqrt(len(nearer))
        return bool(explained and surely and self.right(0.5).sum() >= self.right(0.0).sum())

    def towards_labels(self) -> Text:
        """Why they are read as probabilities though no activation makes them."""
        return say(
            'The output "{output}" is read as {meaning}: its values follow the labels 0 and 1, and with the '
            "border at 0.5 the model is right on {share}% of {count} samples, at 0 on {less}%.",
            output=self.name,
            meaning=say("probabilities"),
            share=percent(self.right(0.5)),
            less=percent(self.right(0.0)),
            count=len(self.values),
        )

    def refusal(self, *, bounded: bool) -> InvalidInput | None:
        """Why values that are read as raw scores cannot be any; None if they can.

        Args:
            bounded: Whether an operation behind the last linear layer decides what the values can be.
        """
        if bounded and self.values.min() >= 0 and self.values.max() > 1:
            return InvalidInput(
                say(
                    'The output "{output}" gives one value of a sample, from {low} to {high}: a probability '
                    "is at most 1, and a raw score is negative for one of the two classes.",
                    output=self.name,
                    low=f"{self.values.min():.3g}",
                    high=f"{self.values.max():.3g}",
                ),
                _say_which(),
            )
        predicted = self.values > 0
        border = self._best_border()
        if predicted.any() and not predicted.all():
            return None
        if not far_better(self.right(border), self.right(0.0)):
            return None
        return InvalidInput(
            say(
                'Read as a raw score, the output "{output}" says {name} of each of {count} samples, which is '
                "right on {share}% of them. With the border at {border} it would be right on {best}%.",
                output=self.name,
                name=self.classes[int(predicted[0])],
                count=len(self.values),
                share=percent(self.right(0.0)),
                border=f"{border:.3g}",
                best=percent(self.right(border)),
            ),
            _say_which(),
        )

    def _best_border(self) -> float:
        order = np.argsort(self.values)
        ones = self.labels[order] == 1
        # right where the border lies behind each: zeros up to it, ones after it
        right = np.cumsum(~ones) + (ones.sum() - np.cumsum(ones))
        at = int(right.argmax())
        ahead = self.values[order[min(at + 1, len(order) - 1)]]
        return float((self.values[order[at]] + ahead) / 2)


def _say_which() -> Text:
    return say(
        "A classifier of two classes gives a probability (border 0.5) or a raw score (border 0). Say which "
        "one is meant: from_logits=False or True in Python, --probabilities or --from-logits on the command "
        'line, "{field}" on the page.',
        field=say("What the output gives"),
    )
