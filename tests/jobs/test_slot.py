"""The machine's slot: measuring excludes other work, between processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from functools import partial

import pytest

from tests.jobs import work
from tests.jobs.conftest import PATIENCE, until
from tests.local_reporter import LocalReporter
from workbench.api.errors import Cancelled
from workbench.api.text import say
from workbench.jobs.reporter import SilentReporter
from workbench.jobs.slot import exclusive_slot, shared_slot, slot_folder
from workbench.jobs.slot_holders import holders_in

HOLD = """
import sys
from tests.jobs import work
from workbench.jobs.reporter import SilentReporter
work.hold(SilentReporter(), sys.argv[1] == "exclusive", sys.argv[2], sys.argv[3])
"""


@pytest.fixture(autouse=True)
def own_slot(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_SLOT_FOLDER", str(tmp_path / "slot"))


class Holder:
    """Another process that holds the slot."""

    def __init__(self, how, folder, name):
        self.log, self.release = folder / f"{name}.log", folder / f"{name}.release"
        self.process = subprocess.Popen([sys.executable, "-c", HOLD, how, self.log, self.release])

    @property
    def inside(self):
        return self.log.exists() and self.log.read_text().split()[-1:] == ["in"]

    def end(self):
        self.release.touch()
        self.process.wait()


@pytest.fixture
def holder(tmp_path):
    holders = []

    def holder_(how, name):
        holders.append(Holder(how, tmp_path, name))
        return holders[-1]

    yield holder_
    for one in holders:
        one.process.kill()
        one.process.wait()


class Waiter(threading.Thread):
    """Wants the slot in a thread of this process."""

    def __init__(self, slot, report=None):
        super().__init__(daemon=True)
        self.slot, self.report, self.alone = slot, report or LocalReporter(), None
        self.inside, self.leave, self.error = threading.Event(), threading.Event(), None
        self.start()

    def run(self):
        try:
            with self.slot(self.report) as self.alone:
                self.inside.set()
                self.leave.wait(PATIENCE)
        except Cancelled as error:
            self.error = error

    def end(self):
        self.leave.set()
        self.join(PATIENCE)


def test_shared_holders_are_together(holder):
    other = holder("shared", "one")
    until(lambda: other.inside)
    report = LocalReporter()
    with shared_slot(report):
        assert other.inside
    assert report.events == []


def test_measuring_waits_for_other_work_and_says_so(holder):
    other = holder("shared", "one")
    until(lambda: other.inside)
    waiter = Waiter(exclusive_slot)
    until(lambda: waiter.report.stages)
    assert not waiter.inside.is_set()
    assert "Waiting" in str(waiter.report.stages[0])
    other.end()
    until(waiter.inside.is_set)
    assert len(waiter.report.stages) == 1
    waiter.end()


class WaitingReporter(LocalReporter):
    """Knows waiting from working, as the reporter in a worker does; can be told to go on."""

    def __init__(self):
        super().__init__()
        self.waits, self.goes_on = [], False

    def wait(self, reason, may_go_on):
        self.waits.append((reason, may_go_on))
        return self.goes_on


def test_what_waits_says_for_what_and_when_it_is_over(holder):
    other = holder("shared", "one")
    until(lambda: other.inside)
    waiter = Waiter(exclusive_slot, WaitingReporter())
    until(lambda: waiter.report.waits)
    (reason, may_go_on) = waiter.report.waits[0]
    assert "until other work on this machine has ended: training a net (for less than a minute)" in str(
        reason
    )
    assert not may_go_on  # whoever measures has not said that it may
    other.end()
    until(waiter.inside.is_set)
    assert waiter.report.waits[-1] == (None, False)
    assert waiter.report.stages == [reason]
    waiter.end()


def test_measuring_goes_on_beside_other_work_if_it_is_told_to_and_knows_it(holder):
    other = holder("shared", "one")
    until(lambda: other.inside)
    waiter = Waiter(partial(exclusive_slot, may_go_on=True), WaitingReporter())
    until(lambda: waiter.report.waits)
    assert waiter.report.waits[0][1]
    late = Waiter(shared_slot)
    until(lambda: late.report.stages)
    waiter.report.goes_on = True
    until(waiter.inside.is_set)
    assert waiter.alone is False
    until(late.inside.is_set)  # nobody waits for it any more
    late.end()
    waiter.end()
    other.end()
    with exclusive_slot(SilentReporter()) as alone:
        assert alone


def test_another_measurement_is_never_disturbed(holder):
    other = holder("exclusive", "one")
    until(lambda: other.inside)
    waiter = Waiter(partial(exclusive_slot, may_go_on=True), WaitingReporter())
    waiter.report.goes_on = True
    until(lambda: len(waiter.report.waits) > 3)
    assert not any(may_go_on for _, may_go_on in waiter.report.waits)
    assert "until a measurement on this machine has ended" in str(waiter.report.waits[0][0])
    assert not waiter.inside.is_set()
    other.end()
    until(waiter.inside.is_set)
    assert waiter.alone is True
    waiter.end()


def test_other_work_waits_for_measuring(holder):
    other = holder("exclusive", "one")
    until(lambda: other.inside)
    waiters = [Waiter(shared_slot), Waiter(exclusive_slot)]
    until(lambda: all(waiter.report.stages for waiter in waiters))
    assert not any(waiter.inside.is_set() for waiter in waiters)
    other.end()
    until(lambda: any(waiter.inside.is_set() for waiter in waiters))
    assert not all(waiter.inside.is_set() for waiter in waiters)
    for waiter in waiters:
        waiter.leave.set()
    for waiter in waiters:
        waiter.end()
        assert waiter.inside.is_set()


def test_new_work_does_not_overtake_measuring_that_waits(holder):
    first = holder("shared", "one")
    until(lambda: first.inside)
    measuring = Waiter(exclusive_slot)
    until(lambda: measuring.report.stages)
    late = Waiter(shared_slot)
    until(lambda: late.report.stages)
    assert not late.inside.is_set()
    first.end()
    until(measuring.inside.is_set)
    assert not late.inside.is_set()
    measuring.end()
    until(late.inside.is_set)
    late.end()


def test_a_killed_holder_frees_the_slot(holder):
    other = holder("exclusive", "one")
    until(lambda: other.inside)
    os.kill(other.process.pid, signal.SIGKILL)
    until(lambda: not holders_in(slot_folder()))
    with exclusive_slot(SilentReporter()):
        assert not other.release.exists()


def test_waiting_can_be_cancelled_and_leaves_nothing_locked():
    with exclusive_slot(SilentReporter()):
        for slot in (shared_slot, exclusive_slot):
            waiter = Waiter(slot)
            until(lambda waiter=waiter: waiter.report.stages)
            waiter.report.cancel()
            waiter.join(PATIENCE)
            assert isinstance(waiter.error, Cancelled)
    report = LocalReporter()
    with exclusive_slot(report):
        assert report.events == []


def test_nested_use_does_not_wait_for_itself():
    report = LocalReporter()
    with shared_slot(report):
        measuring = Waiter(exclusive_slot)
        until(lambda: measuring.report.stages)
        with shared_slot(report), shared_slot(report):
            assert not measuring.inside.is_set()
        assert not measuring.inside.is_set()
        with pytest.raises(RuntimeError, match="inside shared_slot"), exclusive_slot(report):
            pass
    until(measuring.inside.is_set)
    measuring.end()
    with exclusive_slot(report), shared_slot(report), exclusive_slot(report):
        pass
    assert report.events == []


def test_the_lock_files_belong_to_the_user_alone():
    with shared_slot(SilentReporter()):
        assert slot_folder().stat().st_mode & 0o777 == 0o700
        assert {path.name for path in slot_folder().iterdir()} == {"slot", "turnstile", "holders"}
        (holder,) = (slot_folder() / "holders").iterdir()
        assert holder.stat().st_mode & 0o777 == 0o600


def test_a_job_that_waits_for_the_slot_is_cancelled_by_its_flag(start, tmp_path, slot_folder_of_the_tests):
    process = start(work.process_id).result()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_SLOT_FOLDER", str(slot_folder_of_the_tests))
        with exclusive_slot(SilentReporter()):
            call = start(work.hold, False, tmp_path / "log", tmp_path / "release").until("stage")
            call.cancel()
            assert isinstance(call.error(), Cancelled)
    assert not (tmp_path / "log").exists()
    assert start(work.process_id).result() == process


def test_a_job_that_waits_is_told_to_go_on(executor, start, tmp_path, slot_folder_of_the_tests, monkeypatch):
    monkeypatch.setenv("WORKBENCH_SLOT_FOLDER", str(slot_folder_of_the_tests))
    with shared_slot(SilentReporter(), say("training a net")):
        call = start(work.measure, tmp_path / "log").until("waiting")
        (word,) = call.of("waiting")
        assert "training a net" in str(word["text"])
        assert word["may_go_on"]
        executor.spawn(executor.let_go_on(call.job)).result(PATIENCE)
        call.result()
    assert (tmp_path / "log").read_text() == "alone: False\n"
    assert call.of("waiting")[-1]["text"] is None
