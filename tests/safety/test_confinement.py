"""The process of its own that foreign files run in: its limits hold, and it ends with the job."""

import psutil
import pytest

from tests.safety.hostile import Quiet
from workbench.api.errors import Cancelled
from workbench.jobs.child_process import ChildLimits, run_limited

PROGRAM = "tests.safety.crashing_program"
ENOUGH = ChildLimits(address_space_bytes=2 << 30, cpu_seconds=600, wall_seconds=600)


def test_a_crash_is_reported_by_its_signal():
    ended = run_limited(PROGRAM, ["crash"], ENOUGH, Quiet())
    assert (ended.signal_name, ended.out_of_time) == ("SIGFPE", False)


def test_wall_time_ends_it():
    limits = ChildLimits(address_space_bytes=2 << 30, cpu_seconds=60, wall_seconds=2)
    ended = run_limited(PROGRAM, ["sleep"], limits, Quiet())
    assert ended.out_of_time


def test_cpu_time_ends_it():
    limits = ChildLimits(address_space_bytes=2 << 30, cpu_seconds=2, wall_seconds=600)
    ended = run_limited(PROGRAM, ["spin"], limits, Quiet())
    assert ended.signal_name == "SIGXCPU"


def test_memory_beyond_the_allowance_is_a_clean_error_inside():
    ended = run_limited(PROGRAM, ["fill"], ENOUGH, Quiet())
    assert ended.code == 1
    assert ended.last_line == "MemoryError"


def test_secrets_of_the_environment_stay_outside(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "secret")
    ended = run_limited(PROGRAM, ["secrets"], ENOUGH, Quiet())
    assert "PATH" in ended.output
    assert "SOME_TOKEN" not in ended.output


def test_cancelling_kills_it():
    class Impatient(Quiet):
        checks = 0

        def check(self):
            self.checks += 1
            if self.checks > 10:
                raise Cancelled

    before = psutil.Process().children()
    with pytest.raises(Cancelled):
        run_limited(PROGRAM, ["sleep"], ENOUGH, Impatient())
    assert psutil.Process().children() == before
