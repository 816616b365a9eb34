"""The board of a room: one file for eyes, in which what others have written stays text."""

from __future__ import annotations

import re
from pathlib import Path

from tests.course.test_room import ends, made, work
from tests.widgets.result_rows import HOSTILE
from widgets.report.room import room_html
from workbench.api.text import say, use_language
from workbench.course.class_settings import ClassSettings, Demands
from workbench.course.hand_in import Predicted, Tried
from workbench.course.room import Refusal, Room


def test_the_board_says_who_meets_the_demands_and_what_is_in_doubt() -> None:
    handed = (
        work("Ada", made("mine", speed=3.0), decided="mine", cores=4),
        work(
            "Bo",
            made("theirs", change=ends(-0.03, 0.005)),
            made("x", speed=77.7, doubt="It was busy."),
            decided="x",
        ),
        work("Chen", decided=""),
        work(
            "Dora",
            lesson="1-structure",
            predictions=(
                Predicted(key="size", question="How many times?", said="4×", measured=3.0, right=False),
            ),
            checks=(Tried(key="sum", passed=False, tries=3),),
        ),
    )
    told = room_html(
        Room(handed, (Refusal(Path("bad.zip"), say("It is a link.")),)),
        ClassSettings(title="Room 4", demands=Demands(size=0.3, may_fall=0.005, speedup=2)),
    )
    words = re.sub(r"<[^>]+>", " ", told)
    words = re.sub(r"\s+", " ", words)
    assert "Board of Room 4" in words
    assert "at most 30% of the baseline" in words
    assert "F1 at most 0.5 pt worse. At least 2 times as fast." in words
    assert words.index("9-challenge") < words.index("1-structure")  # the challenge is the board
    assert words.index("Ada A processor, 4 cores mine") < words.index("Bo A processor x")
    assert "3.00× [2.90×, 3.10×]" in words
    assert "77.7" not in words
    assert "in doubt It was busy." in words
    assert "Chen A processor none of them" in words
    assert "✕ Dora: 4× → 3" in words
    assert "sum 0 / 1 3 Dora" in words
    assert "bad.zip It is a link." in words
    assert told.count("<svg") == 2
    assert "<script" not in told


def test_what_others_have_written_stays_text() -> None:
    name = HOSTILE[:60]
    one = work(
        name,
        made(HOSTILE[:300]),
        decided=HOSTILE[:300],
        machine=HOSTILE[:300],
        predictions=(Predicted(key="x", question=HOSTILE[:300], said=HOSTILE[:300], measured=HOSTILE[:300]),),
        checks=(Tried(key="<img src=x>", passed=False, tries=1),),
    )
    told = room_html(
        Room((one,), (Refusal(Path("<b>"), say("{words}", words=HOSTILE)),)), ClassSettings(title="<i>")
    )
    for mark in ("<script", "<a href", "<img", "<b>", "<i>"):
        assert mark not in told


def test_the_board_speaks_the_language_of_the_class() -> None:
    use_language("zh_CN")
    try:
        assert 'lang="zh-CN"' in room_html(Room((work("李雷", made("int8")),), ()), ClassSettings())
    finally:
        use_language("en")
