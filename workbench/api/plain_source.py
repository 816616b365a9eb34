"""Modules of this package as part of the plain code that a technique shows."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path


def plain_source(*modules: str) -> str:
    """The source of modules, one after the other, without what ties them to this package.

    Args:
        *modules: Full names. Each may import from those before it, and else nothing of this package;
            none is imported here.
    """
    imports: list[str] = []
    bodies: list[str] = []
    for module in modules:
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        text = Path(spec.origin).read_text("utf-8")
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr):
                continue
            span = slice(node.lineno - 1, node.end_lineno)
            package = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if isinstance(node, ast.Import | ast.ImportFrom) and not package.startswith(("workbench", "__")):
                imports.append("\n".join(lines[span]))
            # The text of a module at its top, and its imports.
            if not isinstance(node, ast.Expr) or node.lineno == 1:
                lines[span] = [""] * len(lines[span])
        bodies.append("\n".join(lines).strip())
    return "\n".join(dict.fromkeys(imports)) + "\n\n\n" + "\n\n\n".join(bodies) + "\n"
