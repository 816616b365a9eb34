"""Hidden layers of a student, compared with those of a model that it learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from .observing import inputs_of

Size = tuple[int | None, ...]

_SAMPLES_FOR_SCALE = 256


class Hints:
    """Makes layers of a student give what layers of its teacher give.

    Args:
        student: A built Keras model with one output.
        teacher: A trained one.
        pairs: Names of layers, the student's before the teacher's.
        samples: Of the training; the first ones tell how large the teacher's features are.
        loss: ``features``: a learned linear projection of the student's features has to give the teacher's
            (FitNets, Romero et al. 2015, arXiv:1412.6550), as a part of their variance: a loss of 1 is that
            of a student that knows only means. ``attention``: both have to look at the same places
            (Zagoruyko & Komodakis 2017, arXiv:1612.03928).
        weight: Of the mean loss of the pairs.
        seed: Seeds the projections.

    Attributes:
        student: Gives the features that are compared after its outputs, in a list.
        teacher: The same of the teacher.
        projections: Learned with the student, and left out when it is saved.

    Raises:
        ValueError: If a layer cannot be compared.
    """

    def __init__(
        self,
        student: keras.Model,
        teacher: keras.Model,
        pairs: Sequence[tuple[str, str]],
        samples: Any,
        *,
        loss: Literal["features", "attention"] = "features",
        weight: float = 1.0,
        seed: int = 0,
    ) -> None:
        self.student = tapped(student, [own for own, _ in pairs])
        self.teacher = tapped(teacher, [theirs for _, theirs in pairs])
        self.weight = weight
        self.projections: list[Any] = []
        self._sizes = compared_sizes(student, teacher, pairs)
        if loss == "attention":
            if not all(self._sizes):
                raise ValueError("Attention needs feature maps of comparable resolution on both sides.")
            return
        outputs = self.teacher(part(samples, slice(0, _SAMPLES_FOR_SCALE)), training=False)
        features = outputs[len(teacher.outputs) :]
        given = [ops.convert_to_numpy(item) for item in self.pooled(features)]
        self._variances = [
            max(float(item.reshape(-1, item.shape[-1]).var(0).mean()), 1e-12) for item in given
        ]
        for number, (size, item) in enumerate(zip(self._sizes, given, strict=True)):
            glorot = keras.initializers.GlorotUniform(seed=seed + number)
            # Over the channels of a picture a Dense layer is a 1x1 convolution.
            projection = keras.layers.Dense(item.shape[-1], kernel_initializer=glorot, dtype="float32")
            own = self.student.outputs[len(student.outputs) + number]
            projection.build((None, *size, own.shape[-1]))
            self.projections.append(projection)

    def pooled(self, features: Sequence[Any]) -> list[Any]:
        """Features of either side at the resolutions at which they are compared."""
        return [
            resized(ops.cast(item, "float32"), size) for item, size in zip(features, self._sizes, strict=True)
        ]

    def loss(self, own: Sequence[Any], wanted: Sequence[Any]) -> Any:
        """The weighted mean loss of the pairs.

        Args:
            own: The student's features, as it gives them.
            wanted: The teacher's, pooled.
        """
        losses = []
        for number, (mine, theirs) in enumerate(zip(self.pooled(own), wanted, strict=True)):
            if self.projections:
                error = ops.square(self.projections[number](mine) - theirs) / self._variances[number]
                losses.append(ops.mean(error))
            else:
                error = ops.square(attention(mine) - attention(theirs))
                losses.append(ops.mean(ops.sum(error, axis=-1)))
        return self.weight * sum(losses) / len(losses)


def attention(features: Any) -> Any:
    """Where a feature map is active: squares summed over channels, as a unit vector for each sample."""
    flat = ops.reshape(ops.mean(ops.square(features), axis=-1), (ops.shape(features)[0], -1))
    return flat / (ops.norm(flat, axis=-1, keepdims=True) + 1e-8)


def resized(features: Any, size: Size) -> Any:
    """Average-pools a feature map, channels last, to a resolution; ``()`` takes the mean of all positions."""
    own = tuple(features.shape[1:-1])
    if own == size:
        return features
    if not size:
        return ops.mean(features, axis=tuple(range(1, len(own) + 1))) if own else features
    window = tuple(mine // wanted for mine, wanted in zip(own, size, strict=True))
    return ops.average_pool(features, window, window, "valid", "channels_last")


def compared_sizes(
    student: keras.Model, teacher: keras.Model, pairs: Sequence[tuple[str, str]]
) -> list[Size]:
    """For each pair of layers, the resolution at which it is compared; see :func:`common_size`."""
    return [
        common_size(features_of(student, own).shape[1:], features_of(teacher, theirs).shape[1:])
        for own, theirs in pairs
    ]


def common_size(student: Size, teacher: Size) -> Size:
    """The resolution at which two feature maps are compared; ``()`` is their means over all positions.

    Args:
        student: Shape of the student's, channels last, without the batch axis.
        teacher: Shape of the teacher's.
    """
    own, theirs = student[:-1], teacher[:-1]
    if own == theirs:
        return own
    if len(own) != len(theirs) or None in own or None in theirs:
        return ()
    smaller = tuple(min(pair) for pair in zip(own, theirs, strict=True))  # type: ignore[type-var]  # sizes that are known
    fits = all(
        size % small == 0  # type: ignore[operator]  # as above
        for sizes in (own, theirs)
        for size, small in zip(sizes, smaller, strict=True)
    )
    return smaller if fits else ()


def tapped(model: keras.Model, names: Sequence[str]) -> keras.Model:
    """The model with the outputs of some of its layers after its own."""
    return keras.Model(inputs_of(model), [*model.outputs, *(features_of(model, name) for name in names)])


def features_of(model: keras.Model, name: str) -> Any:
    """What a layer gives.

    Raises:
        ValueError: If it is not there, is called more than once or gives more than one tensor.
    """
    try:
        output = model.get_layer(name).output
    except AttributeError:
        output = None
    if output is None or isinstance(output, list | tuple | dict) or len(output.shape) < 2:
        raise ValueError(f"Layer {name!r} gives no single tensor of features.")
    return output


def part(samples: Any, which: slice) -> Any:
    """Some of the samples: of an array, or of a dict of them by input name."""
    if isinstance(samples, dict):
        return {name: item[which] for name, item in samples.items()}
    return samples[which]
