"""Reads ``.keras`` archives of Keras 2 whose weights lie under other names than tf_keras looks for.

Keras 2.12 and 2.13 kept the weights of a model's layers under ``_layer_checkpoint_dependencies``, later
ones under ``layers``; and on Windows all of Keras 2 wrote backslashes, which HDF5 takes for a part of the
name. The numbers in ``dense``, ``dense_2``, ... were counted in several ways: their order alone says which
layer is meant.

Runs beside tf_keras, in the process of :mod:`workbench.models.intake.legacy`.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

_OLD, _NEW = "_layer_checkpoint_dependencies", "layers"
_NUMBER = re.compile(r"_(\d+)$")

Tree = dict[str, Any]


def read_archive(source: Path, *, trust: bool) -> Any | None:
    """The model in an archive, if its weights lie under such names; else None.

    Args:
        source: A file that was inspected before.
        trust: Whether code inside it may run.

    Raises:
        ValueError: If layers and weights do not fit each other.
    """
    import h5py

    if not zipfile.is_zipfile(source):
        return None
    with zipfile.ZipFile(source) as archive:
        if "model.weights.h5" not in archive.namelist():
            return None
        with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
            paths: list[str] = []
            file.visititems(lambda path, item: paths.append(path) if isinstance(item, h5py.Dataset) else None)
            if not any(_OLD in path or "\\" in path for path in paths):
                return None
            tree: Tree = {}
            for path in paths:
                *groups, last = re.split(r"[/\\]", path)
                place = tree
                for group in groups:
                    place = place.setdefault(group, {})
                place[last] = file[path][()]
        config = json.loads(archive.read("config.json"))
    return _loaded(config, tree, trust=trust)


def _loaded(config: Any, tree: Tree, *, trust: bool) -> Any:
    import tf_keras

    config.pop("compile_config", None)
    model = tf_keras.saving.deserialize_keras_object(config, safe_mode=not trust)
    loaded: set[int] = set()
    _load(model, tree, loaded)
    left = [
        str(getattr(weight, "name", "a vocabulary")) for weight in model.weights if id(weight) not in loaded
    ]
    if left:
        raise ValueError(f"The archive holds no weights for {', '.join(left[:3])}.")
    return model


def _load(layer: Any, tree: Tree, loaded: set[int]) -> None:
    for name, inner in tree.items():
        if name == "vars":
            own = [*layer._trainable_weights, *layer._non_trainable_weights]
            layer.load_own_variables(inner)
            loaded.update(id(weight) for weight in own)
        elif name in (_OLD, _NEW) and hasattr(layer, "layers"):
            _load_all(layer.layers, inner, loaded)
        elif name not in ("optimizer", "metrics", "_metrics"):
            part = getattr(layer, name)
            if isinstance(part, list | tuple):
                _load_all(part, inner, loaded)
            else:
                _load(part, inner, loaded)


def _load_all(layers: Any, tree: Tree, loaded: set[int]) -> None:
    """Layers of one class in their order, and the groups of its name in the order of their numbers."""
    from tf_keras.src.utils.generic_utils import to_snake_case

    unique = list({id(layer): layer for layer in layers if layer.weights}.values())
    for kind in dict.fromkeys(to_snake_case(type(layer).__name__) for layer in unique):
        members = [layer for layer in unique if to_snake_case(type(layer).__name__) == kind]
        groups = sorted((number, name) for name in tree if (number := _number(name, kind)) is not None)
        groups = [group for group in groups if _holds_weights(tree[group[1]])]
        if len(groups) != len(members):
            raise ValueError(
                f"The model has {len(members)} layers of the kind {kind} with weights, "
                f"and the archive holds weights of {len(groups)}."
            )
        for layer, (_, name) in zip(members, groups, strict=True):
            _load(layer, tree[name], loaded)


def _number(name: str, kind: str) -> int | None:
    if name == kind:
        return 0
    found = _NUMBER.search(name)
    return int(found[1]) if found and name[: found.start()] == kind else None


def _holds_weights(tree: Any) -> bool:
    return not isinstance(tree, dict) or any(_holds_weights(inner) for inner in tree.values())
