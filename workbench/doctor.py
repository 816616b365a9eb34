"""The doctor: why a variant is not faster, not smaller or not as good, from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.measure.records import Passport
from workbench.text import Text, say
from workbench.variant import Variant

if TYPE_CHECKING:
    from workbench.results import ResultRow

_MANY_ZEROS = 0.3
_FEWER_OPERATIONS = 0.9
_INT8_FEATURES = ("VNNI", "AMX", "DOTPROD", "I8MM")


def notes(
    row: ResultRow,
    rows: Sequence[ResultRow],
    passports: Mapping[str, Passport],
) -> tuple[Text, ...]:
    """What the user should know of a variant's numbers.

    Args:
        row: The variant's measurements.
        rows: All variants' rows.
        passports: The machines that measured.
    """
    found: list[Text] = []
    machine = next(reversed(list(passports.values())), None)
    parent = next((other for other in rows if other.variant.id == row.variant.parent), None)
    found += row.lost
    found += _speed(row, machine)
    found += _operations(row, rows)
    found += _size(row, parent)
    found += _quality(row)
    if row.latency is not None and row.latency.unsteady:
        found.append(
            say(
                "The machine was unsteady while this was timed (IQR {share} % of the median): "
                "measure again when it is quiet.",
                share=round(100 * row.latency.iqr_ms / row.latency.p50_ms.value),
            )
        )
    return tuple(found)


def _speed(row: ResultRow, machine: Passport | None) -> list[Text]:
    verdict = row.speed
    precision = row.variant.description.precision
    if verdict is None or verdict.word == "faster":
        return []
    found = []
    if verdict.word == "slower" and precision in ("int8", "dynamic int8"):
        has_int8 = machine is not None and any(
            feature in name.upper() for name in machine.features for feature in _INT8_FEATURES
        )
        if not has_int8:
            found.append(
                say(
                    "int8 is slower here because this CPU ({cpu}) has no int8 dot-product instructions "
                    "(VNNI, AMX or Arm's DOTPROD); on one that has them expect it to be faster.",
                    cpu=machine.cpu if machine else "?",
                )
            )
        else:
            found.append(
                say(
                    "int8 is slower here although this CPU has int8 instructions: quantizing and "
                    "dequantizing between layers costs more than the small layers gain. "
                    "Wider layers gain more."
                )
            )
    elif verdict.word == "slower" and precision in ("int4", "mixed"):
        found.append(
            say(
                "Weights of 4 bits are widened for each inference, which takes longer than it saves: "
                "this is for small files, not for speed."
            )
        )
    elif row.zeros is not None and row.zeros >= _MANY_ZEROS:
        found.append(
            say(
                "{percent} % of its weights are zero, and this runtime multiplies by them all the same: "
                "zeros make the compressed file smaller, not the inference faster. Channel pruning removes "
                "whole channels and is faster.",
                percent=round(100 * row.zeros),
            )
        )
    elif row.variant.technique == "structure.clustering":
        found.append(
            say(
                "Shared values are stored and multiplied like any others: they make the compressed file "
                "smaller, not the inference faster."
            )
        )
    elif precision == "int16x8":
        found.append(
            say(
                "LiteRT runs int16 activations with reference kernels, not with fast ones: "
                "this is slow on every CPU."
            )
        )
    elif precision == "float16":
        found.append(
            say("float16 halves the file; the CPU computes in float32 all the same, so the speed stays.")
        )
    elif verdict.word == "no measurable change":
        found.append(
            say(
                "The change is below what counts here: {floor} %, from timing the same file twice.",
                floor=round(100 * max(0.03, 2 * verdict.floor), 1),
            )
        )
    return found


def _operations(row: ResultRow, rows: Sequence[ResultRow]) -> list[Text]:
    """How much of the operations that were removed became time."""
    if row.speed is None:
        return []
    reference = next((other for other in rows if other.variant.id == row.speed.reference), None)
    before = None if reference is None else _multiplications(reference, rows)
    after = _multiplications(row, rows)
    if not before or not after or after > _FEWER_OPERATIONS * before:
        return []
    saved = 1 - 1 / row.speed.speedup.value
    if saved >= 1 - after / before - 0.1:
        return []
    return [
        say(
            "{operations} % of the operations are gone, and {time} % of the time: what is left is spent on "
            "moving data, on the work of each layer that does not shrink with its width, and on widths "
            "that are no multiple of what the processor takes at once.",
            operations=round(100 * (1 - after / before)),
            time=round(100 * saved),
        )
    ]


def _multiplications(row: ResultRow, rows: Sequence[ResultRow]) -> int | None:
    """Of one sample; a converted file has those of the Keras variant that it was made from."""
    by_id = {one.variant.id: one.variant for one in rows}
    variant: Variant | None = row.variant
    while variant is not None and variant.description.macs is None:
        variant = by_id.get(variant.parent or "")
    return None if variant is None else variant.description.macs


def _size(row: ResultRow, parent: ResultRow | None) -> list[Text]:
    if row.size is None or parent is None or parent.size is None:
        return []
    if row.variant.technique == "inference.runtime" or row.size.file_bytes < 0.97 * parent.size.file_bytes:
        return []
    if row.size.gzip_bytes < 0.97 * parent.size.gzip_bytes:
        return [
            say(
                "The file itself is not smaller, because every weight still takes its bytes; compressed it "
                "is: {before} bytes by gzip before, {after} after.",
                before=parent.size.gzip_bytes,
                after=row.size.gzip_bytes,
            )
        ]
    return [
        say(
            "The file is not smaller than its parent's: {before} bytes before, {after} after.",
            before=parent.size.file_bytes,
            after=row.size.file_bytes,
        )
    ]


def _quality(row: ResultRow) -> list[Text]:
    found: list[Text] = []
    if row.quality is not None and row.quality.near_chance:
        found.append(say("Its accuracy is near chance: check the input scaling, or the step that made it."))
    change = row.quality_change
    if change is not None and change.word == "not proven":
        found.append(
            say(
                "Whether F1 is kept is not proven with {samples} test samples; "
                "about {more} more would settle it.",
                samples=row.quality.samples if row.quality else 0,
                more=change.samples_needed or 0,
            )
        )
    return found
