"""What a job says while it waits."""

from datetime import UTC, datetime, timedelta

import pytest

from workbench.jobs.job import Job
from workbench.jobs.state import JobState
from workbench.text import say


@pytest.mark.parametrize(("position", "words"), [(1, "1 job is before"), (2, "2 jobs are before")])
def test_the_jobs_before_it_are_counted(position, words):
    state = JobState(id="a", kind="apply", title=say("Quantize"), created=datetime.now(UTC))
    job = Job(state, lambda _: None, lambda _: None)
    job.on_event({"type": "queued", "position": position})
    assert words in str(job.state.stage)


@pytest.fixture
def job():
    state = JobState(id="a", kind="apply", title=say("Quantize"), created=datetime.now(UTC))
    return Job(state, lambda _: None, lambda _: None)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (
            {"type": "waiting", "text": say("Waiting"), "may_go_on": True},
            {"type": "waiting", "text": None, "may_go_on": False},
        ),
        ({"type": "queued", "position": 1}, {"type": "started"}),
    ],
)
def test_what_waits_does_not_run_and_its_time_left_does_not_count_it(job, begins, ends):
    job.begin()
    job.phase(0.0, 1.0, say("Reading"))
    assert not job.state.waits
    job.on_event({"type": "progress", "fraction": 0.2})
    job.on_event(begins)
    assert job.state.waits
    assert job.state.may_go_on is begins.get("may_go_on", False)
    since = job.state.waiting_since
    job.on_event(begins)
    assert job.state.waiting_since == since
    job.update(waiting_since=since - timedelta(hours=1))
    job.on_event(ends)
    assert not job.state.waits
    assert not job.state.may_go_on
    assert str(job.state.stage) == "Reading"
    job.on_event({"type": "progress", "fraction": 0.5})
    assert job.state.eta_seconds is None  # less time at work than none: an hour was taken off
    job.on_event(begins)
    job.end()
    assert job.state.waiting_since is None
