"""One source gives the notebooks of both languages; those in git are what it gives."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from widgets.course.lesson import LESSONS, lessons
from workbench.api.errors import InvalidInput
from workbench.api.text import LANGUAGES
from workbench.course.notebooks import LANGUAGE_FOLDERS, build, write_notebooks, written

NOTEBOOKS = Path(__file__).parents[2] / "notebooks" / "course"
SOURCES = {name: LESSONS / f"{name.replace('-', '_')}.py" for name in lessons()}

SOURCE = """\
# %% [markdown] lang="en"
# # Title

# %% [markdown] lang="zh_CN"
# # 标题

# %% tags=["hidden"]
@check("a", both("A", "甲"))
def _():
    yield 42

# %% name="a"
if True:
    # en: In bytes.
    # zh_CN: 单位是字节。
    said = both("Say \\"x\\"", "说“x”") + both("1", "2")
    # region solution
    answer = 42
    # region exercise
    # answer = ...
    # endregion

# %% name="b" tags=["solution"]
b = 1
"""


def code(notebook: dict) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def prose(notebook: dict) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def test_what_belongs_to_a_language_or_to_the_solution(tmp_path):
    source = tmp_path / "0_x.py"
    source.write_text(SOURCE, "utf-8")
    exercise = build(source, "en")
    assert prose(exercise) == ["# Title"]
    assert exercise["metadata"]["title"] == "Title"
    assert code(exercise) == ['if True:\n    # In bytes.\n    said = "Say \\"x\\"" + "1"\n    answer = ...']
    solution = build(source, "zh_CN", solution=True)
    assert prose(solution) == ["# 标题"]
    assert code(solution) == [
        'if True:\n    # 单位是字节。\n    said = "说“x”" + "2"\n    answer = 42',
        "b = 1",
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("# %%\nx = 1\n", "a cell of code has a name"),
        ('# %% name="a"\nx = both("only one")\n', "takes a string for each of"),
        ('# %% name="a"\nx = (\n', "is no lesson"),
        ('# %% name="a"\n# region solution\nx = 1\n', "a region has no end"),
    ],
)
def test_a_file_that_is_no_lesson_is_told_with_its_cell(tmp_path, source, said):
    file = tmp_path / "0_x.py"
    file.write_text(source, "utf-8")
    with pytest.raises(InvalidInput, match=said):
        build(file, "en")


@pytest.mark.parametrize("name", SOURCES)
def test_notebooks_in_git_are_what_their_source_gives(name):
    for language, folder in LANGUAGE_FOLDERS.items():
        kept = (NOTEBOOKS / folder / f"{name}.ipynb").read_text("utf-8")
        assert kept == written(build(SOURCES[name], language)), "run: make course-notebooks"


def test_there_are_no_other_notebooks():
    expected = {f"{folder}/{name}" for folder in LANGUAGE_FOLDERS.values() for name in SOURCES}
    assert {
        file.relative_to(NOTEBOOKS).with_suffix("").as_posix() for file in NOTEBOOKS.rglob("*.ipynb")
    } == expected


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("solution", [False, True])
def test_both_languages_run_the_same_code(name, solution):
    """So the English notebooks that tests run stand for the Chinese ones."""

    class Blank(ast.NodeTransformer):
        def visit_Constant(self, node):
            return ast.Constant("") if isinstance(node.value, str) else node

    both = [code(build(SOURCES[name], language, solution=solution)) for language in LANGUAGES]
    assert len(both[0]) == len(both[1])
    for ours, theirs in zip(*both, strict=True):
        assert ast.dump(Blank().visit(ast.parse(ours))) == ast.dump(Blank().visit(ast.parse(theirs)))


@pytest.mark.parametrize("name", SOURCES)
def test_a_lesson_has_all_its_parts(name):
    for language in LANGUAGES:
        exercise, solution = (build(SOURCES[name], language, solution=is_one) for is_one in (False, True))
        cells, text = "\n".join(code(exercise)), "\n".join(prose(exercise))
        assert cells.count("lesson.check(") + cells.count("lesson.ask(") >= 2
        assert cells.count("lesson.predict(") >= 1
        assert cells.count("lesson.require(") >= 1
        assert len(prose(exercise)) == len(prose(solution))
        for part in {
            "en": ("Plan", "## Why?", "## Key points", "Sources"),
            "zh_CN": ("计划", "## 为什么？", "## 要点", "参考文献"),
        }[language]:
            assert part in text, f"{name} lacks {part}"
        assert "lock(" not in cells
        assert "answer(" not in cells


def test_the_command_writes_a_folder_of_each_language(tmp_path):
    source = tmp_path / "0_x.py"
    source.write_text(SOURCE, "utf-8")
    files = write_notebooks(source, tmp_path / "out")
    assert [file.relative_to(tmp_path / "out").as_posix() for file in files] == [
        "en/0-x.ipynb",
        "zh/0-x.ipynb",
    ]
    assert json.loads(files[0].read_text("utf-8"))["nbformat"] == 4
