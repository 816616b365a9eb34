"""Puts the runs of one or more processes together into a latency measurement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.api.text import Text, say
from workbench.measure.block_plan import ROUNDS, SHORT_VARIABLE, TIMED_RUNS, BlockPlan, is_short
from workbench.measure.latency import Candidate, TimedRun
from workbench.measure.records import LatencyMeasurement, Protocol
from workbench.measure.statistics import compare_speed, floor_of, summarize
from workbench.measure.trust import beside_other_work, busy


def control_name(reference: str) -> str:
    """Key of the raw samples of the reference's second load, the A/A control."""
    return f"{reference} again"


def latency_measurement(
    candidates: Sequence[Candidate],
    processes: Sequence[TimedRun],
    *,
    protocol: Protocol,
    seed: int,
    environment: str,
    load_average: float,
    pressure: float | None,
    onednn: bool | None = None,
    alone: bool = True,
) -> tuple[LatencyMeasurement, dict[str, npt.NDArray[np.float64]]]:
    """Summaries, the A/A floor and verdicts from the raw samples.

    Args:
        candidates: The first one is the reference.
        processes: What each process measured, all with the same plan.
        protocol: ``quick`` or ``final``.
        seed: Seed of the order, which also seeds the bootstrap.
        environment: Identifier of the machine's environment.
        load_average: At the start.
        pressure: At the start; None where the system does not say.
        onednn: Whether TensorFlow ran with its oneDNN kernels; None where it did not run.
        alone: Whether no other work of the workbench ran on the machine.

    Returns:
        The measurement, and the raw samples by variant, shape ``(processes, rounds, runs)``.
    """
    raw = {
        candidate.variant: np.stack([timed.samples[index] for timed in processes])
        for index, candidate in enumerate(candidates)
    }
    summaries = tuple(
        summarize(
            candidate.variant,
            candidate.runtime,
            candidate.settings,
            float(np.median([timed.load_ms[index] for timed in processes])),
            float(np.median([timed.first_ms[index] for timed in processes])),
            raw[candidate.variant],
            seed,
            _cores_busy([timed.cores_busy[index : index + 1] for timed in processes]),
        )
        for index, candidate in enumerate(candidates)
    )
    reference, *others = candidates
    controls = [timed.control for timed in processes if timed.control is not None]
    verdicts = []
    if others:
        again = raw[control_name(reference.variant)] = np.stack(controls)
        floor = floor_of(raw[reference.variant], again)
        verdicts = [
            compare_speed(
                raw,
                other.variant,
                reference.variant,
                floor=floor,
                batches=(other.settings.batch, reference.settings.batch),
                seed=seed,
            )
            for other in others
        ]
    plan = processes[0].plan
    shares = [timed.waited for timed in processes if timed.waited is not None]
    waited = float(np.mean(shares)) if shares else None
    return LatencyMeasurement(
        protocol=protocol,
        summaries=summaries,
        verdicts=tuple(verdicts),
        rounds=plan.rounds,
        processes=len(processes),
        load_average=load_average,
        pressure=pressure,
        seed=seed,
        environment=environment,
        waited=waited,
        alone=alone,
        warnings=tuple(_warnings(plan, busy(waited, pressure), alone)),
        onednn=onednn,
    ), raw


def _cores_busy(
    processes: Sequence[tuple[npt.NDArray[np.float64] | None, ...]],
) -> npt.NDArray[np.float64] | None:
    """Busy processors of one file, shape ``(processes, rounds)``; None where one process does not know."""
    known = [rounds for process in processes for rounds in process if rounds is not None]
    return np.stack(known) if len(known) == len(processes) else None


def _warnings(plan: BlockPlan, waiting: Text | None, alone: bool) -> list[Text]:
    """Of the run; that a file was unsteady is in its summary."""
    warnings = []
    if not alone:
        warnings.append(beside_other_work())
    if waiting is not None:
        warnings.append(waiting)
    if plan.shortened and is_short():
        warnings.append(
            say(
                "{variable} is set, so less was timed than the protocol asks: {rounds} rounds.",
                variable=SHORT_VARIABLE,
                rounds=plan.rounds,
            )
        )
    elif plan.shortened:
        warnings.append(
            say(
                "The files are slow, so less was timed than the protocol asks: {rounds} rounds of at least "
                "{runs} runs instead of {full_rounds} of {full_runs}.",
                rounds=plan.rounds,
                runs=min(plan.runs),
                full_rounds=ROUNDS,
                full_runs=TIMED_RUNS,
            )
        )
    return warnings
