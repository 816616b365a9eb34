"""The worked example for contributors is made of parts of the real files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUOTES = re.findall(
    r"<!-- (\S+) -->\n```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL
)
"""Each quoted part of a file, with the file."""


def test_the_example_quotes_every_step_of_the_technique():
    technique = "".join(code for file, code in QUOTES if file.endswith("techniques/structure/dead_units.py"))
    for step in (
        "Parameters)",
        "name = ",
        "obstacle(",
        "raise Refused",
        "refusals(",
        "unit_activity(",
        "shortfall",
    ):
        assert step in technique
    assert any(file.startswith("tests/") for file, _ in QUOTES)


@pytest.mark.parametrize(("file", "code"), QUOTES, ids=lambda value: value.splitlines()[0].strip()[:40])
def test_what_is_quoted_is_in_the_file(file: str, code: str):
    assert code in (ROOT / file).read_text("utf-8")


def test_every_room_is_on_the_map():
    map_ = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for folder in (ROOT / "workbench").iterdir():
        if (folder / "__init__.py").is_file():
            assert f"| `workbench/{folder.name}/` |" in map_
