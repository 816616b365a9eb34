"""Finding what can be added by one file: every class under a package, and installed entry points."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from workbench.api.text import Text, say

C = TypeVar("C")


def classes_below(package: ModuleType, base: type[C]) -> list[type[C]]:
    """The concrete subclasses of ``base`` that are defined in modules below ``package``.

    Args:
        package: Every module in its folder and in the folders below is imported; folders need no
            ``__init__.py``.
        base: The class to look for.

    Returns:
        In the order of module names, then of definition.
    """
    found: list[type[C]] = []
    for name in sorted(_module_names(list(package.__path__), package.__name__ + ".")):
        module = importlib.import_module(name)
        found += [item for item in vars(module).values() if _is_concrete(item, base, name)]
    return found


def classes_of_entry_points(group: str, base: type[C]) -> tuple[list[type[C]], dict[str, Text]]:
    """The classes that installed distributions offer under an entry point group.

    Args:
        group: Such as ``workbench.techniques``.
        base: What each must be a concrete subclass of.

    Returns:
        The classes, and for each entry point that cannot be used, why.
    """
    found: list[type[C]] = []
    broken: dict[str, Text] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            item = point.load()
        except Exception as error:  # a stranger's package must not take the others down
            broken[point.name] = say(
                "{value} could not be imported: {error}", value=point.value, error=repr(error)
            )
            continue
        if _is_concrete(item, base):
            found.append(item)
        else:
            broken[point.name] = say(
                "{value} is not a complete {base} class.", value=point.value, base=base.__name__
            )
    return found, broken


def _module_names(folders: list[str], prefix: str) -> list[str]:
    names = [module.name for module in pkgutil.iter_modules(folders, prefix) if not module.ispkg]
    for path in (path for folder in folders for path in Path(folder).iterdir() if path.is_dir()):
        # pkgutil passes over folders without __init__.py
        if path.name.isidentifier() and not path.name.startswith("_"):
            names += _module_names([str(path)], f"{prefix}{path.name}.")
    return names


def _is_concrete(item: object, base: type[C], module: str | None = None) -> bool:
    return (
        inspect.isclass(item)
        and issubclass(item, base)
        and not inspect.isabstract(item)
        and (module is None or item.__module__ == module)
    )
