"""The processes: shared by several executors, and gone when whoever started them is gone."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from tests.jobs import work
from tests.jobs.conftest import PATIENCE, Started, gone, until
from workbench.api.errors import Cancelled, JobFailed, Unavailable
from workbench.jobs.cluster_process import serve_cluster
from workbench.jobs.executor import Executor
from workbench.jobs.slot import slot_folder


@pytest.fixture(scope="module")
def cluster():
    process, address = serve_cluster(("light",))
    yield address
    process.close()


@pytest.fixture
def visitors(cluster, monkeypatch):
    monkeypatch.setenv("WORKBENCH_SCHEDULER", cluster)
    executors = [Executor(), Executor()]
    yield executors
    for executor in executors:
        executor.close()


def descendants(executor):
    """Processes of an executor's own cluster."""
    process = executor._connection._process._process
    found = psutil.Process(process.pid)
    return [process.pid, *(child.pid for child in found.children(recursive=True))]


def test_two_visitors_share_one_worker(visitors):
    one, two = visitors
    first, second = Started(one, work.process_id).result(), Started(two, work.process_id).result()
    assert first == second
    assert one.status().shared
    assert one.status().address == two.status().address


def test_each_visitor_hears_its_own_events_only(visitors):
    calls = [Started(executor, work.talk, 50, job="same name") for executor in visitors]
    for call in calls:
        call.result()
        assert len(call.of("log")) == 50


def test_visitors_take_turns(visitors, tmp_path):
    one, two = visitors
    order = tmp_path / "order"
    first = Started(one, work.wait_for_file, tmp_path / "release").until("started")
    early = [Started(one, work.note, order, f"a{number}") for number in range(3)]
    early[-1].until("queued")
    late = [Started(two, work.note, order, f"b{number}") for number in range(3)]
    late[-1].until("queued")
    (tmp_path / "release").touch()
    for call in (first, *early, *late):
        call.result()
    assert order.read_text().split() == ["b0", "a0", "b1", "a1", "b2", "a2"]


def test_killing_ones_job_harms_no_other_visitor(visitors):
    one, two = visitors
    first = Started(one, work.busy).until("stage")
    second = Started(two, work.add, 1, 2).until("queued")
    first.cancel()
    assert second.result() == 3


def test_cancelling_one_of_two_jobs_of_the_same_name_leaves_the_other(visitors, tmp_path):
    one, two = visitors
    first = Started(one, work.wait_for_file, tmp_path / "release", job="same").until("started")
    second = Started(two, work.add, 1, 2, job="same").until("queued")
    second.cancel()
    assert not first.future.done()
    (tmp_path / "release").touch()
    assert first.result() == "released"


def test_a_visitor_who_leaves_frees_the_worker(visitors, tmp_path):
    one, two = visitors
    Started(one, work.wait_for_file, tmp_path / "never").until("started")
    one.close()
    assert Started(two, work.add, 1, 2).result() == 3


LEAVING = """
import os, signal
from tests.jobs import work
from tests.jobs.conftest import Started
from workbench.jobs.executor import Executor

Started(Executor(), work.busy).until("stage")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_visitor_who_is_killed_frees_the_worker_from_a_busy_loop(visitors):
    visitor = subprocess.run([sys.executable, "-c", LEAVING], check=False, timeout=PATIENCE)
    assert visitor.returncode == -signal.SIGKILL
    assert Started(visitors[0], work.add, 1, 2).result() == 3


def test_a_foreign_scheduler_without_such_a_worker_is_said():
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent("""
            import asyncio, distributed, sys
            async def main():
                options = {"host": "127.0.0.1", "port": 0, "dashboard_address": ":0"}
                async with distributed.Scheduler(**options) as scheduler:
                    print(scheduler.address, flush=True)
                    async with distributed.Nanny(scheduler.address, nthreads=1, resources={"light": 1}):
                        print("ready", flush=True)
                        await asyncio.to_thread(sys.stdin.read)
            asyncio.run(main())
            """),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    address = process.stdout.readline().strip()
    executor = Executor(address)
    try:
        error = Started(executor, work.add, 1, 2, worker="tensorflow").error()
        assert isinstance(error, Unavailable)
        assert "--resources tensorflow=1" in str(error)
        assert process.stdout.readline() == "ready\n"
        # A plain dask worker, started without anything of ours, does the work.
        call = Started(executor, work.talk, 20)
        call.result()
        assert len(call.of("log")) == 20
        stuck = Started(executor, work.busy).until("stage")
        stuck.cancel()
        assert Started(executor, work.add, 1, 2).result() == 3
    finally:
        executor.close()
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_close_cancels_what_runs_and_leaves_no_process_and_no_file():
    executor = Executor(eager=("light",))
    left, slot = Started(executor, work.leave_a_file).result()
    assert Path(left).is_file()
    assert slot == str(slot_folder())  # which is one for all, wherever their temporary files are
    call = Started(executor, work.busy).until("stage")
    processes = descendants(executor)
    assert len(processes) > 2
    executor.close()
    assert isinstance(call.error(), Cancelled)
    until(lambda: all(gone(pid) for pid in processes))
    assert not Path(left).exists()


def test_a_cluster_that_dies_fails_its_jobs_and_is_started_anew(tmp_path):
    executor = Executor(eager=("light",))
    try:
        call = Started(executor, work.wait_for_file, tmp_path / "never").until("started")
        processes = descendants(executor)
        os.kill(processes[0], signal.SIGKILL)
        error = call.error()
        assert isinstance(error, JobFailed)
        assert "manages the workers" in str(error)
        assert Started(executor, work.add, 1, 2).result() == 3
        until(lambda: all(gone(pid) for pid in processes))
    finally:
        executor.close()


def test_a_lost_scheduler_is_told_by_the_job_and_not_by_a_traceback():
    words = logging.StreamHandler(io.StringIO())
    logging.getLogger("distributed.client").addHandler(words)
    process, address = serve_cluster(("light",))
    executor = Executor(address)
    try:
        assert Started(executor, work.add, 1, 2).result() == 3
        os.kill(process.pid, signal.SIGKILL)
        connection = executor._connection
        until(lambda: not connection.alive)
        # dask tries to reach it again, and is stopped between two of its attempts.
        executor.spawn(asyncio.sleep(1)).result(PATIENCE)
        executor.spawn(connection.close()).result(PATIENCE)
        assert words.stream.getvalue() == ""
    finally:
        logging.getLogger("distributed.client").removeHandler(words)
        executor.close()
        process.close()


SCRIPT = """
import os, sys, time
import psutil
from tests.jobs import work
from tests.jobs.conftest import Started
from workbench.jobs.executor import Executor

executor = Executor(eager=("light",))
Started(executor, work.busy).until("stage")
print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)
{end}
"""


@pytest.mark.parametrize("end", ["killed", "exits"])
def test_no_process_outlives_its_script_even_in_a_busy_loop(end):
    ends = {"killed": "time.sleep(600)", "exits": ""}
    # No `if __name__ == "__main__"` in it: a script needs none.
    script = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(end=ends[end])],
        stdout=subprocess.PIPE,
        cwd=Path.cwd(),
        text=True,
    )
    processes = [int(pid) for pid in script.stdout.readline().split()]
    assert len(processes) >= 2
    if end == "killed":
        script.kill()
    script.communicate(timeout=PATIENCE)
    assert script.returncode == {"killed": -signal.SIGKILL, "exits": 0}[end]
    until(lambda: all(gone(pid) for pid in processes))
