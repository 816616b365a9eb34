"""The median of a file and its interval while it is being timed: seen between rounds, cheaply."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.records import Record
from workbench.measure.block_plan import LEAST_ROUNDS
from workbench.measure.statistics import independent_rounds, widening_of

Samples = npt.NDArray[np.float64]

SECONDS_BETWEEN = 0.25
"""Each word of a measurement wakes another process, on the machine that is being measured."""

_PREFIX = "latency of "


class SoFar(Record):
    """What is known of one file in the middle of its timing.

    Attributes:
        place: Which of the candidates it is.
        rounds: Rounds that it comes from; 0 for the warm-up, in which it ran alone.
        median_ms: Of all samples so far, milliseconds per call.
        interval: The ends of its 95% interval; None while too little is known.
    """

    place: int
    rounds: int
    median_ms: float
    interval: tuple[float, float] | None = None


OnSoFar = Callable[[SoFar], None]


def latency_curve(variant: str) -> str:
    """Name of the live curve of a variant's median latency in milliseconds, over rounds."""
    return _PREFIX + variant


def timed_variant(curve: str) -> str | None:
    """The variant whose latency a live curve shows; None if it shows something else."""
    return curve.removeprefix(_PREFIX) if curve.startswith(_PREFIX) else None


class RoundsSeen(Record):
    """What the process that is timed tells of one file: all that needs no statistics library.

    Loading SciPy there would take time and memory between the rounds. The width of the interval is
    worked out where this is heard.

    Attributes:
        place: Which of the candidates it is.
        rounds: Rounds that it comes from; 0 for the warm-up.
        median_ms: Of all samples so far.
        ends: The ends of the interval by order, as if rounds were independent; None while too little
            is known.
        independent: How many independent rounds these are worth.
    """

    place: int
    rounds: int
    median_ms: float
    ends: tuple[float, float] | None = None
    independent: float = 1.0

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95% interval of the median: wider than the ends where rounds are alike."""
        if self.ends is None:
            return None
        wider = widening_of(self.rounds, self.independent)
        low, high = self.ends
        return (
            float(self.median_ms * min(low / self.median_ms, 1.0) ** wider),
            float(self.median_ms * max(high / self.median_ms, 1.0) ** wider),
        )


def rounds_seen(place: int, round_medians: Samples, median: float) -> RoundsSeen:
    """Looks at rounds without drawing samples: by order.

    What is stored of a finished measurement is drawn anew from all samples
    (:func:`workbench.measure.statistics.summarize`); this costs a hundredth of it.

    Args:
        place: Which of the candidates it is.
        round_medians: Median of the block in each round, shape ``(rounds,)``.
        median: Of all samples; inside the interval.
    """
    count = len(round_medians)
    if count < LEAST_ROUNDS:
        return RoundsSeen(place=place, rounds=count, median_ms=median)
    ordered = np.sort(round_medians)
    reach = 0.98 * math.sqrt(count)  # 1.96 standard deviations of a rank
    return RoundsSeen(
        place=place,
        rounds=count,
        median_ms=median,
        ends=(
            float(ordered[max(0, math.floor(count / 2 - reach))]),
            float(ordered[min(count - 1, math.ceil(count / 2 + reach) - 1)]),
        ),
        independent=independent_rounds(round_medians),
    )


class Narrowing:
    """Tells, a few times a second at most, how far a timing has come; used only between timed blocks.

    Args:
        send: Sends one message: ``so_far`` (a list of :class:`RoundsSeen` as JSON) and ``progress``.
        candidates: Files whose numbers are told; a control after them is not.
    """

    def __init__(self, send: Callable[..., None], candidates: int) -> None:
        self._send = send
        self._candidates = candidates
        self._medians: list[list[float]] = [[] for _ in range(candidates)]
        self._told = time.monotonic()

    def warmed_up(self, place: int, median_ms: float) -> None:
        """A file has run alone."""
        if place < self._candidates:
            self._send(
                so_far=[RoundsSeen(place=place, rounds=0, median_ms=median_ms).model_dump(mode="json")]
            )

    def round_done(self, samples: Sequence[Samples], done: int, rounds: int) -> None:
        """Each file has been timed once more.

        Args:
            samples: Of each file, shape ``(rounds, runs)``; those of later rounds are not set yet.
            done: Rounds that are done.
            rounds: Rounds that there will be.
        """
        for place, medians in enumerate(self._medians):
            medians.append(float(np.median(samples[place][done - 1])))
        now = time.monotonic()
        if now - self._told < SECONDS_BETWEEN:
            return
        self._told = now
        found = []
        for place, medians in enumerate(self._medians):
            found.append(rounds_seen(place, np.array(medians), float(np.median(samples[place][:done]))))
        self._send(so_far=[one.model_dump(mode="json") for one in found], progress=done / rounds)


def heard(message: dict[str, Any], on_so_far: OnSoFar) -> None:
    """Passes on what a message of a :class:`Narrowing` in another process says."""
    for one in message.get("so_far", ()):
        seen = RoundsSeen.model_validate(one)
        on_so_far(
            SoFar(place=seen.place, rounds=seen.rounds, median_ms=seen.median_ms, interval=seen.interval)
        )
