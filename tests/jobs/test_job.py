"""What a job says while it waits."""

from datetime import UTC, datetime, timedelta

import pytest

from workbench.api.text import say
from workbench.api.variant import Table
from workbench.jobs.job import Job
from workbench.jobs.state import JobState


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


def test_a_job_keeps_curves_with_intervals_and_the_newest_of_a_table_that_fills(job):
    job.begin()
    for count in (1, 2):
        table = Table(title=say("Times"), columns=(say("ms"),), rows=((float(count),),))
        job.on_event({"type": "table", "table": table.model_dump(mode="json")})
        job.on_event({"type": "metric", "name": "latency", "points": [(count, 2.0, 1.0, 3.0)]})
    job.on_event({"type": "table", "table": table.model_copy(update={"title": say("Other")})})
    job.on_event({"type": "metric", "name": "loss", "points": [(1, 0.5)]})
    assert [(str(one.title), one.rows) for one in job.state.tables] == [
        ("Times", ((2.0,),)),
        ("Other", ((2.0,),)),
    ]
    assert job.state.metrics == {"latency": ((1, 2.0, 1.0, 3.0), (2, 2.0, 1.0, 3.0)), "loss": ((1, 0.5),)}
    again = JobState.model_validate_json(job.state.model_dump_json())
    assert (again.metrics, again.tables) == (job.state.metrics, job.state.tables)
