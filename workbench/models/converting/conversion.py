"""From a Keras model to the files of the other runtimes."""

from __future__ import annotations

import contextlib
import io
import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.api.errors import Cancelled, InvalidInput, WorkbenchError
from workbench.api.library_errors import reason_of
from workbench.api.privacy import forbid_telemetry, import_openvino
from workbench.api.text import say
from workbench.models.converting.memory import require_memory
from workbench.models.converting.onnx_constants import constants_outside
from workbench.models.intake.own_code import own_classes
from workbench.models.intake.trusting import trusting
from workbench.plain.litert.export import export_litert
from workbench.plain.onnx.export import export_onnx, export_onnx_from_litert
from workbench.plain.openvino import export as plain_openvino

OPSET = 17
"""Default ONNX operator set: the newest that the converter writes without a warning and that every
runtime of the last years reads."""
_RESERVE_BYTES = 200 << 20
"""What a converter takes beside the weights: code that it loads, graphs."""


def import_keras() -> Any:
    """Imports Keras on TensorFlow, whatever the user's own Keras settings say."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    return keras


def load_keras(path: Path, *, trust: bool | None = None) -> Any:
    """Reads a ``.keras`` file for inference, retraining or conversion.

    Args:
        path: A file that the workbench wrote, or that was opened safely before.
        trust: Whether code inside the file may run; by default what :func:`trusting` says, else not.

    Returns:
        A ``keras.Model``, not compiled.

    Raises:
        InvalidInput: If Keras cannot read it.
    """
    keras = import_keras()
    try:
        # What holds around it wins over safe_mode: a second file would be trusted with the first.
        with contextlib.nullcontext() if trust is None else trusting(trust), own_classes(Path(path)):
            return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise InvalidInput(
            say("Keras cannot load {file}: {error}", file=Path(path).name, error=reason_of(error))
        ) from error


def to_tflite(model: Any, path: Path, **converter: Any) -> Path:
    """Writes a LiteRT file.

    Args:
        model: A ``keras.Model``.
        path: The file to write; its name ends in ``.tflite``.
        **converter: Attributes of ``tf.lite.TFLiteConverter``, such as ``optimizations`` or
            ``representative_dataset``. Unless ``target_spec`` says otherwise, only operators that
            LiteRT has itself are allowed.

    Raises:
        InvalidInput: If the model has an operation that LiteRT lacks.
    """
    import_keras()
    require_memory(_RESERVE_BYTES + 8 * _weight_bytes(model), say("The conversion to LiteRT"))
    with _quiet():
        try:
            export_litert(model, path, **converter)
        except (Cancelled, WorkbenchError):  # from a representative data set
            raise
        except Exception as error:  # the converter's errors share no base class but Exception
            raise _failed("LiteRT", error) from error
    return path


def to_onnx(model: Any, path: Path, *, opset: int = OPSET, weights: Path | None = None) -> Path:
    """Writes an ONNX file with a free batch axis.

    Args:
        model: A ``keras.Model``.
        path: The file to write.
        opset: Operator set version, 13 to 18.
        weights: A file beside it for large constants (ONNX external data); None writes one file.

    Raises:
        InvalidInput: If the model has an operation that the converter lacks.
        Refused: If it does not fit in the memory that is free.
    """
    import_keras()
    forbid_telemetry()
    require_memory(_RESERVE_BYTES + 2.5 * _weight_bytes(model), say("The conversion to ONNX"))
    with _quiet():
        try:
            with constants_outside(weights):
                export_onnx(model, path, opset=opset)
        except WorkbenchError:  # an operation that ONNX lacks
            raise
        except Exception as error:  # the converter's errors share no base class but Exception
            raise _failed("ONNX", error) from error
    return path


def litert_to_onnx(source: Path, path: Path, *, opset: int = OPSET) -> Path:
    """Writes what a float32 LiteRT file computes as an ONNX file.

    Args:
        source: A ``.tflite`` file.
        path: The file to write.
        opset: Operator set version, 13 to 18.

    Raises:
        InvalidInput: If the file has an operation that the converter lacks.
        Refused: If it does not fit in the memory that is free.
    """
    import_keras()
    forbid_telemetry()
    require_memory(_RESERVE_BYTES + 3 * source.stat().st_size, say("The conversion to ONNX"))
    with _quiet():
        try:
            export_onnx_from_litert(source, path, opset=opset)
        except Exception as error:  # the converter's errors share no base class but Exception
            raise _failed("ONNX", error) from error
    return path


def to_openvino(model: Any, folder: Path, *, batch: int | None = None) -> Path:
    """Writes an OpenVINO folder: ``model.xml`` and ``model.bin``, float32.

    Args:
        model: A ``keras.Model``.
        folder: The folder to write; made if missing.
        batch: A fixed batch size; None leaves the axis free, and the runtime fixes it at load.

    Raises:
        InvalidInput: If the model has an operation that OpenVINO lacks.
    """
    intermediate = openvino_model(model, batch=batch)
    folder.mkdir(parents=True, exist_ok=True)
    import_openvino().save_model(intermediate, folder / "model.xml", compress_to_fp16=False)
    return folder


def openvino_model(model: Any, *, batch: int | None = None) -> Any:
    """The model as an ``openvino.Model`` in memory, float32.

    Args:
        model: A ``keras.Model``.
        batch: A fixed batch size; None leaves the axis free.

    Raises:
        InvalidInput: If the model has an operation that OpenVINO lacks.
    """
    import_openvino()
    with _quiet():
        try:
            converted = plain_openvino.to_openvino(model)
        except Exception as error:  # the converter's errors share no base class but Exception
            raise _failed("OpenVINO", error) from error
    if batch is not None:
        converted.reshape({port: [batch, *list(port.partial_shape)[1:]] for port in converted.inputs})
    return converted


def _weight_bytes(model: Any) -> int:
    return sum(math.prod(weight.shape) * 4 for weight in model.weights)


def _failed(target: str, error: Exception) -> InvalidInput:
    return InvalidInput(
        say(
            "The model cannot be converted to {target}: {error}",
            target=target,
            error=reason_of(error),
        ),
        say("Replace the operation that it names, or choose another runtime."),
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the converters' printing and their warnings to developers from the user's console."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The structure of `inputs` doesn't match")
        warnings.filterwarnings("ignore", message="In the future `np.object`")
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs")
        # The converter calibrates with TensorFlow's own interpreter, which asks to be replaced.
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter is deprecated")
        yield
