"""Which layers keep their weights when an architecture is trained from new ones."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

ADAPTED = frozenset(("Discretization", "IntegerLookup", "Normalization", "StringLookup", "TextVectorization"))
"""Layers whose weights come from ``adapt``, not from training."""


def kept_layers(config: dict[str, Any]) -> list[tuple[str, ...]]:
    """Paths of the layers that are frozen, or adapted to the data.

    Args:
        config: ``get_config()`` of a Keras model.

    Returns:
        Names from the outermost model inwards.
    """
    found: list[tuple[str, ...]] = []
    for layer in config.get("layers", ()):
        own = layer["config"]
        if own.get("trainable") is False or layer["class_name"] in ADAPTED:
            found.append((own["name"],))
        elif "layers" in own:
            found += [(own["name"], *path) for path in kept_layers(own)]
    return found


def kept_layers_of_file(path: Path) -> list[tuple[str, ...]]:
    """The same, from a ``.keras`` file; Keras is not imported.

    Raises:
        OSError, ValueError, KeyError: If it is not such a file.
    """
    with zipfile.ZipFile(path) as archive:
        return kept_layers(json.loads(archive.read("config.json"))["config"])
