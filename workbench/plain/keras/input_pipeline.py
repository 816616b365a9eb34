"""How samples reach the training step, as batches in random order. Importing it imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_AHEAD = 2
"""Batches that are read while the model computes: of large pictures, each takes tens of megabytes."""


def shuffled_batches(
    features: Any,
    targets: Any,
    *,
    batch_size: int,
    seed: int,
    weights: Any = None,
    change: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    held: bool = True,
    prefetch: bool = False,
    parallel: bool = False,
) -> tf.data.Dataset:
    """One epoch of batches in random order, another order in each epoch.

    Args:
        features: The samples: an array or a memory map, or several by the name of the input.
        targets: What the loss compares the output with: an array, or one for each output by its name.
        batch_size: Samples in a batch; the last one may be smaller.
        seed: Of the order.
        weights: How much each sample counts; each batch has a third part then.
        change: Changes a batch, its features and its targets. What it draws at random it draws in the
            order of the batches, but with ``parallel``, where threads race for it.
        held: Whether all samples are kept in memory, as tensors; else they are read when they are needed.
        prefetch: Whether the next batches are prepared during a step.
        parallel: Whether several threads prepare them.
    """
    threads = tf.data.AUTOTUNE if parallel else None
    count = len(tf.nest.flatten(targets)[0])
    rows = tf.data.Dataset.range(count).shuffle(count, seed=seed).batch(batch_size)
    read = _from_memory if held else _from_file
    dataset = rows.map(read(_parts(features, targets, weights)), num_parallel_calls=threads)
    if change is not None:
        changed = change
        dataset = dataset.map(lambda x, y, *counted: (*changed(x, y), *counted), num_parallel_calls=threads)
    return dataset.prefetch(tf.data.AUTOTUNE) if prefetch else dataset


def as_keras_does(
    features: Any,
    targets: Any,
    batch_size: int,
    weights: Any = None,
) -> tf.data.Dataset:
    """The batches that Keras makes of arrays, in the same random order, of samples that stay on the disk.

    Keras would hold all of them. The order comes from the global seed and from how the operations follow each
    other, so they follow each other here as they do there.

    Args:
        features: The samples.
        targets: What the loss compares the output with: an array, or one for each output by its name.
        batch_size: Samples in a batch; the last one may be smaller.
        weights: How much each sample counts; each batch has a third part then.
    """
    count = len(tf.nest.flatten(targets)[0])
    full = count // batch_size

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


def one_batch_again(batches: tf.data.Dataset) -> tf.data.Dataset:
    """The first batch, ready in memory, as often as there are batches: a step on it waits for nothing.

    Args:
        batches: An epoch.
    """
    first = batches.take(1).map(lambda *batch: tf.nest.map_structure(_of_any_size, batch)).cache()
    return first.repeat(int(batches.cardinality()))


def _of_any_size(tensor: Any) -> Any:
    # With the batch axis free, as it is in the real input: the compiled step is not traced again.
    return tf.compat.v1.placeholder_with_default(tensor, (None, *tensor.shape[1:]))


def _parts(features: Any, targets: Any, weights: Any) -> tuple[Any, ...]:
    return (features, targets) if weights is None else (features, targets, weights)


def _from_memory(arrays: Any) -> Callable[[Any], Any]:
    tensors = tf.nest.map_structure(tf.constant, arrays)
    return lambda rows: tf.nest.map_structure(lambda tensor: tf.gather(tensor, rows), tensors)


def _from_file(arrays: Any) -> Callable[[Any], Any]:
    def part(array: Any, rows: Any) -> Any:
        if tf.is_tensor(array) or array.dtype.kind == "U":  # text, which has no file of its own form
            return tf.gather(array, rows)
        values = tf.numpy_function(lambda wanted: array[wanted], [rows], array.dtype)
        return tf.ensure_shape(values, (None, *array.shape[1:]))

    return lambda rows: tf.nest.map_structure(lambda array: part(array, rows), arrays)
