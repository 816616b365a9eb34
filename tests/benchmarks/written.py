"""Puts what a benchmark prints into its page of the site: ``python -m tests.benchmarks NAME --write``.

A line that is indented tells how far a benchmark is, and is left out; a row of a table stays one; any other
line becomes an item of a list. Above them stand the command, the day, the version and the machine.
"""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path
from typing import TextIO

from workbench import __version__
from workbench.measure.environment import environment

PAGES = Path(__file__).parents[2] / "docs" / "measured"
BEGIN, END = "<!-- printed: begin -->\n", "<!-- printed: end -->\n"


class Tee(io.TextIOBase):
    """Passes on what is printed, and keeps it.

    Attributes:
        kept: All of it.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.kept = ""
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes text to both."""
        self.kept += text
        return self._stream.write(text)

    def flush(self) -> None:
        """Flushes what it passes on to."""
        self._stream.flush()


def write(name: str, title: str, printed: str, pages: Path = PAGES) -> Path:
    """Replaces what a page has between its two marks; makes the page where there is none.

    Args:
        name: Of the benchmark, and of its page.
        title: Of a new page.
        printed: What the benchmark printed.
        pages: The folder of the pages.

    Raises:
        ValueError: If the page has no marks.
    """
    file = pages / f"{name}.md"
    page = file.read_text(encoding="utf-8") if file.exists() else f"# {title}\n\n{BEGIN}{END}"
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file} has no line {BEGIN.strip()} with {END.strip()} after it.")
    file.write_text(f"{before}{BEGIN}{_heading(name)}{as_markdown(printed)}{END}{after}", encoding="utf-8")
    return file


def as_markdown(printed: str) -> str:
    """Tables and lists, each followed by an empty line."""
    blocks: list[tuple[str, list[str]]] = []
    for line in printed.splitlines():
        if not line.strip() or line.startswith((" ", "==")):
            continue
        kind = "table" if line.startswith("|") else "list"
        text = line if kind == "table" else f"- {line.removeprefix('- ')}"
        # Two tables may follow each other: the line below the heads begins a table, with the line before it.
        heads = kind == "table" and re.fullmatch(r"[|:\- ]+", line) is not None
        if heads and len(blocks[-1][1]) > 1:
            blocks.append((kind, [blocks[-1][1].pop()]))
        if not blocks or blocks[-1][0] != kind:
            blocks.append((kind, []))
        blocks[-1][1].append(text)
    return "".join("\n".join(lines) + "\n\n" for _, lines in blocks)


def _heading(name: str) -> str:
    machine = environment()
    return (
        f"`python -m tests.benchmarks {name}`, {date.today().isoformat()}, version {__version__}: "
        f"{machine.cpu}, {machine.cores} cores ({', '.join(machine.features)}), Python {machine.python}.\n\n"
    )
