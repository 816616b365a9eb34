import pytest

from workbench.jobs.pace import Pace


def test_a_slow_start_is_not_held_against_the_rest():
    pace = Pace(0.0)
    pace.phase(0.0, 0.6)
    assert pace.seconds_left(60.0, 0.01) is None  # read and traced for a minute, with hardly any progress
    pace.seconds_left(61.0, 0.05)
    for second in range(1, 6):
        left = pace.seconds_left(61.0 + second, 0.05 + 0.05 * second)
    # 0.3 of the job at 0.05 a second, then measuring; as a whole it went at 0.0045 a second.
    assert left == pytest.approx(6 + 30, abs=2)


def test_measuring_takes_no_longer_because_making_did():
    pace = Pace(0.0)
    pace.phase(0.0, 0.6)
    for second in range(0, 900, 10):
        left = pace.seconds_left(float(second), 0.6 * second / 1000)
    assert left == pytest.approx(110 + 30, rel=0.02)


def test_a_steady_job_is_extrapolated():
    pace = Pace(0.0)
    for second in range(31):
        left = pace.seconds_left(float(second), second / 100)
    assert left == pytest.approx(70)


def test_a_recipe_of_equal_steps_is_extrapolated():
    pace = Pace(0.0)
    pace.phase(0.0, 0.3)
    for second in range(31):
        left = pace.seconds_left(float(second), second / 100)
    assert left == pytest.approx(70)


def test_nothing_is_said_of_a_phase_that_has_just_begun():
    pace = Pace(0.0)
    pace.phase(0.6, 0.7)
    assert pace.seconds_left(100.0, 0.6) is None
    assert pace.seconds_left(101.0, 0.605) is None
    assert pace.seconds_left(102.0, 0.65) is not None


def test_a_pace_that_slows_down_is_followed():
    pace = Pace(0.0)
    pace.phase(0.0, 1.0)
    for second in range(10):
        pace.seconds_left(float(second), 0.05 * second)
    for second in range(10, 60):
        left = pace.seconds_left(float(second), 0.45 + 0.002 * (second - 9))
    assert left == pytest.approx(0.45 / 0.002, rel=0.03)


def test_what_was_expected_is_said_until_the_pace_is_seen_and_a_later_end_is_called_late():
    pace = Pace(0.0, expected=40.0)
    assert pace.expected_left(10.0) == 30.0
    pace.phase(0.0, 1.0)
    assert pace.seconds_left(10.0, 0.05) == 30.0  # too little of the phase was seen
    assert not pace.late
    # 0.25 of it in 10 s: 30 s more, so it ends ten seconds after what was said, no more than the slack.
    assert pace.seconds_left(20.0, 0.30) == pytest.approx(28.0)
    assert not pace.late
    assert pace.seconds_left(40.0, 0.35) > 60
    assert pace.late
    # Once it goes on as was promised, it is not late any more.
    quick = Pace(0.0, expected=40.0)
    quick.phase(0.0, 1.0)
    quick.seconds_left(0.0, 0.0)
    assert quick.seconds_left(10.0, 0.5) == pytest.approx(10.0)
    assert not quick.late
    # What was said last counts, not what was expected before: 30 s after it had promised to end.
    assert quick.seconds_left(30.0, 0.6) > 10
    assert quick.late


def test_a_time_that_is_over_is_late_and_waiting_moves_what_was_promised():
    pace = Pace(0.0, expected=10.0)
    assert pace.expected_left(11.0) is None
    assert pace.late
    waited = Pace(0.0, expected=10.0)
    waited.waited(60.0)
    assert waited.expected_left(61.0) == 9.0
    assert not waited.late


def test_progress_shared_out_by_expected_times_is_judged_as_a_whole():
    pace = Pace(0.0, expected=40.0, even=True)
    assert pace.at_once(0.0, 0.0) == 40.0
    assert pace.at_once(10.0, 0.25) == pytest.approx(30.0)
    # A phase that begins says as much as one that is seen: nothing is forgotten between them.
    assert pace.seconds_left(20.0, 0.5) == pytest.approx(20.0)
    assert pace.at_once(40.0, 0.5) == pytest.approx(40.0)
    assert pace.late
