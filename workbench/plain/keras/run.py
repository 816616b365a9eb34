"""Runs a Keras model on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import keras
import tensorflow as tf

from ..batches import Samples, in_batches, of_input


def load(
    path: Path | str,
    *,
    threads: int = 1,
    way: Literal["eager", "function", "xla"] = "function",
    output: int = 0,
    safe_mode: bool = True,
) -> Callable[[Samples], Any]:
    """A function that gives predictions for samples.

    Args:
        path: A ``.keras`` file.
        threads: Threads inside one inference; TensorFlow takes the number once in a process.
        way: Operation by operation, as one graph, or as one graph that XLA compiles.
        output: Position of the output.
        safe_mode: Whether code inside the file must not run.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    model = keras.models.load_model(path, compile=False, safe_mode=safe_mode)
    call = partial(model, training=False)
    if way != "eager":
        call = tf.function(call, jit_compile=way == "xla")

    def run(samples: Samples) -> Any:
        # Keras takes text as a tensor only.
        arrays = [of_input(samples, tensor.name) for tensor in model.inputs]
        arrays = [tf.constant(x) if x.dtype.kind in "OSU" else x for x in arrays]
        inputs = arrays[0] if len(arrays) == 1 else keras.tree.pack_sequence_as(model.input, arrays)
        return keras.tree.flatten(call(inputs))[output]

    return lambda samples: in_batches(run, samples, model.inputs[0].shape[0])
