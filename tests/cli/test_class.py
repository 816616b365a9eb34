"""A class on the command line, as its teacher and a learner use it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from tests.cli.conftest import Finished
from tests.course.test_room import lesson
from workbench.api.errors import InvalidInput


def test_a_class_is_prepared_worked_in_and_gathered(
    run: Callable[..., Finished], tmp_path: Path, opened_digits: Path
) -> None:
    made = run(
        "class", "new", "room-4", "--title", "Room 4", "--lesson", "1-structure", "--lesson", "9-challenge",
        "--language", "zh_CN", "--seed", "3", "--hide", "training", "--fix", "quantization.int8.samples=100",
        "--file-share", "30", "--speedup", "1.5",
    )  # fmt: skip
    assert made.code == 0, made.err
    assert "Lesson 9 speaks of a quarter" in made.err
    settings = json.loads((tmp_path / "room-4/class.json").read_text("utf-8"))
    assert settings["fixed"] == {"quantization.int8": {"samples": 100}}
    assert settings["demands"] == {"size": 0.3, "may_fall": 0.01, "speedup": 1.5}
    assert sorted(file.name for file in (tmp_path / "room-4/lessons/zh").iterdir()) == [
        "1-structure.ipynb",
        "9-challenge.ipynb",
    ]
    again = run("class", "new", "room-4")
    assert (again.code, "there already" in again.err) == (3, True)
    nobody = run("class", "collect", "room-4")
    assert (nobody.code, "Nobody has handed in" in nobody.err) == (2, True)

    # One learner hands in a file, another one's folder lies in the room, with a model that was measured.
    lesson(tmp_path / "course" / "1-structure")
    handed = run("class", "hand-in", "course", "--name", "Ada", "--out", "room-4/room")
    assert handed.code == 0, handed.err
    shutil.copytree(opened_digits, tmp_path / "room-4/room/bo/9-challenge")
    (tmp_path / "room-4/room/bad.zip").write_bytes(b"no zip")
    gathered = run("class", "collect", "room-4", "--out", "out", "--language", "en")
    assert gathered.code == 0, gathered.err
    assert "learners: 2, lessons: 2" in gathered.out
    assert "bad.zip" in gathered.err
    with (tmp_path / "out/room.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    (model,) = [line for line in lines if line["kind"] == "variant"]
    assert (model["learner"], model["name"]) == ("bo", "dense-digits")
    assert int(model["file_bytes"]) == next((opened_digits / "variants").glob("*/*.keras")).stat().st_size
    assert float(model["quality"]) > 0.9
    assert "Board of Room 4" in (tmp_path / "out/board.html").read_text("utf-8")

    reset = run("class", "reset", "course", "--yes")
    assert reset.code == 0, reset.err
    assert not (tmp_path / "course").exists()
    assert (Path(reset.out.strip()) / "1-structure").is_dir() or (tmp_path / reset.out.strip()).is_dir()


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (("--fix", "int8"), "A parameter is fixed like this"),
        (("--fix", "quantization.int8.samples=many"), "valid integer"),
        (("--hide", "traning"), "There is no panel 'traning'"),
        (("--lesson", "12"), "There is no lesson 12"),
    ],
)
def test_what_cannot_be_fixed_is_said(option: tuple[str, str], reason: str, tmp_path: Path) -> None:
    program = import_module("workbench.cli.class_").command
    with pytest.raises(InvalidInput) as caught:
        program.main(["new", str(tmp_path / "room"), *option], standalone_mode=False)
    assert reason in str(caught.value)
    assert not (tmp_path / "room").exists()
