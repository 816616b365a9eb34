"""How a step of a job reaches a worker process: one way for making and for measuring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.jobs.executor import Executor
from workbench.jobs.job import Job
from workbench.shared import JOB_LIMITS, shared_mode


async def run_step(
    executor: Executor, job: Job, function: Callable[..., Any], *arguments: Any, **how: Any
) -> Any:
    """Runs ``function(reporter, *arguments)`` for a job; on a shared page, within its limits.

    Args:
        executor: Where it runs.
        job: Hears of its progress, and can cancel it.
        function: See :meth:`workbench.jobs.executor.Executor.run`.
        *arguments: Its further arguments.
        **how: ``worker`` and ``limits``, as there.
    """
    if shared_mode():
        how.setdefault("limits", JOB_LIMITS)
    return await executor.run(function, *arguments, job=job.id, on_event=job.on_event, **how)
