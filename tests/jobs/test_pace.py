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
