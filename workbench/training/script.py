"""What a training is as plain Keras code, and how long it will take."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from workbench.training.loop import TrainingParameters
from workbench.variant import Variant

_STEP_SECONDS = 0.0015
"""What Keras needs for a step besides arithmetic."""
_MACS_PER_SECOND = 4e9
_PASSES = 3
"""A training step is about three inferences: forward, and backward to inputs and to weights."""


def training_seconds(parameters: TrainingParameters, samples: float, macs: int | None) -> float:
    """Roughly how long a training takes on this machine.

    Args:
        parameters: Epochs and batch size; early stopping may end it sooner.
        samples: Samples that one epoch goes through.
        macs: Multiply-accumulates of one inference; None if not known.
    """
    steps = math.ceil(samples / parameters.batch_size)
    epoch = steps * _STEP_SECONDS + samples * _PASSES * (macs or 1e6) / _MACS_PER_SECOND
    return 4.0 + parameters.epochs * epoch


def training_code(
    model: str, variant: Variant, parameters: TrainingParameters, *, callbacks: Sequence[str] = ()
) -> str:
    """Plain Keras code that does what :func:`workbench.training.train` does.

    Args:
        model: The variable that holds the model.
        variant: For the names of its inputs and what its output means.
        parameters: As they are given to ``train``.
        callbacks: Expressions of further Keras callbacks, called before the built-in one.

    Returns:
        Lines that need ``keras`` and ``data``, the ``.npz`` of
        :class:`workbench.technique.CodePaths`.
    """
    from_logits = variant.description.from_logits
    further = "".join(f"        {callback},\n" for callback in callbacks)
    if variant.description.outputs[0].shape[-1] == 1:
        loss = f"keras.losses.BinaryCrossentropy(from_logits={from_logits})"
        accuracy = f'keras.metrics.BinaryAccuracy(name="accuracy", threshold={0.0 if from_logits else 0.5})'
    else:
        loss = f"keras.losses.SparseCategoricalCrossentropy(from_logits={from_logits})"
        accuracy = '"accuracy"'
    return f"""\
{model}.compile(
    optimizer=keras.optimizers.Adam({parameters.learning_rate}),
    loss={loss},
    metrics=[{accuracy}],
)
keras.utils.set_random_seed({parameters.seed})
{model}.fit(
    {_features(variant, "train")},
    data["y_train"],
    batch_size={parameters.batch_size},
    epochs={parameters.epochs},
    validation_data=({_features(variant, "validation")}, data["y_validation"]),
    callbacks=[
{further}\
        keras.callbacks.EarlyStopping(
            monitor="val_loss", patience={parameters.patience or parameters.epochs}, restore_best_weights=True
        )
    ],
    verbose=2,
)"""


def _features(variant: Variant, split: str) -> str:
    names = [spec.name for spec in variant.description.inputs]
    if len(names) == 1:
        return f'data["x_{split}"]'
    pairs = ", ".join(f"{json.dumps(name)}: data[{json.dumps(f'x_{split}.{name}')}]" for name in names)
    return "{" + pairs + "}"
