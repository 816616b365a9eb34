"""Which learning rate to train with, found by trying rising ones.

Source: Smith, Cyclical learning rates for training neural networks, 2015 (arXiv:1506.01186), section
3.3; exponentially rising rates and a tenth of the best one as in Howard & Gugger, fastai, 2020
(arXiv:2002.04688).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import keras

LOWEST, HIGHEST = 1e-6, 1.0
STEPS = 100
WINDOW = 9
"""Losses that are averaged into one point of the curve: those of single batches scatter."""
DIVERGED = 4
"""The sweep ends when the loss is so many times the lowest so far."""
BELOW_BEST = 10


class NotFinite(ValueError):
    """The loss is infinite or not a number even at the lowest learning rates."""


@dataclass(frozen=True)
class RateSweep:
    """The loss over rising learning rates, one step of the optimizer at each.

    Attributes:
        rates: Learning rates, rising.
        losses: Training loss of the batch of each step, before the step.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def smoothed(self) -> npt.NDArray[np.float64]:
        """Centered moving average of the losses; at the ends over what there is."""
        window = np.ones(min(WINDOW, len(self.losses)))
        sums = np.convolve(self.losses, window, "same")
        return sums / np.convolve(np.ones(len(self.losses)), window, "same")

    @property
    def suggestion(self) -> float:
        """A tenth of the rate where the smoothed loss is lowest, to two digits."""
        return float(f"{self.rates[int(self.smoothed.argmin())] / BELOW_BEST:.2g}")


def sweep_rates(
    model: keras.Model,
    features: Any,
    targets: Any,
    *,
    batch_size: int,
    seed: int,
    weights: Any = None,
    check: Callable[[], None] = lambda: None,
) -> RateSweep:
    """Tries rising learning rates and puts the weights back.

    Args:
        model: Compiled with a constant learning rate. Compile it again before it is trained: the optimizer
            keeps what it gathered here.
        features: The training samples: an array, or arrays by the name of the input.
        targets: What the loss compares the output with, one for each sample: an array, or one for each output
            by its name.
        batch_size: Samples in a step.
        seed: Orders the samples.
        weights: How much each sample counts; once if None.
        check: Called before each step; what it raises ends the sweep.

    Raises:
        NotFinite: If the loss is not finite at the lowest rates.
    """
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    count = len(next(iter(targets.values())) if isinstance(targets, Mapping) else targets)
    order = np.random.default_rng(seed).permutation(count)
    before = model.get_weights()
    losses: list[float] = []
    for rate, rows in zip(rates, np.resize(order, (STEPS, min(batch_size, len(order)))), strict=True):
        check()
        model.optimizer.learning_rate = rate
        model.reset_metrics()
        # Sorted: a memory map is read forwards.
        rows = np.sort(rows)
        counted = None if weights is None else _at(weights, rows)
        metrics = model.train_on_batch(_at(features, rows), _at(targets, rows), counted, return_dict=True)
        loss = float(metrics["loss"])
        if not math.isfinite(loss):
            break
        losses.append(loss)
        if len(losses) > WINDOW and np.mean(losses[-(WINDOW // 2 + 1) :]) > DIVERGED * min(losses):
            break
    model.set_weights(before)
    if len(losses) <= WINDOW:
        raise NotFinite(f"the loss is infinite or not a number even at the learning rate {LOWEST}")
    return RateSweep(tuple(map(float, rates[: len(losses)])), tuple(losses))


def _at(features: Any, rows: npt.NDArray[np.integer]) -> Any:
    import tensorflow as tf

    if isinstance(features, Mapping):
        return {name: _at(values, rows) for name, values in features.items()}
    # Text is a tensor: Keras takes it in no other form.
    return tf.gather(features, rows) if tf.is_tensor(features) else features[rows]
