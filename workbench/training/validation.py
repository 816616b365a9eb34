"""F1 and loss on the validation split, for techniques that try things out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.api.dataset import select
from workbench.api.records import Record
from workbench.api.technique import Context
from workbench.measure.scores import to_predictions, to_scores

_BATCH = 256


class Validated(Record):
    """How good a model is on the validation split.

    Attributes:
        f1: Macro F1, 0 to 1, as scikit-learn defines it.
        loss: Mean cross-entropy in nats.
    """

    f1: float
    loss: float


def validator(model: Any, context: Context) -> Callable[[], Validated]:
    """Compiles a model once; each call of the result validates it with the weights that it has then.

    Args:
        model: A classifier with one output.
        context: Its validation split is predicted; cancelling stops within a batch.
    """
    import tensorflow as tf
    from sklearn.metrics import f1_score

    features, labels = context.dataset.x("validation"), np.asarray(context.dataset.y("validation"))
    classes = len(context.dataset.info.classes)
    predict = tf.function(lambda batch: model(batch, training=False), autograph=False, reduce_retracing=True)

    def validate() -> Validated:
        parts = []
        for start in range(0, len(labels), _BATCH):
            context.report.check()
            batch = select(features, slice(start, start + _BATCH))
            plain = (
                {name: np.asarray(array) for name, array in batch.items()}
                if isinstance(batch, dict)
                else np.asarray(batch)
            )
            parts.append(np.asarray(predict(plain)))
        scores, _ = to_scores(
            np.concatenate(parts), classes, from_logits=context.parent.description.from_logits
        )
        right = np.clip(scores[np.arange(len(labels)), labels], 1e-7, 1)
        return Validated(
            f1=float(f1_score(labels, to_predictions(scores), average="macro", zero_division=0.0)),
            loss=float(-np.log(right).mean()),
        )

    return validate
