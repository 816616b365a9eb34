"""The sweep of learning rates before a training, and what a report says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.api.dataset import Features
from workbench.api.errors import JobFailed
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Table
from workbench.plain.keras.rate_sweep import LOWEST, NotFinite, RateSweep, sweep_rates
from workbench.training.objectives import ByOutput

if TYPE_CHECKING:
    import keras


def sweep_note(sweep: RateSweep) -> Text:
    """Which learning rate was taken."""
    return say(
        "The learning rate {rate} was found by trying {count} rising ones: a tenth of the one where the "
        "loss was lowest.",
        rate=f"{sweep.suggestion:g}",
        count=len(sweep.rates),
    )


def sweep_table(sweep: RateSweep) -> Table:
    """The curve, smoothed."""
    rows = zip(sweep.rates, sweep.smoothed, strict=True)
    return Table(
        title=say("Loss over the learning rate"),
        columns=(say("Learning rate"), say("Training loss")),
        rows=tuple((float(f"{rate:.3g}"), round(float(loss), 4)) for rate, loss in rows),
        picture="line",
        note=say(
            "Left of the fall the steps are too small; where it rises again they are too large. "
            "Trained with {rate}.",
            rate=f"{sweep.suggestion:g}",
        ),
    )


def sweep_learning_rate(
    model: keras.Model,
    features: Features,
    targets: ByOutput,
    *,
    batch_size: int,
    seed: int,
    report: Reporter,
    weights: ByOutput | None = None,
) -> RateSweep:
    """As :func:`workbench.plain.keras.rate_sweep.sweep_rates`, within a job.

    Args:
        model: Compiled with a constant learning rate.
        features: The training samples.
        targets: What the loss compares the output with, one for each sample.
        batch_size: Samples in a step.
        seed: Orders the samples.
        report: Stages and cancellation.
        weights: How much each sample counts; once if None.

    Raises:
        workbench.api.errors.JobFailed: If the loss is not finite at the lowest rates.
    """
    report.stage(say("Looking for the learning rate"))
    try:
        return sweep_rates(
            model,
            features,
            targets,
            batch_size=batch_size,
            seed=seed,
            weights=weights,
            check=report.check,
        )
    except NotFinite as error:
        raise JobFailed(
            say("The loss is infinite or not a number even at the learning rate {rate}.", rate=LOWEST),
            say("Check that the data has no missing or infinite values, and that the weights are finite."),
        ) from error
