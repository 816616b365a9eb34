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

if TYPE_CHECKING:
    from workbench.plain.keras.validation import ValidationScore


def validation_labels(model: Any, context: Context) -> npt.NDArray[Any]:
    """What models are judged by on the validation split; without labels what this model gives.

    Args:
        model: The parent as it is.
        context: For its data.
    """
    from workbench.plain.keras.validation import answers

    if context.parent.description.task != "agreement":
        return np.asarray(context.dataset.y("validation"))
    return answers(model, context.dataset.x("validation"), context.report.check)


def validator(model: Any, context: Context, labels: npt.NDArray[Any]) -> Callable[[], ValidationScore]:
    """Compiles a model once; each call of the result validates it with the weights that it has then.

    Args:
        model: A model with one output.
        context: Its validation split is predicted; cancelling stops within a batch.
        labels: As :func:`validation_labels` gives them.
    """
    from workbench.plain.keras.validation import validator

    task, classes = context.parent.description.task, len(context.dataset.info.classes)

    def inspect(outputs: npt.NDArray[np.floating]) -> None:
        if task == "classification":
            require_readable(outputs, classes)
        else:
            _require_finite(outputs)

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
