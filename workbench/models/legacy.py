"""Reads files of Keras 1 and 2, and Keras SavedModel folders, through tf_keras in its own process.

tf_keras and Keras 3 cannot both own a process's Keras, and tf_keras knows no safe mode for ``.h5``:
so it runs confined, after :mod:`workbench.models.inspection` has refused whatever carries code.

As a program (``python -m workbench.models.legacy ADDRESS_SPACE CPU_SECONDS SOURCE FOLDER WORD``,
where WORD is ``safe`` or ``trusted``) it writes into FOLDER ``saved_again.h5``, without optimizer
state, and ``reference.npz``: random inputs (``input_0``, ...) and what the model makes of them
(``output_0``, ...).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import InvalidInput
from workbench.models.confined import Allowance, Ended, confine_this_process, run_confined
from workbench.models.findings import size_text
from workbench.models.parity import Arrays, tried_inputs
from workbench.technique import Reporter
from workbench.text import Text, say
from workbench.variant import TensorSpec

_AGAIN, _REFERENCE = "saved_again.h5", "reference.npz"
_BASE_BYTES = 12 << 30
"""TensorFlow maps several GiB before it loads anything."""


@dataclass(frozen=True)
class SavedAgain:
    """What tf_keras made of a file.

    Attributes:
        path: The model, saved again as ``.h5`` by the newest Keras 2.
        inputs: Random inputs.
        outputs: What the model made of them.
    """

    path: Path
    inputs: Arrays
    outputs: Arrays


def save_again(report: Reporter, source: Path, folder: Path, *, trust: bool = False) -> SavedAgain:
    """Lets tf_keras load a model and save it again.

    Args:
        report: Asked for cancellation.
        source: An ``.h5`` or ``.keras`` file of Keras 1 or 2, or a SavedModel folder.
        folder: An empty folder to write into.
        trust: Whether code inside the file may run.

    Raises:
        workbench.errors.InvalidInput: If tf_keras cannot read it, with the reason.
    """
    import numpy as np

    size = sum(item.stat().st_size for item in [source, *source.rglob("*")] if item.is_file())
    allowance = Allowance(address_space_bytes=_BASE_BYTES + 8 * size, cpu_seconds=240, wall_seconds=200)
    arguments = [str(source), str(folder), "trusted" if trust else "safe"]
    ended = run_confined("workbench.models.legacy", arguments, allowance, report)
    if ended.code != 0 or not (folder / _REFERENCE).is_file():
        raise InvalidInput(
            say(
                "Keras 2 cannot read {name} either: {reason}",
                name=source.name,
                reason=_reason(ended, allowance),
            ),
            say("Save the model as a .keras file with the Keras that made it, and open that."),
        )
    with np.load(folder / _REFERENCE, allow_pickle=False) as stored:
        inputs = [stored[f"input_{i}"] for i in range(sum(name.startswith("input_") for name in stored))]
        outputs = [stored[f"output_{i}"] for i in range(sum(name.startswith("output_") for name in stored))]
    return SavedAgain(folder / _AGAIN, inputs, outputs)


def _reason(ended: Ended, allowance: Allowance) -> Text:
    if ended.out_of_time:
        return say("it took longer than {seconds} s.", seconds=round(allowance.wall_seconds))
    if ended.signal_name:
        return say(
            "its process was ended by {signal} (limits: {memory} of address space, {seconds} s of CPU time).",
            signal=ended.signal_name,
            memory=size_text(allowance.address_space_bytes),
            seconds=allowance.cpu_seconds,
        )
    said = ended.output.strip().splitlines()
    if said and said[-1].startswith('{"reason"'):
        return say("{reason}", reason=str(json.loads(said[-1])["reason"]))
    return say("{reason}", reason=ended.last_line or f"status {ended.code}")


def _save_again(source: Path, folder: Path, *, trust: bool) -> None:
    import h5py
    import numpy as np
    import tf_keras

    model = tf_keras.models.load_model(source, compile=False, safe_mode=not trust)
    if not getattr(model, "inputs", None):
        raise ValueError("The model has no known input shape.")
    specs = [
        TensorSpec(name=tensor.name, shape=tuple(tensor.shape[1:]), dtype=tensor.dtype.name)
        for tensor in model.inputs
    ]
    inputs, outputs = tried_inputs(model, specs, batch=model.inputs[0].shape[0])
    model.save(folder / _AGAIN, save_format="h5", include_optimizer=False)
    with h5py.File(folder / _AGAIN, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        as_keras_3(config)
        file.attrs["model_config"] = json.dumps(config).encode()
    stored: dict[str, Any] = {f"input_{i}": array for i, array in enumerate(inputs)}
    stored |= {f"output_{i}": array for i, array in enumerate(outputs)}
    np.savez(folder / _REFERENCE, **stored)


def as_keras_3(config: Any) -> None:
    """Rewrites, in place, what Keras 3 reads otherwise in a configuration of Keras 2.

    - ``DepthwiseConv2D`` no longer takes ``groups``, which never had an effect.
    - ``BatchNormalization`` takes its axis as a number, no longer as a list of one.
    - A functional model writes a single input or output as such, no longer as a list of one, which
      now means that it takes or gives a list.
    - Both count from 1 the calls of a nested functional model, whose own graph is call 0. Keras 2
      did the same for a nested Sequential; Keras 3 counts those from 0.

    Args:
        config: A model's configuration, as Keras 2 wrote it.
    """
    inner = config.get("config") if isinstance(config, dict) else None
    if not isinstance(inner, dict):
        return
    if config.get("class_name") == "DepthwiseConv2D":
        inner.pop("groups", None)
    axis = inner.get("axis")
    if config.get("class_name") == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        inner["axis"] = axis[0]
    as_keras_3(inner.get("layer"))  # of a wrapper
    layers = inner.get("layers")
    if not isinstance(layers, list):
        return
    for layer in layers:
        as_keras_3(layer)
    graph = [layer.get("inbound_nodes") for layer in layers]
    graph += [inner.get("input_layers"), inner.get("output_layers")]
    for layer in layers:
        if layer.get("class_name") == "Sequential":
            # the name stands beside the configuration in a graph
            calls = list(_references(graph, layer.get("name")))
            # one that was not built when it was called has no call of its own
            if calls and min(call[1] for call in calls) > 0:
                for call in calls:
                    call[1] -= 1
    for key in ("input_layers", "output_layers"):
        ends = inner.get(key)
        if isinstance(ends, list) and len(ends) == 1 and isinstance(ends[0], list):
            inner[key] = ends[0]


def _references(value: Any, name: str | None) -> Iterator[list[Any]]:
    """Every ``[name, call, tensor, ...]`` inside."""
    if not isinstance(value, list):
        return
    if len(value) >= 3 and value[0] == name and isinstance(value[1], int):
        yield value
        return
    for inner in value:
        yield from _references(inner, name)


def main() -> None:
    """Loads SOURCE and writes into FOLDER."""
    source, folder, trust = confine_this_process(sys.argv[1:])
    try:
        _save_again(Path(source), Path(folder), trust=trust == "trusted")
    # whatever Keras raises on a broken file becomes one sentence for the user
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        sys.stdout.write("\n" + json.dumps({"reason": reason}) + "\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
