"""Makes the ledger of what a search knows."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.advisor.cells import Cell, Space
from workbench.advisor.explaining import sentences
from workbench.advisor.ledger import Demand, Ledger, Outlook, Row, Status
from workbench.advisor.search import Search
from workbench.api.number_format import percent, size, time
from workbench.api.text import Text, say
from workbench.results.rows import ResultRow

_UNLIKELY = 0.02


def ledger_of(
    search: Search,
    space: Space,
    numbers: Mapping[str, int],
    foreseen: Mapping[str, Outlook],
    confirmed: Mapping[str, ResultRow],
    *,
    spent_s: float,
    out_of_time: bool = False,
    done: bool = False,
) -> Ledger:
    """The ledger of a search.

    Args:
        search: What is known.
        space: Its cells, and what cannot be made.
        numbers: Places among the trials, by key.
        foreseen: What was expected of what was measured, before it was.
        confirmed: What the ``final`` protocol has measured, by key.
        spent_s: Seconds that it has taken.
        out_of_time: Whether the time was up.
        done: Whether it came to its end.
    """
    outlook = search.outlook()
    ranking = _confirmed_first(search.ranking(), confirmed)
    rows = [_row(search, cell, numbers, foreseen.get(cell.key), outlook[cell.key]) for cell in space.cells]
    order = {key: place for place, key in enumerate(ranking)}
    status_order = {"measured": 0, "not tried": 1, "failed": 2, "ruled out": 3}
    rows.sort(
        key=lambda row: (
            order.get(row.key, len(order)),
            status_order[row.status],
            -(row.foreseen.meets if row.foreseen is not None else 0.0),
        )
    )
    rows += [
        Row(
            key=" | ".join("-" if part is None else part.key for part in (one.structure, one.form)),
            title=say("{steps}", steps=tuple(part.title for part in one.parts)),
            steps=tuple(part.technique for part in one.parts),
            runtime="",
            threads=1,
            trains=False,
            status="impossible",
            reason=one.reason,
        )
        for one in space.ruled_out
    ]
    return Ledger(
        demands=search.demands,
        rows=tuple(rows),
        winner=ranking[0] if ranking else None,
        runner_up=ranking[1] if len(ranking) > 1 else None,
        sentences=sentences(search, rows, ranking, confirmed, out_of_time=out_of_time, done=done),
        confirmed=tuple(confirmed),
        spent_s=spent_s,
        done=done,
    )


def _confirmed_first(ranking: list[str], confirmed: Mapping[str, ResultRow]) -> list[str]:
    """What lost on the test split after all comes after what did not."""

    def lost(key: str) -> bool:
        change = confirmed[key].quality_change if key in confirmed else None
        return change is not None and change.word == "lost"

    return sorted(ranking, key=lost)


def _row(
    search: Search, cell: Cell, numbers: Mapping[str, int], foreseen: Outlook | None, outlook: Outlook
) -> Row:
    one = search.observed.get(cell.key)
    status, reason, demand = _status(search, cell, outlook)
    return Row(
        key=cell.key,
        title=cell.title,
        steps=tuple(step.technique for step in cell.steps),
        runtime=cell.runtime,
        threads=cell.threads,
        trains=cell.trains,
        status=status,
        number=numbers.get(cell.key),
        foreseen=foreseen if one is not None else outlook,
        observed=one,
        reason=reason,
        demand=demand,
    )


def _status(search: Search, cell: Cell, outlook: Outlook) -> tuple[Status, Text | None, Demand | None]:
    if cell.key in search.observed:
        return "measured", None, None
    if cell.key in search.failed:
        return "failed", search.failed[cell.key], None
    demands = search.demands
    if demands.size_kb is not None and outlook.file_bytes.low > 1000 * demands.size_kb:
        too_large = say(
            "Its file would have {size}; at most {limit} kB are wanted.",
            size=size(round(outlook.file_bytes.value)),
            limit=f"{demands.size_kb:g}",
        )
        return "ruled out", too_large, "size"
    if demands.latency_ms is not None and outlook.ms.low > demands.latency_ms:
        too_slow = say(
            "It would take {time} [{low}, {high}]; at most {limit} ms are wanted.",
            time=time(outlook.ms.value),
            low=time(outlook.ms.low),
            high=time(outlook.ms.high),
            limit=f"{demands.latency_ms:g}",
        )
        return "ruled out", too_slow, "latency"
    if outlook.chance < _UNLIKELY:
        unlikely = say(
            "By what was measured here and on other models, its quality stays within the bound with a chance "
            "of less than {chance}.",
            chance=percent(_UNLIKELY, 0),
        )
        return "ruled out", unlikely, "quality"
    return "not tried", None, None
