"""Looks through a ``.keras`` archive (zip) without TensorFlow and without unpacking it to disk."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path

from workbench.api.text import say
from workbench.data.zip_directory import members_at_once, unsafe_member
from workbench.models.intake.findings import (
    LARGEST_CONFIG_BYTES,
    LARGEST_WEIGHTS_BYTES,
    MOST_OBJECTS,
    Inspection,
    Problem,
    damaged,
    expands_too_much,
)
from workbench.models.intake.hdf5_file import Hdf5Contents, declares_too_much, look_through
from workbench.models.intake.keras_config import config_problems, parse_config, too_large

MAGIC = b"PK\x03\x04"

_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"


def inspect_archive(path: Path) -> Inspection:
    """Finds everything in a ``.keras`` file that stands against loading it.

    Args:
        path: The archive.
    """
    name = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            problems = _member_problems(archive.infolist(), name, path.stat().st_size)
            if problems:
                return Inspection("keras", tuple(problems))
            return _inspect_members(archive, name, path.stat().st_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, RuntimeError):
        # zipfile reports a changed byte in any of these ways
        return Inspection("keras", (damaged(name),))


def glance(path: Path) -> Problem | None:
    """The first reason against a ``.keras`` file that its directory of members gives; unpacks nothing.

    Args:
        path: The archive.
    """
    name = path.name
    try:
        members = members_at_once(path)
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return damaged(name)
    if members is None:
        return None
    problems = _member_problems(members, name, path.stat().st_size)
    if problems:
        return problems[0]
    names = {member.filename for member in members}
    return None if _CONFIG in names else _not_keras(name, names)


def _member_problems(members: list[zipfile.ZipInfo], name: str, held_bytes: int) -> list[Problem]:
    if len(members) > MOST_OBJECTS:
        return [
            Problem(
                say("{name} holds more than {limit:,} files.", name=name, limit=MOST_OBJECTS), refused=True
            )
        ]
    for member in members:
        reason = unsafe_member(member)
        if reason is not None:
            return [
                Problem(
                    say(
                        "The archive {name} has a member that Keras never writes: {member} ({reason}).",
                        name=name,
                        member=repr(member.orig_filename[:80]),
                        reason=reason,
                    ),
                    say("Do not open this file."),
                    refused=True,
                )
            ]
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        return [
            Problem(
                say("The archive {name} holds two files of one name.", name=name),
                say("Do not open this file."),
                refused=True,
            )
        ]
    for member in members:
        if member.filename in {_CONFIG, _METADATA} and member.file_size > LARGEST_CONFIG_BYTES:
            return [too_large(name, member.filename, member.file_size)]
    declared = sum(member.file_size for member in members)
    if declared > LARGEST_WEIGHTS_BYTES or expands_too_much(declared, held_bytes):
        return [declares_too_much(name, declared, held_bytes)]
    return []


def _inspect_members(archive: zipfile.ZipFile, name: str, held_bytes: int) -> Inspection:
    names = set(archive.namelist())
    if _CONFIG not in names:
        return Inspection("keras" if _METADATA in names else "unknown", (_not_keras(name, names),))
    weights = _weights(archive, names, name, held_bytes)
    if weights.problems:
        return Inspection("keras", tuple(weights.problems))
    config = parse_config(archive.read(_CONFIG), name, _CONFIG)
    if isinstance(config, Problem):
        return Inspection("keras", (config,))
    version = ""
    if _METADATA in names:
        metadata = parse_config(archive.read(_METADATA), name, _METADATA)
        if isinstance(metadata, Problem):
            return Inspection("keras", (metadata,))
        if isinstance(metadata, dict):
            version = str(metadata.get("keras_version", ""))[:20]
    return Inspection(
        "keras",
        tuple(config_problems(config, name, weights.weights)),
        keras_version=version,
        optimizer_bytes=weights.optimizer_bytes,
    )


def _not_keras(name: str, names: set[str]) -> Problem:
    if names and all(member.endswith(".npy") for member in names):
        return Problem(
            say("{name} is a NumPy archive (.npz), not a model.", name=name), say("Open it as data instead.")
        )
    if any(member.endswith("data.pkl") for member in names):
        return Problem(
            say("{name} is a PyTorch file.", name=name),
            say("Export the model to ONNX and open that file."),
        )
    if _WEIGHTS in names or _METADATA in names:
        return Problem(
            say("The archive {name} has no config.json, so the architecture is missing.", name=name),
            say("Save the whole model with model.save('model.keras')."),
        )
    return Problem(
        say("{name} is a zip archive without a Keras model in it.", name=name),
        say("Open a .keras, .h5, .tflite or .onnx file."),
    )


def _weights(archive: zipfile.ZipFile, names: set[str], name: str, held_bytes: int) -> Hdf5Contents:
    if _WEIGHTS in names:
        # libhdf5 sees the member's bytes only, never the archive
        content = archive.read(_WEIGHTS)
        return look_through(io.BytesIO(content), f"{_WEIGHTS} in {name}", min(held_bytes, len(content)))
    others = sorted(member for member in names if re.search(r"weights\.(npz|json)$|weights_\d+\.h5$", member))
    if others:
        problem = Problem(
            say("{name} keeps its weights in {member}, which is not read.", name=name, member=others[0]),
            say("Save the model with model.save('model.keras') and no further options."),
        )
    else:
        problem = Problem(
            say("The archive {name} has no model.weights.h5, so the weights are missing.", name=name),
            say("Save the whole model with model.save('model.keras')."),
        )
    return Hdf5Contents(problems=[problem])
