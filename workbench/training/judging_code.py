"""How a model is judged on the validation split, as plain code."""

from __future__ import annotations

import json
from dataclasses import dataclass

from workbench.api.task import Task, measure_of
from workbench.api.variant import Variant
from workbench.training.objectives import Objectives
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
    def function(self) -> str:
        """What is called."""
        return "several_validator" if self._several else "validator"

    @property
    def _several(self) -> bool:
        return bool(self.variant.description.further)

    @property
    def names(self) -> str:
        """What is imported from ``plain.keras.validation``."""
        if self._several:
            return "LabelledOutput, several_validator"
        return "answers, validator" if self._task == "agreement" else "validator"

    @property
    def imports(self) -> tuple[str, ...]:
        """Further import statements."""
        if self._several:
            outputs = Objectives.of(self.variant.description).outputs
            numbers = any(one.objective.of_numbers for one in outputs)
            return (
                *(f"from plain.measures import {MEASURE_NAMES[one.objective.task]}" for one in outputs),
                "from plain.targets import spread_of" if numbers else "",
            )
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
        if self._several:
            return self._arguments_of_several(model, indent)
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

    def _arguments_of_several(self, model: str, indent: str) -> str:
        objectives, lines = Objectives.of(self.variant.description), ""
        for one in objectives.outputs:
            own = one.objective
            given = [
                f'data["y_validation{one.key}"]',
                MEASURE_NAMES[own.task],
                f"from_logits={own.from_logits}",
            ]
            if "validation" in one.weighted:
                given.append(f'weights=data["w_validation{one.key}"]')
            if own.of_numbers:
                given.append(f'counts=1 / spread_of(data["y_train{one.key}"])')
            lines += f"{indent}    {json.dumps(one.name)}: LabelledOutput({', '.join(given)}),\n"
        features = features_code(self.variant, "validation")
        return (
            f"{indent}{model},\n{indent}{features},\n{indent}{{\n{lines}{indent}}},\n"
            f"{indent}first={json.dumps(objectives.first.name)},\n"
        )
