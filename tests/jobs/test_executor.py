"""Functions run in real worker processes; their events, results and errors come back."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from tests.jobs import work
from tests.jobs.conftest import PATIENCE, Started, until
from workbench.api.errors import InvalidInput, JobFailed, Unavailable
from workbench.jobs import executor as executor_module
from workbench.jobs.executor import Executor


def test_importing_the_executor_imports_nothing_heavy():
    code = (
        "import sys, workbench.jobs.executor, workbench.jobs.slot, workbench.jobs.worker; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} "
        "& {'dask', 'distributed', 'tensorflow', 'keras', 'pandas'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_returns_what_the_function_returns(start):
    assert start(work.add, 20, 22).result() == 42


def test_it_runs_in_another_process(start):
    assert start(work.process_id).result() != os.getpid()


def test_a_function_that_no_module_holds_is_sent_as_it_is(start):
    secret = 7
    assert start(lambda report, number: number * secret, 6).result() == 42


def test_events_arrive_in_order_and_none_is_lost_before_the_result(start):
    call = start(work.talk, 640)
    call.result()
    # Not a moment more is waited here: everything must have come already.
    lines = [event["text"].values["number"] for event in call.of("log")]
    assert lines == list(range(640))
    for name in ("loss", "F1"):
        points = [point for event in call.of("metric") if event["name"] == name for point in event["points"]]
        assert [step for step, _ in points] == list(range(640))
    fractions = [event["fraction"] for event in call.of("progress")]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert call.stages() == ["finished"]
    assert call.events[0] == {"type": "started"}


def test_the_last_word_before_a_long_silence_arrives_during_it(start, tmp_path):
    call = start(work.whisper, tmp_path / "release")
    until(lambda: call.stages() == ["first", "second"])
    assert not call.future.done()
    (tmp_path / "release").touch()
    assert call.result() == "released"


def test_the_workbenchs_own_error_comes_back_as_it_was(start):
    error = start(work.refuse).error()
    assert isinstance(error, InvalidInput)
    assert str(error) == "Received 3. Give 4."


def test_a_foreign_error_becomes_a_failed_job_with_its_traceback_in_the_log(start):
    call = start(work.fail)
    error = call.error()
    assert isinstance(error, JobFailed)
    assert "Strange: strange things" in str(error)
    assert "raise Strange(1, 2)" in str(call.of("log")[-1]["text"])


def test_a_result_that_cannot_be_sent_is_a_failed_job(start):
    error = start(work.unpicklable).error()
    assert isinstance(error, JobFailed)
    assert "pickle" in str(error)


def test_a_faulty_observer_does_not_harm_the_work(executor, caplog):
    def observer(event):
        raise RuntimeError("observer is broken")

    future = executor.spawn(executor.run(work.talk, 3, worker="light", job="a", on_event=observer))
    assert future.result(PATIENCE) is None
    assert "observer is broken" in caplog.text


def test_a_light_worker_has_no_tensorflow_and_all_cores(start):
    assert "tensorflow" not in start(work.modules).result()
    assert start(work.environment, "OMP_NUM_THREADS").result() == os.environ.get("OMP_NUM_THREADS")


def test_those_who_wait_hear_their_position(start, tmp_path):
    first = start(work.wait_for_file, tmp_path / "release").until("started")
    second = start(work.add, 1, 1).until("queued")
    third = start(work.add, 1, 2).until("queued")
    assert second.of("queued")[-1]["position"] == 1
    assert third.of("queued")[-1]["position"] == 2
    assert set(first.executor.status().waiting) == {second.job, third.job}
    assert first.executor.status().running == (first.job,)
    (tmp_path / "release").touch()
    assert (first.result(), second.result(), third.result()) == ("released", 2, 3)


def test_calls_run_in_the_order_in_which_they_came(start, tmp_path):
    first = start(work.wait_for_file, tmp_path / "release").until("started")
    rest = [start(work.note, tmp_path / "order", number) for number in range(5)]
    rest[-1].until("queued")
    (tmp_path / "release").touch()
    first.result()
    for call in rest:
        call.result()
    assert (tmp_path / "order").read_text().split() == ["0", "1", "2", "3", "4"]


def test_a_scheduler_that_does_not_answer_is_said(monkeypatch):
    monkeypatch.setattr("workbench.jobs.connection._CONNECT_SECONDS", 1)
    executor = Executor("tcp://127.0.0.1:9")
    try:
        error = Started(executor, work.add, 1, 2).error()
        assert isinstance(error, Unavailable)
        assert "tcp://127.0.0.1:9" in str(error)
        assert executor.status().state == "failed"
    finally:
        executor.close()


def test_after_close_nothing_runs():
    executor = Executor(eager=())
    assert executor.status().state == "new"
    executor.close()
    executor.close()
    assert executor.status().state == "closed"
    with pytest.raises(Unavailable, match="closed"):
        executor.spawn(executor.run(work.add, 1, 2, worker="light", job="a", on_event=print))


@pytest.mark.slow
def test_the_tensorflow_worker_has_tensorflow_before_its_first_call(executor, start):
    assert start(work.imports_tensorflow, worker="tensorflow").result() is True
    assert start(work.environment, "TF_CPP_MIN_LOG_LEVEL", worker="tensorflow").result() in ("2", "3")


class Lost:
    """A connection whose scheduler goes as soon as it is there, or stays."""

    address = "nowhere"

    def __init__(self, alive: bool) -> None:
        self.alive = alive
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1
        await asyncio.sleep(0.01)

    async def run(self, call, function, arguments):
        return function(None, *arguments)


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_a_connection_that_is_lost_at_once_is_made_anew_for_all_who_wait(monkeypatch, lost):
    opened = []

    async def connect(*_):
        await asyncio.sleep(0.01)
        opened.append(Lost(alive=len(opened) >= lost))
        return opened[-1]

    monkeypatch.setattr(executor_module.Connection, "open", connect)
    executor = Executor(eager=())
    try:
        answers = [
            executor.spawn(executor.run(work.add, 20, 22, job=str(number), on_event=lambda _: None))
            for number in range(4)
        ]
        for answer in answers:
            if lost < 3:
                assert answer.result(PATIENCE) == 42
            else:
                with pytest.raises(Unavailable, match="lost as soon as it is there"):
                    answer.result(PATIENCE)
        assert [one.closed for one in opened] == [0 if one.alive else 1 for one in opened]
        assert len(opened) == min(lost, 3) + (lost < 3)
    finally:
        executor.close()
