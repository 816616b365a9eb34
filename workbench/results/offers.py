"""What can be done next with a variant, as the page offers it: one click, one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from workbench.api.records import Record
from workbench.api.text import Text, say
from workbench.results.lookup import baseline_row
from workbench.runtimes import runtime

if TYPE_CHECKING:
    from workbench.results.rows import ResultRow

FEWER_OPERATIONS = 0.9
_LEAN_RUNTIME = "litert"


class Offer(Record):
    """A call of :meth:`Workbench.apply` that would answer a question.

    Attributes:
        label: What a button says.
        technique: Name of the technique.
        parent: Identifier of the variant to start from.
        parameters: The technique's.
    """

    label: Text
    technique: str
    parent: str
    parameters: dict[str, Any] = Field(default_factory=dict)


def offers(row: ResultRow, rows: Sequence[ResultRow]) -> tuple[Offer, ...]:
    """What a variant's numbers leave open, and the click that answers it.

    Args:
        row: The variant's measurements.
        rows: All variants' rows.
    """
    if not _hides_its_gain(row, rows) or _lean_form(row, rows) is not None:
        return ()
    return (
        Offer(
            label=say("Try it in {runtime}", runtime=runtime(_LEAN_RUNTIME).title),
            technique="inference.runtime",
            parent=row.variant.id,
            parameters={"runtime": _LEAN_RUNTIME},
        ),
    )


def about_offers(row: ResultRow, rows: Sequence[ResultRow]) -> list[Text]:
    """Why it is offered, or what came out where it was taken."""
    if not _hides_its_gain(row, rows):
        return []
    title = runtime(_LEAN_RUNTIME).title
    lean = _lean_form(row, rows)
    if lean is None:
        return [
            say(
                "Keras spends time beside the arithmetic, which hides what fewer operations save. A runtime "
                "with less of that shows it: try this variant in {runtime}.",
                runtime=title,
            )
        ]
    if lean.speed is None or lean.distrust is not None:
        return []
    return [
        say(
            "In {runtime}, where less time goes beside the arithmetic, it has {ratio} times the speed of the "
            "baseline in {runtime}: see {name}.",
            runtime=title,
            ratio=f"{lean.speed.speedup.value:.2f}",
            name=lean.variant.name,
        )
    ]


def _hides_its_gain(row: ResultRow, rows: Sequence[ResultRow]) -> bool:
    """Whether a Keras variant multiplies less than the baseline, and its time does not show that."""
    from workbench.results.doctor_speed import multiplications  # it reads rows, which hold offers

    baseline = baseline_row(rows)
    if baseline is None or row.variant.is_baseline or row.speed is None or row.distrust is not None:
        return False
    if row.variant.format != "keras" or not runtime(row.variant.runtime).imports_tensorflow:
        return False
    before, after = multiplications(baseline, rows), multiplications(row, rows)
    if not before or not after or after > FEWER_OPERATIONS * before:
        return False
    return 1 / row.speed.speedup.value > after / before + 0.1


def _lean_form(row: ResultRow, rows: Sequence[ResultRow]) -> ResultRow | None:
    """The same variant in the lean runtime, if somebody has made it."""
    for other in rows:
        made = (other.variant.parent, other.variant.technique, other.variant.runtime)
        if made == (row.variant.id, "inference.runtime", _LEAN_RUNTIME):
            return other
    return None
