"""Classes of somebody's own, for Keras files that keep their names only."""

import hashlib
import inspect
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

PREFIX = "own_"
"""Modules that were made of files begin with it."""

_BASE = ("name", "trainable", "dtype")
"""What every configuration has, whether the class takes it or not."""


def know(path: str | Path) -> None:
    """Lets Keras know the classes in a file: ``.py``, or ``.pkl`` as cloudpickle writes it. Runs the file."""
    keras.saving.get_custom_objects().update(classes_of(path))


def classes_of(path: str | Path) -> dict[str, Any]:
    """Runs a file; its classes and functions by every name that a Keras file may have for them."""
    content = Path(path).read_bytes()
    if Path(path).suffix == ".pkl":
        import cloudpickle  # type: ignore[import-untyped]

        kinds: Iterable[Any] = list(cloudpickle.loads(content).values())
    else:
        kinds = _executed(content, PREFIX + hashlib.sha256(content).hexdigest()[:12])
    for kind in kinds:
        _forgive(kind)
    return {name: kind for kind in kinds for name in (kind.__name__, keras.saving.get_registered_name(kind))}


def _executed(content: bytes, name: str) -> list[Any]:
    module = ModuleType(name)
    sys.modules[name] = module
    try:
        exec(compile(content, f"{name}.py", "exec"), vars(module))  # noqa: S102  # its owner named this file
    except BaseException:
        del sys.modules[name]
        raise
    return [
        value
        for value in vars(module).values()
        if (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == name
    ]


def _forgive(kind: Any) -> None:
    """Lets a class be made from its configuration whose constructor does not take what Keras writes there."""
    if not inspect.isclass(kind) or not issubclass(kind, keras.layers.Layer):
        return
    home = next(base for base in kind.__mro__ if "from_config" in vars(base))
    parameters = inspect.signature(kind.__init__).parameters.values()
    if not home.__module__.startswith("keras.") or any(one.kind is one.VAR_KEYWORD for one in parameters):
        return
    taken = {one.name for one in parameters}

    def from_config(cls: Any, config: dict[str, Any], custom_objects: Any = None) -> Any:
        made = cls(**{key: value for key, value in config.items() if key in taken or key not in _BASE})
        if "name" in config:
            made.name = config["name"]
        made.trainable = config.get("trainable", True)
        return made

    kind.from_config = classmethod(from_config)  # type: ignore[attr-defined]
