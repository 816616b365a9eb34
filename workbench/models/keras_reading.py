"""Reads a Keras file that an inspection found harmless, by the first of three ways that works.

1. Keras 3, in safe mode.
2. Keras 3, with a DepthwiseConv2D that drops the key ``groups``, which Keras 2 wrote and Keras 3
   no longer takes.
3. tf_keras in a process of its own, saved again in the words of Keras 3, then read by 1.

Every file of Keras 1 and 2 is also run by tf_keras on random input, and must give the same in
Keras 3: layers changed between the two.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import InvalidInput
from workbench.models.conversion import import_keras
from workbench.models.findings import Inspection
from workbench.models.legacy import SavedAgain, save_again
from workbench.models.parity import outputs_of, require_parity
from workbench.technique import Reporter
from workbench.text import Text, say


@dataclass(frozen=True)
class ReadModel:
    """A model in memory.

    Attributes:
        model: A ``keras.Model``, not compiled.
        notes: The way that was taken, and the proof.
    """

    model: Any
    notes: tuple[Text, ...]


def read_keras(report: Reporter, path: Path, name: str, inspection: Inspection, *, trust: bool) -> ReadModel:
    """Reads a ``.keras`` or ``.h5`` file or, if trusted, a SavedModel folder.

    Args:
        report: Stages and cancellation.
        path: The file.
        name: Its name as the user knows it.
        inspection: What was found in it.
        trust: Whether code inside the file may run.

    Raises:
        workbench.errors.InvalidInput: If no way works, or the model no longer computes the same.
    """
    if inspection.kind != "saved model" and inspection.keras_version.startswith("3"):
        report.stage(say("Reading the model with Keras 3"))
        model = _load(path, name, trust=trust)
        way = say("Read by Keras 3 in safe mode.")
        if trust:
            way = say("Read by Keras 3, which may run code of this file: you said that you trust it.")
        return ReadModel(model, (way,))
    with tempfile.TemporaryDirectory() as folder:
        report.stage(say("Reading the model with Keras 2, in a process of its own"))
        reference = save_again(report, path, Path(folder), trust=trust)
        report.check()
        report.stage(say("Reading the model with Keras 3"))
        model, way = _first_that_works(path, name, inspection, reference, trust=trust)
        model = _one_input(model)
        report.stage(say("Comparing Keras 3 with Keras 2"))
        difference = require_parity(reference.outputs, outputs_of(model, reference.inputs), name)
    origin = say("A SavedModel of Keras 2.")
    if inspection.kind != "saved model":
        origin = say("A file of Keras {version}.", version=inspection.keras_version or "1")
    return ReadModel(
        model,
        (
            say("{origin} {way}", origin=origin, way=way),
            say(
                "Checked on random input against Keras 2: largest difference {difference:.1e}.",
                difference=difference,
            ),
        ),
    )


def _first_that_works(
    path: Path, name: str, inspection: Inspection, reference: SavedAgain, *, trust: bool
) -> tuple[Any, Text]:
    ways: list[tuple[Path, bool, Text]] = [
        (reference.path, False, say("Keras 2 read it and saved it again; Keras 3 reads that.")),
    ]
    if inspection.kind == "h5":
        ways = [
            (path, False, say("Keras 3 reads it directly.")),
            (path, True, say("Keras 3 reads it once DepthwiseConv2D drops the old key groups.")),
            *ways,
        ]
    for source, drop_groups, way in ways[:-1]:
        try:
            return _load(source, name, drop_groups=drop_groups, trust=trust), way
        except InvalidInput:
            continue
    source, drop_groups, way = ways[-1]
    return _load(source, name, drop_groups=drop_groups, trust=trust), way


def _load(path: Path, name: str, *, drop_groups: bool = False, trust: bool = False) -> Any:
    keras = import_keras()
    custom = {"DepthwiseConv2D": _depthwise_without_groups()} if drop_groups else None
    try:
        with warnings.catch_warnings():
            # Keras tells the author of the file how to write it today; the reader cannot
            warnings.simplefilter("ignore", UserWarning)
            model = keras.saving.load_model(path, custom_objects=custom, compile=False, safe_mode=not trust)
            return _plain(keras, model) if drop_groups else model
    except MemoryError as error:
        raise InvalidInput(
            say("{name} needs more memory than a job is allowed.", name=name),
        ) from error
    # Keras raises whatever its layers raise on a configuration that does not fit
    except Exception as error:
        raise InvalidInput(
            say("Keras cannot read {name}: {reason}", name=name, reason=first_sentence(error)),
            say("Save the model again with model.save('model.keras')."),
        ) from error


def _depthwise_without_groups() -> Any:
    base: Any = import_keras().layers.DepthwiseConv2D

    class DepthwiseConv2D(base):  # type: ignore[misc]  # Keras has no types
        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            return super().from_config({key: value for key, value in config.items() if key != "groups"})

    return DepthwiseConv2D


def _plain(keras: Any, model: Any) -> Any:
    """The same model with Keras's own DepthwiseConv2D, so that the stored file needs no help."""

    def replaced(layer: Any) -> Any:
        kind = type(layer)
        if kind.__name__ == "DepthwiseConv2D" and kind is not keras.layers.DepthwiseConv2D:
            return keras.layers.DepthwiseConv2D.from_config(layer.get_config())
        return kind.from_config(layer.get_config())

    clone = keras.models.clone_model(model, clone_function=replaced, recursive=True)
    clone.set_weights(model.get_weights())
    return clone


def _one_input(model: Any) -> Any:
    """The same layers, called with a tensor where Keras 2 wrote down a list of one."""
    keras = import_keras()
    if isinstance(model, keras.Sequential) or len(model.inputs) != 1:
        return model
    outputs = model.outputs if len(model.outputs) > 1 else model.outputs[0]
    return keras.Model(model.inputs[0], outputs, name=model.name)


def first_sentence(error: Exception) -> str:
    """What an exception says, on one line of at most 300 characters."""
    words = " ".join(str(error).split())
    return (words or type(error).__name__)[:300]
