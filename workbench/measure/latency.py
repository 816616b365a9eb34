"""Interleaved timing of several files in one process (see MEASURING, latency 1 to 5)."""

from __future__ import annotations

import gc
import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Features, sample_count, select
from workbench.api.errors import InvalidInput
from workbench.api.records import Record
from workbench.api.runtime import Runtime, Session
from workbench.api.technique import Reporter
from workbench.api.text import say
from workbench.api.variant import RuntimeSettings
from workbench.measure.block_plan import DISCARDED_RUNS, BlockPlan, is_short, plan_blocks
from workbench.measure.narrowing import Narrowing
from workbench.measure.processor import processor_time, share_waited
from workbench.measure.records import Protocol


class Candidate(Record):
    """A file to be measured, in the runtime that it is deployed in.

    Attributes:
        variant: Identifier of the variant.
        path: Its file (a folder for ``openvino``), absolute.
        runtime: Name of the runtime.
        settings: How that runtime runs it.
    """

    variant: str
    path: Path
    runtime: str
    settings: RuntimeSettings = RuntimeSettings()


PROCESSES: dict[Protocol, int] = {"quick": 1, "final": 5}
"""Fresh processes of each protocol."""

WARM_UP_RUNS = 10
WARM_UP_S = 0.5

_SLOW_WARM_UP_S = 3.0
_SHORT_WARM_UP_S = 0.05
_INPUT_BATCHES = 16


@dataclass(frozen=True)
class TimedRun:
    """What one process measured.

    Attributes:
        load_ms: Time to load and compile, per candidate; the runtime's own import is not in it.
        first_ms: Time of the first inference after loading, per candidate.
        samples: Milliseconds per call, shape ``(rounds, runs)``, per candidate.
        control: The same for the second load of the first candidate; None for a single candidate.
        plan: What was run.
        waited: Share of its time (0-100) that the process waited for a processor while it timed; None
            where the system does not say.
        cores_busy: How many processors the process kept busy on average while a candidate was timed, all
            threads together, shape ``(rounds,)``, per candidate; None where threads of another candidate
            may have been waiting for work in a loop.
    """

    load_ms: tuple[float, ...]
    first_ms: tuple[float, ...]
    samples: tuple[npt.NDArray[np.float64], ...]
    control: npt.NDArray[np.float64] | None
    plan: BlockPlan
    waited: float | None = None
    cores_busy: tuple[npt.NDArray[np.float64] | None, ...] = ()


def time_interleaved(
    candidates: Sequence[Candidate],
    features: Features,
    protocol: Protocol,
    seed: int,
    report: Reporter,
    *,
    runtime_of: Callable[[str], Runtime] | None = None,
    plan: BlockPlan | None = None,
    working_on: Callable[[str | None], None] = lambda variant: None,
    watch: Narrowing | None = None,
) -> TimedRun:
    """Times files against each other in this process, which should do nothing else.

    Args:
        candidates: The first one is the reference; it is loaded a second time as the A/A control.
        features: Real samples, float32, at least one.
        protocol: ``quick`` or ``final``: how long.
        seed: Seeds the choice of samples and the order in each round.
        report: Progress and cancellation, used only between timed blocks.
        runtime_of: Finds a runtime by name; :func:`workbench.runtimes.runtime` if None.
        plan: Rounds and runs of an earlier process, so that their samples can be put together.
        working_on: Told which variant is being loaded and warmed up, so that a crash has a name.
        watch: Sees the numbers between timed blocks.

    Raises:
        InvalidInput: If a file cannot be loaded or run.
    """
    if runtime_of is None:
        from workbench.runtimes import runtime as runtime_of
    assert runtime_of is not None
    rng = np.random.default_rng(seed)
    _import_runtimes(candidates, runtime_of, working_on)
    files = [*candidates, candidates[0]] if len(candidates) > 1 else list(candidates)
    sessions: list[Session] = []
    calls: list[Callable[[], object]] = []
    load_ms, first_ms, call_ms = [], [], []
    try:
        for candidate in files:
            working_on(candidate.variant)
            report.check()
            start = time.perf_counter_ns()
            session = runtime_of(candidate.runtime).load(candidate.path, candidate.settings)
            load_ms.append((time.perf_counter_ns() - start) / 1e6)
            sessions.append(session)
            inputs = input_batches(features, candidate.settings.batch, rng)
            calls.append(rotating(session, [session.prepare(batch) for batch in inputs]))
            start = time.perf_counter_ns()
            calls[-1]()
            first_ms.append((time.perf_counter_ns() - start) / 1e6)
        for place, (candidate, call) in enumerate(zip(files, calls, strict=True)):
            working_on(candidate.variant)
            report.check()
            steady = warm_up(call)
            # A fast one, because samples that are planned by it must be long enough when the machine is
            # quiet. Never zero, even where the clock is coarse.
            call_ms.append(max(float(np.percentile(steady, 10)), 1e-5))
            if watch is not None:
                watch.warmed_up(place, float(np.median(steady)))
        working_on(None)
        plan = plan or plan_blocks(call_ms, protocol)
        before = processor_time()
        samples, busy = _run_blocks(calls, plan, rng, report, watch)
        waited = share_waited(before, processor_time())
    finally:
        for session in sessions:
            session.close()
    count = len(candidates)
    return TimedRun(
        load_ms=tuple(load_ms[:count]),
        first_ms=tuple(first_ms[:count]),
        samples=tuple(samples[:count]),
        control=samples[count] if len(samples) > count else None,
        plan=plan,
        waited=waited,
        cores_busy=tuple(
            None if _others_have_threads(files, place) else one for place, one in enumerate(busy[:count])
        ),
    )


def _others_have_threads(files: Sequence[Candidate], place: int) -> bool:
    """Whether another session has a pool of threads: those may look for work for a while after a call."""
    return any(one.settings.threads != 1 for number, one in enumerate(files) if number != place)


def input_batches(features: Features, batch: int, rng: np.random.Generator) -> list[Features]:
    """Batches of real samples to rotate through, at least 5 of them.

    Args:
        features: Samples along axis 0.
        batch: Samples in one batch; samples repeat where there are fewer.
        rng: Chooses them.

    Raises:
        InvalidInput: If there is no sample.
    """
    available = sample_count(features)
    if not available:
        raise InvalidInput(say("The test split has no samples to measure with."))
    # Of large batches fewer are kept in memory.
    wanted = batch * (_INPUT_BATCHES if batch <= 16 else 5)
    order = np.concatenate([rng.permutation(available) for _ in range(math.ceil(wanted / available))])
    return [select(features, order[start : start + batch]) for start in range(0, wanted, batch)]


def _import_runtimes(
    candidates: Sequence[Candidate],
    runtime_of: Callable[[str], Runtime],
    working_on: Callable[[str | None], None],
) -> None:
    # The first load in a process also imports the runtime's package, up to seconds that are not
    # the file's: one load of each runtime is thrown away.
    seen: set[str] = set()
    for candidate in candidates:
        runtime = runtime_of(candidate.runtime)
        family = "tensorflow" if runtime.imports_tensorflow else candidate.runtime
        if family not in seen:
            seen.add(family)
            working_on(candidate.variant)
            runtime.load(candidate.path, candidate.settings).close()


def rotating(session: Session, prepared: list[object]) -> Callable[[], object]:
    """A call that infers with each of the prepared batches in turn."""
    infer, following = session.infer, itertools.cycle(prepared).__next__
    return lambda: infer(following())


def warm_up(call: Callable[[], object]) -> list[float]:
    """Runs until the time is steady; gives the times of the second half, milliseconds."""
    times: list[float] = []
    least_s = _SHORT_WARM_UP_S if is_short() else WARM_UP_S
    begin = time.perf_counter()
    while True:
        start = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - start) / 1e6)
        spent = time.perf_counter() - begin
        if len(times) >= WARM_UP_RUNS and spent >= least_s:
            break
        if spent > _SLOW_WARM_UP_S and len(times) >= DISCARDED_RUNS:
            break
    return times[len(times) // 2 :]


def _run_blocks(
    calls: list[Callable[[], object]],
    plan: BlockPlan,
    rng: np.random.Generator,
    report: Reporter,
    watch: Narrowing | None,
) -> tuple[list[npt.NDArray[np.float64]], list[npt.NDArray[np.float64]]]:
    """Milliseconds per call, shape ``(rounds, runs)``, and busy processors, ``(rounds,)``, of each."""
    runs = [*plan.runs]
    samples = [np.empty((plan.rounds, n)) for n in runs]
    busy = [np.empty(plan.rounds) for _ in runs]
    for index in range(plan.rounds):
        report.check()
        report.progress(index / plan.rounds)
        for k in rng.permutation(len(calls)):
            times, busy[k][index] = timed_block(calls[k], plan.discard, runs[k], plan.repeats[k])
            samples[k][index] = times
        if watch is not None and index + 1 < plan.rounds:  # what all of them say is told with the result
            watch.round_done(samples, index + 1, plan.rounds)
    return samples, busy


def timed_block(
    call: Callable[[], object], discard: int, runs: int, repeats: int
) -> tuple[npt.NDArray[np.float64], float]:
    """Milliseconds per call, and how many processors were busy from the first timed run to the last."""
    clock, processors, times = time.perf_counter_ns, time.process_time_ns, np.empty(runs)
    began = computed = 0
    collecting = gc.isenabled()
    gc.collect(0)
    gc.disable()
    try:
        for run in range(-discard, runs):
            if run == 0:
                began, computed = clock(), processors()
            again: Iterator[None] = itertools.repeat(None, repeats)
            start = clock()
            for _ in again:
                call()
            elapsed = clock() - start
            if run >= 0:
                times[run] = elapsed
        computed, began = processors() - computed, clock() - began
    finally:
        if collecting:
            gc.enable()
    return times / (1e6 * repeats), computed / began
