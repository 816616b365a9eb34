"""Judges a foreign model file by its content, before TensorFlow or any runtime has seen it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from workbench.api.text import Text, say
from workbench.models.intake import keras_archive
from workbench.models.intake.findings import (
    LARGEST_FILE_BYTES,
    SUFFIXES,
    Inspection,
    Kind,
    Problem,
    size_text,
)
from workbench.models.intake.hdf5_file import MAGIC as HDF5_MAGIC
from workbench.models.intake.hdf5_file import Hdf5Contents, look_through
from workbench.models.intake.keras_config import config_problems, parse_config
from workbench.models.reading import tflite

__all__ = ["Inspection", "glance", "inspect"]

_ONNX_FIELDS = range(1, 32)
_SECOND_ONNX_FIELDS = {b"\x12", b"\x1a", b"\x22", b"\x3a", b"\x42"}
"""Producer, its version, domain, graph, operator set: what may follow ir_version."""


def inspect(path: Path) -> Inspection:
    """Looks at a model file without loading it; imports neither TensorFlow nor Keras.

    Args:
        path: What the user named.

    Returns:
        What kind of file it is by its content, and every reason not to open it. Never raises for
        what a file holds.
    """
    path = Path(path)
    found = _beginning(path)
    if isinstance(found, Inspection):
        return found
    return _inspect_folder(path) if found is None else _inspect_content(path, found)


def glance(path: Path) -> Problem | None:
    """The first reason not to open a model that shows at once: its size, first bytes, declared sizes.

    For the process that must answer a click: it reads a few kilobytes, whatever the file holds.

    Args:
        path: What the user named.
    """
    path = Path(path)
    found = _beginning(path)
    if found is None:
        found = Inspection("saved model") if (path / "saved_model.pb").is_file() else _inspect_folder(path)
    if isinstance(found, Inspection):
        return found.problems[0] if found.problems else None
    if found.startswith(keras_archive.MAGIC):
        return keras_archive.glance(path)
    if found.startswith(HDF5_MAGIC) or found[4:8] == tflite.IDENTIFIER or _is_onnx(path, found):
        return None
    return Problem(*_other(path.name, found))


def _beginning(path: Path) -> bytes | Inspection | None:
    """The first bytes of a file; None for a folder; why it is not opened where that shows without them."""
    try:
        status = path.stat()
    except OSError as error:
        return _unknown(
            say("{path} cannot be read: {reason}.", path=str(path), reason=os.strerror(error.errno or 0)),
            say("Check the path."),
        )
    if stat.S_ISDIR(status.st_mode):
        return None
    if not stat.S_ISREG(status.st_mode):
        # opening a pipe would wait for ever
        return _unknown(say("{name} is no regular file but a pipe, socket or device.", name=path.name))
    if status.st_size == 0:
        return _unknown(say("{name} is empty (0 bytes).", name=path.name), say("Save the model again."))
    if status.st_size > LARGEST_FILE_BYTES:
        return _unknown(
            say(
                "{name} takes {size}; the limit is {limit}.",
                name=path.name,
                size=size_text(status.st_size),
                limit=size_text(LARGEST_FILE_BYTES),
            )
        )
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        return _unknown(
            say("{path} cannot be read: {reason}.", path=str(path), reason=os.strerror(error.errno or 0))
        )


def _inspect_content(path: Path, start: bytes) -> Inspection:
    if start.startswith(keras_archive.MAGIC):
        found = keras_archive.inspect_archive(path)
    elif start.startswith(HDF5_MAGIC):
        found = _inspect_hdf5(path)
    elif start[4:8] == tflite.IDENTIFIER:
        found = Inspection("tflite")
    elif _is_onnx(path, start):
        found = Inspection("onnx")
    else:
        return _unknown(*_other(path.name, start))
    expected = SUFFIXES.get(found.kind, (path.suffix,))
    if path.suffix.lower() in expected:
        return found
    note = say(
        "{name} was read as {kind}, which is what it holds.", name=path.name, kind=_kind_text(found.kind)
    )
    return Inspection(
        found.kind, found.problems, (*found.notes, note), found.keras_version, found.optimizer_bytes
    )


def _kind_text(kind: Kind) -> str:
    usual = SUFFIXES.get(kind, (kind,))[0]
    return f"HDF5 ({usual})" if kind == "h5" else usual


def _inspect_hdf5(path: Path) -> Inspection:
    name = path.name
    with path.open("rb") as file:
        found = look_through(file, name, path.stat().st_size)
    if found.problems:
        return Inspection("h5", tuple(found.problems))
    if found.model_config is None:
        return Inspection("h5", (_no_architecture(name, found),))
    config = parse_config(found.model_config, name, "model_config")
    problems = [config] if isinstance(config, Problem) else config_problems(config, name, found.weights)
    return Inspection(
        "h5",
        tuple(problems),
        keras_version=found.keras_version[:20],
        optimizer_bytes=found.optimizer_bytes,
    )


def _no_architecture(name: str, found: Hdf5Contents) -> Problem:
    if found.weights.elements == 0:
        return Problem(
            say("{name} is an HDF5 file without a Keras model in it.", name=name),
            say("Save the whole model with model.save."),
        )
    return Problem(
        say("{name} holds weights only; the architecture is missing.", name=name),
        say(
            "Build the model in Python, call model.load_weights({name!r}), and save it whole with "
            "model.save('model.keras').",
            name=name,
        ),
    )


def _inspect_folder(path: Path) -> Inspection:
    if (path / "saved_model.pb").is_file():
        large = _folder_bytes(path)
        if large > LARGEST_FILE_BYTES:
            return _unknown(
                say(
                    "{name} takes {size}; the limit is {limit}.",
                    name=path.name,
                    size=size_text(large),
                    limit=size_text(LARGEST_FILE_BYTES),
                )
            )
        problem = Problem(
            say("{name} is a SavedModel folder: it holds a program, not only weights.", name=path.name),
            say("Save the model as a .keras file and open that."),
            refused=True,
            trust=True,
        )
        if (path / "keras_metadata.pb").is_file() or _holds_keras(path / "saved_model.pb"):
            return Inspection("saved model", (problem,))
        return Inspection("saved model", (problem, _graph_only(path.name)))
    for mark, what in (
        ("_CHECKPOINT_METADATA", "Orbax checkpoint"),
        ("_METADATA", "Orbax checkpoint"),
        ("checkpoint", "TensorFlow checkpoint"),
    ):
        if (path / mark).is_file():
            return _unknown(
                say("{name} is a folder with a {what}, which is not opened.", name=path.name, what=what),
                say("Save the whole model with model.save('model.keras') and open that file."),
                refused=True,
            )
    return _unknown(
        say("{name} is a folder, not a model file.", name=path.name),
        say("Open a .keras, .h5, .tflite or .onnx file."),
    )


def _holds_keras(graph: Path) -> bool:
    """Whether the Keras model is described in the graph's own file, as TensorFlow 2.0 to 2.4 wrote it."""
    content = graph.read_bytes()
    return b"_tf_keras_" in content and b'"class_name"' in content


def _graph_only(name: str) -> Problem:
    return Problem(
        say(
            "{name} is a SavedModel with a graph only, without the Keras model that made it.",
            name=name,
        ),
        say(
            "Save that model with model.save('model.keras'), or convert the folder with "
            "tf.lite.TFLiteConverter.from_saved_model and open the .tflite file to measure it."
        ),
        refused=True,
    )


def _folder_bytes(path: Path) -> int:
    return sum(item.lstat().st_size for item in path.rglob("*"))


def _is_onnx(path: Path, start: bytes) -> bool:
    """ONNX has no magic number: its first field is nearly always ir_version."""
    if path.suffix.lower() in SUFFIXES["onnx"]:
        # a protobuf starts with a field number 1..31 and a wire type 0, 1, 2 or 5
        return start[0] >> 3 in _ONNX_FIELDS and start[0] & 7 in {0, 1, 2, 5}
    return start[:1] == b"\x08" and start[1:2] < b"\x20" and start[2:3] in _SECOND_ONNX_FIELDS


def _other(name: str, start: bytes) -> tuple[Text, Text]:
    use = say("Open a .keras, .h5, .tflite or .onnx file.")
    if start.startswith(b"\x80") and start[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}:
        return say("{name} is a Python pickle, which can run any code: it is never opened.", name=name), use
    if start.startswith(b"\x93NUMPY"):
        return say("{name} is a NumPy array, not a model.", name=name), say("Open it as data instead.")
    if start.startswith(b"\x1f\x8b"):
        return say("{name} is compressed with gzip.", name=name), say("Unpack it first.")
    if start.startswith(b"version https://git-lfs"):
        return say("{name} is a Git LFS pointer, not the file itself.", name=name), say("Run git lfs pull.")
    return (
        say("{name} is no model file: it starts with {start}.", name=name, start=start[:8].hex(" ")),
        use,
    )


def _unknown(problem: Text, action: Text | None = None, *, refused: bool = False) -> Inspection:
    return Inspection("unknown", (Problem(problem, action, refused=refused),))
