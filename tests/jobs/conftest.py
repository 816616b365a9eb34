"""An executor with a light worker, and a way to call functions in it."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

import psutil
import pytest

from tests.jobs import work
from workbench.jobs.executor import Executor

PATIENCE = 600
"""Seconds: against hanging only, whatever else this machine does."""


class Started:
    """A call on its way, with the events it has sent so far."""

    def __init__(self, executor, function, *args, worker="light", job=None, **options):
        self.executor = executor
        self.job = job or uuid.uuid4().hex
        self.events = []
        self.future = executor.spawn(
            executor.run(function, *args, worker=worker, job=self.job, on_event=self.events.append, **options)
        )

    def result(self):
        return self.future.result(PATIENCE)

    def error(self):
        return self.future.exception(PATIENCE)

    def of(self, kind):
        return [event for event in list(self.events) if event["type"] == kind]

    def stages(self):
        return [str(event["text"]) for event in self.of("stage")]

    def until(self, kind):
        until(lambda: self.of(kind) or self.future.done())
        assert self.of(kind), self.future
        return self

    def cancel(self):
        self.executor.spawn(self.executor.cancel(self.job)).result(PATIENCE)


def until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="session", autouse=True)
def slot_folder_of_the_tests(tmp_path_factory):
    """Other work on this machine must not delay the tests."""
    folder = tmp_path_factory.mktemp("slot")
    before = os.environ.get("WORKBENCH_SLOT_FOLDER")
    os.environ["WORKBENCH_SLOT_FOLDER"] = str(folder)
    yield Path(folder)
    if before is None:
        del os.environ["WORKBENCH_SLOT_FOLDER"]
    else:
        os.environ["WORKBENCH_SLOT_FOLDER"] = before


@pytest.fixture(scope="session")
def executor(slot_folder_of_the_tests):
    executor = Executor(eager=("light",))
    executor.start()
    # Its processes have this session's environment, not that of the first test that needs them.
    executor.spawn(executor.run(work.process_id, worker="light", job="first", on_event=print)).result(
        PATIENCE
    )
    yield executor
    executor.close()


@pytest.fixture
def start(executor):
    """``start(function, *args, ...)`` begins a call in the shared executor."""
    calls = []

    def start_(function, *args, **options):
        calls.append(Started(executor, function, *args, **options))
        return calls[-1]

    yield start_
    for call in calls:
        if not call.future.done():
            call.cancel()
