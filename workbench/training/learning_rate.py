"""Which learning rate to train with, found by trying rising ones.

Source: Smith, Cyclical learning rates for training neural networks, 2015 (arXiv:1506.01186), section
3.3; exponentially rising rates and a tenth of the best one as in Howard & Gugger, fastai, 2020
(arXiv:2002.04688).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Features, sample_count, select
from workbench.api.errors import JobFailed
from workbench.api.records import Record
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Table

if TYPE_CHECKING:
    import keras

LOWEST, HIGHEST = 1e-6, 1.0
STEPS = 100
WINDOW = 9
"""Losses that are averaged into one point of the curve: those of single batches scatter."""
DIVERGED = 4
"""The sweep ends when the loss is so many times the lowest so far."""
BELOW_BEST = 10


class RateSweep(Record):
    """The loss over rising learning rates, one step of the optimizer at each.

    Attributes:
        rates: Learning rates, rising.
        losses: Training loss of the batch of each step, before the step.
        suggestion: A tenth of the rate where the smoothed loss is lowest.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float

    def note(self) -> Text:
        """Which one was taken."""
        return say(
            "The learning rate {rate} was found by trying {count} rising ones: a tenth of the one where the "
            "loss was lowest.",
            rate=f"{self.suggestion:g}",
            count=len(self.rates),
        )

    def table(self) -> Table:
        """The curve, smoothed."""
        rows = zip(self.rates, smoothed(np.asarray(self.losses)), strict=True)
        return Table(
            title=say("Loss over the learning rate"),
            columns=(say("Learning rate"), say("Training loss")),
            rows=tuple((float(f"{rate:.3g}"), round(float(loss), 4)) for rate, loss in rows),
            picture="line",
            note=say(
                "Left of the fall the steps are too small; where it rises again they are too large. "
                "Trained with {rate}.",
                rate=f"{self.suggestion:g}",
            ),
        )


def smoothed(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Centered moving average; at the ends over what there is."""
    kernel = np.ones(min(WINDOW, len(losses)))
    sums = np.convolve(losses, kernel, "same")
    return sums / np.convolve(np.ones(len(losses)), kernel, "same")


def suggested(rates: npt.NDArray[np.float64], losses: npt.NDArray[np.float64]) -> float:
    """A tenth of the rate where the smoothed loss is lowest, to two digits."""
    return float(f"{rates[int(smoothed(losses).argmin())] / BELOW_BEST:.2g}")


def sweep_learning_rate(
    model: keras.Model,
    compile_with: Callable[[float], None],
    features: Features,
    targets: npt.NDArray[np.generic],
    *,
    batch_size: int,
    seed: int,
    report: Reporter,
    weights: npt.NDArray[np.float32] | None = None,
) -> RateSweep:
    """Tries rising learning rates and puts the weights back.

    Args:
        model: A built Keras model.
        compile_with: Compiles it with a constant learning rate.
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
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    order = np.random.default_rng(seed).permutation(sample_count(features))
    batches = np.resize(order, (STEPS, min(batch_size, len(order))))
    before = model.get_weights()
    compile_with(LOWEST)
    losses: list[float] = []
    for rate, rows in zip(rates, batches, strict=True):
        report.check()
        model.optimizer.learning_rate = rate
        model.reset_metrics()
        # Sorted: a memory map is read forwards.
        rows = np.sort(rows)
        counted = None if weights is None else weights[rows]
        metrics = model.train_on_batch(select(features, rows), targets[rows], counted, return_dict=True)
        loss = float(metrics["loss"])
        if not math.isfinite(loss):
            break
        losses.append(loss)
        if len(losses) > WINDOW and np.mean(losses[-(WINDOW // 2 + 1) :]) > DIVERGED * min(losses):
            break
    model.set_weights(before)
    if len(losses) <= WINDOW:
        raise JobFailed(
            say("The loss is infinite or not a number even at the learning rate {rate}.", rate=LOWEST),
            say("Check that the data has no missing or infinite values, and that the weights are finite."),
        )
    tried = rates[: len(losses)]
    return RateSweep(
        rates=tuple(map(float, tried)),
        losses=tuple(losses),
        suggestion=suggested(tried, np.asarray(losses)),
    )
