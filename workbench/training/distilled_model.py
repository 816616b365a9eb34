"""The Keras model that is fitted in place of a student. Importing it imports Keras and TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from workbench.api.dataset import Features, sample_count, select
from workbench.api.errors import InvalidInput, Refused
from workbench.api.technique import Reporter
from workbench.api.text import say
from workbench.training.distilling import Teacher, first, merged
from workbench.training.hints import common_size

_SMALLEST = 1e-30
"""Added before a logarithm; a probability that small moves nothing at any temperature in use."""
_SMALLEST_SINGLE = 1e-7
_SAMPLES_FOR_SCALE = 256
_KEPT = "/teacher "
"""What a teacher said travels beside the inputs under names with a slash, which no input can have."""


def class_logits(scores: Any, from_logits: bool) -> Any:
    """Raw scores of all classes, whatever a head gives.

    Args:
        scores: Shape ``(batch, classes)``; or ``(batch, 1)``, the score of the second of two classes.
        from_logits: Whether they are raw already; else they are probabilities.

    Returns:
        Shape ``(batch, classes)``, float32; softmax of it gives the head's probabilities.
    """
    scores = ops.cast(scores, "float32")
    if scores.shape[-1] == 1:
        if not from_logits:
            scores = ops.clip(scores, _SMALLEST_SINGLE, 1 - _SMALLEST_SINGLE)
            scores = ops.log(scores) - ops.log1p(-scores)
        return ops.concatenate([ops.zeros_like(scores), scores], axis=-1)
    return scores if from_logits else ops.log(ops.maximum(scores, _SMALLEST))


def softened(scores: Any, from_logits: bool, temperature: float) -> Any:
    """The probabilities of a head at a temperature; arguments as of :func:`class_logits`."""
    return ops.softmax(class_logits(scores, from_logits) / temperature, axis=-1)


def soft_target_loss(targets: Any, logits: Any, temperature: float) -> Any:
    """``T**2 * KL(targets || softmax(logits / T))`` of each sample.

    The factor keeps the gradient's size when the temperature changes (Hinton et al. 2015,
    arXiv:1503.02531, section 2).

    Args:
        targets: Softened probabilities of the teacher, shape ``(batch, classes)``.
        logits: Raw scores of the student, same shape.
        temperature: T.
    """
    student = ops.log_softmax(logits / temperature, axis=-1)
    teacher = ops.log(ops.maximum(targets, _SMALLEST))
    return temperature**2 * ops.sum(targets * (teacher - student), axis=-1)


def attention(features: Any) -> Any:
    """Where a feature map is active: squares summed over channels, as a unit vector for each sample."""
    flat = ops.reshape(ops.mean(ops.square(features), axis=-1), (ops.shape(features)[0], -1))
    return flat / (ops.norm(flat, axis=-1, keepdims=True) + 1e-8)


def resized(features: Any, size: tuple[int | None, ...]) -> Any:
    """Average-pools a feature map, channels last, to a resolution; ``()`` takes the mean of all positions."""
    own = tuple(features.shape[1:-1])
    if own == size:
        return features
    if not size:
        return ops.mean(features, axis=tuple(range(1, len(own) + 1))) if own else features
    window = tuple(mine // wanted for mine, wanted in zip(own, size, strict=True))
    return ops.average_pool(features, window, window, "valid", "channels_last")


def tapped(model: keras.Model, names: list[str], whose: str) -> keras.Model:
    """The model with the outputs of some of its layers after its own.

    Raises:
        InvalidInput: If a layer is not there.
        Refused: If it is called more than once or gives more than one tensor.
    """
    outputs = [model.outputs[0]]
    for name in names:
        known = [layer.name for layer in model.layers]
        if name not in known:
            raise InvalidInput(
                say("The {whose} has no layer {name}.", whose=say(whose), name=repr(name)),
                say("Its layers are: {names}.", names=tuple(known)),
            )
        try:
            output = model.get_layer(name).output
        except (AttributeError, ValueError):
            output = None
        if output is None or isinstance(output, list | tuple | dict) or len(output.shape) < 2:
            raise Refused(
                say(
                    "Layer {name} of the {whose} gives no single tensor of features.",
                    name=name,
                    whose=say(whose),
                )
            )
        outputs.append(output)
    # Keras warns of samples that come as an array where the model was made for a list.
    inputs = model.inputs[0] if len(model.inputs) == 1 else {item.name: item for item in model.inputs}
    return keras.Model(inputs, outputs)


class Said:
    """What the teachers say about samples: softened probabilities, then the features of each hint.

    Args:
        teacher: The models, and how they are asked.
        student: Gives the features that are compared after its output.
        features: The training samples; the first ones tell how large the teacher's features are.

    Attributes:
        sizes: For each hint, the resolution at which it is compared; ``()`` for means over all positions.
        channels: Of the teacher's features.
        variances: Of the teacher's features: a hint loss of 1 is that of a student that knows only means.
        bytes_of_sample: What keeping it takes.
    """

    def __init__(self, teacher: Teacher, student: keras.Model, features: Features) -> None:
        self._teacher = teacher
        self._models = list(teacher.models)
        self.sizes: list[tuple[int | None, ...]] = []
        if len(student.outputs) > 1:
            names = [hint.teacher for hint in teacher.hints]
            self._models[0] = tapped(self._models[0], names, "teacher")
            pairs = zip(student.outputs[1:], self._models[0].outputs[1:], strict=True)
            self.sizes = [common_size(mine.shape[1:], theirs.shape[1:]) for mine, theirs in pairs]
        few = [ops.convert_to_numpy(item) for item in self(first(features, _SAMPLES_FOR_SCALE))]
        self.channels = [item.shape[-1] for item in few[1:]]
        self.variances = [
            max(float(item.reshape(-1, item.shape[-1]).var(0).mean()), 1e-12) for item in few[1:]
        ]
        self.bytes_of_sample = sum(item[0].nbytes for item in few)

    def __call__(self, features: Any) -> list[Any]:
        """Asks the teachers; nothing learns from it."""
        temperature = self._teacher.temperature
        sums: Any = None
        hints: list[Any] = []
        for model, from_logits in zip(self._models, self._teacher.from_logits, strict=True):
            outputs = model(features, training=False)
            if isinstance(outputs, list):
                outputs, *hints = outputs
            soft = softened(outputs, from_logits, temperature)
            sums = soft if sums is None else sums + soft
        pooled = [
            resized(ops.cast(hint, "float32"), size) for hint, size in zip(hints, self.sizes, strict=True)
        ]
        said = [sums / len(self._models), *pooled]
        return [ops.stop_gradient(item) for item in said]

    def beside(self, features: Features, batch_size: int, report: Reporter) -> Features:
        """The samples with what the teachers say about each beside them, asked once."""
        ask = tf.function(self, reduce_retracing=True, autograph=False)
        parts: list[list[Any]] = []
        for start in range(0, sample_count(features), batch_size):
            report.check()
            parts.append([item.numpy() for item in ask(select(features, slice(start, start + batch_size)))])
        kept = [np.concatenate(items) for items in zip(*parts, strict=True)]
        return merged(features, {f"{_KEPT}{number}": item for number, item in enumerate(kept)})


class DistilledModel(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Fits a student to labels and to what its teachers say.

    ``keras.distillation.Distiller`` is not used: in 3.15 its default loss compares raw scores, a single
    output is softened to the constant 1, the student's regularization is dropped, features cost a second
    pass through the student, and what the teacher says cannot be kept.

    Args:
        student: Shares its weights with it; gives the features of hints after its output.
        teacher: Temperature, weights and hints.
        said: Asks the teachers.
        from_logits: Whether the student's output is raw scores.
        seed: Seeds the projections.
    """

    def __init__(
        self, student: keras.Model, teacher: Teacher, said: Said, *, from_logits: bool, seed: int
    ) -> None:
        super().__init__(name="distilled")
        self._student = student
        self._teacher = teacher
        self._from_logits = from_logits
        self._sizes, self._variances = said.sizes, said.variances
        # Keras would count a teacher that is an attribute among the weights to be kept and restored.
        self._ask: Callable[[Any], list[Any]] = said.__call__
        self._projections: list[Any] = []
        if teacher.hint_loss == "features":
            for number, (size, channels) in enumerate(zip(said.sizes, said.channels, strict=True)):
                glorot = keras.initializers.GlorotUniform(seed=seed + number)
                # Over the channels of a picture a Dense layer is a 1x1 convolution.
                projection = keras.layers.Dense(channels, kernel_initializer=glorot, dtype="float32")
                projection.build((None, *size, student.outputs[number + 1].shape[-1]))
                self._projections.append(projection)
        elif any(not size for size in said.sizes):
            raise Refused(
                say("Attention needs feature maps of comparable resolution on both sides."),
                say("Choose features, or name layers before the global pooling."),
            )

    def call(self, features: Any, training: bool = False) -> Any:
        """The student's output; in training, what the teachers say is worked out on the way."""
        kept = {}
        if isinstance(features, dict):
            kept = {name: item for name, item in features.items() if name.startswith(_KEPT)}
            features = {name: item for name, item in features.items() if name not in kept}
            features = features[""] if list(features) == [""] else features
        outputs = self._student(features, training=training)
        outputs, hints = (outputs[0], outputs[1:]) if isinstance(outputs, list) else (outputs, [])
        if training:
            said = [kept[f"{_KEPT}{at}"] for at in range(len(kept))] if kept else self._ask(features)
            self._targets = said[0]
            if hints:
                self.add_loss(self._teacher.hint_weight * self._hints(hints, said[1:]))
        return outputs

    def compile(self, *, loss: Any, **others: Any) -> None:
        """As for any Keras model; the loss is that of the labels."""
        self._label_loss = loss
        super().compile(loss=loss, **others)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Of labels and teachers in training, of labels alone otherwise."""
        if not training:
            return super().compute_loss(x, y, y_pred, sample_weight, training=False)
        weight, temperature = self._teacher.weight, self._teacher.temperature
        soft = soft_target_loss(self._targets, class_logits(y_pred, self._from_logits), temperature)
        if sample_weight is not None:
            soft = soft * ops.cast(ops.reshape(sample_weight, (-1,)), "float32")
        labels = self._label_loss(y, y_pred, sample_weight=sample_weight)
        total = (1 - weight) * ops.cast(labels, "float32") + weight * ops.mean(soft)
        return total + sum(ops.sum(loss) for loss in self.losses)

    def _hints(self, own: list[Any], theirs: list[Any]) -> Any:
        losses = []
        for number, (mine, wanted) in enumerate(zip(own, theirs, strict=True)):
            mine = resized(ops.cast(mine, "float32"), self._sizes[number])
            if self._projections:
                error = ops.square(self._projections[number](mine) - wanted) / self._variances[number]
                losses.append(ops.mean(error))
            else:
                error = ops.square(attention(mine) - attention(wanted))
                losses.append(ops.mean(ops.sum(error, axis=-1)))
        return sum(losses) / len(losses)
