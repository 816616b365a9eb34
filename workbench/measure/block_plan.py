"""How often each file is run when several are timed interleaved (see MEASURING, latency 3 to 5)."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.api.records import Record
from workbench.measure.records import Protocol

ROUNDS = 30
DISCARDED_RUNS = 3
TIMED_RUNS = 10
SAMPLE_MS = 1.0
BLOCK_MS = 20.0
LEAST_ROUNDS = 8
"""With fewer, no interval of a median excludes much."""
SHORT_VARIABLE = "WORKBENCH_SHORT_TIMING"
"""Set, every file is timed for the shortest time of which an interval can be told. For tests of what comes
after a timing: its numbers are as real as others and its intervals wide, which the run says."""


@dataclass(frozen=True)
class _Time:
    """Steady time of one process: at least, at most for usual files, at most for slow ones."""

    least_s: float
    usual_s: float
    slow_s: float
    per_file_s: float


_TIME: dict[Protocol, _Time] = {"quick": _Time(1, 4, 8, 0.8), "final": _Time(10, 12, 60, 2)}


_SHORT = _Time(0, 0, 0, 0)


def is_short() -> bool:
    """Whether files are timed for as short a time as can be."""
    return bool(os.environ.get(SHORT_VARIABLE))


class BlockPlan(Record):
    """How often each file is run; the same in every process of a measurement.

    Attributes:
        rounds: Rounds, each with one block per file in random order.
        discard: Samples at the start of each block that are not kept.
        runs: Timed samples in a block, per file.
        repeats: Calls inside one sample, per file.
        shortened: True if it is shorter than the protocol asks: the files are slow, or it was asked for.
    """

    rounds: int
    discard: int
    runs: tuple[int, ...]
    repeats: tuple[int, ...]
    shortened: bool = False


def usual_seconds(files: int, protocol: Protocol) -> float:
    """The steady time of one process for files of usual speed, the second load of the reference included."""
    limits = _TIME[protocol]
    return max(limits.usual_s, limits.per_file_s * files)


def plan_blocks(call_ms: Sequence[float], protocol: Protocol) -> BlockPlan:
    """Chooses rounds and runs for files of known speed.

    Blocks are 3 samples discarded and at least 10 samples and 20 ms timed; there are at least 30
    rounds, more until each file got the protocol's time or the usual time is spent. Where that
    would take too long, a block gets fewer runs, then there are fewer rounds, never under 8.

    Args:
        call_ms: Time of one call of each file, milliseconds.
        protocol: ``quick`` or ``final``.
    """
    limits = _SHORT if is_short() else _TIME[protocol]
    usual_ms = 1000 * max(limits.usual_s, limits.per_file_s * len(call_ms))
    slow_ms = max(1000 * limits.slow_s, 2 * usual_ms)
    # A fifth more calls than needed: the machine may be faster later than while warming up.
    repeats = tuple(max(1, math.ceil(1.2 * SAMPLE_MS / ms)) if ms < SAMPLE_MS else 1 for ms in call_ms)
    sample_ms = [ms * n for ms, n in zip(call_ms, repeats, strict=True)]

    def runs_of(least: int) -> tuple[int, ...]:
        return tuple(max(least, math.ceil(BLOCK_MS / ms)) for ms in sample_ms)

    def round_ms(discard: int, runs: tuple[int, ...]) -> float:
        return sum((discard + n) * ms for n, ms in zip(runs, sample_ms, strict=True))

    runs = runs_of(TIMED_RUNS)
    one_round = round_ms(DISCARDED_RUNS, runs)
    if ROUNDS * one_round <= slow_ms:
        timed_ms = [n * ms for n, ms in zip(runs, sample_ms, strict=True)]
        in_all = math.ceil(1000 * limits.least_s / sum(timed_ms))
        for_each = math.ceil(1000 * limits.least_s / min(timed_ms))
        rounds = max(ROUNDS, in_all, min(for_each, int(usual_ms // one_round)))
        return BlockPlan(rounds=rounds, discard=DISCARDED_RUNS, runs=runs, repeats=repeats)
    for least in range(TIMED_RUNS - 1, 0, -1):
        discard, runs = (DISCARDED_RUNS if least > DISCARDED_RUNS else 1), runs_of(least)
        if ROUNDS * round_ms(discard, runs) <= slow_ms:
            break
    rounds = min(ROUNDS, max(LEAST_ROUNDS, int(slow_ms // round_ms(discard, runs))))
    return BlockPlan(rounds=rounds, discard=discard, runs=runs, repeats=repeats, shortened=True)
