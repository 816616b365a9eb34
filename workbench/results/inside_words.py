"""What is known of the inside of a variant, in words."""

from __future__ import annotations

from workbench.api.number_format import digits, percent, size, time
from workbench.api.text import Text, say
from workbench.measure.inside.names import readable
from workbench.measure.inside.records import Inside, InsideLayer
from workbench.measure.records import Interval
from workbench.results.verdict_words import short

CHANGES: dict[str, Text] = {
    "kept": say("unchanged"),
    "changed": say("changed"),
    "added": say("added"),
    "removed": say("removed"),
}
"""What became of a layer against another file."""
_AGREEMENTS: dict[str, Text] = {
    "equal": say("equal"),
    "not finite": say("no numbers"),
    "other shape": say("other shape"),
}


def time_words(interval: Interval | None) -> str:
    """A time; what cannot be told from nothing is below the end of its interval."""
    if interval is None:
        return ""
    if interval.low > 0:
        return time(interval.value)
    return f"< {time(interval.high)}" if interval.high > 0 else "≈ 0"


def error_words(layer: InsideLayer) -> str:
    """How far what a layer gives is from what its counterpart gives; empty where that is not known."""
    if layer.snr_db is not None:
        return str(say("{decibels} dB", decibels=digits(layer.snr_db)))
    return "" if layer.agreement in (None, "measured") else str(_AGREEMENTS[layer.agreement])


def inside_summary(known: Inside) -> list[Text]:
    """What is worth saying of all layers together."""
    lines = []
    changes = [layer.change for layer in known.layers if layer.change is not None]
    if changes:
        lines.append(
            say(
                "Layers: {kept} unchanged, {changed} changed, {added} added, {removed} removed.",
                kept=changes.count("kept"),
                changed=changes.count("changed"),
                added=changes.count("added"),
                removed=len(known.removed),
            )
        )
    worst = worst_words(known)
    if worst is not None:
        lines.append(worst)
    if known.times is not None:
        lines.append(_sum_words(known))
    if known.file_bytes:
        lines.append(
            say(
                "Weights take {weights} of the file's {file}; the rest is its graph, names and tables.",
                weights=size(known.file_bytes - known.overhead_bytes),
                file=size(known.file_bytes),
            )
        )
    return lines


def worst_words(known: Inside) -> Text | None:
    """Where most error arises; None where no outputs were compared."""
    worst = known.worst
    if worst is not None:
        return say(
            "Most error arises in {layer} ({kind}), on {count} samples of the validation split.",
            layer=short(readable(worst.name)),
            kind=worst.kind,
            count=known.samples,
        )
    if known.samples and any(layer.agreement == "equal" for layer in known.layers):
        return say("What the compared layers give does not differ.")
    return None


def _sum_words(known: Inside) -> Text:
    times = known.times
    assert times is not None
    values = {
        "sum": time(times.sum_ms.value),
        "interval": f"[{time(times.sum_ms.low)}, {time(times.sum_ms.high)}]",
        "whole": time(times.whole_ms.value),
        "difference": percent(abs(times.difference)),
        "floor": percent(times.floor),
    }
    if times.adds_up:
        return say(
            "The times add up to {sum} {interval}, and the whole file takes {whole}: they agree "
            "({difference} apart; two loads of the same file were {floor} apart).",
            **values,
        )
    return say(
        "The times add up to {sum} {interval}, but the whole file takes {whole}: {difference} apart, where "
        "two loads of the same file were {floor} apart. Trust the order of the layers more than their times.",
        **values,
    )
