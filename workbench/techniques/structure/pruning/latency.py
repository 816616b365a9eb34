"""How long a smaller model takes in LiteRT beside its parent: measured while channels are chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.api.dataset import select
from workbench.api.errors import Refused
from workbench.api.technique import Context
from workbench.api.text import say
from workbench.graph.units import Removed
from workbench.plain.keras.channel_search import Counts, Wanted, search_measured
from workbench.plain.keras.channels import Scores
from workbench.plain.litert.time_ratio import TimeRatio
from workbench.techniques.structure.pruning.plan import PruningPlan


def counts_for_latency(
    context: Context,
    model: Any,
    plan: PruningPlan,
    wanted: Wanted,
    scores: Scores,
    part: float,
    without: Callable[[Removed], Any],
) -> tuple[Counts, float]:
    """The numbers of units at which inference takes at most a part of the parent's time.

    Few runs decide here between models; the variant that is made is measured as every other one.

    Args:
        context: For samples, settings and cancellation.
        model: The parent.
        plan: Its groups.
        wanted: Units to keep at a level.
        scores: Their importance.
        part: Time that may be left, as a part of the parent's.
        without: Makes the model without some channels.

    Returns:
        Units kept of each group, and the part that was measured.

    Raises:
        workbench.api.errors.Refused: If not even the smallest model is so fast.
        workbench.api.errors.InvalidInput: If the model cannot be converted to LiteRT.
    """
    from workbench.models.converting.conversion import to_tflite

    settings = context.parent.settings
    time = TimeRatio(
        model,
        select(context.dataset.x("train"), slice(0, settings.batch)),
        settings.threads,
        export=to_tflite,
        check=context.report.check,
    )

    def measured(counts: Counts) -> float:
        context.report.check()
        context.report.stage(say("Measuring a smaller model in LiteRT"))
        return time.of(without(plan.removed(counts, scores)))

    counts, ratio = search_measured(plan.channels.groups, measured, part, wanted)
    if ratio > part:
        raise Refused(
            say(
                "At most {reachable}× less time is possible, measured in LiteRT with as few channels "
                "as allowed; {wanted}× was asked for.",
                reachable=f"{1 / ratio:.1f}",
                wanted=f"{1 / part:.1f}",
            ),
            say("Remove less, or let every group keep fewer channels."),
        )
    return counts, ratio
