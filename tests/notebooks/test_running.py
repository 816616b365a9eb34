"""Notebooks in a real kernel, from the first cell to the last."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from tests.notebooks.test_source import NOTEBOOKS

pytestmark = pytest.mark.slow
WIDGET = "application/vnd.jupyter.widget-view+json"

LOOK = """
import gc, json
from workbench.jobs.executor import Executor

def executors():
    return [one for one in gc.get_objects() if type(one) is Executor and one.status().state != "closed"]

rows = {row.variant.name: row for row in workbench.results()}
print(json.dumps({
    "baseline": baseline.path.stat().st_size,
    "int8": int8.path.stat().st_size,
    "f1": [rows[name].quality.f1_macro.value for name in (baseline.name, int8.name)],
    "change": rows[int8.name].quality_change.word,
    "speed": rows[int8.name].speed.word,
    "names": list(rows),
    "closed": workbench.closed,
    "workers": len({id(one) for one in executors()}),
    "p50": [row.latency.p50_ms.value for row in rows.values()],
    "file": str(file),
}))
"""


def executed(
    name: str, folder: Path, monkeypatch, look: str | None = None, again: bool = False
) -> dict[str, nbformat.NotebookNode]:
    """The cells of a notebook by their names, with what they gave.

    Args:
        name: The notebook.
        folder: Of the user.
        monkeypatch: Pytest's own.
        look: Code to run after the last cell, as cell ``look``.
        again: Whether all is run once more in the same kernel; those cells are called ``<name>-again``.
    """
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("WORKBENCH_FOLDER", str(folder / "workbench"))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("TMPDIR", str(folder))
    # As for a user: TensorFlow may speak, and what the kernel's libraries write is shown.
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    if look is not None:
        notebook.cells.append(nbformat.v4.new_code_cell(look, id="look"))
    if again:
        twice = copy.deepcopy(notebook.cells)
        for cell in twice:
            cell["id"] += "-again"
        notebook.cells += twice
    client = NotebookClient(notebook, timeout=1500, resources={"metadata": {"path": str(folder)}})
    client.execute()
    return {cell.id: cell for cell in notebook.cells}


def printed(cell: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def shown(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)


def red(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for output in cell.get("outputs", []) if output.get("name") == "stderr"]


def widgets(cell: nbformat.NotebookNode) -> int:
    return sum(WIDGET in output.get("data", {}) for output in cell.get("outputs", []))


def test_quickstart_run_twice(tmp_path, monkeypatch):
    cells = executed("quickstart.ipynb", tmp_path, monkeypatch, LOOK, again=True)
    found = json.loads(printed(cells["look"]))
    assert found["int8"] < found["baseline"] / 3
    assert all(f1 > 0.85 for f1 in found["f1"])
    assert found["change"] in {"kept", "not proven"}
    assert found["speed"] in {"faster", "slower", "no measurable change"}
    assert found["names"] == ["my-model", "int8", "LiteRT"]  # and float32 in int8's runtime
    assert all(time > 0 for time in found["p50"])
    assert Path(found["file"]).stat().st_size == found["int8"]
    assert f"-> {found['int8']:,} bytes" in printed(cells["apply"])

    recipe = yaml.safe_load(printed(cells["recipe"]))
    assert recipe["model"] == "my-model"
    (step,) = recipe["steps"]
    assert step["technique"] == "quantization.int8"
    assert step["parameters"]["samples"] == 100

    assert [widgets(cells[name]) for name in ("panel", "panels", "chart")] == [1, 1, 1]
    # What was waited for says in the saved notebook what came out.
    assert "done in" in shown(cells["open"])
    assert "smaller" in shown(cells["apply"])
    assert "smaller" in shown(cells["table"])

    # The second time nothing is made again, and the panels are those of a workbench that is open.
    twice = json.loads(printed(cells["look-again"]))
    assert twice == found
    assert twice["closed"] is False
    assert twice["workers"] == found["workers"] == 1
    complaints = [output.text for cell in cells.values() for output in red(cell)]
    assert complaints == []


def test_dashboard(tmp_path, monkeypatch, scheduler):
    monkeypatch.setenv("WORKBENCH_SCHEDULER", scheduler)
    cells = executed("dashboard.ipynb", tmp_path, monkeypatch)
    assert sum(map(widgets, cells.values())) == 1
