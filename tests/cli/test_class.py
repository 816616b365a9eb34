"""A class on the command line, as its teacher and a learner use it."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from tests.cli.conftest import Finished
from tests.course.test_room import lesson
from workbench.api.errors import InvalidInput
from workbench.cli import workbench


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
    nobody = run("class", "collect", "room-4", "--language", "en")
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


def test_the_commands_of_the_guide_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a teacher types them in an empty folder; what serves a page until Ctrl-C is tried elsewhere."""
    guide = (Path(__file__).parents[2] / "docs/howto/teach.md").read_text("utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    commands = [
        shlex.split(line)[1:]
        for kind, block in blocks
        for line in block.splitlines()
        if not kind and line.startswith("workbench ")
    ]
    assert [command[:2] for command in commands] == [
        ["class", "new"],
        ["lab", "--class"],
        ["class", "hand-in"],
        ["class", "collect"],
        ["class", "reset"],
    ]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_FOLDER", str(tmp_path / "home" / "default"))
    lesson(tmp_path / "home" / "course" / "1-structure")
    for command in commands:
        if command[0] != "lab":
            workbench.main(command, standalone_mode=False)
    assert (tmp_path / "room-4/room/Ada-1-structure.zip").is_file()
    assert "Ada" in (tmp_path / "board/board.html").read_text("utf-8")
    assert len(list((tmp_path / "home").glob("course-*/1-structure"))) == 1
    # Each option that it names is one.
    told = capsys.readouterr()
    with pytest.raises(SystemExit):
        workbench.main(["class", "new", "--help"])
    known = capsys.readouterr().out
    for option in ("--seed", "--hide", "--fix", "--file-share", "--may-fall", "--speedup", "--projector"):
        assert option in guide
        assert option in known
    assert "Traceback" not in told.err


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
