"""Measuring latency as it runs in worker processes: alone on the machine, for one or for several who wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.api.errors import InvalidInput
from workbench.api.technique import Reporter
from workbench.api.text import say
from workbench.jobs import onednn
from workbench.jobs.part import PartReporter
from workbench.measure import environment as machine
from workbench.measure.block_plan import BlockPlan
from workbench.measure.child_tasks import time_once
from workbench.measure.latency import PROCESSES, Candidate, TimedRun
from workbench.measure.latency_record import latency_measurement
from workbench.measure.narrowing import SoFar, latency_curve
from workbench.measure.records import LatencyMeasurement, Protocol
from workbench.measure.timing_together import Note, Raw, Together, answer, answered, together
from workbench.runtimes import runtime


def measure_latency(
    report: Reporter,
    candidates: Sequence[Candidate],
    dataset_folder: Path,
    protocol: Protocol,
    seed: int,
    note: Note | None = None,
) -> tuple[LatencyMeasurement, Raw]:
    """Times files against each other, interleaved, alone on the machine.

    Args:
        report: Progress, the live curve :func:`workbench.measure.narrowing.latency_curve` of each
            candidate over the rounds, cancellation.
        candidates: The first one is the reference of all verdicts.
        dataset_folder: The prepared data; real test samples are used.
        protocol: ``quick`` (1 fresh process) or ``final`` (5 of them).
        seed: Seeds the samples and the order in each round.
        note: The same, where others may time it in their run, or have theirs timed in this one.

    Returns:
        The measurement, and the raw samples by variant in milliseconds per call, shape
        ``(processes, rounds, runs)``. Of several candidates, the reference's second load is there
        too, as :func:`workbench.measure.latency_record.control_name` says.

    Raises:
        InvalidInput: If a file cannot be loaded or run, or crashes its runtime.
    """
    from workbench.jobs.slot import exclusive_slot, slot_folder

    _require_distinct(candidates)
    how = _How(dataset_folder, protocol, seed)
    with exclusive_slot(report, say("measuring latency"), may_go_on=True) as alone:
        slot = slot_folder()
        found = None if note is None else answered(slot, note)
        if found is None:
            report.stage(say("Measuring latency"))
            # What is timed beside other work is for him who has said that it should be.
            shared = together(slot, note) if note is not None and alone else None
            if shared is not None and len(shared.notes) > 1:
                found = _for_all(report, shared, how, slot)
        if found is None:
            timed = _time(report, candidates, _all_of(candidates), how)
            found = timed.measurement(candidates, timed.runs, alone=alone)
    measurement, raw = found
    report.progress(1.0)
    for summary in measurement.summaries:
        p50 = summary.p50_ms
        rounds = measurement.rounds * measurement.processes
        report.metric(latency_curve(summary.variant), rounds, p50.value, (p50.low, p50.high))
    return measurement, raw


@dataclass(frozen=True)
class _How:
    dataset_folder: Path
    protocol: Protocol
    seed: int


@dataclass(frozen=True)
class _Timed:
    """What was timed, and what the machine did then."""

    runs: Sequence[TimedRun]
    how: _How
    load: float
    pressure: float | None

    def measurement(
        self, candidates: Sequence[Candidate], runs: Sequence[TimedRun], *, alone: bool = True
    ) -> tuple[LatencyMeasurement, Raw]:
        return latency_measurement(
            candidates,
            runs,
            protocol=self.how.protocol,
            seed=self.how.seed,
            environment=machine.environment().id,
            load_average=self.load,
            pressure=self.pressure,
            onednn=_onednn(candidates),
            alone=alone,
        )


def _for_all(
    report: Reporter, shared: Together, how: _How, slot: Path
) -> tuple[LatencyMeasurement, Raw] | None:
    """Times the files of all notes and answers them; None where that could not be."""
    own, *others = shared.notes
    shown = {place: own.candidates[index].variant for index, place in enumerate(shared.places[0])}
    try:
        timed = _time(report, shared.candidates, shown, how)
    except InvalidInput:  # perhaps because of a file of somebody else: each has a run of its own then
        return None
    for number, note in enumerate(others, start=1):
        parts = [shared.part(run, number) for run in timed.runs]
        answer(slot, note, *timed.measurement(note.candidates, parts))
    return timed.measurement(own.candidates, [shared.part(run, 0) for run in timed.runs])


def _time(report: Reporter, candidates: Sequence[Candidate], shown: Mapping[int, str], how: _How) -> _Timed:
    """Runs the processes of a protocol; ``shown`` names the candidates whose curves are drawn."""
    load, pressure = machine.load_average(), machine.cpu_pressure()
    runs: list[TimedRun] = []
    plan: BlockPlan | None = None
    count = PROCESSES[how.protocol]
    for index in range(count):
        before = index * (plan.rounds if plan else 0)

        def draw(so_far: SoFar, before: int = before) -> None:
            if so_far.rounds and so_far.place in shown:  # while it warms up a file runs alone, often faster
                curve = latency_curve(shown[so_far.place])
                report.metric(curve, before + so_far.rounds, so_far.median_ms, so_far.interval)

        run = time_once(
            PartReporter(report, index / count, (index + 1) / count),
            candidates,
            how.dataset_folder,
            how.protocol,
            how.seed + index,
            plan=plan,
            on_so_far=draw,
        )
        plan = run.plan
        runs.append(run)
    return _Timed(runs, how, load, pressure)


def _all_of(candidates: Sequence[Candidate]) -> dict[int, str]:
    return dict(enumerate(candidate.variant for candidate in candidates))


def _onednn(candidates: Sequence[Candidate]) -> bool | None:
    """Whether TensorFlow runs with its oneDNN kernels; None where none of the files needs it."""
    if not any(runtime(candidate.runtime).imports_tensorflow for candidate in candidates):
        return None
    return not onednn.is_off()


def _require_distinct(candidates: Sequence[Candidate]) -> None:
    names = [candidate.variant for candidate in candidates]
    if not names or len(set(names)) < len(names):
        raise InvalidInput(
            say("Latency is measured of one or more different variants. Received: {names}.", names=str(names))
        )
