"""How a model is judged on the validation split, as plain code."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.api.task import Task, measure_of
from workbench.api.variant import Variant
from workbench.training.script import features_code

MEASURE_NAMES: dict[Task, str] = {
    "classification": "F1",
    "regression": "MAE",
    "multi-label": "LABELS_F1",
    "per position": "MEAN_IOU",
    "agreement": "AGREEMENT",
}
"""What ``plain.measures`` calls the measure of a task."""


@dataclass(frozen=True)
class JudgingCode:
    """The parts of a script that calls ``validator`` of ``plain.keras.validation``.

    Attributes:
        variant: The parent; without labels its own answers are what others are compared with.
    """

    variant: Variant

    @property
    def _task(self) -> Task:
        return self.variant.description.task

    @property
    def title(self) -> str:
        """What the number is called."""
        return str(measure_of(self._task).title)

    @property
    def names(self) -> str:
        """What is imported from ``plain.keras.validation``."""
        return "answers, validator" if self._task == "agreement" else "validator"

    @property
    def imports(self) -> tuple[str, ...]:
        """Further import statements."""
        if self._task == "classification":
            return ()
        return (f"from plain.measures import {MEASURE_NAMES[self._task]}",)

    @property
    def before(self) -> str:
        """Lines before the first call, which need ``model`` and ``data``."""
        if self._task != "agreement":
            return ""
        return (
            "# There are no labels: what counts is how far answers are from those of the model as it is.\n"
            f"labels = answers(model, {features_code(self.variant, 'validation')})\n"
        )

    def arguments(self, model: str, indent: str) -> str:
        """The arguments, a line each.

        Args:
            model: The variable of the model that is judged.
            indent: Before each line.
        """
        given = [
            model,
            features_code(self.variant, "validation"),
            "labels" if self._task == "agreement" else 'data["y_validation"]',
        ]
        if self._task != "classification":
            given.append(f"measure={MEASURE_NAMES[self._task]}")
        given.append(f"from_logits={self.variant.description.from_logits}")
        if "validation" in self.variant.description.weighted:
            given.append('weights=data["w_validation"]')
        return "".join(f"{indent}{argument},\n" for argument in given)
