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
        import cloudpickle

        kinds: Iterable[Any] = list(cloudpickle.loads(content).values())
    else:
        kinds = _executed(content, PREFIX + hashlib.sha256(content).hexdigest()[:12])
    for kind in kinds:
        if inspect.isclass(kind) and issubclass(kind, keras.layers.Layer):
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
    """Lets a class be made from its configuration whose constructor does not take what Keras writes there.

    Keras leaves its name out of it then, and puts in what it takes for given.
    """
    parameters = inspect.signature(kind.__init__).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return
    if _is_keras(kind, "get_config"):
        original = kind.get_config

        def get_config(self: Any) -> dict[str, Any]:
            noted: dict[str, Any] = {"name": self.name} | original(self)
            return noted

        # so that what the constructor was called with is still noted by Keras
        get_config._is_default = True  # type: ignore[attr-defined]
        kind.get_config = get_config
    if not _is_keras(kind, "from_config"):
        return
    taken = {one.name for one in parameters}

    def from_config(cls: Any, config: dict[str, Any], custom_objects: Any = None) -> Any:
        made = cls(**{key: value for key, value in config.items() if key in taken or key not in _BASE})
        if "name" in config:
            made.name = config["name"]
        made.trainable = config.get("trainable", True)
        return made

    kind.from_config = classmethod(from_config)


def _is_keras(kind: Any, method: str) -> bool:
    home = next(base for base in kind.__mro__ if method in vars(base))
    return str(home.__module__).split(".")[0] == "keras"
