"""The training loop: Keras ``fit`` with live curves, cancellation, early stopping and time-to-F1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from workbench.data.dataset import Dataset, DatasetInfo, Features
from workbench.errors import InvalidInput, JobFailed
from workbench.records import Record
from workbench.technique import Context, Parameters
from workbench.text import Text, say
from workbench.variant import Variant

if TYPE_CHECKING:
    import keras

F1_LEVELS = (0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.5)
"""Levels of macro F1 that time-to-F1 is quoted for: the highest that was reached."""


class TrainingParameters(Parameters):
    """The parameters of everything that trains; a technique's own parameters extend them."""

    epochs: int = Field(
        20,
        ge=1,
        le=1000,
        title="Epochs",
        description="How often the training split is gone through, at most.",
        json_schema_extra={"unit": "epochs"},
    )
    batch_size: int = Field(
        32,
        ge=1,
        le=4096,
        title="Batch size",
        description="Samples behind one step of the optimizer.",
        json_schema_extra={"unit": "samples"},
    )
    learning_rate: float = Field(
        1e-3,
        gt=0,
        le=1,
        title="Learning rate",
        description="Step size of Adam. Fine-tuning wants a tenth of what training from new weights does.",
    )
    patience: int = Field(
        5,
        ge=0,
        le=1000,
        title="Early stopping after",
        description="Stop when the validation loss has not fallen for so many epochs; 0 never stops. "
        "The weights of the best epoch are kept either way.",
        json_schema_extra={"unit": "epochs", "advanced": True},
    )
    seed: int = Field(
        0,
        ge=0,
        le=2**31 - 1,
        title="Seed",
        description="Seeds new weights, dropout and the order of the samples. Judge a technique on several.",
        json_schema_extra={"advanced": True},
    )


class TrainingPoint(Record):
    """What was known at the end of one epoch.

    Attributes:
        epoch: From 1.
        seconds: Wall time of training so far, the passes over the validation split left out.
        samples: Training samples gone through so far, repetitions counted.
        training_loss: Mean over the epoch.
        training_accuracy: Mean over the epoch, 0 to 1.
        validation_loss: On the validation split.
        validation_f1: Macro F1 on the validation split, as scikit-learn defines it.
    """

    epoch: int
    seconds: float
    samples: int
    training_loss: float
    training_accuracy: float
    validation_loss: float
    validation_f1: float


class TrainingResult(Record):
    """How a training went.

    Attributes:
        points: One for each epoch.
        best_epoch: The epoch whose weights were kept, from 1: the one of lowest validation loss.
        seconds: Wall time in all.
        stopped: Why it ended before the last epoch; None if it did not.
    """

    points: tuple[TrainingPoint, ...]
    best_epoch: int
    seconds: float
    stopped: Text | None = None

    @property
    def best(self) -> TrainingPoint:
        """The epoch whose weights were kept."""
        return self.points[self.best_epoch - 1]

    def time_to_f1(self, level: float) -> TrainingPoint | None:
        """The first epoch whose validation F1 was at least ``level``; None if none was."""
        return next((point for point in self.points if point.validation_f1 >= level), None)

    def notes(self) -> tuple[Text, ...]:
        """What a report says of it: the epoch kept, why it stopped, time-to-F1."""
        notes = [
            say(
                "Trained for {epochs} epochs in {seconds} s and kept epoch {best}: "
                "validation loss {loss}, validation F1 {f1}.",
                epochs=len(self.points),
                seconds=f"{self.seconds:.1f}",
                best=self.best_epoch,
                loss=f"{self.best.validation_loss:.4f}",
                f1=f"{self.best.validation_f1:.4f}",
            )
        ]
        if self.stopped is not None:
            notes.append(self.stopped)
        reached = next((level for level in F1_LEVELS if self.time_to_f1(level)), None)
        highest = max(self.points, key=lambda point: point.validation_f1)
        milestones = {highest.validation_f1: highest}
        if reached is not None and (first := self.time_to_f1(reached)) is not None:
            milestones = {reached: first, **milestones}
        notes += [
            say(
                "Time to F1: {level} on the validation split after {seconds} s of training "
                "({samples} samples, epoch {epoch}).",
                level=f"{level:.4g}",
                seconds=f"{point.seconds:.1f}",
                samples=f"{point.samples:,}",
                epoch=point.epoch,
            )
            for level, point in milestones.items()
        ]
        return tuple(notes)


def obstacle(variant: Variant, dataset: DatasetInfo) -> Text | None:
    """Why a variant cannot be trained on a data set, or None. Opens no file."""
    if variant.format != "keras":
        return say(
            "Only Keras models can be trained. {name} is a {format} file: "
            "apply this to the Keras variant that it was made from.",
            name=variant.name,
            format=variant.format,
        )
    if len(variant.description.outputs) != 1:
        return say(
            "Training needs a model with one output. {name} has {count}.",
            name=variant.name,
            count=len(variant.description.outputs),
        )
    shape, classes = variant.description.outputs[0].shape, len(dataset.classes)
    if shape != (classes,) and not (shape == (1,) and classes == 2):
        return say(
            "The output must be one score per class: the data set has {classes} classes, "
            "the output of {name} has shape {shape}.",
            classes=classes,
            name=variant.name,
            shape=str(shape),
        )
    return None


def train(
    model: keras.Model,
    context: Context,
    parameters: TrainingParameters,
    *,
    from_logits: bool,
    loss: keras.losses.Loss | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    share: tuple[float, float] = (0.0, 1.0),
) -> TrainingResult:
    """Trains a model in place with Adam and leaves the weights of its best epoch in it.

    The training split is trained on, the validation split decides when to stop and what to keep;
    the test split is not read. The same seed on the same machine gives the same weights as plain
    ``compile`` and ``fit`` with ``EarlyStopping(restore_best_weights=True)`` after
    ``keras.utils.set_random_seed(parameters.seed)``.

    While it runs it reports the live curves ``training loss``, ``training accuracy``,
    ``validation loss`` and ``validation F1`` over epochs, and ``time to F1``: validation F1 over
    seconds of training.

    Args:
        model: A built Keras model with one output, shape ``(batch, classes)`` or ``(batch, 1)``.
            Compiled here.
        context: Its data set and reporter.
        parameters: Epochs, batch size, learning rate, patience, seed.
        from_logits: Whether the output is raw scores.
        loss: In place of the cross-entropy that fits the head: binary for one output, sparse
            categorical otherwise.
        callbacks: Further Keras callbacks, called before the built-in ones.
        share: The part of the job's progress that this training is.

    Returns:
        The curves, the epoch that was kept, and why it stopped.

    Raises:
        workbench.errors.InvalidInput: If the labels do not fit the output.
        workbench.errors.JobFailed: If the loss was not finite before a single epoch was complete.
        workbench.errors.Cancelled: Within a second of being cancelled, or one step if that is longer.
    """
    import keras

    from workbench.training.live import Live

    units = int(model.output_shape[-1])
    x_train, y_train = _split(context.dataset, "train")
    validation = _split(context.dataset, "validation")
    largest = int(max(y_train.max(), validation[1].max()))
    if largest >= max(units, 2):
        raise InvalidInput(
            say(
                "The labels go up to {label}, and the model's output has {units} values.",
                label=largest,
                units=units,
            )
        )
    if loss is None:
        loss = cross_entropy(units, from_logits)
    model.compile(
        optimizer=keras.optimizers.Adam(parameters.learning_rate),
        loss=loss,
        metrics=[accuracy(units, from_logits)],
    )
    live = Live(
        context.report,
        validation,
        epochs=parameters.epochs,
        batch_size=parameters.batch_size,
        samples=len(y_train),
        threshold=0.0 if from_logits else 0.5,
        share=share,
    )
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss",
        patience=parameters.patience or parameters.epochs,
        restore_best_weights=True,
    )
    keras.utils.set_random_seed(parameters.seed)
    model.fit(
        x_train,
        y_train,
        batch_size=parameters.batch_size,
        epochs=parameters.epochs,
        callbacks=[*callbacks, live, stopping],
        verbose=0,
    )
    if not live.points:
        raise JobFailed(
            live.diverged or say("Training ended before its first epoch was complete."),
            say("Lower the learning rate (it was {rate}).", rate=parameters.learning_rate),
        )
    context.report.progress(share[1])
    return TrainingResult(
        points=tuple(live.points),
        best_epoch=stopping.best_epoch + 1,
        seconds=live.elapsed(),
        stopped=live.diverged or _early(stopping, len(live.points), parameters),
    )


def without_optimizer(model: keras.Model) -> keras.Model:
    """The same model, not compiled: saved with Adam's state, a file is three times its weights."""
    copy = model.__class__.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def cross_entropy(units: int, from_logits: bool) -> keras.losses.Loss:
    """The cross-entropy loss of a classifier's head.

    Args:
        units: Values that the output has; 1 means the score of the second of two classes.
        from_logits: Whether they are raw scores.
    """
    import keras

    if units == 1:
        return keras.losses.BinaryCrossentropy(from_logits=from_logits)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)


def accuracy(units: int, from_logits: bool) -> keras.metrics.Metric:
    """The accuracy metric of a classifier's head; its arguments are those of :func:`cross_entropy`."""
    import keras

    if units == 1:
        return keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0 if from_logits else 0.5)
    return keras.metrics.SparseCategoricalAccuracy(name="accuracy")


def _split(dataset: Dataset, split: str) -> tuple[Features, np.typing.NDArray[np.int64]]:
    features = dataset.x(split)  # type: ignore[arg-type]
    # Plain arrays over the same memory map: Keras looks at the exact type of some inputs.
    if isinstance(features, dict):
        return {name: np.asarray(array) for name, array in features.items()}, np.asarray(dataset.y(split))  # type: ignore[arg-type]
    return np.asarray(features), np.asarray(dataset.y(split))  # type: ignore[arg-type]


def _early(
    stopping: keras.callbacks.EarlyStopping, epochs: int, parameters: TrainingParameters
) -> Text | None:
    if epochs == parameters.epochs:
        return None
    return say(
        "Stopped early: the validation loss did not fall for {patience} epochs after epoch {best}.",
        patience=parameters.patience,
        best=stopping.best_epoch + 1,
    )
