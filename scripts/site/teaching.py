"""What a teacher needs of each lesson, from the lessons: minutes, questions, wrong answers, key points."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from workbench.course.notebooks import build

_PLAN = re.compile(
    r"\*\*Plan\*\*: (.+?)\. \*\*You need\*\*: (.+?)\. \*\*Questions?\*\*: (.+?)(?:\n\n|\Z)", re.DOTALL
)
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_KEY_POINTS = re.compile(r"^## Key points\n+((?:- .*\n(?:  .*\n)*)+)", re.MULTILINE)


def teaching_pages(lessons: Path) -> dict[str, str]:
    """The page, by path.

    Args:
        lessons: The folder of the lessons' sources.
    """
    sources = sorted(lessons.glob("*.py"), key=lambda file: int(file.stem.partition("_")[0]))
    parts = [
        "# The lessons, for teachers",
        "",
        "For each lesson: how long it takes, what it asks, which wrong answers to expect and what helps, and",
        "what should be left at the end. The hints are those that a learner sees. Solutions have answers:",
        "",
        "```",
        "workbench course build widgets/course/lessons --solution --out solutions",
        "```",
    ]
    for source in sources:
        parts += ["", *_lesson(source)]
    return {"howto/lessons.md": "\n".join(parts) + "\n"}


def _lesson(source: Path) -> Iterator[str]:
    cells = build(source, "en")["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown") + "\n"
    title, plan, points = _TITLE.search(text), _PLAN.search(text), _KEY_POINTS.search(text)
    if title is None or plan is None or points is None:
        raise ValueError(f"{source.name}: a lesson has a title, a plan and key points")
    minutes, needed, questions = (" ".join(part.split()) for part in plan.groups())
    yield f"## {title[1]}"
    yield ""
    yield f"**Minutes**: {minutes}. **Before it**: {needed}. **Objective**, as questions: {questions}"
    told = list(_asked(source))
    for heading, kind in (("To be predicted", "prediction"), ("Checks", "check"), ("Questions", "question")):
        lines = [line for found, line in told if found == kind]
        if lines:
            yield from ("", f"**{heading}**", "", *lines)
    yield from ("", "**Key points**", "", *points[1].rstrip("\n").split("\n"))


def _asked(source: Path) -> Iterator[tuple[str, str]]:
    """What a source asks, as lines of a list with their kinds."""
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            for call in filter(_is_check, node.decorator_list):
                assert isinstance(call, ast.Call)
                yield "check", f"- {_english(call.args[1])}"
                for hint in _hints(node):
                    yield "check", f"  - {hint}"
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call, name = node.value, getattr(node.value.func, "id", "")
            if name == "prediction":
                yield "prediction", f"- {_english(call.args[1])}"
            elif name == "question":
                yield "question", f"- {_english(call.args[1])}"
                for line in _wrong_answers(call):
                    yield "question", f"  - {line}"


def _is_check(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check"


def _hints(check: ast.FunctionDef) -> Iterator[str]:
    """What helps with each typical wrong answer: it stands beside that as ``yield wrong, hint``."""
    for node in ast.walk(check):
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
            yield _english(node.value.elts[1])


def _wrong_answers(call: ast.Call) -> Iterator[str]:
    answers = _texts(call.args[2])
    hints = next((_texts(one.value) for one in call.keywords if one.arg == "hints"), {})
    for key, hint in hints.items():
        yield f"“{answers.get(key, key)}” {hint}"


def _texts(node: ast.expr) -> dict[str, str]:
    if not isinstance(node, ast.Dict):
        return {}
    return {
        str(key.value): _english(value)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant)
    }


def _english(node: ast.expr) -> str:
    """The first string of ``both(...)``; of a text that is put together, its parts."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "both":
        return _english(node.args[0])
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_english(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ast.unparse(node)
