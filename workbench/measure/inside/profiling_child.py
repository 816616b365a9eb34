"""In the process that measures: the whole file, a second load of it, and profiled blocks, in turns."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from workbench.api.dataset import Dataset
from workbench.api.runtime import Runtime, Session
from workbench.measure.block_plan import BLOCK_MS, DISCARDED_RUNS, plan_blocks
from workbench.measure.inside.profiles import PROFILES
from workbench.measure.latency import Candidate, input_batches, rotating, timed_block, warm_up
from workbench.measure.processor import processor_time, share_waited

PROFILED_ROUNDS = 12
"""Each loads the file again, which takes longer than its block."""
_MOST_PROFILED_RUNS = 200
_OVERHEAD_RUNS = 100


class Speaker(Protocol):
    """What is told how far it is."""

    def progress(self, fraction: float) -> None:
        """Says how much is done."""

    def working_on(self, variant: str | None) -> None:
        """Says which file may end the process."""


def profile_layers(
    line: Speaker, spec: dict[str, Any], candidate: Candidate, runtime: Runtime
) -> dict[str, Any]:
    """Times a file and its operations; raw samples go to ``samples.npz``.

    Args:
        line: Told how far it is.
        spec: ``dataset``, ``seed`` and ``folder``.
        candidate: The file.
        runtime: What runs it.
    """
    folder, rng = Path(spec["folder"]), np.random.default_rng(spec["seed"])
    profile = PROFILES[candidate.runtime](candidate.path, candidate.settings, folder)
    batches = input_batches(Dataset(Path(spec["dataset"])).x("test"), candidate.settings.batch, rng)
    line.working_on(candidate.variant)
    runtime.load(candidate.path, candidate.settings).close()  # imports it
    sessions = [runtime.load(candidate.path, candidate.settings) for _ in range(2)]
    try:
        calls = [_call(session, batches) for session in sessions]
        call_ms = [max(float(np.percentile(warm_up(call), 10)), 1e-5) for call in calls]
        plan = plan_blocks(call_ms, "quick")
        runs = min(_MOST_PROFILED_RUNS, max(DISCARDED_RUNS, math.ceil(BLOCK_MS / call_ms[0])))
        every = max(1, plan.rounds // PROFILED_ROUNDS)
        samples = [np.empty((plan.rounds, count)) for count in plan.runs]
        profiled: list[dict[str, Any]] = []
        before = processor_time()
        for index in range(plan.rounds):
            line.progress(index / plan.rounds)
            for number in rng.permutation(3 if index % every == 0 else 2):
                if number == 2:
                    times = profile.block(batches, DISCARDED_RUNS, runs)
                    clock, call = profile.overhead(DISCARDED_RUNS, _OVERHEAD_RUNS)
                    profiled.append({"times": times, "clock": clock, "call": call})
                else:
                    samples[number][index], _ = timed_block(
                        calls[number], plan.discard, plan.runs[number], plan.repeats[number]
                    )
        waited = share_waited(before, processor_time())
    finally:
        for session in sessions:
            session.close()
    np.savez(folder / "samples.npz", whole=samples[0], control=samples[1])
    (folder / "profiled.json").write_text(json.dumps({"rounds": profiled, "graph": profile.graph()}))
    return {"waited": waited}


def _call(session: Session, batches: list[Any]) -> Callable[[], object]:
    call = rotating(session, [session.prepare(batch) for batch in batches])
    call()
    return call
