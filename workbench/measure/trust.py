"""Whether a timing can be believed: the one place that decides it, for notes, verdicts and the order of runs.

Interleaving protects a ratio from what slows both files alike. It does not protect the ratio of two
programs that suffer unequally: on two cores shared with twelve other tasks a model timed in Keras and in
LiteRT came out 11 to 50 times faster instead of 9, while two loads of one file mostly agreed within 5%.
So the A/A floor does not show it. How long the timing process waited for a processor does (50 to 86% of
its time there), and so does the scatter (IQR 92 to 1206% of the median).
"""

from __future__ import annotations

from collections.abc import Iterable

from workbench.api.text import Text, say
from workbench.measure.records import LatencyMeasurement

MOST_WAITING_PERCENT = 10.0
"""A process that waited this share of its time took up to 1 / (1 - 0.1) = 1.11 times as long. Where one of
two programs waits and the other does not, their ratio is wrong by as much: more than three times what may
be called faster."""

MOST_SCATTER = 0.5
"""IQR over median. Beyond it a quarter of the calls took about half as long again or more. A median resists
until half of them do, so it is about to move. A tenth is worth a remark, no more: processors that change
their clock scatter by that, and both files alike."""


def beside_other_work() -> Text:
    """What is said of times that were taken while the workbench itself did something else."""
    return say(
        "It was timed while other work of the workbench ran on this machine, because somebody did not want "
        "to wait: the times may be far too long, and what looks faster may be chance. Measure it again later."
    )


def busy(waited: float | None, pressure: float | None) -> Text | None:
    """What is said where other work took the processor from the measurement; None where it did not.

    Args:
        waited: Share of its time (0-100) that the measurement waited for a processor; None if unknown.
        pressure: Of the machine as a whole, before it started; it counts only where ``waited`` is unknown,
            because it also holds what the workbench itself did until then.
    """
    if waited is not None:
        if waited <= MOST_WAITING_PERCENT:
            return None
        return say(
            "The processor was busy with other work: the measurement waited for it {share}% of its time.",
            share=round(waited),
        )
    if pressure is None or pressure <= MOST_WAITING_PERCENT:
        return None
    return say(
        "The processor was busy with other work: processes waited for it {pressure:.0f}% of the time.",
        pressure=pressure,
    )


def distrust(run: LatencyMeasurement, variants: Iterable[str]) -> Text | None:
    """Why the times of variants in a run, and ratios of them, are not believed; None where they are.

    Args:
        run: The run.
        variants: Identifiers of those that matter: a variant, or two that are compared.
    """
    if not run.alone or beside_other_work() in run.warnings:
        return beside_other_work()
    waiting = busy(run.waited, run.pressure)
    if waiting is not None:
        return waiting
    wanted = set(variants)
    scatter = [
        one.iqr_ms / one.p50_ms.value
        for one in run.summaries
        if one.variant in wanted and one.p50_ms.value > 0
    ]
    if max(scatter, default=0.0) <= MOST_SCATTER:
        return None
    return say(
        "The machine was unsteady while this was timed (IQR {share}% of the median): "
        "measure again when it is quiet.",
        share=round(100 * max(scatter)),
    )
