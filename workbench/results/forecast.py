"""What was expected of a variant before it was made, kept to be held against what came out."""

from __future__ import annotations

from workbench.api.records import Record
from workbench.measure.records import Interval
from workbench.store import Store

FACT = "forecast "
"""The facts that keep forecasts, by the identifiers of variants."""


class Forecast(Record):
    """What is expected of a step before it is made. The ends of intervals enclose it four times in five.

    Attributes:
        seconds: Until the variant is made and measured.
        file_bytes: Of its file; None where only making it tells.
        computed: Whether that was counted, and is not what is usual.
        ms: Its latency; None where nothing is known.
        informed: So many variants of this workbench were measured that tell of that latency; 0: it is known
            from other models only.
        chance: How likely the measure of the task stays within the goal's limit, 0 to 1; None where nothing
            that was measured here tells.
        limit: How far the measure may fall, as a fraction.
    """

    seconds: float
    file_bytes: Interval | None = None
    computed: bool = False
    ms: Interval | None = None
    informed: int = 0
    chance: float | None = None
    limit: float = 0.01


def forecast_of(store: Store, variant: str) -> Forecast | None:
    """What was expected of a variant; None where nothing was.

    Args:
        store: Where it is kept.
        variant: Identifier of the variant.
    """
    kept = store.fact(FACT + variant)
    return None if kept is None else Forecast.model_validate_json(kept)
