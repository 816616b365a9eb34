"""What the ledger says in words; each sentence names the rows that it is from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from workbench.advisor.ledger import Row, Sentence
from workbench.advisor.left_out import failed, not_tried, ruled_out
from workbench.advisor.search import WORTH, Search
from workbench.api.number_format import percent, ratio, size, time
from workbench.api.task import TaskMeasure
from workbench.api.text import Text, say
from workbench.measure.records import Interval
from workbench.results.rows import ResultRow
from workbench.results.verdict_words import quality_verdict

Binding = Literal["size", "latency", "quality"]


def sentences(
    search: Search,
    rows: Sequence[Row],
    ranking: Sequence[str],
    confirmed: Mapping[str, ResultRow],
    *,
    out_of_time: bool,
    done: bool,
) -> tuple[Sentence, ...]:
    """What follows from the rows.

    Args:
        search: What is known.
        rows: The ledger's.
        ranking: Keys of what meets the demands, the best first.
        confirmed: What was measured on the test split of those that were confirmed, by key.
        out_of_time: Whether the time was up.
        done: Whether the search came to its end.
    """
    by_key = {row.key: row for row in rows}
    said: list[Sentence] = []
    if ranking:
        said += _winner(search, by_key, ranking, confirmed)
        if done and ranking[0] not in confirmed:
            said.append(
                Sentence(
                    text=say(
                        "There was no time left to confirm it in fresh processes: measuring for the record "
                        "does."
                    ),
                    rows=(ranking[0],),
                )
            )
        if len(ranking) > 1:
            said.append(_runner_up(search, by_key, ranking, confirmed))
        binding = _binding(search, by_key, ranking[0])
        if binding is not None:
            said.append(binding)
    else:
        said += _nearest(search, rows, done)
    said += ruled_out(rows)
    said += failed(rows)
    said += not_tried(search, rows, ranking, out_of_time=out_of_time, done=done)
    return tuple(said)


def feasibility(search: Search) -> Sentence | None:
    """What can be said before anything is made: which demand no cell reaches, and how near one comes."""
    outlook = search.outlook()
    cells = {cell.key: cell for cell in search.cells}
    limit = search.demands.size_kb
    if limit is not None:
        nearest = min(outlook, key=lambda key: outlook[key].file_bytes.low)
        if outlook[nearest].file_bytes.low > 1000 * limit:
            return Sentence(
                text=say(
                    "No file reaches {limit} kB: the nearest is {name} with {size}.",
                    limit=f"{limit:g}",
                    name=cells[nearest].title,
                    size=size(round(outlook[nearest].file_bytes.value)),
                ),
                rows=(nearest,),
            )
    if search.demands.latency_ms is not None:
        nearest = min(outlook, key=lambda key: outlook[key].ms.low)
        if outlook[nearest].ms.low > search.demands.latency_ms:
            return Sentence(
                text=say(
                    "Nothing is expected to reach {limit} ms: the nearest is {name} with {time}.",
                    limit=f"{search.demands.latency_ms:g}",
                    name=cells[nearest].title,
                    time=time(outlook[nearest].ms.value),
                ),
                rows=(nearest,),
            )
    return None


def facts(row: Row, measure: TaskMeasure) -> Text:
    """Size, latency and change of quality on the validation split of what was measured."""
    one = row.observed
    assert one is not None
    time_words = time(one.ms.value) if one.ms is not None else "–"
    if one.change is None:
        return say("{size}, {time}", size=size(one.file_bytes), time=time_words)
    return say(
        "{size}, {time}, {measure} {change} on the validation split",
        size=size(one.file_bytes),
        time=time_words,
        measure=measure.title,
        change=_change(one.change, measure),
    )


def _change(change: Interval, measure: TaskMeasure) -> Text:
    low, high = measure.change_ends(change)
    return say(
        "{change} {unit} [{low}, {high}]",
        change=measure.change(change.value),
        unit=measure.unit,
        low=low,
        high=high,
    )


# -- what serves ------------------------------------------------------------------------------


def _winner(
    search: Search, rows: Mapping[str, Row], ranking: Sequence[str], confirmed: Mapping[str, ResultRow]
) -> Iterator[Sentence]:
    first = rows[ranking[0]]
    holes: dict[str, Text | str | int] = {
        "name": first.title,
        "count": len(ranking),
        "facts": facts(first, search.measure),
    }
    ahead = any(search.value(key) < search.value(first.key) for key in ranking)
    match search.demands.wanted:
        case _ if ahead:
            text = say(
                "{name}: {facts}. None of the {count} measured that meet the demands is better by {worth} "
                "or more, and those that are as good take more steps or are less sure to keep the quality.",
                worth=percent(WORTH),
                **holes,
            )
        case "smaller":
            text = say(
                "{name} is the only one measured that meets the demands: {facts}.",
                "{name} is the smallest of the {count} measured that meet the demands: {facts}.",
                **holes,
            )
        case "faster":
            text = say(
                "{name} is the only one measured that meets the demands: {facts}.",
                "{name} is the fastest of the {count} measured that meet the demands: {facts}.",
                **holes,
            )
        case _:
            text = say(
                "{name} is the only one measured that meets the demands: {facts}.",
                "{name} has the best of size and speed together of the {count} measured that meet the "
                "demands: {facts}.",
                **holes,
            )
    yield Sentence(text=text, rows=(first.key,))
    confirmation = confirmed.get(first.key)
    if confirmation is not None:
        yield _confirmed(first, confirmation)


def _confirmed(row: Row, measured: ResultRow) -> Sentence:
    change = measured.quality_change
    latency = measured.shown_ms
    return Sentence(
        text=say(
            "Confirmed in fresh processes and on the test split, by which nothing was chosen: {name}, "
            "{time}, quality {verdict}.",
            name=row.title,
            time="–" if latency is None else time(latency.value),
            verdict=say("unchanged") if change is None else quality_verdict(change),
        ),
        rows=(row.key,),
    )


def _runner_up(
    search: Search, rows: Mapping[str, Row], ranking: Sequence[str], confirmed: Mapping[str, ResultRow]
) -> Sentence:
    first, second = rows[ranking[0]], rows[ranking[1]]
    price = math.exp(search.value(second.key) - search.value(first.key)) - 1
    holes: dict[str, Text | str | int] = {
        "name": second.title,
        "facts": facts(second, search.measure),
        "price": percent(price),
    }
    match search.demands.wanted:
        case _ if price < 0.005:
            text = say(
                "Next is {name}: {facts}. It is as good, in more steps or less sure to keep the quality.",
                **holes,
            )
        case "smaller":
            text = say("Next is {name}: {facts}. Its price: a file that is {price} larger.", **holes)
        case "faster":
            text = say("Next is {name}: {facts}. Its price: {price} more time.", **holes)
        case _:
            text = say(
                "Next is {name}: {facts}. Its price: {price} more of size and time, in their geometric mean.",
                **holes,
            )
    if second.key in confirmed:
        return Sentence(
            text=say(
                "{next} {confirmed}", next=text, confirmed=_confirmed(second, confirmed[second.key]).text
            ),
            rows=(second.key, first.key),
        )
    return Sentence(text=text, rows=(second.key, first.key))


def _binding(search: Search, rows: Mapping[str, Row], winner: str) -> Sentence | None:
    """The demand without which the best would be another one, and by how much that would be better."""
    best: tuple[float, str, Binding] | None = None
    for key, one in search.observed.items():
        if one.ms is None or key == winner:
            continue
        broken = _broken(search, key)
        gain = search.value(winner) - search.value(key)
        if len(broken) == 1 and gain > math.log(1.01) and (best is None or gain > best[0]):
            best = (gain, key, broken[0])
    if best is None:
        return None
    gain, key, demand = best
    row = rows[key]
    one = search.observed[key]
    holes: dict[str, str | Text] = {"name": row.title, "better": ratio(math.exp(gain))}
    match demand:
        case "size":
            text = say(
                "What binds is the size: {name} would be {better}× better, but has {size}.",
                size=size(one.file_bytes),
                **holes,
            )
        case "latency":
            assert one.ms is not None
            text = say(
                "What binds is the latency: {name} would be {better}× better, but takes {time}.",
                time=time(one.ms.value),
                **holes,
            )
        case _:
            assert one.change is not None
            text = say(
                "What binds is the quality: {name} would be {better}× better, but its {measure} changes by "
                "{change} on the validation split.",
                measure=search.measure.title,
                change=_change(one.change, search.measure),
                **holes,
            )
    return Sentence(text=text, rows=(key, winner))


def _broken(search: Search, key: str) -> list[Binding]:
    """The demands that what was measured of a cell does not meet."""
    one, demands = search.observed[key], search.demands
    found: list[Binding] = []
    if demands.size_kb is not None and one.file_bytes > 1000 * demands.size_kb:
        found.append("size")
    if demands.latency_ms is not None and (one.ms is None or one.ms.value > demands.latency_ms):
        found.append("latency")
    if search.chance(key) < 0.5:
        found.append("quality")
    return found


def _nearest(search: Search, rows: Sequence[Row], done: bool) -> Iterator[Sentence]:
    """What came nearest, where nothing meets the demands."""
    first = feasibility(search)
    if first is not None:
        yield first
    measured = [row for row in rows if row.observed is not None and row.observed.ms is not None]
    if not measured:
        if not done:
            yield Sentence(text=say("Nothing was measured yet."))
        return

    def miss(row: Row) -> float:
        one = row.observed
        assert one is not None
        assert one.ms is not None
        demands = search.demands
        missed = 0.0
        if demands.size_kb is not None:
            missed += max(0.0, math.log(one.file_bytes / (1000 * demands.size_kb)))
        if demands.latency_ms is not None:
            missed += max(0.0, math.log(one.ms.value / demands.latency_ms))
        change = -1.0 if one.change is None else one.change.value
        return missed + 20 * max(0.0, -search.bound - change)

    nearest = min(measured, key=miss)
    yield Sentence(
        text=say(
            "Nothing measured meets the demands. The nearest is {name}: {facts}.",
            name=nearest.title,
            facts=facts(nearest, search.measure),
        ),
        rows=(nearest.key,),
    )
