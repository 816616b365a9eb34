"""Notebooks in a real kernel, from the first cell to the last."""

from __future__ import annotations

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
import json
rows = {row.variant.name: row for row in workbench.results()}
print(json.dumps({
    "baseline": baseline.path.stat().st_size,
    "int8": int8.path.stat().st_size,
    "f1": [rows[name].quality.f1_macro.value for name in (baseline.name, int8.name)],
    "change": rows[int8.name].quality_change.word,
    "speed": rows[int8.name].speed.word,
    "p50": [row.latency.p50_ms.value for row in rows.values()],
    "file": str(file),
}))
"""


def executed(
    name: str, folder: Path, monkeypatch, look: str | None = None
) -> dict[str, nbformat.NotebookNode]:
    """The cells of a notebook by their names, with what they gave.

    Args:
        name: The notebook.
        folder: Of the user.
        monkeypatch: Pytest's own.
        look: Code to run before the last cell, as cell ``look``.
    """
    monkeypatch.setenv("WORKBENCH_FOLDER", str(folder / "workbench"))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("TMPDIR", str(folder))
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    if look is not None:
        notebook.cells.insert(-1, nbformat.v4.new_code_cell(look, id="look"))
    client = NotebookClient(notebook, timeout=1500, resources={"metadata": {"path": str(folder)}})
    client.execute()
    return {cell.id: cell for cell in notebook.cells}


def printed(cell: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def widgets(cell: nbformat.NotebookNode) -> int:
    return sum(WIDGET in output.get("data", {}) for output in cell.get("outputs", []))


def test_quickstart(tmp_path, monkeypatch):
    cells = executed("quickstart.ipynb", tmp_path, monkeypatch, LOOK)
    found = json.loads(printed(cells["look"]))
    assert found["int8"] < found["baseline"] / 3
    assert all(f1 > 0.85 for f1 in found["f1"])
    assert found["change"] in {"kept", "not proven"}
    assert found["speed"] in {"faster", "slower", "no measurable change"}
    assert len(found["p50"]) == 3  # the baseline, int8, and float32 in int8's runtime
    assert all(time > 0 for time in found["p50"])
    assert Path(found["file"]).stat().st_size == found["int8"]
    assert f"-> {found['int8']:,} bytes" in printed(cells["apply"])

    recipe = yaml.safe_load(printed(cells["recipe"]))
    assert recipe["model"] == "my-model"
    (step,) = recipe["steps"]
    assert step["technique"] == "quantization.int8"
    assert step["parameters"]["samples"] == 100

    assert [widgets(cells[name]) for name in ("panel", "table", "chart")] == [1, 1, 1]


def test_dashboard(tmp_path, monkeypatch):
    cells = executed("dashboard.ipynb", tmp_path, monkeypatch)
    assert sum(map(widgets, cells.values())) == 1
