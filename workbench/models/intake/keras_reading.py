"""Reads a Keras file that an inspection found harmless, by the first of two ways that works.

1. Keras 3, in safe mode.
2. tf_keras in a process of its own, then built anew in Keras 3, layer by layer.

Every file of Keras 1 and 2 is also run by tf_keras on random input, and must give the same in
Keras 3: layers changed between the two.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.library_errors import reason_of
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.models.converting.conversion import import_keras
from workbench.models.intake.findings import Inspection
from workbench.models.intake.legacy import ReadByKeras2, read_in_keras_2
from workbench.models.intake.legacy_rebuilding import rebuilt
from workbench.models.intake.parity import TOLERANCE, largest_difference, outputs_of
from workbench.models.intake.trusting import trusting


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
        workbench.api.errors.InvalidInput: If no way works, or the model no longer computes the same.
    """
    if inspection.kind != "saved model" and inspection.keras_version.startswith("3"):
        report.stage(say("Reading the model with Keras 3"))
        model = _load(path, name, inspection, trust=trust)
        way = say("Read by Keras 3 in safe mode.")
        if trust:
            way = say("Read by Keras 3, which may run code of this file: you said that you trust it.")
        return ReadModel(model, (way,))
    with tempfile.TemporaryDirectory() as folder:
        report.stage(say("Reading the model with Keras 2, in a process of its own"))
        reference = read_in_keras_2(report, path, Path(folder), _otherwise(inspection), trust=trust)
    report.check()
    report.stage(say("Reading the model with Keras 3 and comparing it with Keras 2"))
    model, (way, *left_out), difference = _first_that_works(path, name, inspection, reference, trust=trust)
    origin = say("A SavedModel of Keras 2.")
    if inspection.kind != "saved model":
        origin = say("A file of Keras {version}.", version=inspection.keras_version or "1")
    return ReadModel(
        model,
        (
            say("{origin} {way}", origin=origin, way=way),
            *left_out,
            say(
                "Checked on random input against Keras 2: largest difference {difference:.1e}.",
                difference=difference,
            ),
        ),
    )


def _first_that_works(
    path: Path, name: str, inspection: Inspection, reference: ReadByKeras2, *, trust: bool
) -> tuple[Any, tuple[Text, ...], float]:
    # Keras 3 would keep only the name of a trusted function that is no lambda.
    if inspection.kind == "h5" and not trust:
        try:
            model = _one_input(_load(path, name, inspection, trust=trust))
            return (
                model,
                (say("Keras 3 reads it directly."),),
                _difference(model, reference, name, inspection),
            )
        # read otherwise than Keras 2 did, or not at all: the other way has the word
        except WorkbenchError:
            pass
    model, notes = _rebuilt(reference, name, trust=trust)
    way = say("Keras 2 read it; it was built anew in Keras 3, layer by layer.")
    return model, (way, *notes), _difference(model, reference, name, inspection)


def _difference(model: Any, reference: ReadByKeras2, name: str, inspection: Inspection) -> float:
    try:
        outputs = outputs_of(model, reference.inputs)
    # TensorFlow raises whatever its operations raise
    except Exception as error:
        raise InvalidInput(
            say("{name} was read, but cannot be run: {reason}", name=name, reason=reason_of(error))
        ) from error
    difference = largest_difference(reference.outputs, outputs)
    if difference > TOLERANCE:
        raise InvalidInput(
            say(
                "{name} was built anew, but Keras 3 computes something else with it than Keras 2: on random "
                "input its output differs by {difference:.1e} (at most {tolerance:.0e} is accepted).",
                name=name,
                difference=difference,
                tolerance=TOLERANCE,
            ),
            _otherwise(inspection),
        )
    return difference


def _otherwise(inspection: Inspection) -> Text:
    """A way that the user has not gone yet: another form of the same model."""
    version = inspection.keras_version or say("1 or 2")
    numbers = tuple(int(part) for part in inspection.keras_version.split(".")[:2] if part.isdigit())
    if inspection.kind == "h5" and numbers >= (2, 12):
        other = "model.save('model.keras')"
    elif inspection.kind == "h5":
        other = "model.save('folder', save_format='tf')"
    else:
        other = "model.save('model.h5')"
    return say(
        "Load it with the Keras that wrote it ({version}), save it there with {other}, and open that; or "
        "convert it there with tf.lite.TFLiteConverter.from_keras_model and open the .tflite file.",
        version=version,
        other=other,
    )


def _rebuilt(reference: ReadByKeras2, name: str, *, trust: bool) -> tuple[Any, tuple[Text, ...]]:
    keras = import_keras()
    try:
        with trusting(trust):
            return rebuilt(keras, reference.graph, reference.arrays)
    except WorkbenchError:
        raise
    # Keras raises whatever its layers raise on an argument that does not fit
    except Exception as error:
        raise InvalidInput(
            say(
                "Keras 2 reads {name}, but Keras 3 cannot build the same: {reason}",
                name=name,
                reason=reason_of(error),
            ),
            say("Rebuild the layer that it names from others, and save the model again."),
        ) from error


def _load(path: Path, name: str, inspection: Inspection, *, trust: bool = False) -> Any:
    keras = import_keras()
    try:
        with warnings.catch_warnings():
            # Keras tells the author of the file how to write it today; the reader cannot
            warnings.simplefilter("ignore", UserWarning)
            return keras.saving.load_model(path, compile=False, safe_mode=not trust)
    except MemoryError as error:
        raise InvalidInput(
            say("{name} needs more memory than a job is allowed.", name=name),
        ) from error
    # Keras raises whatever its layers raise on a configuration that does not fit
    except Exception as error:
        raise InvalidInput(
            say("Keras cannot read {name}: {reason}", name=name, reason=reason_of(error)),
            _otherwise(inspection),
        ) from error


def _one_input(model: Any) -> Any:
    """The same layers, called with a tensor where Keras 2 wrote down a list of one."""
    keras = import_keras()
    if isinstance(model, keras.Sequential) or len(model.inputs) != 1:
        return model
    outputs = model.outputs if len(model.outputs) > 1 else model.outputs[0]
    return keras.Model(model.inputs[0], outputs, name=model.name)
