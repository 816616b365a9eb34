"""Numbers and verdicts in words."""

from __future__ import annotations

import pytest

from tests.widgets.result_rows import HOSTILE, ROWS, interval, quality, row, variant
from widgets import wording
from workbench.api.text import say
from workbench.measure.records import Interval, QualityVerdict, SizeVerdict, SpeedVerdict


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (38_900, "38.9 kB"),
        (999_900, "1.00 MB"),
        (4_200_000_000, "4.20 GB"),
    ],
)
def test_size(count: int, text: str) -> None:
    assert wording.size(count) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(0.0612, "61.2 µs"), (0.62, "0.620 ms"), (12.345, "12.3 ms"), (2500, "2.50 s")]
)
def test_time(ms: float, text: str) -> None:
    assert wording.time(ms) == text


def test_the_ends_of_an_interval_have_the_unit_of_its_value() -> None:
    assert wording.time_interval(Interval(value=0.09, low=0.08, high=0.12)) == "[80.0, 120]"


def test_slower_is_said_as_how_many_times_slower_with_the_ends_in_order() -> None:
    verdict = SpeedVerdict(
        variant="a", reference="b", speedup=Interval(value=0.5, low=0.4, high=0.8), floor=0.01, word="slower"
    )
    assert str(wording.speed_verdict(verdict)) == "2.00× slower [1.25, 2.50]"


def test_chips_say_verdicts_and_no_more_than_is_believed() -> None:
    baseline, int8 = ROWS[:2]
    for change, words, tone in (
        (SizeVerdict(ratio=4.886, word="smaller"), "4.89× smaller", "good"),
        (SizeVerdict(ratio=0.5, word="larger"), "2.00× larger", "bad"),
        (SizeVerdict(ratio=1.01, word="same size"), "same size", "same"),
    ):
        chip = wording.size_chip(int8.model_copy(update={"size_change": change}))
        assert chip is not None
        assert (str(chip.words), chip.tone) == (words, tone)
    assert wording.size_chip(baseline) is None
    fast = wording.speed_chip(int8)
    assert fast is not None
    assert (str(fast.words), fast.tone) == ("2.00× faster [1.90, 2.10]", "good")
    doubted = wording.speed_chip(int8.model_copy(update={"distrust": say("It was busy.")}))
    assert doubted is not None
    assert (str(doubted.words), doubted.tone) == ("machine was busy: measure again", "unsure")
    kept = wording.quality_chip(int8)
    assert kept is not None
    assert kept.tone == "kept"
    assert int8.quality is not None
    chance = int8.quality.model_copy(update={"near_chance": True})
    doubted = wording.quality_chip(int8.model_copy(update={"quality": chance}))
    assert doubted is not None
    assert doubted.tone == "lost"


@pytest.mark.parametrize("word", ["kept", "lost", "not proven"])
def test_quality_verdict_names_change_and_interval_in_points(word: str) -> None:
    verdict = QualityVerdict(
        variant="a",
        reference="b",
        change=interval(-0.007, 0.005),
        only_reference_right=1,
        only_variant_right=2,
        mcnemar_p=0.5,
        tolerance=0.01,
        word=word,
    )
    assert str(wording.quality_verdict(verdict)) == f"{word}: −0.7 pt [−1.2, −0.2]"


def test_an_interval_that_rounds_to_nothing_shows_its_width() -> None:
    verdict = QualityVerdict(
        variant="a",
        reference="b",
        change=Interval(value=0.0, low=-0.0004, high=0.0004),
        only_reference_right=0,
        only_variant_right=0,
        mcnemar_p=1.0,
        tolerance=0.01,
        word="kept",
    )
    assert str(wording.quality_verdict(verdict)) == "kept: 0.0 pt [−0.04, +0.04]"


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.0, "0.0"), (-0.0002, "0.0"), (0.0004, "0.0"), (0.012, "+1.2"), (-0.3, "−30.0")]
)
def test_a_change_that_rounds_to_nothing_has_no_sign(fraction: float, text: str) -> None:
    assert wording.points(fraction) == text


def test_names_from_strangers_are_short_and_hold_no_control_or_direction_marks() -> None:
    name = wording.short(HOSTILE)
    assert len(name) <= 48
    assert "\u202e" not in name
    assert "\x00" not in name


def test_of_several_outputs_the_one_that_decides_is_named() -> None:
    from widgets.panels.numbers import numbers_table
    from widgets.panels.outcome import outcome

    def verdict(change: float, word: str, output: str | None, **more: object) -> QualityVerdict:
        return QualityVerdict(
            variant="q",
            reference="b",
            change=interval(change, 0.01),
            tolerance=0.01,
            word=word,  # type: ignore[arg-type]
            output=output,
            **more,  # type: ignore[arg-type]
        )

    error = quality("q", 0.9).model_copy(
        update={"task": "regression", "value": interval(3.5, 0.5), "output": "zone"}
    )
    made = row(variant("q", "int8", "quantization.int8", "b"), 1100, 0.05, 0.94)
    for change, word, words in (
        (-0.3, "lost", "zone: lost: +30.0 % [+29.0, +31.0]"),
        (-0.005, "not proven", "zone: not proven: +0.5 % [−0.5, +1.5]"),
        (0.3, "kept", "kept: +2.0 pt [+1.0, +3.0]"),
    ):
        first, further = verdict(0.02, "kept", None), verdict(change, word, "zone", task="regression")
        both = made.model_copy(
            update={
                "quality": quality("q", 0.94).model_copy(update={"output": "kind", "further": (error,)}),
                "quality_change": first.together("kind", (further,)),
            }
        )
        assert both.quality_change is not None
        assert both.quality_change.word == word
        chip = wording.quality_chip(both)
        assert chip is not None
        assert str(chip.words) == words
        assert str(outcome(both)).endswith(words if word != "kept" else f"F1 {words}")
        assert both.quality_change.keeps(0.01) == (word == "kept")
        titles = [line[0] for line in numbers_table(both)["rows"]]
        assert "zone: Mean absolute error" in titles
        assert "zone: Change of MAE, in %" in titles
