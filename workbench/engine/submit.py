"""How a step of a job reaches a worker process: one way for making and for measuring."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.api.errors import TensorFlowCrashed, Unavailable
from workbench.api.text import say
from workbench.engine import worker_functions
from workbench.engine.context import JobContext
from workbench.engine.shared_mode import JOB_LIMITS, shared_mode
from workbench.jobs import onednn
from workbench.jobs.told import Told


async def run_step(
    context: JobContext,
    job: Told,
    function: Callable[..., Any],
    *arguments: Any,
    writes_into: Path | None = None,
    **how: Any,
) -> Any:
    """Runs ``function(reporter, *arguments)`` for a job; on a shared page, within its limits.

    Where TensorFlow crashes, it is tried once more without its oneDNN kernels. If that helps, they stay
    off for everything that is done with this workbench's model.

    Args:
        context: Where it runs, and what is known of the model.
        job: Hears of its progress, and can cancel it.
        function: See :meth:`workbench.jobs.executor.Executor.run`. It may be called a second time.
        *arguments: Its further arguments.
        writes_into: A folder of its own, emptied before a second call.
        **how: ``worker`` and ``limits``, as there.

    Raises:
        TensorFlowCrashed: If TensorFlow crashes without these kernels too, or they are off already.
    """
    if shared_mode():
        how.setdefault("limits", JOB_LIMITS)
    if onednn.stay_off(context.store.fact(onednn.FACT)):
        return await _without_onednn(context, job, function, *arguments, **how)
    try:
        return await _run(context, job, function, *arguments, **how)
    except TensorFlowCrashed as crash:
        if onednn.is_off():
            raise
        again = say("It is tried once more without TensorFlow's oneDNN kernels.")
        job.update(log=(*job.state.log, say("{problem} {action}", problem=crash.problem, action=again)))
        if writes_into is not None:
            shutil.rmtree(writes_into, ignore_errors=True)
            writes_into.mkdir(parents=True)
        try:
            result = await _without_onednn(context, job, function, *arguments, **how)
        except Unavailable:  # workers that others started, none of them of this kind
            raise crash from None
        context.store.set_fact(onednn.FACT, onednn.OFF)
        return result


async def _without_onednn(
    context: JobContext, job: Told, function: Callable[..., Any], *arguments: Any, **how: Any
) -> Any:
    if how.get("worker", "tensorflow") == "tensorflow":
        how = {**how, "worker": "tensorflow_without_onednn"}
        return await _run(context, job, function, *arguments, **how)
    # It imports no TensorFlow itself, but processes that it starts may.
    return await _run(context, job, worker_functions.without_onednn, function, *arguments, **how)


async def _run(
    context: JobContext, job: Told, function: Callable[..., Any], *arguments: Any, **how: Any
) -> Any:
    return await context.executor.run(function, *arguments, job=job.id, on_event=job.on_event, **how)
