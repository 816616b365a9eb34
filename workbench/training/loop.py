"""The training loop: Keras ``fit`` with live curves, cancellation, early stopping and the time to a score."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.api.dataset import Dataset, DatasetInfo, Features, SplitName, is_large
from workbench.api.errors import InvalidInput, JobFailed, Refused
from workbench.api.file_format import format_obstacle
from workbench.api.technique import Context
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import Variant
from workbench.plain.keras.augmentation import mean_of_pictures
from workbench.plain.keras.precision import computing_in
from workbench.plain.keras.rate_sweep import LOWEST
from workbench.training.augmentation import augmentation_call, augmentation_obstacle
from workbench.training.input_pipeline import Feed
from workbench.training.learning_rate import sweep_learning_rate
from workbench.training.objectives import ByOutput, Objectives
from workbench.training.optimizers import (
    averaging,
    compile_options,
    optimizer,
    output_layers,
    stopping,
    total_steps,
)
from workbench.training.parameters import TrainingParameters, TrainingSettings
from workbench.training.profile import profile_input
from workbench.training.results import TrainingPoint, TrainingResult
from workbench.training.task_obstacles import (
    labels_obstacle,
    output_obstacle,
    outputs_obstacle,
    require_shape,
    settings_obstacle,
    without_labels,
)

if TYPE_CHECKING:
    import keras

    from workbench.training.distilling import Teacher

__all__ = [
    "TrainingParameters",
    "TrainingPoint",
    "TrainingResult",
    "train",
    "training_obstacle",
    "without_optimizer",
]


def training_obstacle(
    variant: Variant,
    dataset: DatasetInfo,
    parameters: TrainingParameters | None = None,
    *,
    taught: float | None = None,
) -> Text | None:
    """Why a variant cannot be trained on a data set, or None. Opens no file.

    Args:
        variant: The model.
        dataset: The data.
        parameters: How it would be trained; None asks about training as such.
        taught: The weight of what it learns from a teacher, 0 to 1; None where there is no teacher to be
            had. Without labels nothing but a teacher can be learned from.
    """
    if (reason := format_obstacle(variant, "keras")) is not None:
        return reason
    if any(layer.kind == "FrozenGraph" for layer in variant.description.layers):
        return say(
            "Only the graph of {name} is known, with its weights as constants: nothing in it can be trained. "
            "It can teach: compare a Keras model with it, and let that one learn from it.",
            name=variant.name,
        )
    reason = (
        outputs_obstacle(variant) or labels_obstacle(dataset, taught) or output_obstacle(variant, dataset)
    )
    if reason is not None or parameters is None:
        return reason
    settings = TrainingSettings.of(parameters)
    reason = settings_obstacle(settings, variant, dataset)
    return reason or augmentation_obstacle(settings, variant, dataset)


def train(
    model: keras.Model,
    context: Context,
    parameters: TrainingParameters,
    *,
    from_logits: bool,
    loss: keras.losses.Loss | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    share: tuple[float, float] = (0.0, 1.0),
    teacher: Teacher | None = None,
    judged_from: int = 0,
) -> TrainingResult:
    """Trains a model in place and leaves the weights of its best epoch in it.

    The training split is trained on, the validation split decides when to stop and what to keep;
    the test split is not read. The same seed on the same machine gives the same weights as plain
    ``compile`` and ``fit`` with ``EarlyStopping(restore_best_weights=True)`` after
    ``keras.utils.set_random_seed(parameters.seed)``.

    While it runs it reports the live curves ``training loss``, ``training accuracy``,
    ``validation loss`` and ``validation F1`` over epochs, and ``validation F1 over seconds``
    of training; where the task is another one, those of :func:`workbench.jobs.curves.curves_of`. Of
    several outputs each has the loss of its own task, and the loss that is shown, and that decides which
    epoch is kept, is their weighted sum; the other curves are there for each output.

    Args:
        model: A built Keras model whose outputs fit the labels. Compiled here.
        context: Its data set and reporter.
        parameters: Epochs, batch size, learning rate, patience, seed, optimizer and schedule; a
            :class:`TrainingSettings` says the rest too, which has its defaults otherwise.
        from_logits: Whether the output is raw scores; of several the first one.
        loss: In place of the one that fits the task and the head, as :class:`Objectives` has it.
        callbacks: Further Keras callbacks, called before the built-in ones.
        share: The part of the job's progress that this training is.
        teacher: Trained models whose scores and features are learned besides the labels. What is judged
            on the validation split is the loss of the labels alone.
        judged_from: How many epochs come first that can neither be kept nor end the training: those in
            which a callback still changes the model.

    Returns:
        The curves, the epoch that was kept, and why it stopped.

    Raises:
        workbench.api.errors.InvalidInput: If the labels do not fit the output, or the settings the data.
        workbench.api.errors.JobFailed: If training diverged before there was an epoch to keep.
        workbench.api.errors.Cancelled: Within a second of being cancelled, or one step if that is longer.
    """
    import keras

    from workbench.training.live import Live

    settings = TrainingSettings.of(parameters)
    objectives = Objectives.of(context.parent.description, settings, model=model, from_logits=from_logits)
    x_train, y_train = _split(context.dataset, objectives, "train")
    validation = _split(context.dataset, objectives, "validation")
    if objectives.task == "agreement":
        if teacher is None:
            raise Refused(*without_labels())
        context.report.stage(say("Asking the teacher about the samples"))
        y_train = teacher.answers(x_train, context.report.check)
        validation = validation[0], teacher.answers(validation[0], context.report.check)
    _require_fit(settings, context, objectives, model, (y_train, validation[1]), loss)
    fitted, fit_features = objectives.fitted(model), x_train
    if teacher is not None:
        fitted, fit_features = teacher.attach(
            fitted,
            x_train,
            objectives=objectives,
            report=context.report,
            batch_size=settings.batch_size,
            seed=settings.seed,
            changing=settings.augments,
        )
    fit_targets = objectives.targets(y_train)
    samples = context.dataset.info.counts["train"]
    weights = {
        "train": objectives.weights(context.dataset, "train", y_train),
        "validation": objectives.weights(context.dataset, "validation", validation[1]),
    }

    def compile_with(settings: TrainingSettings) -> None:
        steps = total_steps(settings, samples)
        fitted.compile(
            optimizer=optimizer(settings, steps, output_layers(model)).make(keras),
            **objectives.compiled(y_train, loss),
            **compile_options(settings),
        )

    with computing_in(model, settings.precision):
        sweep = None
        if settings.find_learning_rate:
            compile_with(settings.constant(LOWEST))
            sweep = sweep_learning_rate(
                fitted,
                fit_features,
                fit_targets,
                batch_size=settings.batch_size,
                seed=settings.seed,
                report=context.report,
                weights=weights["train"],
            )
            settings = settings.model_copy(update={"learning_rate": sweep.suggestion})
        compile_with(settings)
        live = Live(
            context.report,
            validation,
            weights=weights["validation"],
            objectives=objectives,
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            samples=samples,
            guessing=objectives.loss_of_guessing(y_train, weights["train"])
            if loss is None and teacher is None
            else None,
            share=share,
        )
        early = stopping(settings, judged_from).make(keras)
        averages = [call.make(keras) for call in averaging(settings)]
        feed = Feed(
            fit_features,
            fit_targets,
            settings,
            change=augmentation_call(
                settings, settings.seed, mean_of_pictures(x_train) if settings.cutout else 0.0
            ).make(keras)
            if settings.augments
            else None,
            class_weight=objectives.class_weights(y_train) if settings.class_weights == "balanced" else None,
            sample_weight=weights["train"],
        )
        keras.utils.set_random_seed(settings.seed)
        feed.fit(fitted, epochs=settings.epochs, callbacks=[*averages, *callbacks, live, early])
        if not live.points:
            raise JobFailed(
                live.diverged or say("Training ended before its first epoch was complete."),
                say("Lower the learning rate (it was {rate}).", rate=settings.learning_rate),
            )
        if len(live.points) <= judged_from:
            raise JobFailed(
                say(
                    "Training diverged in epoch {epoch}, before the first one that could be kept.",
                    epoch=len(live.points) + 1,
                ),
                say("Lower the learning rate (it was {rate}).", rate=settings.learning_rate),
            )
        seconds = live.elapsed()
        profile = None
        if settings.profile:
            context.report.stage(say("Timing the input"))
            profile = profile_input(
                fitted,
                partial(feed.fit, fitted),
                partial(feed.fit_ready, fitted),
                pipeline=settings.pipeline,
                steps_per_call=settings.steps_per_call,
                check=context.report.check,
            )
    context.report.progress(share[1])
    return TrainingResult(
        points=tuple(live.points),
        best_epoch=early.best_epoch + 1,
        seconds=seconds,
        stopped=live.diverged or _early(early, len(live.points), settings),
        sweep=sweep,
        profile=profile,
        skipped=settings.unused(*(one.objective.task for one in objectives.outputs)),
        task=objectives.task,
        further={one.name: one.objective.task for one in objectives.outputs if one.further},
        output=objectives.first.name,
        added=(*objectives.notes(y_train), *of_all_classes(context.dataset.info)),
    )


def without_optimizer(model: keras.Model) -> keras.Model:
    """The same model, not compiled: saved with Adam's state, a file is three times its weights."""
    copy = model.__class__.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def _require_fit(
    settings: TrainingSettings,
    context: Context,
    objectives: Objectives,
    model: keras.Model,
    labels: tuple[ByOutput, ...],
    loss: keras.losses.Loss | None,
) -> None:
    for one, output in zip(objectives.outputs, model.outputs, strict=True):
        own, units = [one.of(part) for part in labels], one.objective.units
        if one.objective.task in ("classification", "per position"):
            largest = max(int(part.max(initial=0)) for part in own)
            if largest >= max(units, 2):
                raise InvalidInput(
                    say(
                        "The labels go up to {label}, and the model's output has {units} values.",
                        label=largest,
                        units=units,
                    )
                )
        if one.objective.task != "classification":
            require_shape(own[0].shape[1:], output.shape[1:], one.objective.task)
    if settings.softens_labels and loss is not None:
        raise InvalidInput(
            say(
                "Label smoothing and mixup change the labels of the plain cross-entropy, and this training "
                "has a loss of its own."
            ),
            say("Set both to 0."),
        )
    reason = settings_obstacle(settings, context.parent, context.dataset.info)
    reason = reason or augmentation_obstacle(settings, context.parent, context.dataset.info)
    if reason is not None:
        raise InvalidInput(reason)


def of_all_classes(info: DatasetInfo) -> tuple[Text, ...]:
    """What is said beside scores of the validation split, where only some classes are measured.

    Args:
        info: The data.
    """
    if not info.judged:
        return ()
    return (
        say(
            "The scores on the validation split while it trained are of all classes; the results are of the "
            "classes {classes} alone.",
            classes=tuple(verbatim(name) for name in info.judged_classes[:20]),
        ),
    )


def _split(dataset: Dataset, objectives: Objectives, split: SplitName) -> tuple[Features, ByOutput]:
    features, labels = dataset.x(split), objectives.labels(dataset, split)
    if isinstance(features, dict):
        return {name: _fed(array) for name, array in features.items()}, labels
    return _fed(features), labels


def _fed(array: np.typing.NDArray[Any]) -> Any:
    """Plain arrays over the same memory map: Keras looks at the exact type of some inputs.

    What is small is scaled once for all epochs; what is large stays on the disk.
    """
    if array.dtype.kind != "U":
        return array if is_large(array) else np.asarray(array)
    import tensorflow as tf

    return tf.constant(array)  # Keras takes text as a tensor only


def _early(early: keras.callbacks.EarlyStopping, epochs: int, parameters: TrainingParameters) -> Text | None:
    if epochs == parameters.epochs:
        return None
    return say(
        "Stopped early: the validation loss did not fall for {patience} epochs after epoch {best}.",
        patience=parameters.patience,
        best=early.best_epoch + 1,
    )
