"""The head of the details: how much smaller, faster and better one variant is than another, in one line."""

from __future__ import annotations

from typing import Any

from widgets.session import Session
from widgets.wording import (
    QUALITY_TONES,
    SIZE_TONES,
    SPEED_TONES,
    quality_verdict,
    short,
    size_verdict,
    speed_verdict,
)
from workbench.api.text import Text, say
from workbench.results.rows import ResultRow
from workbench.results.side_by_side import SideBySide, side_by_side


def comparison(session: Session, row: ResultRow, other: ResultRow) -> dict[str, Any]:
    """The line as chips, with how the ratio of times is known."""
    found = side_by_side(row, other)
    if found.change is None and row.quality is not None and other.quality is not None:
        # The paired interval against any other than the baseline is not stored.
        found = session.side_by_side(row.variant.id, other.variant.id) or found
    chips = [chip for chip in (_size(found), _speed(found, row, other), _quality(found)) if chip is not None]
    note = _way(found, row, other)
    return {
        "title": str(
            say("{name} against {other}", name=short(row.variant.name), other=short(other.variant.name))
        ),
        "chips": chips,
        "note": str(note) if note is not None else "",
    }


def _size(found: SideBySide) -> dict[str, str] | None:
    if found.size is None:
        return None
    return {"words": str(size_verdict(found.size)), "tone": SIZE_TONES[found.size.word]}


def _speed(found: SideBySide, row: ResultRow, other: ResultRow) -> dict[str, str] | None:
    if found.speed is None:
        return None
    if _doubts(found, row, other):
        return {"words": str(say("speed: measure again")), "tone": "unsure"}
    return {"words": str(speed_verdict(found.speed)), "tone": SPEED_TONES[found.speed.word]}


def _quality(found: SideBySide) -> dict[str, str] | None:
    if found.change is None:
        return None
    return {"words": str(quality_verdict(found.change)), "tone": QUALITY_TONES[found.change.word]}


def _doubts(found: SideBySide, row: ResultRow, other: ResultRow) -> list[tuple[str, Text]]:
    """Why the ratio of times is not believed: a change of runtime counts where it is used."""
    doubts = [(one.variant.name, one.distrust) for one in (row, other)]
    if found.way == "baseline":
        doubts += [(one.variant.name, one.total_distrust) for one in (row, other)]
    return [(name, reason) for name, reason in doubts if reason is not None]


def _way(found: SideBySide, row: ResultRow, other: ResultRow) -> Text | None:
    doubts = _doubts(found, row, other)
    if doubts:
        name, reason = doubts[0]
        return say("{name}: {reason}", name=short(name), reason=reason)
    if row.latency is None or other.latency is None:
        return None
    if found.way is None:
        return say("Their times are not compared: they were taken on different machines, or apart.")
    if found.way == "same reference":
        return say(
            "Not timed together: each was timed by turns with the float32 model of their runtime, and the "
            "two ratios are divided."
        )
    if found.way == "baseline":
        return say(
            "Not timed together: they run in different runtimes, so the ratio goes by way of the baseline "
            "and is less exact."
        )
    return None
