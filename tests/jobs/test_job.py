"""What a job says while it waits."""

from datetime import UTC, datetime

import pytest

from workbench.jobs.job import Job
from workbench.jobs.state import JobState
from workbench.text import say


@pytest.mark.parametrize(("position", "words"), [(1, "one job is before"), (2, "2 jobs are before")])
def test_the_jobs_before_it_are_counted(position, words):
    state = JobState(id="a", kind="apply", title=say("Quantize"), created=datetime.now(UTC))
    job = Job(state, lambda _: None, lambda _: None)
    job.on_event({"type": "queued", "position": position})
    assert words in str(job.state.stage)
