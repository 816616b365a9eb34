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
from workbench.measure.statistics import widening

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


def median_interval(round_medians: Samples, median: float) -> tuple[float, float] | None:
    """A 95% interval of a median without drawing samples: by order, wider where rounds are alike.

    What is stored of a finished measurement is drawn anew from all samples
    (:func:`workbench.measure.statistics.summarize`); this costs a hundredth of it.

    Args:
        round_medians: Median of the block in each round, shape ``(rounds,)``.
        median: Of all samples; inside the interval.
    """
    count = len(round_medians)
    if count < LEAST_ROUNDS:
        return None
    ordered = np.sort(round_medians)
    reach = 0.98 * math.sqrt(count)  # 1.96 standard deviations of a rank
    low = ordered[max(0, math.floor(count / 2 - reach))]
    high = ordered[min(count - 1, math.ceil(count / 2 + reach) - 1)]
    wider = widening(round_medians)
    return (
        float(median * min(low / median, 1.0) ** wider),
        float(median * max(high / median, 1.0) ** wider),
    )


class Narrowing:
    """Tells, a few times a second at most, how far a timing has come; used only between timed blocks.

    Args:
        send: Sends one message: ``so_far`` (a list of :class:`SoFar` as JSON) and ``progress``.
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
            self._send(so_far=[SoFar(place=place, rounds=0, median_ms=median_ms).model_dump(mode="json")])

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
            median = float(np.median(samples[place][:done]))
            interval = median_interval(np.array(medians), median)
            found.append(SoFar(place=place, rounds=done, median_ms=median, interval=interval))
        self._send(so_far=[one.model_dump(mode="json") for one in found], progress=done / rounds)


def heard(message: dict[str, Any], on_so_far: OnSoFar) -> None:
    """Passes on what a message of a :class:`Narrowing` in another process says."""
    for one in message.get("so_far", ()):
        on_so_far(SoFar.model_validate(one))
