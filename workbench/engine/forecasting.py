"""Before a step is made: what its form says of it, and what is kept to be held against what comes out."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.advisor.forecasting import Step, forecast
from workbench.api.dataset import DatasetInfo
from workbench.api.technique import AnyTechnique, Estimate, Parameters
from workbench.api.variant import Variant
from workbench.engine.estimates import estimate
from workbench.engine.goal import goal_of
from workbench.measure.environment import environment
from workbench.results.forecast import Forecast
from workbench.results.rows import ResultRow
from workbench.store import Store


def foresee(
    store: Store,
    technique: AnyTechnique,
    parent: Variant,
    parameters: Parameters,
    info: DatasetInfo,
    rows: Sequence[ResultRow],
    said: Estimate | None = None,
) -> Forecast:
    """What a step is expected to make, by everything that was measured here so far.

    Args:
        store: What was made and measured so far.
        technique: What is to be applied.
        parent: To what.
        parameters: How.
        info: The data.
        rows: What is known of the variants.
        said: What :func:`workbench.engine.estimates.estimate` gives, where that was asked already.
    """
    if said is None:
        said = estimate(store, technique, parent, parameters, info, environment())
    return forecast(Step(technique, parent, parameters, said), rows, goal_of(store).f1_may_fall)
