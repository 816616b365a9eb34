"""How long a Keras model takes in LiteRT beside another one: a short look, to choose between models."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .export import export_litert

BLOCKS = 9
RUNS = 8
DISCARDED = 2


class TimeRatio:
    """A model in LiteRT, ready to run beside others.

    Args:
        model: A built ``keras.Model``.
        samples: One batch: an array, or one for each input by its name.
        threads: Of each model.
        export: Writes a model as a LiteRT file.
        check: Called often; it may raise to end the measurement.
    """

    def __init__(
        self,
        model: Any,
        samples: Any,
        threads: int | None,
        *,
        export: Callable[[Any, Path], object] = export_litert,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._samples, self._threads, self._export, self._check = samples, threads, export, check
        self._whole = self._interpreter(model)

    def of(self, model: Any) -> float:
        """Time of another model as a part of that of the first: the median over blocks run in turn."""
        mine, ratios = self._interpreter(model), []
        for block in range(BLOCKS):
            self._check()
            # Neither is always the one that runs into a cold cache.
            if block % 2:
                time = _seconds(mine)
                ratios.append(time / _seconds(self._whole))
            else:
                time = _seconds(self._whole)
                ratios.append(_seconds(mine) / time)
        return float(np.median(ratios))

    def _interpreter(self, model: Any) -> Any:
        """An interpreter with samples in it."""
        from ai_edge_litert.interpreter import Interpreter

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "candidate.tflite"
            self._export(model, path)
            interpreter = Interpreter(model_content=path.read_bytes(), num_threads=self._threads)
        signature = next(iter(interpreter.get_signature_list()))
        inputs = interpreter.get_signature_runner(signature).get_input_details()
        several = isinstance(self._samples, Mapping)
        placed = {}
        for name, detail in inputs.items():
            batch = self._samples[name] if several else self._samples
            if detail["shape_signature"][0] != -1:  # a recurrent model takes so many at a time
                batch = batch[: detail["shape"][0]]
            placed[detail["index"]] = np.asarray(batch, detail["dtype"])
            interpreter.resize_tensor_input(detail["index"], batch.shape)
        interpreter.allocate_tensors()
        for index, batch in placed.items():
            interpreter.set_tensor(index, batch)
        return interpreter


def _seconds(interpreter: Any) -> float:
    """Median seconds of a run."""
    times = []
    for _ in range(DISCARDED + RUNS):
        start = perf_counter()
        interpreter.invoke()
        times.append(perf_counter() - start)
    return float(np.median(times[DISCARDED:]))
