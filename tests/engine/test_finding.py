"""The best for a goal: it never breaks the goal, none beats it, and a looser goal never makes it worse."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.widgets.result_rows import row, variant
from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.engine.goal import Goal, best, conclusion, parse_goal
from workbench.measure.records import Interval, QualityVerdict, SizeVerdict
from workbench.results.rows import ResultRow

BASELINE = row(variant("b", "baseline"), 4000, 0.9, 0.95).model_copy(update={"quality_change": None})
RUNTIMES = ("litert", "onnxruntime", "keras.function")


def made(
    id_: str,
    *,
    ratio: float = 4.0,
    speedup: float | None = 2.0,
    spread: float = 0.01,
    change: float = 0.0,
    width: float = 0.002,
    runtime: str = "litert",
    doubt: bool = False,
) -> ResultRow:
    one = variant(id_, id_, "quantization.int8", "b").model_copy(update={"runtime": runtime})
    word = "smaller" if ratio > 1.03 else "larger" if ratio < 0.97 else "same size"
    total = None
    if speedup is not None:
        total = Interval(value=speedup, low=speedup * (1 - spread), high=speedup * (1 + spread))
    return row(one, round(4000 / ratio), 0.9, 0.95).model_copy(
        update={
            "size_change": SizeVerdict(ratio=ratio, word=word),
            "total_speedup": total,
            "distrust": say("The machine was busy.") if doubt else None,
            "quality_change": QualityVerdict(
                variant=id_,
                reference="b",
                change=Interval(value=change, low=change - width, high=change + width),
                only_reference_right=0,
                only_variant_right=0,
                mcnemar_p=1.0,
                tolerance=0.01,
                word="kept"
                if change - width >= -0.01
                else "lost"
                if change + width < -0.01
                else "not proven",
            ),
        }
    )


rows = st.lists(
    st.builds(
        lambda **values: values,
        ratio=st.floats(0.5, 20),
        speedup=st.none() | st.floats(0.2, 50),
        spread=st.floats(0, 0.9),
        change=st.floats(-0.1, 0.02),
        width=st.floats(0, 0.05),
        runtime=st.sampled_from(RUNTIMES),
        doubt=st.booleans(),
    ),
    max_size=8,
).map(lambda found: (BASELINE, *(made(f"v{number}", **values) for number, values in enumerate(found))))
goals = st.builds(
    Goal,
    want=st.sampled_from(("smaller", "faster", "both")),
    f1_may_fall=st.floats(0, 0.2),
    runtime=st.none() | st.sampled_from(RUNTIMES),
)


def serves(one: ResultRow, goal: Goal) -> bool:
    """Whether a row satisfies a goal, written apart from the code under test."""
    if one.variant.parent is None or (goal.runtime and one.variant.runtime != goal.runtime):
        return False
    smaller = one.size_change is not None and one.size_change.word == "smaller"
    faster = one.total_speedup is not None and one.total_speedup.low > 1
    kept = one.quality_change is not None and one.quality_change.change.low >= -goal.f1_may_fall
    return kept and {"smaller": smaller, "faster": faster, "both": smaller and faster}[goal.want]


def value(one: ResultRow, goal: Goal) -> float:
    speedup = one.total_speedup.value if one.total_speedup else 0.0
    return {
        "smaller": one.size_change.ratio,
        "faster": speedup,
        "both": math.sqrt(one.size_change.ratio * speedup),
    }[goal.want]


def believed(one: ResultRow, goal: Goal) -> bool:
    return goal.want == "smaller" or one.distrust is None


@given(rows, goals)
def test_the_best_satisfies_the_goal_and_none_that_is_believed_beats_it(found, goal):
    serving = [one for one in found if serves(one, goal)]
    chosen = best(found, goal)
    assert (chosen is None) == (not serving)
    if chosen is None:
        return
    (mine,) = (one for one in found if one.variant.id == chosen.variant.id)
    assert serves(mine, goal)
    rivals = [one for one in serving if believed(one, goal)] or serving
    assert mine in rivals
    assert value(mine, goal) == max(value(one, goal) for one in rivals)
    # On the front of what was asked for: no rival is better in one of the two and as good in the other.
    if goal.want == "both":
        assert not any(
            one.size_change.ratio >= mine.size_change.ratio
            and one.total_speedup.value >= mine.total_speedup.value
            and value(one, goal) > value(mine, goal)
            for one in rivals
        )
    assert (chosen.doubt is None) == believed(mine, goal)


@given(rows, goals, st.floats(0, 0.2))
def test_who_lets_f1_fall_further_never_gets_less(found, goal, further):
    looser = goal.model_copy(update={"f1_may_fall": min(1.0, goal.f1_may_fall + further)})
    before, after = best(found, goal), best(found, looser)
    if before is None:
        return
    assert after is not None
    by_id = {one.variant.id: one for one in found}

    def rank(chosen) -> tuple[bool, float]:
        one = by_id[chosen.variant.id]
        return believed(one, goal), value(one, goal)

    assert rank(after) >= rank(before)


@given(rows, goals)
def test_there_is_always_a_conclusion(found, goal):
    assert str(conclusion(found, goal))
    chosen = best(found, goal)
    if chosen is not None:
        assert chosen.variant.name in str(conclusion(found, goal))


def test_what_is_not_proven_is_not_kept_and_the_closest_is_named():
    unproven = made("int8", change=-0.004, width=0.01)
    lost = made("int4", change=-0.03, ratio=8)
    found = (BASELINE, unproven, lost)
    assert best(found, Goal()) is None
    assert "closest is int8, \N{MINUS SIGN}0.4 pt [\N{MINUS SIGN}1.4, +0.6]" in str(conclusion(found, Goal()))
    assert "closest is int4, lost 3.0 pt" in str(conclusion((BASELINE, lost), Goal()))
    assert best(found, Goal(f1_may_fall=0.02)).variant.id == "int8"
    ruled_out = " ".join(map(str, best((*found, made("float16", ratio=2)), Goal(want="smaller")).more))
    assert "int4 would be ahead" in ruled_out
    assert "int8 would be ahead" in ruled_out
    assert str(conclusion((BASELINE,), Goal(want="faster"))) == "Nothing found is faster."


def test_a_speed_in_doubt_decides_only_where_there_is_no_other_and_says_so():
    quick, steady = made("quick", speedup=9.0, doubt=True), made("steady", speedup=3.0)
    chosen = best((BASELINE, quick, steady), Goal(want="faster"))
    assert chosen.variant.id == "steady"
    assert "quick may be better still" in " ".join(map(str, chosen.more))
    alone = best((BASELINE, quick), Goal(want="faster"))
    assert alone.variant.id == "quick"
    assert "busy" in str(alone.doubt)
    assert best((BASELINE, quick, steady), Goal(want="smaller")).doubt is None


def test_no_measurable_change_is_not_faster():
    same = made("same", speedup=1.05, spread=0.2, ratio=1.0)
    assert best((BASELINE, same), Goal(want="faster")) is None
    assert best((BASELINE, same), Goal(want="smaller")) is None


def test_a_goal_that_cannot_be_is_refused_with_what_is_allowed():
    for values, allowed in (
        (("quicker", 0.01, None), "smaller, faster, both"),
        (("both", 3, None), "between 0 and 100"),
        (("both", float("nan"), None), "between 0 and 100"),
        (("both", 0.01, "no such"), "litert"),
    ):
        with pytest.raises(InvalidInput, match=allowed):
            parse_goal(*values)
    assert parse_goal("faster", 0.005, "") == Goal(want="faster", f1_may_fall=0.005)
    with pytest.raises(ValidationError):
        Goal(runtime="no such")
