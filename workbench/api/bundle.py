"""The plain code of a technique: a short script, and the files of ``workbench/plain`` that it imports.

``workbench/plain`` is a package that imports nothing of the rest, with relative imports inside. So it can be
copied as it is, and ``from plain.litert.strip import strip_metadata`` means beside a script what
``from workbench.plain.litert.strip import strip_metadata`` means in the engine: what runs is what is shown.
Flat files beside the script would read a little shorter, but could not import each other in both places
without being changed.

Which files a script needs is written in its import statements, so nothing else says it.
"""

from __future__ import annotations

import ast
import html
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

SCRIPT = "optimize.py"
"""Name of the script among the files."""
PACKAGE = "plain"
"""Name of the package that lies beside it."""

_FOLDER = Path(__file__).parents[1] / PACKAGE


@dataclass(frozen=True)
class Bundle:
    r"""A script and the helper files that it imports; runs as it is, without the workbench.

    ``print`` shows the script, a notebook shows all files.

    Attributes:
        script: Text of ``optimize.py``.
        beside: Content of further files that it reads, by their names: the user's own classes.

    Example:
        >>> bundle = Bundle("from plain.litert.buffers import read_tables\n")
        >>> list(bundle.files())
        ['optimize.py', 'plain/__init__.py', 'plain/litert/__init__.py', 'plain/litert/buffers.py']
    """

    script: str
    beside: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def helpers(self) -> Mapping[str, str]:
        """Text of each helper file by its path, such as ``plain/litert/strip.py``."""
        found: dict[str, str] = {}
        for module in _imported(self.script, ""):
            _collect(module, found)
        return found

    def files(self) -> dict[str, str]:
        """Text of every file by its path: the script first, then what makes the helpers a package."""
        return {SCRIPT: self.script, **_packages(self.helpers), **self.helpers}

    def with_script(self, script: str) -> Bundle:
        """The same with another script."""
        return replace(self, script=script)

    def knowing(self, classes: Path | None) -> Bundle:
        """The same that lets Keras know the classes in a file first, which goes with it.

        Args:
            classes: A ``.py`` or ``.pkl`` file; None for none.
        """
        if classes is None:
            return self
        lines = self.script.splitlines()
        imports = [
            one.end_lineno or one.lineno
            for one in ast.parse(self.script).body
            if isinstance(one, ast.Import | ast.ImportFrom)
        ]
        at = max(imports, default=0)
        lines[at:at] = [
            "from plain.keras.own_classes import know",
            "",
            "# The model has classes of your own: they are defined in this file.",
            f'know("{classes.name}")',
        ]
        return replace(self, script="\n".join(lines) + "\n", beside={classes.name: classes.read_bytes()})

    def write(self, folder: str | Path) -> Path:
        """Writes the files.

        Args:
            folder: Made if it is missing; files of the same names are replaced.

        Returns:
            The script.
        """
        for name, text in self.files().items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for name, content in self.beside.items():
            (Path(folder) / name).write_bytes(content)
        return Path(folder) / SCRIPT

    def __str__(self) -> str:
        return self.script

    def _repr_html_(self) -> str:
        helpers = "".join(
            f"<details><summary><code>{html.escape(name)}</code></summary><pre>{html.escape(text)}</pre></details>"
            for name, text in self.helpers.items()
        )
        return f"<div><pre>{html.escape(self.script)}</pre>{helpers}</div>"


def import_code(*statements: str) -> str:
    """Import statements as a script begins with them: each once, in groups, those of ``plain`` last.

    Args:
        *statements: Such as ``import keras``; empty ones are left out. Several names of one module become
            one statement.

    Returns:
        Whole lines, with an empty line between the groups and after the last.
    """
    whole: set[str] = set()
    names: dict[str, set[str]] = {}
    for statement in filter(None, statements):
        (node,) = ast.parse(statement).body
        if isinstance(node, ast.ImportFrom) and not any(alias.asname for alias in node.names):
            names.setdefault(node.module or "", set()).update(alias.name for alias in node.names)
        else:
            whole.add(statement)
    lines = whole | {f"from {module} import {', '.join(sorted(found))}" for module, found in names.items()}
    groups: dict[int, list[str]] = {0: [], 1: [], 2: []}
    for line in sorted(lines, key=lambda line: (line.startswith("from"), line)):
        package = line.split()[1].partition(".")[0]
        groups[2 if package == PACKAGE else package not in sys.stdlib_module_names].append(line)
    return "".join("\n".join(group) + "\n\n" for group in groups.values() if group)


def _collect(module: str, found: dict[str, str]) -> None:
    path = f"{module.replace('.', '/')}.py"
    if path in found:
        return
    text, imported = _module(module)
    found[path] = text
    for one in imported:
        _collect(one, found)


@cache
def _module(module: str) -> tuple[str, tuple[str, ...]]:
    """The text of a module of the package, and the modules of it that this one imports."""
    path = _FOLDER.joinpath(*module.split(".")[1:]).with_suffix(".py")
    text = path.read_text("utf-8")
    return text, tuple(_imported(text, module))


def _imported(text: str, module: str) -> Iterator[str]:
    """Full names of the package's modules that a text imports, wherever it does.

    Args:
        text: A script, or a module of the package.
        module: The module's full name; empty for a script.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            named = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            around = module.split(".")[: -node.level] if node.level else []
            source = ".".join([*around, *([node.module] if node.module else [])])
            named = [(source, alias.name) for alias in node.names]
        else:
            continue
        for source, name in named:
            if source.partition(".")[0] == PACKAGE:
                # What is imported from a folder is a module of it.
                inside = f"{source}.{name}"
                yield inside if name and _is_module(inside) else source


def _is_module(name: str) -> bool:
    return _FOLDER.joinpath(*name.split(".")[1:]).with_suffix(".py").is_file()


def _packages(paths: Iterable[str]) -> dict[str, str]:
    folders = sorted({folder.as_posix() for path in paths for folder in Path(path).parents} - {"."})
    return {
        f"{folder}/__init__.py": (_FOLDER.parent / folder / "__init__.py").read_text("utf-8")
        for folder in folders
    }
