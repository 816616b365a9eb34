"""Runs a file in ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..batches import Samples, in_batches, of_input
from ..outputs import position


def load(
    path: Path | str, *, threads: int = 1, output: tuple[str, int] | None = None
) -> Callable[[Samples], Any]:
    """A function that gives predictions for samples.

    Args:
        path: An ``.onnx`` file.
        threads: Threads inside one inference.
        output: Name and position of the output in the model; None is the first of the file.
    """
    # It reports its use to its maker unless told otherwise before it is imported.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_outputs()]
    wanted = [names[position(names, output) if output else 0]]
    size = session.get_inputs()[0].shape[0]

    def run(samples: Samples) -> Any:
        given = {item.name: of_input(samples, item.name) for item in session.get_inputs()}
        return session.run(wanted, given)[0]

    return lambda samples: in_batches(run, samples, size if isinstance(size, int) else None)
