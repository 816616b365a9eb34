"""The runtimes: what runs a model file. One file each; adding one is one new file here.

A distribution of its own can offer one under the entry point group ``workbench.runtimes``.
"""

from __future__ import annotations

from workbench.api.registry import Registry
from workbench.api.runtime import Runtime
from workbench.api.text import Text, say

_registry: Registry[Runtime] = Registry(
    __name__,
    Runtime,
    order=lambda item: (not item.imports_tensorflow, item.name),
    unknown=lambda name: say("There is no runtime {name}.", name=name),
)


def runtimes() -> dict[str, Runtime]:
    """Every runtime by name, those of TensorFlow first; imports none of their packages."""
    return _registry.all()


def runtime(name: str) -> Runtime:
    """One runtime.

    Args:
        name: Such as ``litert``.

    Raises:
        InvalidInput: If there is none of that name.
    """
    return _registry.one(name)


def register(runtime_class: type[Runtime]) -> type[Runtime]:
    """Adds a runtime while the program runs; usable as a decorator.

    Args:
        runtime_class: Takes the place of one with the same name.
    """
    _registry.registered[runtime_class.name] = runtime_class()
    return runtime_class


def broken() -> dict[str, Text]:
    """Entry points that could not be used, with the reason."""
    return _registry.broken()
