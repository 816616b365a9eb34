"""Sections of the repository's texts as pages, so that nothing is written twice."""

from __future__ import annotations

import re
from pathlib import Path

_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)[^)]+\)")
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)


def section_pages(root: Path) -> dict[str, str]:
    """The pages, by path."""
    contributing = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return {
        "howto/add-a-technique.md": _page(_between(contributing, "## Adding a technique", "## Texts")),
        "changes.md": _page((root / "CHANGELOG.md").read_text(encoding="utf-8")),
    }


def _between(text: str, first: str, end: str) -> str:
    """From a heading to another one, without that."""
    start = text.index(first)
    return text[start : text.index(end, start)]


def _page(text: str) -> str:
    """A part of a page as a page: the first heading is its title, and paths are no links."""
    text = _COMMENT.sub("", _LINK.sub(r"`\1`", text)).strip()
    level = len(text) - len(text.lstrip("#"))
    # Inside code a line may begin with # too: those parts stay as they are.
    parts = re.split(r"(```.*?```)", text, flags=re.DOTALL)
    raised = [part if part.startswith("```") else _raised(part, level - 1) for part in parts]
    return "".join(raised) + "\n"


def _raised(text: str, levels: int) -> str:
    return re.sub(rf"^#{{{levels}}}(#+ )", r"\1", text, flags=re.MULTILINE) if levels else text
