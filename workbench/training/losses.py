"""What a model's output is trained for: loss, metric and targets of each task."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.api.task import Task
from workbench.api.variant import ModelDescription
from workbench.plain.targets import class_probabilities, for_each_position, spread_of
from workbench.training.optimizers import Call
from workbench.training.parameters import RegressionLoss, TrainingSettings

if TYPE_CHECKING:
    import keras

_REGRESSION: dict[RegressionLoss, str] = {
    "squared error": "MeanSquaredError",
    "absolute error": "MeanAbsoluteError",
    "Huber": "Huber",
}
_POSITIONS = "plain.keras.positions"


@dataclass(frozen=True)
class Objective:
    """What a model's output is trained for.

    Attributes:
        task: What the labels are. Without any, numbers are learned: the answers of the teacher.
        units: Values that the output has for a sample, or for a position; of a classifier 1 means the score
            of the second of two classes.
        from_logits: Whether they are raw scores.
        soft: Whether targets can be blended: probabilities of all classes in place of class indices.
        label_smoothing: The part of each label that is spread over all classes; needs ``soft`` targets.
        regression: How numbers are compared.
    """

    task: Task
    units: int
    from_logits: bool
    soft: bool = False
    label_smoothing: float = 0.0
    regression: RegressionLoss = "squared error"

    @staticmethod
    def of(
        description: ModelDescription,
        settings: TrainingSettings | None = None,
        *,
        units: int | None = None,
        from_logits: bool | None = None,
    ) -> Objective:
        """The objective of a model.

        Args:
            description: What is known of its file.
            settings: How it is trained; None for the plain labels.
            units: Values that the output has, where the model itself tells.
            from_logits: Whether they are raw scores, where the caller tells.
        """
        return Objective(
            task=description.task,
            units=int(description.judged.shape[-1] or 1) if units is None else units,
            from_logits=description.from_logits if from_logits is None else from_logits,
            soft=settings is not None and settings.softens_labels,
            label_smoothing=0.0 if settings is None else settings.label_smoothing,
            regression="squared error" if settings is None else settings.regression_loss,
        )

    @property
    def of_numbers(self) -> bool:
        """Whether the output is numbers rather than scores of classes."""
        return self.task in ("regression", "agreement")

    @property
    def metric_name(self) -> str:
        """What the metric is called in Keras's logs."""
        return "mean_absolute_error" if self.of_numbers else "accuracy"

    def loss_call(self) -> Call:
        """The loss."""
        given: dict[str, object] = {"from_logits": self.from_logits}
        if self.of_numbers:
            return Call(f"losses.{_REGRESSION[self.regression]}")
        if self.task == "per position":
            return Call("PositionCrossentropy", given, module=_POSITIONS)
        if self.label_smoothing:
            given["label_smoothing"] = self.label_smoothing
        if self.task == "multi-label" or self.units == 1:
            return Call("losses.BinaryCrossentropy", given)
        return Call(f"losses.{'Categorical' if self.soft else 'SparseCategorical'}Crossentropy", given)

    def metric_call(self) -> Call:
        """The metric that is shown while it trains."""
        if self.of_numbers:
            return Call("metrics.MeanAbsoluteError", {"name": self.metric_name})
        if self.task == "per position":
            return Call("PositionAccuracy", {"from_logits": self.from_logits}, module=_POSITIONS)
        if self.task == "multi-label" or self.units == 1:
            threshold = 0.0 if self.from_logits else 0.5
            return Call("metrics.BinaryAccuracy", {"name": "accuracy", "threshold": threshold})
        name = "Categorical" if self.soft else "SparseCategorical"
        return Call(f"metrics.{name}Accuracy", {"name": "accuracy"})

    def metric_code(self, indent: str) -> str:
        """The metric as plain code."""
        if self.task == "classification" and self.units > 1:
            return '"accuracy"'
        return self.metric_call().code(indent)

    def loss(self) -> keras.losses.Loss:
        """The loss as Keras has it."""
        import keras

        return self.loss_call().make(keras)

    def metric(self) -> keras.metrics.Metric:
        """The metric as Keras has it."""
        import keras

        return self.metric_call().make(keras)

    def targets(self, labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What the loss compares the output with.

        Args:
            labels: As the prepared data has them.

        Returns:
            The labels; or float32 probabilities of the shape of the output, where targets are soft.
        """
        return class_probabilities(labels, self.units) if self._as_probabilities else labels

    @property
    def _as_probabilities(self) -> bool:
        return self.soft and self.task in ("classification", "multi-label")

    def weights(
        self, weights: npt.NDArray[np.float32] | None, labels: npt.NDArray[Any]
    ) -> npt.NDArray[np.float32] | None:
        """How much each sample counts in the loss, with an axis for each axis that the loss has.

        Args:
            weights: Of the samples of a split, as the prepared data has them.
            labels: Of the same.
        """
        if weights is None or self.task != "per position":
            return weights
        return for_each_position(weights, labels)

    def weights_code(self, split: str) -> str:
        """The same as plain code.

        Args:
            split: Whose, as the names in the file of the data end.
        """
        weights, labels = (f"data[{json.dumps(f'{kind}_{split}')}]" for kind in "wy")
        return f"for_each_position({weights}, {labels})" if self.task == "per position" else weights

    def targets_code(self, split: str) -> str:
        """As :meth:`targets` in plain code.

        Args:
            split: Whose, as the names in the file of the data end.
        """
        labels = f"data[{json.dumps(f'y_{split}')}]"
        return f"class_probabilities({labels}, {self.units})" if self._as_probabilities else labels

    def imports(self, *, weighted: bool, trained: bool = True) -> tuple[str, ...]:
        """What plain code imports for the loss, targets and weights; empty ones among them.

        Args:
            weighted: Whether samples have weights.
            trained: Whether the metric is computed too.
        """
        by_position = self.task == "per position"
        return (
            f"from {_POSITIONS} import PositionCrossentropy" if by_position else "",
            f"from {_POSITIONS} import PositionAccuracy" if by_position and trained else "",
            "from plain.targets import for_each_position" if by_position and weighted else "",
            "from plain.targets import class_probabilities" if self._as_probabilities else "",
        )

    def loss_of_guessing(
        self, labels: npt.NDArray[Any], weights: npt.NDArray[np.float32] | None = None
    ) -> float:
        """The loss of a model that gives every sample the same, such as the mean.

        Args:
            labels: Of the training split.
            weights: How much each sample counts; once if None.
        """
        # Keras divides by the number of samples, whatever they count
        scale = 1.0 if weights is None else max(1.0, float(weights.mean()))
        return scale * self._loss_of_guessing(labels)

    def _loss_of_guessing(self, labels: npt.NDArray[Any]) -> float:
        if not self.of_numbers:
            binary = self.task == "multi-label"
            return float(np.log(2 if binary else max(self.units, 2)))
        # Huber is no larger than the absolute error
        return spread_of(labels, squared=self.regression == "squared error")
