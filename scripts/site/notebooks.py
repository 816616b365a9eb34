"""Notebooks as pages: texts and code, without outputs, which belong to one machine."""

from __future__ import annotations

import json
import re
from pathlib import Path

_NUMBER = re.compile(r"\d+")
_HEADING = re.compile(r"^#+ ", re.MULTILINE)


def notebook_pages(folder: Path) -> dict[str, str]:
    """A page for each notebook that has something to read."""
    found: dict[str, str] = {}
    folders: dict[str, list[str]] = {}
    for file in sorted(folder.rglob("*.ipynb"), key=_place):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if len(cells) > 2 and not hidden:  # the dashboard's is a title and a widget
            name = file.relative_to(folder).with_suffix(".md")
            found[f"notebooks/{name.as_posix()}"] = _page(cells)
            if name.parent != Path():
                folders.setdefault(name.parent.as_posix(), []).append(name.with_suffix("").as_posix())
    for inner, names in folders.items():
        # What lies in a folder is one entry beside the other notebooks, with its own list.
        listed = "\n".join(names)
        title = inner.replace("/", ", ").capitalize()
        found[f"notebooks/{inner.replace('/', '-')}.md"] = f"# {title}\n\n```{{toctree}}\n{listed}\n```\n"
    return found


def _place(file: Path) -> tuple[str, int, str]:
    """Lessons by their numbers: the tenth does not come after the first."""
    number = _NUMBER.match(file.name)
    return file.parent.as_posix(), int(number[0]) if number else -1, file.name


def _page(cells: list[dict[str, object]]) -> str:
    parts = []
    for cell in cells:
        lines = cell["source"]
        text = "".join(lines) if isinstance(lines, list) else str(lines)
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
    if not _HEADING.match(parts[0]):
        parts.insert(0, "# Notebook")
    return "\n\n".join(parts) + "\n"
