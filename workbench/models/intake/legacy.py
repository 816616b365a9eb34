"""Reads files of Keras 1 and 2, and Keras SavedModel folders, through tf_keras in its own process.

tf_keras and Keras 3 cannot both own a process's Keras, and tf_keras knows no safe mode for ``.h5``:
so it runs confined, after :mod:`workbench.models.intake.inspection` has refused whatever carries code.

As a program (``python -m workbench.models.intake.legacy ADDRESS_SPACE CPU_SECONDS SOURCE FOLDER WORD``,
where WORD is ``safe`` or ``trusted``) it writes into FOLDER what the model is, as plain data
(:mod:`workbench.models.intake.legacy_graph`: ``graph.json``, ``arrays.npz``), and ``reference.npz``: random
inputs (``input_0``, ...) and what the model makes of them (``output_0``, ...).
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.library_errors import reason_of
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import TensorSpec
from workbench.jobs.child_process import ChildExit, ChildLimits, limit_this_process, run_limited
from workbench.jobs.lean_import import without_what_is_taken_along
from workbench.models.intake.findings import size_text
from workbench.models.intake.legacy_archive import read_archive
from workbench.models.intake.legacy_graph import described
from workbench.models.intake.parity import Arrays, tried_inputs

_GRAPH, _ARRAYS, _REFERENCE = "graph.json", "arrays.npz", "reference.npz"
_BASE_BYTES = 12 << 30
"""TensorFlow maps several GiB before it loads anything."""


@dataclass(frozen=True)
class ReadByKeras2:
    """What tf_keras made of a file.

    Attributes:
        graph: The model's layers and calls; see :func:`workbench.models.intake.legacy_graph.described`.
        arrays: Its weights and constants.
        inputs: Random inputs.
        outputs: What the model made of them.
    """

    graph: dict[str, Any]
    arrays: dict[str, Any]
    inputs: Arrays
    outputs: Arrays


def read_in_keras_2(
    report: Reporter, source: Path, folder: Path, otherwise: Text, *, trust: bool = False
) -> ReadByKeras2:
    """Lets tf_keras load a model, describe it and run it once.

    Args:
        report: Asked for cancellation.
        source: An ``.h5`` or ``.keras`` file of Keras 1 or 2, or a SavedModel folder.
        folder: An empty folder to write into.
        otherwise: What to do where it cannot be read.
        trust: Whether code inside the file may run.

    Raises:
        workbench.api.errors.InvalidInput: If tf_keras cannot read it, with the reason.
    """
    import numpy as np

    size = sum(item.stat().st_size for item in [source, *source.rglob("*")] if item.is_file())
    limits = ChildLimits(address_space_bytes=_BASE_BYTES + 8 * size, cpu_seconds=240, wall_seconds=200)
    arguments = [str(source), str(folder), "trusted" if trust else "safe"]
    ended = run_limited("workbench.models.intake.legacy", arguments, limits, report)
    if ended.code != 0 or not (folder / _REFERENCE).is_file():
        raise InvalidInput(
            say(
                "Keras 2 cannot read {name}: {reason}",
                name=source.name,
                reason=_reason(ended, limits),
            ),
            otherwise,
        )
    with np.load(folder / _REFERENCE, allow_pickle=False) as stored:
        inputs = [stored[f"input_{i}"] for i in range(sum(name.startswith("input_") for name in stored))]
        outputs = [stored[f"output_{i}"] for i in range(sum(name.startswith("output_") for name in stored))]
    with np.load(folder / _ARRAYS, allow_pickle=False) as stored:
        arrays = dict(stored)
    return ReadByKeras2(json.loads((folder / _GRAPH).read_text()), arrays, inputs, outputs)


def _reason(ended: ChildExit, limits: ChildLimits) -> Text:
    if ended.out_of_time:
        return say("it took longer than {seconds} s.", seconds=round(limits.wall_seconds))
    if ended.signal_name:
        return say(
            "its process was ended by {signal} (limits: {memory} of address space, {seconds} s of CPU time).",
            signal=ended.signal_name,
            memory=size_text(limits.address_space_bytes),
            seconds=limits.cpu_seconds,
        )
    said = ended.output.strip().splitlines()
    if said and said[-1].startswith('{"reason"'):
        return say("{reason}.", reason=str(json.loads(said[-1])["reason"]).rstrip("."))
    return say("{reason}.", reason=(ended.last_line or f"status {ended.code}").rstrip("."))


def _read(source: Path, folder: Path, *, trust: bool) -> None:
    import numpy as np

    with without_what_is_taken_along():
        import tf_keras

    model = read_archive(source, trust=trust)
    if model is None:
        model = tf_keras.models.load_model(source, compile=False, safe_mode=not trust)
    if not getattr(model, "inputs", None):
        raise ValueError("The model has no known input shape.")
    specs = [
        TensorSpec(name=tensor.name, shape=tuple(tensor.shape[1:]), dtype=tensor.dtype.name)
        for tensor in model.inputs
    ]
    inputs, outputs = tried_inputs(model, specs, batch=model.inputs[0].shape[0])
    graph, arrays = described(model)
    (folder / _GRAPH).write_text(json.dumps(graph))
    np.savez(folder / _ARRAYS, **arrays)
    stored: dict[str, Any] = {f"input_{i}": array for i, array in enumerate(inputs)}
    stored |= {f"output_{i}": array for i, array in enumerate(outputs)}
    np.savez(folder / _REFERENCE, **stored)


def main() -> None:
    """Loads SOURCE and writes into FOLDER."""
    source, folder, trust = limit_this_process(sys.argv[1:])
    try:
        _read(Path(source), Path(folder), trust=trust == "trusted")
    # whatever Keras raises on a broken file becomes one sentence for the user
    except Exception as error:
        reason = reason_of(error)
        sys.stdout.write("\n" + json.dumps({"reason": reason}) + "\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
