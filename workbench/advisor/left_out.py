"""What the ledger says in words of what was not measured: ruled out, impossible, or not tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.advisor.ledger import Demand, Row, Sentence
from workbench.advisor.search import Search
from workbench.api.number_format import percent, size, time
from workbench.api.text import Text, say

_MOST = 3
"""So many rows are named of those that one sentence is about."""


def ruled_out(rows: Sequence[Row]) -> Iterator[Sentence]:
    """By size, latency or quality, the nearest of each with its number."""
    groups: dict[Demand, list[Row]] = {}
    for row in rows:
        if row.status == "ruled out" and row.foreseen is not None and row.demand is not None:
            groups.setdefault(row.demand, []).append(row)
    for found in groups.values():
        found.sort(key=lambda row: row.foreseen.file_bytes.value if row.foreseen else 0.0)
        first = found[0]
        assert first.reason is not None
        yield Sentence(
            text=say(
                "{count} was ruled out without a trial: {name}. {reason}",
                "{count} were ruled out without a trial, such as {name}. {reason}",
                count=len(found),
                name=first.title,
                reason=first.reason,
            ),
            rows=tuple(row.key for row in found),
        )


def failed(rows: Sequence[Row]) -> Iterator[Sentence]:
    """What could not be made, once for each reason."""
    groups: list[list[Row]] = []
    for row in rows:
        if row.status == "failed" and row.reason is not None:
            same = next((group for group in groups if group[0].reason == row.reason), None)
            if same is None:
                groups.append([row])
            else:
                same.append(row)
    for found in groups:
        yield Sentence(
            text=say(
                "Could not be made: {name}. {reason}",
                name=min(found, key=lambda row: len(row.steps)).title,  # what fails is what they share
                reason=found[0].reason,
            ),
            rows=tuple(row.key for row in found),
        )


def not_tried(
    search: Search, rows: Sequence[Row], ranking: Sequence[str], *, out_of_time: bool, done: bool
) -> Iterator[Sentence]:
    """What is left, once the search is done: why, and which of it is most likely to meet the demands."""
    left = [row for row in rows if row.status == "not tried" and row.foreseen is not None]
    if not left or not done:
        return
    likely = sorted(left, key=lambda row: -(row.foreseen.meets if row.foreseen else 0.0))
    first = likely[0]
    assert first.foreseen is not None
    holes: dict[str, Text | str | int] = {
        "count": len(left),
        "name": first.title,
        "chance": percent(first.foreseen.meets),
        "size": size(round(first.foreseen.file_bytes.value)),
        "time": time(first.foreseen.ms.value),
    }
    if out_of_time:
        text = say(
            "The time was up: {count} was not tried. Most likely to meet the demands is {name} ({chance}), "
            "expected with {size} and {time}.",
            "The time was up: {count} were not tried. Most likely to meet the demands of these is {name} "
            "({chance}), expected with {size} and {time}.",
            **holes,
        )
    else:
        text = say(
            "{count} was not tried: it was not expected to be worth it. {name} would meet the demands with "
            "{chance}, expected with {size} and {time}.",
            "{count} were not tried: none was expected to be worth it. Most likely to meet the demands of "
            "these is {name} ({chance}), expected with {size} and {time}.",
            **holes,
        )
    yield Sentence(text=text, rows=tuple(row.key for row in likely[:_MOST]))
