"""From the one source of a lesson to its notebooks: exercise and solution, in each language.

A source is a Python file in jupytext's percent form. What belongs to one language or to the solution is
marked; all the rest is shared::

    # %% [markdown] lang="en"
    # Which file is smaller?

    # %% [markdown] lang="zh_CN"
    # 哪个文件更小？

    # %% name="ratio"
    # en: Both sizes are in bytes.
    # zh_CN: 两个大小的单位都是字节。
    # region solution
    ratio = before / after
    # region exercise
    # ratio = ...
    # endregion
    lesson.check("ratio", ratio)

    # %% name="answer" tags=["solution"]
    # A cell that only the solution has.

``both("English", "中文")`` becomes the string of the language, so that what a learner reads and changes is
plain code. What is asked and what is right stands in cells that are in no notebook; see
:mod:`workbench.course.hidden`. Notebooks have no results, and nothing of one machine.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput, Unavailable
from workbench.api.text import LANGUAGES, say
from workbench.course.hidden import HIDDEN

LANGUAGE_FOLDERS = {"en": "en", "zh_CN": "zh"}
"""Names of the folders that the notebooks of each language are in."""

BOTH = "both"
"""The function of a source that gives a string in each language, in the order of :data:`LANGUAGES`."""

_COMMENT = re.compile(r"^(?P<indent>\s*)# (?P<language>[A-Za-z_]+): ?(?P<text>.*)$")
_REGION = re.compile(r"^\s*# (?P<mark>region solution|region exercise|endregion)\s*$")
_TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)


def build(source: Path, language: str, *, solution: bool = False) -> dict[str, Any]:
    """The notebook of a lesson, as JSON.

    Args:
        source: The lesson, in the form above.
        language: One of :data:`~workbench.api.text.LANGUAGES`.
        solution: Whether the answers stand in it.

    Raises:
        InvalidInput: If the file is no lesson, with the cell that is wrong.
        Unavailable: If jupytext is not installed.
    """
    cells = list(_cells(source, language, solution=solution))
    title = next(filter(None, (_TITLE.search("".join(cell["source"])) for cell in cells)), None)
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": source.stem if title is None else title[1],
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def written(notebook: dict[str, Any]) -> str:
    """A notebook as the text of its file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def write_notebooks(source: Path, folder: Path, *, solution: bool = False) -> tuple[Path, ...]:
    """Writes the notebooks of a lesson, one in each language's folder.

    Args:
        source: The lesson.
        folder: Where the folders of the languages are; made if missing.
        solution: Whether the answers stand in them.

    Returns:
        The files.
    """
    files = []
    for language in LANGUAGES:
        file = folder / LANGUAGE_FOLDERS[language] / f"{source.stem.replace('_', '-')}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(written(build(source, language, solution=solution)), encoding="utf-8")
        files.append(file)
    return tuple(files)


def _cells(source: Path, language: str, *, solution: bool) -> Iterator[dict[str, Any]]:
    texts = 0
    for cell in _read(source)["cells"]:
        marks = cell["metadata"]
        told = "".join(cell["source"])
        tags = marks.get("tags", ())
        if HIDDEN in tags or marks.get("lang", language) != language or ("solution" in tags and not solution):
            continue
        if cell["cell_type"] == "markdown":
            texts += 1
            yield {
                "cell_type": "markdown",
                "id": f"text-{texts}",
                "metadata": {},
                "source": told.splitlines(keepends=True),
            }
            continue
        name = marks.get("name")
        if not isinstance(name, str):
            raise _wrong(source, told, 'a cell of code has a name, as in # %% name="open"')
        code = _code(source, told, language, solution=solution)
        yield {
            "cell_type": "code",
            "execution_count": None,
            "id": name,
            "metadata": {},
            "outputs": [],
            "source": code.splitlines(keepends=True),
        }


def _read(source: Path) -> Any:
    try:
        import jupytext
    except ImportError as error:
        raise Unavailable(
            say("Notebooks of lessons are made by jupytext, which is not installed."),
            say("Install it: pip install jupytext."),
        ) from error
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(source, error) from error
    return jupytext.reads(text, fmt="py:percent")


def _code(source: Path, told: str, language: str, *, solution: bool) -> str:
    lines = _chosen_lines(source, told, language, solution=solution)
    return _in_language(source, "\n".join(lines), language).strip("\n")


def _chosen_lines(source: Path, told: str, language: str, *, solution: bool) -> Iterator[str]:
    """The lines of this language and of the solution, or the exercise."""
    region = None
    for line in told.splitlines():
        if (mark := _REGION.match(line)) is not None:
            region = mark["mark"].removeprefix("region ") if mark["mark"] != "endregion" else None
            continue
        if region is not None and (region == "solution") != solution:
            continue
        if region == "exercise":  # is a comment, so that the source is a program
            line = re.sub(r"^(\s*)# ?", r"\1", line, count=1)
        comment = _COMMENT.match(line)
        if comment is not None and comment["language"] in LANGUAGES:
            if comment["language"] != language:
                continue
            line = f"{comment['indent']}# {comment['text']}"
        yield line
    if region is not None:
        raise _wrong(source, told, "a region has no end: # endregion")


def _in_language(source: Path, code: str, language: str) -> str:
    """The code with every ``both(...)`` replaced by its string of the language."""
    try:
        calls = [
            node
            for node in ast.walk(ast.parse(code))
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == BOTH
        ]
    except SyntaxError as error:
        raise _wrong(source, code, str(error)) from error
    lines = code.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    text = code.encode()
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        strings = [one.value for one in call.args if isinstance(one, ast.Constant)]
        if len(strings) != len(LANGUAGES) or not all(isinstance(one, str) for one in strings):
            raise _wrong(source, code, f"{BOTH}(...) takes a string for each of {', '.join(LANGUAGES)}")
        chosen = str(strings[list(LANGUAGES).index(language)])
        assert call.end_lineno is not None
        assert call.end_col_offset is not None
        begin = starts[call.lineno - 1] + call.col_offset
        end = starts[call.end_lineno - 1] + call.end_col_offset
        text = text[:begin] + _literal(chosen).encode() + text[end:]
    return text.decode()


def _literal(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if ast.literal_eval(quoted) == text else repr(text)


def _unreadable(source: Path, error: Exception) -> InvalidInput:
    return InvalidInput(say("{path} cannot be read: {error}.", path=str(source), error=str(error)))


def _wrong(source: Path, cell: str, reason: str) -> InvalidInput:
    first = next((line for line in cell.splitlines() if line.strip()), "")
    return InvalidInput(
        say(
            "{path} is no lesson: {reason}. The cell begins: {first}",
            path=str(source),
            reason=reason,
            first=first,
        )
    )
