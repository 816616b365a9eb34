"""Every lesson of the course: its solution passes its own checks, its untouched exercise fails them.

Both languages run the same code (``tests/course/test_notebooks.py`` holds that), so English ones are run.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks.test_running import printed, red
from widgets.course.lesson import LESSONS, lessons
from workbench.course.notebooks import build
from workbench.store import Store

pytestmark = pytest.mark.slow

LOOK = """
import json
print(json.dumps({
    "unpassed": lesson.unpassed(),
    "checks": list(lesson._asked.titles),
    "predictions": {key: one.measured is not None for key, one in workbench.course.predictions.items()},
    "asked": [one.key for one in lesson._asked.predictions],
    "judged": {key: one.passed for key, one in workbench.course.checks.items()},
    "answers": list(lesson._asked._checks),
}))
"""


def run(name: str, folder: Path, *, solution: bool) -> tuple[dict, dict]:
    """The cells of a lesson by name with what they gave, and how far the learner is then."""
    source = LESSONS / f"{name.replace('-', '_')}.py"
    notebook = nbformat.reads(json.dumps(build(source, "en", solution=solution)), as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(LOOK, id="look"))
    # An exercise that nobody has touched may stumble over its own dots.
    client = NotebookClient(
        notebook, timeout=1500, allow_errors=not solution, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    cells = {cell.id: cell for cell in notebook.cells}
    return cells, json.loads(printed(cells["look"]))


@pytest.mark.parametrize("name", lessons())
def test_the_solution_passes_and_the_untouched_exercise_fails(
    name, tmp_path, monkeypatch, scheduler, opened_digits
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_FOLDER", str(tmp_path / "workbench"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("WORKBENCH_SCHEDULER", scheduler)
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
    home = tmp_path / "course" / name
    if '"dense-digits", "digits"' in (LESSONS / f"{name.replace('-', '_')}.py").read_text("utf-8"):
        shutil.copytree(opened_digits, home)  # opening it is tested elsewhere

    cells, found = run(name, tmp_path, solution=True)
    assert found["unpassed"] == []
    assert len(found["checks"]) >= 2
    assert sorted(found["predictions"]) == sorted(found["asked"])
    assert all(found["predictions"].values()), "a prediction has nothing measured beside it"
    assert [output.text for cell in cells.values() for output in red(cell)] == []

    store = Store(home)
    for key in store.facts("course check "):
        store.drop_fact(f"course check {key}")
    before = store.facts("course prediction ")
    _, found = run(name, tmp_path, solution=False)
    assert sorted(f"{name}/{key}" for key in found["unpassed"]) == sorted(found["checks"])
    # Each check of a cell has judged what stands there; the questions wait for an answer.
    assert found["judged"] == {f"{name}/{key}": False for key in found["answers"]}
    assert store.facts("course prediction ") == before
    store.close()


def test_nothing_runs_before_it_is_predicted(tmp_path, monkeypatch, scheduler, opened_digits):
    """In a folder without predictions the gates stop the notebook, and nothing is made."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_FOLDER", str(tmp_path / "workbench"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("WORKBENCH_SCHEDULER", scheduler)
    shutil.copytree(opened_digits, tmp_path / "course" / "4-quantization")
    cells, found = run("4-quantization", tmp_path, solution=False)
    assert [output.ename for output in cells["int8"].outputs] == ["NotPredicted"]
    assert found["predictions"] == {}
    store = Store(tmp_path / "course" / "4-quantization")
    assert len(store.variants()) == 1
    store.close()
