"""Score and loss on the validation split of a job's data set, for techniques that try things out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.technique import Context
from workbench.api.text import say
from workbench.measure.scores import require_readable
from workbench.plain.measures import MEASURES
from workbench.training.objectives import ByOutput, Objectives

if TYPE_CHECKING:
    from workbench.plain.keras.validation import ValidationScore


def validation_labels(model: Any, context: Context) -> ByOutput:
    """What models are judged by on the validation split; without labels what this model gives.

    Args:
        model: The parent as it is.
        context: For its data.
    """
    from workbench.plain.keras.validation import answers

    if context.parent.description.task != "agreement":
        return Objectives.of(context.parent.description).labels(context.dataset, "validation")
    return answers(model, context.dataset.x("validation"), context.report.check)


def validator(model: Any, context: Context, labels: ByOutput) -> Callable[[], ValidationScore]:
    """Compiles a model once; each call of the result validates it with the weights that it has then.

    Args:
        model: A model with the outputs of the parent. Of several the one that loses most decides.
        context: Its validation split is predicted; cancelling stops within a batch.
        labels: As :func:`validation_labels` gives them.
    """
    from workbench.plain.keras.validation import LabelledOutput, several_validator, validator

    objectives = Objectives.of(context.parent.description)
    task = objectives.task

    def inspect(outputs: npt.NDArray[np.floating], further: str | None = None) -> None:
        info = context.dataset.info.of(further)
        if info.task == "classification":
            require_readable(outputs, len(info.classes))
        else:
            _require_finite(outputs)

    if isinstance(labels, dict):
        counts = objectives.loss_weights(objectives.labels(context.dataset, "train"))
        further = {one.name: one.further for one in objectives.outputs}
        return several_validator(
            model,
            context.dataset.x("validation"),
            {
                one.name: LabelledOutput(
                    labels[one.name],
                    MEASURES[one.objective.task],
                    one.objective.from_logits,
                    context.dataset.of(one.further).weights("validation"),
                    counts[one.name],
                )
                for one in objectives.outputs
            },
            first=objectives.first.name,
            check=context.report.check,
            inspect=lambda name, values: inspect(values, further[name]),
        )
    return validator(
        model,
        context.dataset.x("validation"),
        labels,
        measure=MEASURES[task],
        from_logits=context.parent.description.from_logits,
        weights=context.dataset.weights("validation"),
        check=context.report.check,
        inspect=inspect,
    )


def _require_finite(outputs: npt.NDArray[np.floating]) -> None:
    broken = int((~np.isfinite(outputs.reshape(len(outputs), -1))).any(axis=1).sum())
    if broken:
        raise InvalidInput(
            say(
                "The model gives NaN or infinity for {broken} of {samples} samples.",
                broken=broken,
                samples=len(outputs),
            ),
            say("The file is damaged, or its precision is too low for its weights."),
        )
