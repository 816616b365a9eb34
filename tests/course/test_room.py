"""A room is gathered from whatever lies in its folders: what is damaged is named, the rest is taken."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from workbench.api.errors import InvalidInput, Refused
from workbench.course.board import board, demands_met
from workbench.course.class_settings import (
    ClassSettings,
    Demands,
    find_settings,
    parse_settings,
    read_settings,
)
from workbench.course.hand_in import Decided, Ends, HandIn, Made, Predicted, Tried, hand_in
from workbench.course.hand_in_files import hand_in_all, hand_in_zip, keep_in, read_zip
from workbench.course.keeping import CourseWork
from workbench.course.names import clean_name, file_name
from workbench.course.preparing import put_aside
from workbench.course.room import collect_room
from workbench.course.room_table import room_csv
from workbench.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BASELINE = Made(name="digits", baseline=True, runtime="keras", file_bytes=1000, measured=0.95)


def ends(value: float, spread: float = 0.0) -> Ends:
    return Ends(value=value, low=value - spread, high=value + spread)


def made(
    name: str, *, size: int = 240, speed: float = 2.0, change: Ends | None = None, doubt: str = ""
) -> Made:
    return Made(
        name=name,
        steps=("quantization.int8",),
        runtime="litert",
        file_bytes=size,
        times_smaller=1000 / size,
        latency_ms=0.5,
        speedup=ends(speed, 0.1),
        doubt=doubt,
        measured=0.94,
        change=change or ends(0.0, 0.005),
        kept="kept",
    )


def work(learner: str, *variants: Made, decided: str | None = None, **more: object) -> HandIn:
    decision = None if decided is None else Decided(variant=decided or None, text="Why.", written=NOW)
    return HandIn(
        **{
            "learner": learner,
            "lesson": "9-challenge",
            "work": learner,
            "machine": "A processor",
            "written": NOW,
            "variants": (BASELINE, *variants),
            "decision": decision,
            **more,
        }
    )


def lesson(folder: Path, name: str | None = None) -> Path:
    """The folder of a lesson with something done in it."""
    store = Store(folder)
    course = CourseWork(store)
    course.lock("1-structure/size", "How many times?", 4.0, "4×")
    course.measured("1-structure/size", 3.0)
    course.checked("1-structure/sum", passed=False, answer="1")
    course.checked("1-structure/sum", passed=True, answer="2")
    course.decide("1-structure", "The numbers say so.")
    if name is not None:
        course.call(name)
    store.close()
    return folder


# -- what is handed in ------------------------------------------------------------------------------


def test_what_was_kept_is_handed_in_and_read_back(tmp_path: Path) -> None:
    lesson(tmp_path / "course" / "1-structure")
    (tmp_path / "course" / "notes").mkdir()
    name, content = hand_in_all(tmp_path / "course", " Ada\u202e \n Lovelace ")
    assert name == "Ada-Lovelace-1-structure.zip"
    (told,) = read_zip(keep_in(tmp_path, name, content))
    assert (told.learner, told.lesson) == ("Ada Lovelace", "1-structure")
    (prediction,) = told.predictions
    assert (prediction.key, prediction.said, prediction.measured, prediction.right) == (
        "size",
        "4×",
        3.0,
        False,
    )
    assert told.checks == (Tried(key="sum", passed=True, tries=2, wrong=("1",)),)
    assert told.decision is not None
    assert told.decision.text == "The numbers say so."
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == [name]  # nothing half written
    with pytest.raises(InvalidInput, match="no work of a lesson"):
        hand_in_all(tmp_path / "nothing", "Ada")


@pytest.mark.parametrize("name", ["", "  ", "\u202e", None, 3, "n" * 61])
def test_a_name_is_a_line_that_can_be_read(name: object) -> None:
    with pytest.raises(InvalidInput, match="1 to 60"):
        clean_name(name)


def test_a_name_becomes_that_of_a_file() -> None:
    assert file_name("../../etc/passwd") == "etc-passwd"
    assert file_name("李雷") == "李雷"
    assert file_name("..") == "learner"


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def good() -> bytes:
    return work("Ada").model_dump_json().encode()


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "empty"),
        ({"../x.json": good()}, "it holds '../x.json'"),
        ({"/x.json": good()}, "it holds"),
        ({"model.keras": b"x"}, "it holds 'model.keras'"),
        ({"x.json": b"["}, "Invalid JSON"),
        ({"x.json": b"[" * 100_000}, "It is nothing that was handed in"),
        ({"x.json": b" " * 4_000_001}, "too large"),
        ({f"{number}.json": good() for number in range(101)}, "more than 100 files"),
        ({"x.json": good().replace(b'"version":1', b'"version":2')}, "version"),
        ({"x.json": good().replace(b'"learner":"Ada"', b'"learner":"\\u202e"')}, "A name has"),
        ({"x.json": good().replace(b'"file_bytes":1000', b'"file_bytes":-1')}, "file_bytes"),
        ({"x.json": good().replace(b'"measured":0.95', b'"measured":NaN')}, "measured"),
        ({"x.json": good().replace(b'"cores":null', b'"more":{}')}, "Extra inputs"),
    ],
)
def test_what_is_nothing_that_was_handed_in_is_refused(members, reason, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nothing that was handed in|A name has") as caught:
        read_zip(packed(tmp_path / "x.zip", members))
    assert reason in str(caught.value)


def test_a_damaged_zip_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    whole = packed(tmp_path / "x.zip", {"9-challenge.json": good()}).read_bytes()
    for tenth in range(10):
        (tmp_path / "x.zip").write_bytes(whole[: len(whole) * tenth // 10])
        with pytest.raises(InvalidInput, match="damaged"):
            read_zip(tmp_path / "x.zip")


# -- a room -----------------------------------------------------------------------------------------


def view_for_a_table(path: Path) -> None:
    """A database that would be read for ever: a view stands in for the table of variants."""
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version=2")
        database.execute(
            "CREATE VIEW variants AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) "
            "SELECT x AS id, x AS record, NULL AS deleted FROM r"
        )
    database.close()


def test_a_room_is_gathered_and_what_is_damaged_is_named(tmp_path: Path) -> None:
    room = tmp_path / "room"
    lesson(room / "bo" / "1-structure")
    lesson(room / "c" / "1-structure", name="Chen")
    keep_in(room, "ada.zip", hand_in_zip([work("Ada", made("int8"))])[1])
    packed(room / "notes.zip", {"notes.txt": b"x"})
    cut = room / "cut" / "1-structure"
    shutil.copytree(room / "bo" / "1-structure", cut)
    os.truncate(cut / "workbench.sqlite", 20_000)
    endless = room / "endless"
    endless.mkdir()
    view_for_a_table(endless / "workbench.sqlite")
    outside = lesson(room / "outside" / "1-structure") / "workbench.sqlite"
    with sqlite3.connect(outside) as database:
        record = json.dumps({"path": "../../../etc/passwd", "name": "x"})
        database.execute("INSERT INTO variants (id, record) VALUES ('x', ?)", (record,))
    database.close()
    (room / "link.zip").symlink_to("/etc/passwd")
    (room / "linked").symlink_to("/etc", target_is_directory=True)
    os.mkfifo(room / "pipe.zip")
    before = {path: path.lstat().st_mtime_ns for path in room.rglob("*")}

    found = collect_room([room])

    assert found.learners == ("Ada", "bo", "Chen")
    assert found.lessons == ("1-structure", "9-challenge")
    told = {one.path.relative_to(room).as_posix(): str(one.reason) for one in found.refused}
    assert told.keys() == {
        "notes.zip",
        "cut/1-structure",
        "endless",
        "outside/1-structure",
        "link.zip",
        "linked",
    }
    assert "It holds 'notes.txt'" in told["notes.zip"] or "it holds 'notes.txt'" in told["notes.zip"]
    assert "damaged" in told["cut/1-structure"]
    assert "not as a workbench makes it" in told["endless"]
    assert "outside of its folder" in told["outside/1-structure"]
    assert told["link.zip"] == told["linked"] == "It is a link."
    assert {path: path.lstat().st_mtime_ns for path in room.rglob("*")} == before, "a room was written to"
    with pytest.raises(InvalidInput, match="no folder"):
        collect_room([tmp_path / "nowhere"])


def test_a_folder_that_is_open_is_read_as_it_is_now(tmp_path: Path) -> None:
    store = Store(tmp_path / "bo")
    CourseWork(store).checked("1-structure/sum", passed=True, answer="2")
    (handed,) = collect_room([tmp_path]).handed
    assert (handed.learner, [check.key for check in handed.checks]) == ("bo", ["sum"])
    store.close()


def test_who_hands_in_twice_is_there_once_and_two_of_a_name_are_told_apart(tmp_path: Path) -> None:
    later = NOW + timedelta(hours=1)
    for number, one in enumerate(
        [
            work("Ada", made("old")),
            work("Ada", made("new"), written=later),
            work("Ada", made("other"), work="somebody else", written=later),
            work("Bo"),
        ]
    ):
        keep_in(tmp_path, f"{number}.zip", hand_in_zip([one])[1])
    found = collect_room([tmp_path])
    assert [(one.learner, one.variants[-1].name) for one in found.handed] == [
        ("Ada", "new"),
        ("Ada (2)", "other"),
        ("Bo", "digits"),
    ]


def test_the_table_has_a_line_for_each_thing_and_no_formula() -> None:
    one = work(
        "=cmd|' /C calc'!A0",
        made("int8", change=ends(-0.002, 0.001)),
        made("doubted", doubt="It was busy."),
        decided="int8",
        predictions=(
            Predicted(key="size", question="How many?", said="4×", measured=4.1, right=True),
            Predicted(key="speed", question="?", said="faster", measured="slower", doubted=True),
        ),
        checks=(Tried(key="sum", passed=False, tries=2, wrong=("-1", "3")),),
    )
    lines = list(csv.DictReader(io.StringIO(room_csv([one], Demands()).removeprefix("\ufeff"))))
    assert [line["kind"] for line in lines] == ["prediction"] * 2 + ["check"] + ["variant"] * 3 + ["decision"]
    assert {line["learner"] for line in lines} == {"'=cmd|' /C calc'!A0"}
    assert (lines[0]["said"], lines[0]["measured"], lines[1]["measured"]) == ("4×", "4.1", "")
    assert (lines[2]["passed"], lines[2]["tries"], lines[2]["text"]) == ("False", "2", "'-1; 3")
    _, variant, doubted = lines[3:6]
    assert (variant["speedup_to_own_baseline"], variant["quality_change"]) == ("2.0", "-0.002")
    assert (variant["meets_size"], variant["meets_quality"], variant["meets_speed"]) == ("met", "met", "")
    assert doubted["speedup_to_own_baseline"] == doubted["latency_ms_on_this_machine"] == ""
    assert doubted["speed_doubt"] == "It was busy."


# -- the board --------------------------------------------------------------------------------------


def test_a_demand_is_met_by_the_end_of_the_interval() -> None:
    assert demands_met(made("x"), Demands(), BASELINE) == ("met", "met", None)
    assert demands_met(made("x", size=251), Demands(), BASELINE).size == "missed"
    assert demands_met(made("x", change=ends(-0.006, 0.005)), Demands(), BASELINE).quality == "not proven"
    assert demands_met(made("x", change=ends(-0.02, 0.005)), Demands(), BASELINE).quality == "missed"
    fast = Demands(speedup=2.0)
    assert demands_met(made("x", speed=2.05), fast, BASELINE).speed == "not proven"
    assert demands_met(made("x", speed=2.2), fast, BASELINE).speed == "met"
    assert demands_met(made("x", speed=2.2, doubt="It was busy."), fast, BASELINE).speed == "unknown"
    assert demands_met(made("x"), Demands(), None).size == "unknown"


def test_who_meets_the_demands_stands_first_and_of_these_the_fastest() -> None:
    handed = [
        work("nothing"),
        work("none", made("x", size=900), decided=""),
        work("slow", made("x", speed=1.5)),
        work("doubted", made("x", speed=9.0, doubt="It was busy.")),
        work("fast", made("y", speed=2.0), made("x", speed=3.0)),
        work("chose", made("y", speed=2.5), made("x", speed=8.0), decided="y"),
        work("missed", made("x", size=900, speed=20.0), decided="x"),
        work("elsewhere", made("x"), lesson="1-structure"),
    ]
    places = board(handed, "9-challenge", Demands())
    assert [place.work.learner for place in places] == [
        "fast",
        "chose",
        "slow",
        "doubted",
        "missed",
        "none",
        "nothing",
    ]
    assert places[0].variant is not None
    assert places[0].variant.name == "x"


# -- what a teacher fixes ---------------------------------------------------------------------------


def test_settings_are_read_back_and_found_from_the_notebook(tmp_path: Path, monkeypatch) -> None:
    settings = parse_settings(
        {
            "seed": 3,
            "hidden": ["training"],
            "fixed": {"quantization.int8": {"samples": 100}},
            "projector": True,
        }
    )
    (tmp_path / "class.json").write_text(settings.model_dump_json(), "utf-8")
    inside = tmp_path / "lessons" / "en"
    inside.mkdir(parents=True)
    assert find_settings(inside) == tmp_path / "class.json"
    assert read_settings(tmp_path) == settings
    monkeypatch.setenv("WORKBENCH_CLASS", str(tmp_path))
    assert find_settings(Path("/")) == tmp_path / "class.json"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"fixed": {"quantization.int9": {}}}, "there is no technique"),
        ({"fixed": {"quantization.int8": {"sampels": 1}}}, "has no parameter 'sampels'"),
        ({"fixed": {"quantization.int8": {"samples": "many"}}}, "valid integer"),
        ({"language": "fr"}, "language must be one of"),
        ({"seed": -1}, "seed"),
        ({"demands": {"size": 0}}, "demands.size"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_their_field(values, reason, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_settings(values)
    assert reason in str(caught.value)
    (tmp_path / "class.json").write_text(json.dumps(values), "utf-8")
    with pytest.raises(InvalidInput, match="no settings of a class"):
        read_settings(tmp_path)


@pytest.mark.parametrize("text", ["", "[", "[" * 99_000, " " * 100_001, "3"])
def test_a_file_that_holds_no_settings_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "class.json").write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=r"class.json holds no settings of a class"):
        read_settings(tmp_path)
    assert ClassSettings().demands.size == 0.25


def test_lessons_are_begun_anew_by_putting_them_aside(tmp_path: Path) -> None:
    lesson(tmp_path / "course" / "1-structure")
    aside = put_aside(tmp_path / "course")
    assert (aside / "1-structure" / "workbench.sqlite").is_file()
    assert not (tmp_path / "course").exists()
    with pytest.raises(InvalidInput, match="no work of a lesson"):
        put_aside(tmp_path / "course")
    store = Store(tmp_path / "course" / "1-structure")
    with pytest.raises(Refused, match="open in another process"):
        put_aside(tmp_path / "course")
    store.close()


def test_nothing_is_handed_in_of_another_lesson(tmp_path: Path) -> None:
    store = Store(lesson(tmp_path / "w"))
    told = hand_in(store, "Ada", "2-training")
    store.close()
    assert told.empty
