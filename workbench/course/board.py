"""The board of a challenge: who meets the demands, by what, and how they compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from workbench.course.class_settings import Demands
from workbench.course.hand_in import HandIn, Made

CHALLENGE = "9-challenge"
"""Name of the lesson whose board is shown first."""

Answer = Literal["met", "not proven", "missed", "unknown"]


class Met(NamedTuple):
    """How a variant stands to each demand.

    Attributes:
        size: Of its file.
        quality: Of F1, or the measure of another task.
        speed: Of its speed; None where none is demanded.
    """

    size: Answer
    quality: Answer
    speed: Answer | None

    @property
    def all(self) -> bool:
        """Whether it meets them all."""
        return self.size == self.quality == "met" and self.speed in ("met", None)


class Place(NamedTuple):
    """A learner on the board.

    Attributes:
        work: What the learner has handed in.
        variant: What was chosen, or serves best; None where nothing was made, or nothing was chosen.
        met: How it stands to the demands; None without a variant.
    """

    work: HandIn
    variant: Made | None
    met: Met | None


def demands_met(made: Made, demands: Demands, baseline: Made | None) -> Met:
    """How a variant stands to the demands.

    Args:
        made: The variant.
        demands: What is asked for.
        baseline: The learner's own.
    """
    size: Answer = "unknown"
    if made.file_bytes is not None and baseline is not None and baseline.file_bytes is not None:
        size = "met" if made.file_bytes <= demands.size * baseline.file_bytes else "missed"
    quality: Answer = "unknown"
    if made.change is not None:
        quality = _proven(made.change.low, made.change.high, -demands.may_fall)
    speed: Answer | None = None
    if demands.speedup is not None:
        speed = "unknown"
        if made.speedup is not None and not made.doubt:
            speed = _proven(made.speedup.low, made.speedup.high, demands.speedup)
    return Met(size, quality, speed)


def _proven(low: float, high: float, least: float) -> Answer:
    if low >= least:
        return "met"
    return "missed" if high < least else "not proven"


def board(handed: Sequence[HandIn], lesson: str, demands: Demands) -> tuple[Place, ...]:
    """The learners of a challenge: those who meet the demands first, of these the fastest.

    Speed is how many times faster a variant is than the same learner's baseline on the same machine: times of
    different machines are nowhere compared. One that is in doubt comes after those that are not.

    Args:
        handed: What was gathered.
        lesson: Which lesson.
        demands: What is asked for.
    """
    return tuple(sorted((_place(one, demands) for one in handed if one.lesson == lesson), key=_rank))


def _place(one: HandIn, demands: Demands) -> Place:
    baseline = next((made for made in one.variants if made.baseline), None)
    own = [made for made in one.variants if not made.baseline and not made.automatic]
    judged = {made.name: demands_met(made, demands, baseline) for made in own}
    chosen: Made | None = None
    if one.decision is not None:
        chosen = next((made for made in one.variants if made.name == one.decision.variant), None)
    elif meeting := [made for made in own if judged[made.name].all]:
        chosen = max(meeting, key=_speed)
    met = None if chosen is None else demands_met(chosen, demands, baseline)
    return Place(one, chosen, met)


def _speed(made: Made) -> tuple[bool, float]:
    believed = made.speedup is not None and not made.doubt
    return believed, made.speedup.value if made.speedup is not None else 0.0


def _rank(place: Place) -> tuple[object, ...]:
    if place.variant is None or place.met is None:
        # "Nothing is good enough" with its reasons is an answer; nothing at all is none.
        return (2 if place.work.decision is not None else 3, 0, 0, place.work.learner.casefold())
    believed, speedup = _speed(place.variant)
    return (0 if place.met.all else 1, not believed, -speedup, place.work.learner.casefold())
