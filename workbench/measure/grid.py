"""Times many files and settings in several fresh processes that share a reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import SplitName
from workbench.api.errors import TensorFlowCrashed, WorkbenchError
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.jobs import onednn
from workbench.jobs.part import PartReporter
from workbench.jobs.slot import exclusive_slot
from workbench.measure.child_tasks import time_once
from workbench.measure.latency import Candidate, TimedRun
from workbench.measure.narrowing import SoFar
from workbench.measure.records import Interval, LatencySummary
from workbench.measure.statistics import floor_of, speed_word, speedup, summarize
from workbench.runtimes import runtime

AT_A_TIME = 8
"""Cells in one process beside the reference: more would keep too much in memory, and the first of
them would wait too long for its first numbers."""


@dataclass
class GridTimes:
    """What was measured.

    Attributes:
        summaries: By candidate.
        failed: Why a candidate could not be timed.
        drift: Largest median of the reference in a process over its smallest, less 1: how much the
            machine changed in between.
        processes: How many there were.
        alone: Whether no other work of the workbench ran on the machine.
    """

    summaries: dict[str, LatencySummary] = field(default_factory=dict)
    failed: dict[str, Text] = field(default_factory=dict)
    drift: float = 0.0
    processes: int = 0
    alone: bool = True


class GridWatch(Protocol):
    """Sees the numbers of a grid as they come."""

    def so_far(self, candidate: Candidate, found: SoFar) -> None:
        """What is known of a candidate that is being timed; of the reference in each process."""

    def done(self, candidate: Candidate, summary: LatencySummary) -> None:
        """A candidate's numbers are there."""

    def lost(self, candidates: list[Candidate]) -> None:
        """The process of these has failed."""


def time_grid(
    report: Reporter,
    candidates: Sequence[Candidate],
    dataset_folder: Path,
    *,
    seed: int,
    split: SplitName = "validation",
    at_a_time: int = AT_A_TIME,
    watch: GridWatch | None = None,
) -> GridTimes:
    """Times all candidates, interleaved within each process, alone on the machine.

    Which ones share a process is drawn at random, so that a slow minute of the machine does not fall
    on one runtime; but files that TensorFlow runs share it only with the same number of threads, which
    TensorFlow takes once. Every process times the first candidate too.

    Args:
        report: Progress and cancellation.
        candidates: The first one is the reference.
        dataset_folder: The prepared data.
        seed: Seeds the division into processes, the samples and the order in each round.
        split: Where the samples are from.
        at_a_time: Candidates in one process beside the reference.
        watch: Sees the numbers come.
    """
    reference = candidates[0]
    waiting = processes_of(candidates, seed, at_a_time)
    found = GridTimes()
    medians: list[float] = []
    done, total = 0, max(1, len(candidates))
    with exclusive_slot(report, say("measuring latency"), may_go_on=True) as found.alone:
        while waiting:
            group = waiting.pop(0)
            here = [reference, *group] if _together(reference, group) else group
            part = PartReporter(report, done / total, (done + len(group)) / total)
            try:
                timed = time_once(
                    part,
                    here,
                    dataset_folder,
                    "quick",
                    seed + found.processes,
                    split=split,
                    on_so_far=partial(_pass_on, watch, here),
                )
            except WorkbenchError as error:
                if watch is not None:
                    watch.lost(here)
                if isinstance(error, TensorFlowCrashed) and not onednn.is_off():
                    raise  # all of it is timed once more, without the kernels that crash
                report.log(error.problem)
                if len(group) > 1:
                    waiting[:0] = [[candidate] for candidate in group]
                else:
                    found.failed[group[0].variant if group else reference.variant] = error.problem
                    done += len(group)
                continue
            found.processes += 1
            done += len(group)
            for index, candidate in enumerate(here):
                summary = _summary(candidate, timed, index, seed)
                if candidate is reference:
                    medians.append(summary.p50_ms.value)
                    if reference.variant in found.summaries:
                        continue
                found.summaries[candidate.variant] = summary
                if watch is not None:
                    watch.done(candidate, summary)
    if medians:
        found.drift = max(medians) / min(medians) - 1
    report.progress(1.0)
    return found


def _pass_on(watch: GridWatch | None, candidates: Sequence[Candidate], found: SoFar) -> None:
    if watch is not None:
        watch.so_far(candidates[found.place], found)


def processes_of(candidates: Sequence[Candidate], seed: int, at_a_time: int) -> list[list[Candidate]]:
    """Which candidates, besides the first, share a process."""
    kinds: dict[int, list[Candidate]] = {}
    for candidate in candidates[1:]:
        threads = candidate.settings.threads if runtime(candidate.runtime).imports_tensorflow else 0
        kinds.setdefault(threads, []).append(candidate)
    rng = np.random.default_rng(seed)
    groups: list[list[Candidate]] = []
    for _, members in sorted(kinds.items()):
        order = rng.permutation(len(members))
        # Equally many in each, not a full one and a rest.
        count = math.ceil(len(members) / at_a_time)
        groups += [[members[index] for index in part] for part in np.array_split(order, count)]
    # The reference is measured too, where it shares a process with none.
    return groups if any(_together(candidates[0], group) for group in groups) else [[], *groups]


@dataclass(frozen=True)
class PlayOff:
    """The best few timed again, against each other.

    Attributes:
        summaries: In the order of the candidates.
        against_fastest: fastest / candidate per call, 1 and below; in the same order.
        told_apart: Whether each is measurably slower than the fastest.
    """

    summaries: tuple[LatencySummary, ...]
    against_fastest: tuple[Interval, ...]
    told_apart: tuple[bool, ...]


def play_off(
    report: Reporter,
    candidates: Sequence[Candidate],
    dataset_folder: Path,
    *,
    seed: int,
    per_sample: bool,
    split: SplitName = "validation",
) -> PlayOff:
    """Times a few candidates against each other in one process.

    The best of many is too good by chance: what was picked is measured again before it is believed.

    Args:
        report: Progress and cancellation.
        candidates: Those in question; they can share a process.
        dataset_folder: The prepared data.
        seed: Not that of the first measurement.
        per_sample: Whether a sample's time counts, or a call's.
        split: Where the samples are from.
    """
    with exclusive_slot(report, say("measuring latency"), may_go_on=True):
        timed = time_once(report, candidates, dataset_folder, "quick", seed, split=split)
    summaries = tuple(_summary(candidate, timed, index, seed) for index, candidate in enumerate(candidates))
    samples = [
        array[None] / (candidate.settings.batch if per_sample else 1)
        for candidate, array in zip(candidates, timed.samples, strict=True)
    ]
    fastest = min(samples, key=lambda array: float(np.median(array)))
    floor = 0.0 if timed.control is None else floor_of(timed.samples[0][None], timed.control[None])
    ratios = tuple(_ratio(fastest, array, seed, floor) for array in samples)
    slower = tuple(speed_word(ratio, floor) == "slower" for ratio in ratios)
    return PlayOff(summaries, ratios, slower)


def may_share_a_process(candidates: Sequence[Candidate]) -> bool:
    """Whether files can be timed in one process: TensorFlow has one number of threads for all of it.

    Args:
        candidates: The files.
    """
    threads = {c.settings.threads for c in candidates if runtime(c.runtime).imports_tensorflow}
    return len(threads) <= 1


def _together(reference: Candidate, group: Sequence[Candidate]) -> bool:
    return may_share_a_process([reference, *group])


def _ratio(
    fastest: npt.NDArray[np.float64], other: npt.NDArray[np.float64], seed: int, floor: float
) -> Interval:
    if other is fastest:
        return Interval(value=1.0, low=1.0, high=1.0)
    return speedup(fastest, other, seed, floor)


def _summary(candidate: Candidate, timed: TimedRun, index: int, seed: int) -> LatencySummary:
    return summarize(
        candidate.variant,
        candidate.runtime,
        candidate.settings,
        timed.load_ms[index],
        timed.first_ms[index],
        timed.samples[index][None],
        seed,
    )
