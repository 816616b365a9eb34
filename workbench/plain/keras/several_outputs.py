"""Models with several outputs, each of which is trained for a task of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from .observing import inputs_of


def by_name(model: keras.Model, names: Sequence[str]) -> keras.Model:
    """The same model, which gives its outputs as a dict; training it trains the one that it was made of.

    Losses, labels and weights of samples can then be given by the name of the output, in whatever form the
    model itself gives them.

    Args:
        model: A built model.
        names: Of its outputs, in their order.
    """
    return keras.Model(inputs_of(model), dict(zip(names, model.outputs, strict=True)))


class SummedLoss:
    """The losses of several outputs, added.

    Args:
        losses: Of each output, by its name.
        weights: How much each counts.
    """

    def __init__(self, losses: Mapping[str, Any], weights: Mapping[str, float]) -> None:
        self.losses = losses
        self.weights = weights

    def __call__(
        self,
        labels: Mapping[str, Any],
        outputs: Mapping[str, Any],
        sample_weight: Mapping[str, Any] | None = None,
    ) -> Any:
        """The loss of a batch."""
        return sum(
            self.weights[name]
            * loss(
                labels[name],
                outputs[name],
                sample_weight=None if sample_weight is None else sample_weight[name],
            )
            for name, loss in self.losses.items()
        )
