"""Which folder a model and data are opened in where nobody has named one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.engine.shared_mode import shared_mode
from workbench.engine.sources import existing, model_name
from workbench.engine.workbench_folders import default_folder, is_vacant

_NOTE = "opened-with.txt"
"""Keeps, in a folder that was chosen here, what it was chosen for."""

_MOST_NAMED = 40


def folder_of(model: Any, name: str | None, asked: str) -> Path:
    """The folder where the same was opened before, else a new one beside the usual one.

    Args:
        model: As it is opened.
        name: Another name for it; the folder is called like it.
        asked: What :func:`fingerprint` gave. That two openings have the same only says where to look: whether
            they are the same is found by opening.
    """
    if shared_mode():
        return default_folder()  # what lies beside it is other visitors'
    file = Path(model) if isinstance(model, (str, Path)) else Path()
    words = re.findall(r"[^\W_]+", name or model_name(model, file))
    first = default_folder().parent / ("-".join(words).lower()[:_MOST_NAMED] or "model")
    folder, number, vacant = first, 2, None
    while folder.exists():
        note = folder / _NOTE
        if note.is_file() and note.read_text(encoding="utf-8") == asked:
            return folder
        if vacant is None and is_vacant(folder):
            vacant = folder
        folder, number = first.with_name(f"{first.name}-{number}"), number + 1
    return vacant or folder


def remember_opening(folder: Path, asked: str) -> None:
    """Makes that the same is opened here again."""
    (folder / _NOTE).write_text(asked, encoding="utf-8")


def fingerprint(model: Any, data: Any, options: Mapping[str, Any]) -> str:
    """The same for the same model, data and options, also after a kernel's restart.

    What gives its samples one after the other is not read for it.
    """
    total = hashlib.sha256()
    total.update(json.dumps(dict(options), sort_keys=True, default=str).encode())
    if hasattr(model, "weights"):
        total.update(type(model).__qualname__.encode())
        model = [np.asarray(weight) for weight in model.weights]
    for value in (model, data):
        _add(value, total)
    return total.hexdigest()


def _add(value: Any, total: hashlib._Hash) -> None:
    if isinstance(value, np.ndarray) and value.dtype != object:
        total.update(f"{value.dtype} {value.shape}".encode())
        total.update(np.ascontiguousarray(value.ravel()).view(np.uint8).data if value.size else b"")
    elif isinstance(value, Mapping):
        for key, one in value.items():
            total.update(repr(key).encode())
            _add(one, total)
    elif isinstance(value, (list, tuple)):
        total.update(f"{len(value)}".encode())
        for one in value:
            _add(one, total)
    elif isinstance(value, (str, Path)):
        total.update(str(existing(value) or value).encode())
    elif value is None or isinstance(value, (bool, int, float, np.generic)):
        total.update(repr(value).encode())
    else:
        total.update(type(value).__qualname__.encode())
