"""The doctor on speed: why a variant is not faster, from its verdict, its model and the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.api.number_format import ratio
from workbench.api.technique import Shortfall
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.measure.records import Environment
from workbench.results.int8_instructions import int8_instructions
from workbench.results.lookup import row_of
from workbench.runtimes import runtimes
from workbench.techniques import techniques

if TYPE_CHECKING:
    from workbench.results.rows import ResultRow

_MANY_ZEROS = 0.3
_FEWER_OPERATIONS = 0.9
_SAME_WORK = 0.1


def about_speed(row: ResultRow, rows: Sequence[ResultRow], machine: Environment | None) -> list[Text]:
    """Why a variant is not faster, and how much of the operations that are gone became time.

    Args:
        row: The variant's measurements.
        rows: All variants' rows.
        machine: What it was timed on.
    """
    return [*_not_faster(row, rows, machine), *_operations(row, rows), *_settings(row, rows)]


def _not_faster(row: ResultRow, rows: Sequence[ResultRow], machine: Environment | None) -> list[Text]:
    verdict = row.speed
    precision = row.variant.description.precision
    if verdict is None or verdict.word == "faster":
        return []
    reference = row_of(rows, verdict.reference)
    if precision != "float32" and not _own_float_form(row, reference, rows):
        return _larger(row, reference, rows)
    found = []
    if verdict.word == "slower" and precision in ("int8", "dynamic int8"):
        if int8_instructions(machine) is None:
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
                "{percent}% of its weights are zero, and this runtime multiplies by them all the same: "
                "zeros make the compressed file smaller, not the inference faster. Channel pruning removes "
                "whole channels and is faster.",
                percent=round(100 * row.zeros),
            )
        )
    elif (own := advice_of(row.variant, "not faster")) is not None:
        found.append(own)
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
    elif precision == "int8 weights":
        found.append(
            say(
                "Weights of 8 bits are widened once, when the file is loaded, and computed with in float32, "
                "so the speed stays."
            )
        )
    elif verdict.word == "slower":
        found += _larger(row, reference, rows) or _slower(row, reference)
    elif _as_much_work(row, reference, rows):
        found.append(
            say(
                "It computes as much as {name}, in the same way: its speed cannot differ.",
                name=_name(verdict.reference, rows),
            )
        )
    else:
        found.append(
            say(
                "The change is below what counts here: {floor}%, from timing the same file twice.",
                floor=round(100 * max(0.03, 2 * verdict.floor), 1),
            )
        )
    return found


def _own_float_form(row: ResultRow, reference: ResultRow | None, rows: Sequence[ResultRow]) -> bool:
    """Whether a file is compared with itself in float32: only then is a difference one of precision."""
    if reference is None or reference.variant.description.precision != "float32":
        return False
    mine, theirs = row.variant, reference.variant
    if (mine.runtime, mine.settings.threads, mine.settings.batch) != (
        theirs.runtime,
        theirs.settings.threads,
        theirs.settings.batch,
    ):
        return False
    sizes = (mine.description.parameters, theirs.description.parameters)
    work = (multiplications(row, rows), multiplications(reference, rows))
    return all(
        before is None or after is None or abs(after - before) <= _SAME_WORK * before
        for after, before in (sizes, work)
    )


def _larger(row: ResultRow, reference: ResultRow | None, rows: Sequence[ResultRow]) -> list[Text]:
    """That something slower computes more, where it does."""
    if row.speed is None or row.speed.word != "slower" or reference is None:
        return []
    after, before = multiplications(row, rows), multiplications(reference, rows)
    if not after or not before or after <= (1 + _SAME_WORK) * before:
        return []
    return [
        say(
            "It multiplies {times} times as often as {name}, which it is compared with. Its own float32 form "
            "in this runtime would show what else makes a difference.",
            times=ratio(after / before),
            name=reference.variant.name,
        )
    ]


def _operations(row: ResultRow, rows: Sequence[ResultRow]) -> list[Text]:
    """How much of the operations that were removed became time."""
    if row.speed is None:
        return []
    reference = row_of(rows, row.speed.reference)
    if reference is None or reference.variant.description.precision != row.variant.description.precision:
        return []  # another precision makes a difference of its own
    before = multiplications(reference, rows)
    after = multiplications(row, rows)
    if not before or not after or after > _FEWER_OPERATIONS * before:
        return []
    saved = 1 - 1 / row.speed.speedup.value
    if saved >= 1 - after / before - 0.1:
        return []
    if saved <= 0 and advice_of(row.variant, "slower") is not None:
        return []  # why it is slower is said already
    return [
        say(
            "{operations}% of the operations are gone, but only {time}% of the time: the rest goes into "
            "moving data, into the fixed cost of each layer, and into widths that do not fill the "
            "processor's vector units.",
            operations=round(100 * (1 - after / before)),
            time=max(0, round(100 * saved)),
        ),
        *_shown_elsewhere(row.variant.runtime),
    ]


def _shown_elsewhere(name: str) -> list[Text]:
    known = runtimes().get(name)
    return [] if known is None or known.hides_savings is None else [known.hides_savings]


def _settings(row: ResultRow, rows: Sequence[ResultRow]) -> list[Text]:
    """A speed-up that is one of threads or batches as well."""
    reference = None if row.speed is None else row_of(rows, row.speed.reference)
    if reference is None:
        return []
    mine, theirs = row.variant.settings, reference.variant.settings
    if (mine.threads, mine.batch) == (theirs.threads, theirs.batch):
        return []
    return [
        say(
            "Timed with {threads} threads at batch {batch}, {reference} with {their_threads} at "
            "{their_batch}: the speed-up, per sample, is one of these settings too.",
            threads=mine.threads,
            batch=mine.batch,
            reference=reference.variant.name,
            their_threads=theirs.threads,
            their_batch=theirs.batch,
        )
    ]


def multiplications(row: ResultRow, rows: Sequence[ResultRow]) -> int | None:
    """Of one sample; a converted file has those of the Keras variant that it was made from."""
    by_id = {one.variant.id: one.variant for one in rows}
    variant: Variant | None = row.variant
    while variant is not None and variant.description.macs is None:
        variant = by_id.get(variant.parent or "")
    return None if variant is None else variant.description.macs


def _slower(row: ResultRow, reference: ResultRow | None) -> list[Text]:
    """Why something in float32 is slower."""
    variant = row.variant
    if reference is not None and variant.settings.threads > reference.variant.settings.threads:
        return [
            say(
                "{threads} threads wait for each other at every layer, and at batch {batch} a layer of this "
                "model is too little work to share. Larger batches gain more from threads.",
                threads=variant.settings.threads,
                batch=variant.settings.batch,
            )
        ]
    found = (_of_runtime(variant.runtime), advice_of(variant, "slower"))
    return [reason for reason in found if reason is not None][:1]


def _of_runtime(name: str) -> Text | None:
    known = runtimes().get(name)
    return None if known is None else known.slower_because


def advice_of(variant: Variant, shortfall: Shortfall) -> Text | None:
    """What the technique that made a variant says of an unwelcome number; None if that is not installed.

    Args:
        variant: What was made.
        shortfall: What the number says.
    """
    made_by = techniques().get(variant.technique or "")
    return None if made_by is None else made_by.advice(shortfall, variant)


def _as_much_work(row: ResultRow, reference: ResultRow | None, rows: Sequence[ResultRow]) -> bool:
    if reference is None:
        return False
    macs = multiplications(row, rows)
    mine, theirs = row.variant, reference.variant
    return (
        macs is not None
        and macs == multiplications(reference, rows)
        and (mine.runtime, mine.settings, mine.description.precision)
        == (theirs.runtime, theirs.settings, theirs.description.precision)
    )


def _name(variant: str, rows: Sequence[ResultRow]) -> str:
    row = row_of(rows, variant)
    return "?" if row is None else row.variant.name
