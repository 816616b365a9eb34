"""F1 and loss on the validation split of a job's data set, for techniques that try things out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.api.technique import Context
from workbench.measure.scores import require_readable

if TYPE_CHECKING:
    from workbench.plain.keras.validation import ValidationScore


def validator(model: Any, context: Context) -> Callable[[], ValidationScore]:
    """Compiles a model once; each call of the result validates it with the weights that it has then.

    Args:
        model: A classifier with one output.
        context: Its validation split is predicted; cancelling stops within a batch.
    """
    from workbench.plain.keras.validation import validator

    classes = len(context.dataset.info.classes)
    return validator(
        model,
        context.dataset.x("validation"),
        context.dataset.y("validation"),
        from_logits=context.parent.description.from_logits,
        check=context.report.check,
        inspect=lambda outputs: require_readable(outputs, classes),
    )
