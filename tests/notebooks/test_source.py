"""Notebooks in git are source: no results, no state of widgets, nothing of one machine."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ALL = sorted(path.relative_to(NOTEBOOKS).as_posix() for path in NOTEBOOKS.rglob("*.ipynb"))


def code_cells(name: str) -> list[dict]:
    document = json.loads((NOTEBOOKS / name).read_text("utf-8"))
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


def test_both_notebooks_are_there():
    assert {"dashboard.ipynb", "quickstart.ipynb"} <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_nothing_but_source(name):
    document = json.loads((NOTEBOOKS / name).read_text("utf-8"))
    nbformat.validate(document)
    assert "widgets" not in document["metadata"]
    assert document["metadata"]["kernelspec"]["name"] == "python3"
    assert set(document["metadata"]["language_info"]) == {"name"}
    for cell in code_cells(name):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
    for cell in document["cells"]:
        assert cell["metadata"] == {}


@pytest.mark.parametrize("name", ALL)
def test_cells_have_names_of_their_own(name):
    document = json.loads((NOTEBOOKS / name).read_text("utf-8"))
    ids = [cell["id"] for cell in document["cells"]]
    assert len(ids) == len(set(ids))
    assert all(ids)


def test_quickstart_reaches_the_file_in_ten_cells():
    sources = ["".join(cell["source"]) for cell in code_cells("quickstart.ipynb")]
    until = next(number for number, source in enumerate(sources, 1) if "write_bytes" in source)
    assert until <= 10
