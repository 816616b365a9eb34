"""Waits for what a job makes with its size and quality, and not for its latency.

Timing takes longest, in fresh processes, and few tests are about it.
"""

from __future__ import annotations

import time
from contextlib import suppress

from workbench.api.errors import Cancelled
from workbench.api.variant import Variant
from workbench.jobs.job import Job
from workbench.workbench import Workbench


def judged(workbench: Workbench, job: Job) -> Variant:
    """The variant of a job, which is cancelled as a user does who has seen enough: nothing is lost."""
    while not (job.state.ended or _is_timed(workbench, job)):
        time.sleep(0.02)
    job.cancel()
    with suppress(Cancelled):
        job.wait()
    assert job.state.variant is not None
    return workbench.variant(job.state.variant)


def _is_timed(workbench: Workbench, job: Job) -> bool:
    """Whether the variant itself is timed, and not the reference of its runtime before it."""
    made, stage = job.state.variant, str(job.state.stage)
    return made is not None and stage == f"Measuring latency of {workbench.variant(made).name}"
