"""Cancelling, dying workers and limits: the job ends with its reason, and the next one runs."""

from __future__ import annotations

import signal
import time

import pytest

from tests.jobs import work
from tests.jobs.conftest import PATIENCE, Started, gone, until
from workbench.api.errors import Cancelled, JobFailed
from workbench.jobs.executor import Executor
from workbench.jobs.limits import Limits

GIB = 1 << 30


def next_job_succeeds(start):
    return start(work.add, 1, 2).result() == 3


def test_work_that_looks_at_its_reporter_is_cancelled_in_its_process(start, tmp_path):
    process = start(work.process_id).result()
    call = start(work.wait_for_file, tmp_path / "never").until("started")
    call.cancel()
    assert isinstance(call.error(), Cancelled)
    assert start(work.process_id).result() == process


def test_what_waits_is_cancelled_without_disturbing_what_runs(start, tmp_path):
    first = start(work.wait_for_file, tmp_path / "release").until("started")
    second = start(work.note, tmp_path / "notes", "second").until("queued")
    second.cancel()
    assert isinstance(second.error(), Cancelled)
    (tmp_path / "release").touch()
    assert first.result() == "released"
    assert next_job_succeeds(start)
    assert not (tmp_path / "notes").exists()


def test_a_call_is_cancelled_at_any_moment_of_its_start(start, tmp_path):
    for milliseconds in (0, 1, 2, 4, 8, 16, 32):
        call = start(work.wait_for_file, tmp_path / "never")
        time.sleep(milliseconds / 1000)
        call.cancel()
        assert isinstance(call.error(), Cancelled)
    assert next_job_succeeds(start)


def test_a_loop_that_holds_the_interpreter_lock_is_killed(start):
    process = start(work.process_id).result()
    call = start(work.busy).until("stage")
    call.cancel()
    assert isinstance(call.error(), Cancelled)
    until(lambda: gone(process))
    assert next_job_succeeds(start)


def test_a_stubborn_job_is_killed_with_its_children(start, tmp_path):
    call = start(work.stubborn, tmp_path / "pids")
    until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text())
    call.cancel()
    assert isinstance(call.error(), Cancelled)
    for pid in (tmp_path / "pids").read_text().split():
        until(lambda pid=int(pid): gone(pid))


def test_those_who_wait_behind_a_killed_job_run_on_the_new_worker(start):
    first = start(work.busy).until("stage")
    rest = [start(work.add, number, 1) for number in range(3)]
    rest[-1].until("queued")
    first.cancel()
    assert [call.result() for call in rest] == [1, 2, 3]


def test_whoever_stops_waiting_for_the_result_stops_the_work(start, tmp_path):
    call = start(work.wait_for_file, tmp_path / "never").until("started")
    call.future.cancel()
    assert next_job_succeeds(start)


def test_cancelling_what_is_unknown_does_nothing(executor):
    executor.spawn(executor.cancel("nobody")).result(PATIENCE)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGKILL, "killed from outside"),
        (signal.SIGSEGV, "SIGSEGV"),
        (signal.SIGFPE, "SIGFPE"),
    ],
)
def test_a_worker_that_dies_fails_the_job_with_the_reason(start, number, words):
    error = start(work.die, number).error()
    assert isinstance(error, JobFailed)
    assert words in str(error)
    assert next_job_succeeds(start)


def test_a_worker_that_exits_fails_the_job_with_the_reason(start):
    error = start(work.exit_with, 3).error()
    assert isinstance(error, JobFailed)
    assert "exit code 3" in str(error)


def test_too_much_memory_is_a_clean_error_in_the_same_process(start):
    process = start(work.process_id).result()
    error = start(work.allocate, GIB, limits=Limits(address_space_bytes=GIB // 4)).error()
    assert isinstance(error, JobFailed)
    assert "more than 0.25 GiB of memory" in str(error)
    assert start(work.process_id).result() == process
    # The limit was taken back.
    assert start(work.allocate, GIB // 2).result() == GIB // 2


def test_too_much_memory_without_a_limit_ends_the_worker_before_the_machine_is_full():
    executor = Executor(eager=("light",), memory_limit_bytes=600 << 20)
    try:
        error = Started(executor, work.grow).error()
        assert isinstance(error, JobFailed)
        assert "GiB of memory and was ended" in str(error)
        assert Started(executor, work.add, 1, 2).result() == 3
    finally:
        executor.close()


def test_too_much_processor_time_is_an_error(start):
    error = start(work.burn, limits=Limits(cpu_seconds=1)).error()
    assert isinstance(error, JobFailed)
    assert "more than 1 seconds of processor time" in str(error)
    assert next_job_succeeds(start)


def test_too_much_wall_time_is_an_error(start):
    error = start(work.sleep, 600, limits=Limits(wall_seconds=0.5)).error()
    assert isinstance(error, JobFailed)
    assert "longer than 0.5 seconds" in str(error)
    assert next_job_succeeds(start)


def test_limits_that_are_kept_change_nothing(start):
    limits = Limits(address_space_bytes=GIB, cpu_seconds=60, wall_seconds=PATIENCE)
    assert start(work.allocate, 1 << 20, limits=limits).result() == 1 << 20
