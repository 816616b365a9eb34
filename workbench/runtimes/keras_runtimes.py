"""The three ways in which Keras itself runs a model: layer by layer, as a graph, compiled by XLA."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from workbench.api.dataset import Features
from workbench.api.errors import Unavailable
from workbench.api.runtime import Runtime, Session
from workbench.api.text import Text, say
from workbench.api.variant import Format, RuntimeSettings
from workbench.data.batches import Prepared, batched, chosen_output, joined, ordered
from workbench.models.converting.conversion import load_keras
from workbench.models.reading.keras_layers import output_names

Call = Callable[..., Any]


class _KerasRuntime(Runtime):
    formats: ClassVar[frozenset[Format]] = frozenset({"keras"})
    packages: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")
    imports_tensorflow: ClassVar[bool] = True
    hides_savings: ClassVar[Text | None] = say(
        "Keras has a fixed cost for each layer, which hides such savings. In a runtime that is made for "
        "inference more of them shows: choose one for this variant, under “Inference”."
    )

    @override
    def unavailable(self) -> Text | None:
        for package in self.packages:
            if find_spec(package) is None:
                return say("{package} is not installed.", package=package)
        return None

    @override
    def load(self, path: Path, settings: RuntimeSettings) -> Session:
        limit_threads(settings.threads)
        return KerasSession(load_keras(path, trust=settings.trusted), self.callable_for, settings)

    @abstractmethod
    def callable_for(self, model: Any) -> Call:
        """What is called with one tensor per input, and returns the list of outputs."""


class KerasEager(_KerasRuntime):
    """The model called as a Python function, one layer after the other.

    Most of the time of a small model is Python here: this is how models are developed and
    debugged, not how they are deployed.
    """

    name: ClassVar[str] = "keras.eager"
    title: ClassVar[str] = "Keras, eager"
    slower_because: ClassVar[Text | None] = say(
        "Without tf.function every layer is called from Python, which takes longer than its work."
    )

    @override
    def callable_for(self, model: Any) -> Call:
        return _call_of(model)


class KerasFunction(_KerasRuntime):
    """The model traced once into a TensorFlow graph (``tf.function``): how Keras models are served."""

    name: ClassVar[str] = "keras.function"
    title: ClassVar[str] = "Keras, tf.function"

    @override
    def callable_for(self, model: Any) -> Call:
        return _traced(model, jit_compile=False)


class KerasXla(_KerasRuntime):
    """The graph compiled by XLA, which fuses operations.

    Compiled anew for every batch size: the first call takes seconds. On a CPU the gain is often
    none.
    """

    name: ClassVar[str] = "keras.xla"
    title: ClassVar[str] = "Keras, XLA"
    slower_because: ClassVar[Text | None] = say(
        "On CPUs XLA gains little: it fuses small operations, while the time goes into "
        "convolutions and matrix products, for which TensorFlow's own code is as fast or faster."
    )

    @override
    def callable_for(self, model: Any) -> Call:
        return _traced(model, jit_compile=True)


class KerasSession(Session):
    """A Keras model; tensors are made in :meth:`prepare`, results wait for the device."""

    def __init__(self, model: Any, callable_for: Callable[[Any], Call], settings: RuntimeSettings) -> None:
        import tensorflow as tf

        self._tf = tf
        self._names = [tensor.name for tensor in model.inputs]
        self._types = [tensor.dtype for tensor in model.inputs]
        fixed = model.inputs[0].shape[0]
        self._fixed = int(fixed) if fixed is not None else None
        self._output = chosen_output(output_names(model), settings.output) if settings.output else 0
        self._call = callable_for(model)
        shapes = [[fixed or settings.batch, *item.shape[1:]] for item in model.inputs]
        if any(None in shape for shape in shapes):
            return  # lengths that are free come with the samples: one made up here need not fit in
        self._call(*(tf.zeros(shape, dtype) for shape, dtype in zip(shapes, self._types, strict=True)))

    @override
    def prepare(self, features: Features) -> object:
        arrays = ordered(features, self._names)
        return batched(
            arrays,
            self._fixed,
            lambda batch: [
                self._tf.constant(array, dtype) for array, dtype in zip(batch, self._types, strict=True)
            ],
        )

    @override
    def infer(self, prepared: object) -> npt.NDArray[np.float32]:
        assert isinstance(prepared, Prepared)
        call, output = self._call, self._output
        # .numpy() waits for the result.
        return joined([call(*batch)[output].numpy() for batch in prepared.batches], prepared.count)

    @override
    def close(self) -> None:
        del self._call


_thread_limit: int | None = None


def limit_threads(threads: int) -> None:
    """Gives TensorFlow its number of threads, where this process imports it first.

    TensorFlow takes the number once per process. A process that only measures imports it here, so
    the number is exact. In a worker that trains, TensorFlow already runs with all cores: its
    predictions are the same, and it must keep them, so nothing is changed there.

    Args:
        threads: Threads inside and between operations.

    Raises:
        Unavailable: If a session of this process was given another number before.
    """
    global _thread_limit
    if _thread_limit is None and "tensorflow" not in sys.modules:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        _thread_limit = threads
    elif _thread_limit not in (None, threads):
        raise Unavailable(
            say(
                "TensorFlow already runs with {before} threads in this process and cannot change to {now}.",
                before=_thread_limit,
                now=threads,
            ),
            say("Compare Keras variants with the same number of threads."),
        )


def _call_of(model: Any) -> Call:
    import keras

    structure = model.input if not isinstance(model.inputs, list) or len(model.inputs) > 1 else None

    def call(*tensors: Any) -> list[Any]:
        packed = tensors[0] if structure is None else keras.tree.pack_sequence_as(structure, list(tensors))
        outputs: list[Any] = keras.tree.flatten(model(packed, training=False))
        return outputs

    return call


def _traced(model: Any, *, jit_compile: bool) -> Call:
    import tensorflow as tf

    # Lengths that are free are traced as they come, as Keras' own predict does: some layers, such as
    # TimeDistributed, fail on a length that is not known.
    free = any(None in item.shape[1:] for item in model.inputs)
    signature = (
        None if free else [tf.TensorSpec(item.shape, item.dtype, name=item.name) for item in model.inputs]
    )
    traced: Call = tf.function(
        _call_of(model), input_signature=signature, jit_compile=jit_compile, autograph=False
    )
    return traced
