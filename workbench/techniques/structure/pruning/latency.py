"""How long a smaller model takes in LiteRT beside its parent: measured while channels are chosen."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from workbench.api.dataset import select
from workbench.api.errors import Refused
from workbench.api.technique import Context
from workbench.api.text import say
from workbench.graph.units import Removed
from workbench.techniques.structure.pruning.plan import Counts, PruningPlan, Scores, Wanted

BLOCKS = 9
RUNS = 8
DISCARDED = 2
HALVINGS = 5


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
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        probe = _Probe(context, Path(folder), model)

        def measured(counts: Counts) -> float:
            context.report.check()
            context.report.stage(say("Measuring a smaller model in LiteRT"))
            return probe.ratio(without(plan.removed(counts, scores)))

        best, least = plan.fewest, measured(plan.fewest)
        if least > part:
            raise Refused(
                say(
                    "At most {reachable}× less time is possible, measured in LiteRT with as few channels "
                    "as allowed; {wanted}× was asked for.",
                    reachable=f"{1 / least:.1f}",
                    wanted=f"{1 / part:.1f}",
                ),
                say("Remove less, or let every group keep fewer channels."),
            )
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            level = (low + high) / 2
            counts = plan.rounded(wanted(level), plan.all)
            ratio = measured(counts)
            if ratio <= part:
                high, best, least = level, counts, ratio
            else:
                low = level
    return best, least


class _Probe:
    """The parent in LiteRT, ready to run beside another model."""

    def __init__(self, context: Context, folder: Path, model: Any) -> None:
        self._context, self._folder, self._made = context, folder, 0
        self._samples = select(context.dataset.x("train"), slice(0, context.parent.settings.batch))
        self._parent = self._session(model)

    def ratio(self, model: Any) -> float:
        """Time of a model as a part of the parent's: the median over blocks run in turn."""
        mine = self._session(model)
        theirs = self._parent
        try:
            ratios = []
            for block in range(BLOCKS):
                self._context.report.check()
                # Neither is always the one that runs into a cold cache.
                first, second = (mine, theirs) if block % 2 else (theirs, mine)
                times = {id(one): _block(*one) for one in (first, second)}
                ratios.append(times[id(mine)] / times[id(theirs)])
        finally:
            mine[0].close()
        return float(np.median(ratios))

    def _session(self, model: Any) -> tuple[Any, Any]:
        from workbench.models.converting.conversion import to_tflite
        from workbench.runtimes.litert import LiteRT

        self._made += 1
        path = to_tflite(model, self._folder / f"{self._made}.tflite")
        session = LiteRT().load(path, self._context.parent.settings)
        return session, session.prepare(self._samples)


def _block(session: Any, prepared: Any) -> float:
    """Median seconds of a run."""
    times = []
    for _ in range(DISCARDED + RUNS):
        start = perf_counter()
        session.infer(prepared)
        times.append(perf_counter() - start)
    return float(np.median(times[DISCARDED:]))
