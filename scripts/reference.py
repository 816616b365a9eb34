"""Writes the reference as HTML: ``make docs``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pdoc
import pdoc.render

PACKAGES = ("workbench", "widgets")


def modules(package: str) -> Iterator[str]:
    """A package and all that is public in it."""
    yield package
    for found in walk_packages(import_module(package).__path__, f"{package}."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield found.name


def main(folder: Path) -> None:
    """Writes it."""
    for package in map(import_module, PACKAGES):
        # pdoc looks for names where they are only put when somebody asks for them.
        for name in package.__all__:
            setattr(package, name, getattr(package, name))
    # About types of other packages, which it shows as they are written.
    warnings.filterwarnings("ignore", module="pdoc")
    pdoc.render.configure(docformat="google")
    pdoc.pdoc(*(name for package in PACKAGES for name in modules(package)), output_directory=folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
