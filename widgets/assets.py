"""How the page gets its JavaScript: each file once per page, from the server, or from the kernel.

The contract with the components
--------------------------------
The ES modules and style sheets lie in ``widgets/static``. ``workbench.js`` is the entry; it exports
one object per component::

    // static/workbench.js
    export { table } from "./table.js";

    // static/table.js
    export const table = { render({ model, el, signal, assets }) { ...; return () => cleanup; } };

and the Python side of that component is::

    from widgets.assets import deliver, esm

    class VariantTable(anywidget.AnyWidget):
        _esm = esm("table")

        def __init__(self, **state):
            super().__init__(**state)
            self.on_msg(deliver)

What a widget sends to the page is only the stub ``assets.js`` (4 kB), which loads ``workbench.js``
once per page and calls ``render`` of the component. It ends as soon as it is parsed, so that
anywidget's limit of two seconds for a model to start is kept on a slow machine. ``render`` gets
anywidget's context (``model``, ``el``, ``signal``, ``experimental``, ``host``) and besides
``assets``, whose calls load a file once per page and are promises:

- ``assets.plotly()``: the ``Plotly`` object of ``vendor/plotly.min.js``, plotly's "cartesian" bundle: a
  third of the whole, which a browser also reads in a third of the time;
- ``assets.load("name.js")``: a module, for what is needed late, such as ``vendor/dagre.esm.js``, which lays
  out graphs;
- ``assets.style("workbench.css")``: puts the style sheet into the document, once;
- ``assets.url("name.svg")``: an address.

Rules for files in ``static``: flat (no folders); relative imports written as ``"./name.js"`` in double
quotes, without cycles; no ``import.meta.url``, because a file may come from the kernel as a blob;
``workbench.css`` refers to no other file. Custom messages of kind ``"neural-workbench.asset"`` belong to
this module.

Where the files come from
-------------------------
``workbench dashboard`` and ``workbench lab`` call :func:`publish` and put its folder on
``JUPYTER_PATH``. Both servers then serve ``labextensions`` below it: JupyterLab at
``/lab/extensions/``, Voila at ``/voila/labextensions/``. The page's ``jupyter-config-data`` names
that address. The file's address holds a digest of all files, so a browser's cache is never stale.
Everywhere else (VS Code, Colab, a plain ``jupyter lab``) the stub asks the kernel, once per page.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

_STATIC = Path(__file__).with_name("static")
_STUB = Path(__file__).with_name("assets.js")
_LAUNCHER = Path(__file__).with_name("launcher")
NAME = "@neural-workbench/assets"
"""The folder below ``labextensions``; what it holds never changes under the same address."""

LAUNCHER = "@neural-workbench/launcher"
"""The extension of JupyterLab beside it: what is in its launcher."""

_KIND = "neural-workbench.asset"
_VENDOR = Path(__file__).with_name("vendor")
_PLOTLY = _VENDOR / "plotly.min.js"
_OTHERS = (_PLOTLY, _VENDOR / "dagre.esm.js")
"""Files of others: they import nothing."""
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_IMPORT = re.compile(r'(?:\bfrom\s*|\bimport\s*\(?\s*)"\./([^"/]+)"')


def esm(component: str) -> str:
    """The JavaScript that a widget sends: loads ``workbench.js`` and renders one component.

    Args:
        component: The name under which ``workbench.js`` exports it.
    """
    if not component.isidentifier():
        raise ValueError(f"component must be a JavaScript name. Received: {component!r}")
    path = f"{NAME}/{version()}" if _is_served() else ""
    text = _STUB.read_text(encoding="utf-8")
    for word, value in (("PATH", path), ("COMPONENT", component), ("VERSION", version())):
        text = text.replace(f"__{word}__", value)
    return text


def deliver(widget: Any, content: Any, buffers: Any) -> None:
    """Answers a page that has no server to fetch a file from; give it to ``widget.on_msg``.

    Args:
        widget: The widget whose comm carried the question.
        content: The custom message. Messages of another kind are left alone.
        buffers: Not used.
    """
    if not isinstance(content, dict) or content.get("kind") != _KIND:
        return
    name = content.get("name")
    answer: dict[str, Any] = {"kind": _KIND, "name": name}
    available = _files()
    if not isinstance(name, str) or name not in available:
        widget.send({**answer, "error": f"no asset named {name!r}"})
        return
    order = _with_imports(name, available)
    answer["files"] = [
        {"name": part, "type": _type(part), "imports": _imports(available[part])} for part in order
    ]
    widget.send(answer, [available[part].read_bytes() for part in order])


@cache
def version() -> str:
    """A digest of every file: it changes when one of them does."""
    digest = hashlib.sha256()
    launcher = {file.name: file for file in _LAUNCHER.iterdir()}
    for name, file in sorted({**_files(), **launcher}.items()):
        digest.update(name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def modules() -> tuple[str, ...]:
    """The modules that every page imports, as paths below ``labextensions``; plotly comes last."""
    names = _with_imports("workbench.js", _files())
    return tuple(f"{NAME}/{version()}/{name}" for name in (*reversed(names), _PLOTLY.name))


def publish(cache_folder: Path) -> Path:
    """Copies the files to where a Jupyter server can serve them.

    Args:
        cache_folder: Where to write; what is already there is used again.

    Returns:
        The folder to put on ``JUPYTER_PATH``. It holds ``labextensions``.
    """
    root = cache_folder / "assets" / version()
    extensions = root / "labextensions"
    _copy(_LAUNCHER.iterdir(), extensions / LAUNCHER)
    _copy(_files().values(), extensions / NAME / version())
    return root


def _copy(files: Iterable[Path], target: Path) -> None:
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Two servers may start at once: a folder appears whole, by renaming, or not at all.
    unfinished = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unfinished-"))
    try:
        unfinished.chmod(0o755)
        for file in files:
            shutil.copyfile(file, unfinished / file.name)
        unfinished.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _is_served() -> bool:
    # Only the folder that a launcher named: a server that started without it would answer 404,
    # and the browser would write that into its console as an error.
    return any(
        (Path(folder) / "labextensions" / NAME / version()).is_dir()
        for folder in os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
        if folder
    )


def _files() -> dict[str, Path]:
    files = {
        file.name: file for file in sorted(_STATIC.glob("*")) if file.is_file() and file.suffix in _TYPES
    }
    return files | {file.name: file for file in _OTHERS}


def _type(name: str) -> str:
    return _TYPES[Path(name).suffix]


@cache
def _imports(file: Path) -> list[str]:
    if file.suffix not in {".js", ".mjs"} or file in _OTHERS:
        return []
    return sorted(set(_IMPORT.findall(file.read_text(encoding="utf-8"))))


def _with_imports(name: str, available: dict[str, Path]) -> list[str]:
    order: list[str] = []

    def visit(part: str, above: tuple[str, ...]) -> None:
        if part in above:
            raise ValueError(f"modules import each other: {' -> '.join((*above, part))}")
        if part not in order and part in available:
            for used in _imports(available[part]):
                visit(used, (*above, part))
            order.append(part)

    visit(name, ())
    return order
