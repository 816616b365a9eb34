"""Classes of installed packages that a user named, for a file that keeps their names only.

A package is imported in a worker process, and of it only what the file needs is given to Keras: layers,
models and functions that compute. What reads files or asks the network (presets, tokenizers, preprocessors)
is not.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput, Refused
from workbench.api.library_errors import reason_of
from workbench.api.text import say

_READERS = frozenset(
    {"Tokenizer", "Preprocessor", "PreprocessingLayer", "AudioConverter", "ImageConverter", "TFSMLayer"}
)
"""Bases, in keras-hub and Keras, of what reads files that its configuration names."""
_REFERENCES = frozenset(
    {"preset", "preset_name", "proto", "vocabulary", "merges", "vocabulary_path", "merges_path", "assets"}
    | {"path", "filepath", "file_path", "filename", "directory", "url", "weights"}
)
_ADDRESSES = ("hf://", "kaggle://", "modelscope://", "http://", "https://", "file://", "gs://", "s3://")
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}


def checked_packages(names: str | Iterable[str], shared: bool) -> tuple[str, ...]:
    """The packages that a user named, each once.

    Args:
        names: Such as ``["keras_hub"]``, or with commas between.
        shared: Whether the page is shared with strangers.

    Raises:
        Refused: On a shared page.
        InvalidInput: If one is not installed, or none.
    """
    parts = names.split(",") if isinstance(names, str) else names
    packages = tuple(dict.fromkeys(name.strip().replace("-", "_") for name in parts if name.strip()))
    if packages and shared:
        raise Refused(
            say("On a shared page no package can be trusted."),
            say("Open a model of built-in layers, or run a workbench of your own."),
        )
    for name in packages:
        if not name.isidentifier() or importlib.util.find_spec(name) is None:
            raise InvalidInput(
                say("There is no package {name} here.", name=name[:80]),
                say("Install it where the workbench runs; for keras_hub: pip install keras-hub."),
            )
    return packages


def classes_from(packages: Sequence[str], needs: Iterable[str], file: Path) -> dict[str, Any]:
    """What a file needs of packages, by the names that it has there. Imports the packages.

    Args:
        packages: As :func:`checked_packages` gave them.
        needs: As :attr:`workbench.models.intake.findings.Problem.needs` has them.
        file: The model file, inspected.

    Raises:
        InvalidInput: If a package cannot be imported.
        Refused: If what is needed reads files, or the file names some.
    """
    import keras

    os.environ.update(_OFFLINE)
    for name in packages:
        try:
            importlib.import_module(name)
        # a package raises whatever it raises
        except Exception as error:
            raise InvalidInput(
                say("The package {name} cannot be imported: {reason}", name=name, reason=reason_of(error)),
                say("Install what it needs where the workbench runs."),
            ) from error
    known, config = keras.saving.get_custom_objects(), _config(file)
    modules, found = dict(_modules(config)), {}
    for need in needs:
        kind = known.get(need) or _in_module(need, modules.get(need, ""), packages)
        if kind is not None and str(kind.__module__).split(".")[0] in packages:
            found[need] = kind
    readers = tuple(sorted(name for name, kind in found.items() if _reads(kind)))
    if readers:
        raise Refused(
            say("{name} carries what reads files of its own: {classes}.", name=file.name, classes=readers),
            say(
                "Save it without: model.preprocessor = None, then model.save('model.keras'). "
                "The data are token ids or pictures then, as the preprocessor gives them."
            ),
        )
    named = tuple(sorted({text[:80] for text in _references(config)}))
    if named:
        raise Refused(
            say("{name} names files or presets outside: {names}.", name=file.name, names=named),
            say("Load it where it was made, and save it again with model.save('model.keras')."),
        )
    return found


def _modules(config: Any) -> Iterator[tuple[str, str]]:
    """The module that a configuration names for each class or function, by the name that it has there."""
    for value in _values(config):
        if isinstance(value, dict) and isinstance(value.get("module"), str):
            named = value.get("config") if value.get("class_name") == "function" else value.get("class_name")
            yield str(named), value["module"]


def _in_module(need: str, module: str, packages: Sequence[str]) -> Any:
    """What is not registered, where the file tells its module."""
    if module.split(".")[0] not in packages:
        return None
    try:
        return getattr(importlib.import_module(module), need.rpartition(".")[2], None)
    except ImportError:
        return None


def _reads(kind: Any) -> bool:
    import keras

    if inspect.isfunction(kind):
        return False
    parts = (
        keras.layers.Layer,
        keras.initializers.Initializer,
        keras.regularizers.Regularizer,
        keras.constraints.Constraint,
    )
    if not inspect.isclass(kind) or not issubclass(kind, parts):
        return True
    return any(base.__name__ in _READERS for base in kind.__mro__)


def _config(file: Path) -> Any:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            return json.loads(archive.read("config.json"))
    import h5py

    with h5py.File(file) as store:
        return json.loads(store.attrs["model_config"])


def _references(config: Any) -> Iterator[str]:
    """Files and addresses that a configuration names."""
    for value in _values(config):
        if isinstance(value, dict):
            yield from (
                inner
                for key, inner in value.items()
                if isinstance(inner, str) and inner and key in _REFERENCES
            )
        elif isinstance(value, str) and value.lower().startswith(_ADDRESSES):
            yield value


def _values(config: Any) -> Iterator[Any]:
    """Every value inside."""
    pending = [config]
    while pending:
        value = pending.pop()
        yield value
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
