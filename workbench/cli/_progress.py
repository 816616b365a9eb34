"""A job's progress in the terminal."""

from __future__ import annotations

import contextlib

from workbench.api.variant import Variant
from workbench.jobs.job import Job

_END_SECONDS = 10.0


def watch(job: Job) -> Variant | None:
    """Shows a job's progress on standard error until it ends; Ctrl-C cancels it.

    Raises:
        WorkbenchError: Why it failed.
        Cancelled: If something else cancelled it.
        KeyboardInterrupt: After Ctrl-C.
    """
    try:
        return job.wait()
    except KeyboardInterrupt:
        job.cancel()
        with contextlib.suppress(Exception):  # how it ends is of no interest any more
            job.wait(_END_SECONDS)
        raise
