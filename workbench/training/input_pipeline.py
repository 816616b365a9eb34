"""How samples reach the training step. Importing it imports Keras and TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from workbench.api.dataset import Features, is_large
from workbench.training.parameters import PipelineName, TrainingSettings

_AHEAD = 2
"""Batches that are read while the model computes: of large pictures, each takes tens of megabytes."""


@dataclass(frozen=True)
class Feed:
    """What a model is fitted to, and how it gets there.

    Attributes:
        features: The samples, as arrays or memory maps.
        targets: What the loss compares the output with.
        settings: Pipeline, batch size, seed.
        change: Changes a batch, its features and its targets; None leaves it.
        class_weight: Weight of each class; None is 1.
        sample_weight: Weight of each sample, with an axis for each axis of the loss; None is 1.
    """

    features: Features
    targets: npt.NDArray[np.generic]
    settings: TrainingSettings
    change: Callable[[Any, Any], tuple[Any, Any]] | None = None
    class_weight: dict[int, float] | None = None
    sample_weight: npt.NDArray[np.float32] | None = None

    def fit(self, model: keras.Model, *, epochs: int, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Fits a compiled model."""
        settings = self.settings
        data: dict[str, Any]
        if settings.pipeline == "arrays" and is_large(self.features):
            data = {
                "x": as_keras_does(self.features, self.targets, settings.batch_size, self.sample_weight),
                "shuffle": False,
            }
        elif settings.pipeline == "arrays":
            data = {
                "x": self.features,
                "y": self.targets,
                "batch_size": settings.batch_size,
                "sample_weight": self.sample_weight,
            }
        else:
            data = {"x": self._batches(), "shuffle": False}  # it is shuffled already
        model.fit(**data, epochs=epochs, callbacks=list(callbacks), class_weight=self.class_weight, verbose=0)

    def fit_ready(
        self, model: keras.Model, *, epochs: int, callbacks: Sequence[keras.callbacks.Callback]
    ) -> None:
        """Fits it to one batch again and again, as often in an epoch as there are batches."""
        dataset = self._batches()
        first = dataset.take(1).map(lambda *batch: tf.nest.map_structure(_of_any_size, batch)).cache()
        model.fit(
            first.repeat(int(dataset.cardinality())),
            epochs=epochs,
            callbacks=list(callbacks),
            class_weight=self.class_weight,
            shuffle=False,
            verbose=0,
        )

    def _batches(self) -> tf.data.Dataset:
        return batches(
            self.features,
            self.targets,
            self.settings.pipeline,
            batch_size=self.settings.batch_size,
            seed=self.settings.seed,
            change=self.change,
            weights=self.sample_weight,
        )


def batches(
    features: Features,
    targets: npt.NDArray[np.generic],
    pipeline: PipelineName,
    *,
    batch_size: int,
    seed: int,
    change: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    weights: npt.NDArray[np.float32] | None = None,
) -> tf.data.Dataset:
    """One epoch of batches in random order, another order in each epoch.

    Args:
        features: The samples, as arrays or memory maps.
        targets: What the loss compares the output with.
        pipeline: ``from file``, ``cache``, ``prefetch`` or ``parallel map``; each does more than the one
            before.
        batch_size: Samples in a batch; the last one may be smaller.
        seed: Of the order.
        change: Changes a batch, its features and its targets. What it draws at random it draws in the
            order of the batches, but with ``parallel map``, where threads race for it.
        weights: How much each sample counts; each batch has a third part then.
    """
    parallel = tf.data.AUTOTUNE if pipeline == "parallel map" else None
    rows = tf.data.Dataset.range(len(targets)).shuffle(len(targets), seed=seed).batch(batch_size)
    read = _from_file if pipeline == "from file" or is_large(features) else _from_memory
    dataset = rows.map(read(_parts(features, targets, weights)), num_parallel_calls=parallel)
    if change is not None:
        changed = change
        dataset = dataset.map(lambda x, y, *counted: (*changed(x, y), *counted), num_parallel_calls=parallel)
    return dataset.prefetch(tf.data.AUTOTUNE) if pipeline in ("prefetch", "parallel map") else dataset


def _parts(
    features: Features, targets: npt.NDArray[np.generic], weights: npt.NDArray[np.float32] | None
) -> tuple[Any, ...]:
    return (features, targets) if weights is None else (features, targets, weights)


def as_keras_does(
    features: Features,
    targets: npt.NDArray[np.generic],
    batch_size: int,
    weights: npt.NDArray[np.float32] | None = None,
) -> tf.data.Dataset:
    """The batches that Keras makes of arrays, in the same random order, of samples that stay on the disk.

    Keras would hold all of them. The order comes from the global seed and from how the operations follow each
    other, so they follow each other here as they do there.

    Args:
        features: The samples.
        targets: What the loss compares the output with.
        batch_size: Samples in a batch; the last one may be smaller.
        weights: How much each sample counts; each batch has a third part then.
    """
    count, full = len(targets), len(targets) // batch_size

    def permutation(_: Any) -> Any:
        return tf.random.shuffle(tf.range(count, dtype=tf.int64))

    def in_batches(rows: Any) -> tf.data.Dataset:
        parts = tf.data.Dataset.from_tensor_slices(tf.reshape(rows[: full * batch_size], (full, batch_size)))
        if count % batch_size:
            parts = parts.concatenate(tf.data.Dataset.from_tensors(rows[full * batch_size :]))
        return parts

    rows = tf.data.Dataset.range(1).map(permutation).flat_map(in_batches)
    batches = rows.map(_from_file(_parts(features, targets, weights)), num_parallel_calls=tf.data.AUTOTUNE)
    return batches.apply(tf.data.experimental.assert_cardinality(-(-count // batch_size))).prefetch(_AHEAD)


def _of_any_size(tensor: Any) -> Any:
    # With the batch axis free, as it is in the real input: the compiled step is not traced again.
    return tf.compat.v1.placeholder_with_default(tensor, (None, *tensor.shape[1:]))


def _from_memory(arrays: Any) -> Callable[[Any], Any]:
    tensors = tf.nest.map_structure(tf.constant, arrays)
    return lambda rows: tf.nest.map_structure(lambda tensor: tf.gather(tensor, rows), tensors)


def _from_file(arrays: Any) -> Callable[[Any], Any]:
    def part(array: Any, rows: Any) -> Any:
        if tf.is_tensor(array):  # text, which has no file of its own form
            return tf.gather(array, rows)
        values = tf.numpy_function(lambda wanted: array[wanted], [rows], array.dtype)
        return tf.ensure_shape(values, (None, *array.shape[1:]))

    return lambda rows: tf.nest.map_structure(lambda array: part(array, rows), arrays)
