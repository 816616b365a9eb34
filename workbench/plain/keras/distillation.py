"""A model that learns from trained models besides the labels.

The student minimizes ``(1 - weight) * cross-entropy(labels) + weight * T**2 * KL(teachers || student)``, both
sides of the divergence softened by the temperature T (Hinton et al. 2015, arXiv:1503.02531), plus the loss
of its hints. Several teachers count as one whose softened probabilities are the mean of theirs. A head may
end in softmax, give raw scores, or be a single score of the second of two classes, on either side; it may
give them for each position. Of labels that are each there or not, each is such a pair of classes. Where
numbers are predicted, what the teachers say takes the place of the labels: nothing is softened, and the loss
is the same. Of several outputs, each learns from the same output of the teachers, and the losses are added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from .hidden_layers import Hints, part

Answers = Literal["classes", "labels", "numbers"]
"""What an output is: scores of classes, of which one is right; of labels, each there or not; or numbers."""

_SMALLEST = 1e-30
"""Added before a logarithm; a probability that small moves nothing at any temperature in use."""
_SMALLEST_SINGLE = 1e-7
_KEPT = "/teacher "
"""What a teacher said travels beside the inputs under names with a slash, which no input can have."""


class Teachers:
    """Says what trained models say about samples: softened probabilities, then the features of each hint.

    Args:
        models: Keras models with one output, or such as ``by_name`` of ``plain.keras.several_outputs`` makes;
            not changed.
        from_logits: Whether the output of each is raw scores; of several outputs by their names.
        temperature: Divides the raw scores before softmax; above 1 it lets small scores be seen.
        hints: Hidden layers of the first of the models that are compared with the student's.
        answers: What the models give; of several outputs by their names.
    """

    def __init__(
        self,
        models: Sequence[keras.Model],
        *,
        from_logits: Sequence[bool | Mapping[str, bool]],
        temperature: float = 4.0,
        hints: Hints | None = None,
        answers: Answers | Mapping[str, Answers] = "classes",
    ) -> None:
        self.answers: Mapping[str, Answers] = {"": answers} if isinstance(answers, str) else answers
        self.models = list(models) if hints is None else [hints.teacher, *models[1:]]
        self.from_logits = from_logits
        self.temperature = temperature
        self.hints = hints

    def __call__(self, samples: Any) -> list[Any]:
        """Asks the teachers; nothing learns from it."""
        soft: dict[str, list[Any]] = {name: [] for name in self.names}
        features: list[Any] = []
        for number, (model, from_logits) in enumerate(zip(self.models, self.from_logits, strict=True)):
            outputs, hidden = self.parted(model(samples, training=False))
            features = features if number else hidden
            for name, output in outputs.items():
                raw = from_logits if isinstance(from_logits, bool) else from_logits[name]
                soft[name].append(self.softened(output, raw, name))
        pooled = [] if self.hints is None else self.hints.pooled(features)
        means = [sum(said) / len(said) for said in soft.values()]
        return [ops.stop_gradient(item) for item in (*means, *pooled)]

    @property
    def names(self) -> list[str]:
        """Names of the outputs in the order in which Keras flattens a dict; an empty one for a single one."""
        return sorted(self.answers)

    def parted(self, given: Any) -> tuple[dict[str, Any], list[Any]]:
        """What a model gives: its outputs by name, and the features after them."""
        flat = keras.tree.flatten(given)
        return dict(zip(self.names, flat, strict=False)), flat[len(self.answers) :]

    def softened(self, outputs: Any, from_logits: bool, name: str = "") -> Any:
        """What one of them says, from one of its outputs."""
        answers = self.answers[name]
        if answers == "numbers":
            return ops.cast(outputs, "float32")
        return softened(_paired(outputs, answers), from_logits, self.temperature)

    def loss(
        self,
        said: Any,
        outputs: Any,
        from_logits: bool,
        label_loss: Callable[..., Any],
        sample_weight: Any = None,
        name: str = "",
    ) -> Any:
        """How far an output is from what the teachers say: of each sample, or of all where it is numbers.

        Args:
            said: As :meth:`softened` gives it.
            outputs: Of the student.
            from_logits: Whether they are raw scores.
            label_loss: Compares numbers.
            sample_weight: How much each sample counts; once if None.
            name: Of the output.
        """
        answers = self.answers[name]
        if answers == "numbers":
            return ops.cast(label_loss(said, outputs, sample_weight=sample_weight), "float32")
        own = class_logits(_paired(outputs, answers), from_logits)
        found = soft_target_loss(said, own, self.temperature)
        if sample_weight is None:
            return found
        # one number for each sample, and as many axes as there are labels or positions
        axes = [1] * (len(found.shape) - 1)
        return found * ops.cast(ops.reshape(sample_weight, (-1, *axes)), "float32")

    def numbers(
        self, samples: Any, batch_size: int = 256, check: Callable[[], None] | None = None
    ) -> np.ndarray[Any, Any]:
        """The mean of the outputs as they are, to be learned where there are no labels.

        Args:
            samples: An array, or a dict of arrays by input name.
            batch_size: Samples that are asked about at once.
            check: Called before each batch.
        """
        count = len(next(iter(samples.values())) if isinstance(samples, dict) else samples)
        found = []
        for start in range(0, count, batch_size):
            if check is not None:
                check()
            some = part(samples, slice(start, start + batch_size))
            outputs = [model(some, training=False) for model in self.models]
            firsts = [one[0] if isinstance(one, list) else one for one in outputs]
            found.append(np.mean([ops.convert_to_numpy(one) for one in firsts], axis=0, dtype="float32"))
        return np.concatenate(found)

    def beside(self, samples: Any, batch_size: int, check: Callable[[], None] | None = None) -> Any:
        """The samples with what the teachers say about each beside them: asked once, not every epoch.

        Args:
            samples: An array, or a dict of arrays by input name.
            batch_size: Samples that are asked about at once.
            check: Called before each batch.
        """
        import tensorflow as tf

        ask = tf.function(self, reduce_retracing=True, autograph=False)
        inputs = samples if isinstance(samples, dict) else {"": samples}
        parts: list[list[Any]] = []
        for start in range(0, len(next(iter(inputs.values()))), batch_size):
            if check is not None:
                check()
            parts.append([item.numpy() for item in ask(part(samples, slice(start, start + batch_size)))])
        kept = [np.concatenate(items) for items in zip(*parts, strict=True)]
        return {**inputs, **{f"{_KEPT}{number}": item for number, item in enumerate(kept)}}


class DistilledModel(keras.Model):
    """Fits a student to labels and to what its teachers say.

    Training it trains the student, whose weights it shares; called on samples it gives the student's output,
    and its loss outside of training is that of the labels alone.

    ``keras.distillation.Distiller`` is not used: in 3.15 its default loss compares raw scores, a single
    output is softened to the constant 1, the student's regularization is dropped, features cost a second
    pass through the student, and what the teacher says cannot be kept.

    Args:
        student: A built Keras model with one output, or one that gives several by name.
        teachers: What they say counts beside the labels.
        from_logits: Whether the student's output is raw scores; of several outputs by their names.
        weight: Of the teachers' scores, 0 to 1; at 1 the labels are not used.
    """

    def __init__(
        self,
        student: keras.Model,
        teachers: Teachers,
        *,
        from_logits: bool | Mapping[str, bool],
        weight: float = 0.5,
    ) -> None:
        super().__init__(name="distilled")
        hints = teachers.hints
        self._student = student if hints is None else hints.student
        self._from_logits = {"": from_logits} if isinstance(from_logits, bool) else from_logits
        self._weight = weight
        # Keras would count a teacher that is an attribute among the weights to be kept and restored.
        self._teachers = teachers
        self._projections = [] if hints is None else hints.projections

    def call(self, features: Any, training: bool = False) -> Any:
        """The student's output; in training, what the teachers say is worked out on the way."""
        kept = {}
        if isinstance(features, dict):
            kept = {name: item for name, item in features.items() if name.startswith(_KEPT)}
            features = {name: item for name, item in features.items() if name not in kept}
            features = features[""] if list(features) == [""] else features
        outputs, own = self._teachers.parted(self._student(features, training=training))
        if training:
            said = [kept[f"{_KEPT}{at}"] for at in range(len(kept))] if kept else self._teachers(features)
            self._targets, hidden = self._teachers.parted(said)
            if self._teachers.hints is not None:
                self.add_loss(self._teachers.hints.loss(own, hidden))
        return outputs.get("", outputs)

    def compile(self, *, loss: Any, loss_weights: Mapping[str, float] | None = None, **others: Any) -> None:
        """As for any Keras model; the loss is that of the labels."""
        self._label_loss = loss if isinstance(loss, Mapping) else {"": loss}
        self._loss_weights = dict.fromkeys(self._label_loss, 1.0) if loss_weights is None else loss_weights
        super().compile(loss=loss, loss_weights=loss_weights, **others)

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
        total = 0.0
        for name, label_loss in self._label_loss.items():
            own, true, counted = (
                given[name] if isinstance(given, Mapping) else given for given in (y_pred, y, sample_weight)
            )
            labels = label_loss(true, own, sample_weight=counted)
            raw = self._from_logits[name]
            soft = self._teachers.loss(self._targets[name], own, raw, label_loss, counted, name)
            each = (1 - self._weight) * ops.cast(labels, "float32") + self._weight * ops.mean(soft)
            total += each if len(self._label_loss) == 1 else self._loss_weights[name] * each
        return total + sum(ops.sum(loss) for loss in self.losses)


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


def _paired(outputs: Any, answers: Answers) -> Any:
    """Scores of classes; a label that is there or not is a pair of them, of which the second is scored."""
    return ops.expand_dims(outputs, -1) if answers == "labels" else outputs


def softened(scores: Any, from_logits: bool, temperature: float) -> Any:
    """The probabilities of a head at a temperature; arguments as of :func:`class_logits`."""
    return ops.softmax(class_logits(scores, from_logits) / temperature, axis=-1)


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
