"""Which rank each layer gets: by energy, by a target for the whole model, by measured sensitivity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .factor_layers import Factorable
from .factors import Ranks
from .validation import ValidationScore

if TYPE_CHECKING:
    import keras

ENERGIES = (0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
"""Shares of the energy whose ranks are tried when sensitivity is measured."""
_HALVINGS = 40


def ranks_by_energy(layers: Sequence[Factorable], share: float) -> dict[str, Ranks]:
    """The smallest ranks that keep a share of the energy, by layer, where they shrink the layer.

    Args:
        layers: Layers that can be split.
        share: Of the sum of the squared singular values of each, 0 to 1.
    """
    ranks = {layer.name: layer.factors.at_energy(share) for layer in layers}
    return {layer.name: ranks[layer.name] for layer in layers if layer.factors.shrinks(ranks[layer.name])}


def energy_for(model: keras.Model, layers: Sequence[Factorable], ratio: float) -> float:
    """The highest share of energy, the same for all layers, at which a model has so few weights.

    Args:
        model: The model.
        layers: Its layers that can be split.
        ratio: Weights after / before, of the whole model.

    Raises:
        ValueError: If rank 1 everywhere has more weights.
    """
    wanted = ratio * model.count_params()
    if weights_at(model, layers, 0.0) > wanted:
        raise ValueError(f"ratio must be reached at rank 1. Received: {ratio}")
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if weights_at(model, layers, middle) <= wanted else (low, middle)
    return low


def weights_at(model: keras.Model, layers: Sequence[Factorable], share: float) -> int:
    """Weights of a model whose layers keep a share of their energy, where that shrinks them."""
    kernels = sum(layer.factors.kernel.size for layer in layers)
    return int(model.count_params()) - kernels + sum(_weights(layer, share) for layer in layers)


def _weights(layer: Factorable, share: float) -> int:
    factors = layer.factors
    return min(factors.parameters(factors.at_energy(share)), factors.kernel.size)


@dataclass(frozen=True)
class Trial:
    """One layer at one rank.

    Attributes:
        layer: The layer.
        ranks: Its ranks.
        change: By how much the score is better with them than that of the model as it is.
    """

    layer: Factorable
    ranks: Ranks
    change: float


def ranks_by_sensitivity(
    layers: Sequence[Factorable],
    tolerance: float,
    validate: Callable[[], ValidationScore],
    tried: Callable[[Trial, float], None] = lambda trial, done: None,
) -> dict[str, Ranks]:
    """The smallest ranks at which the score falls by no more than a tolerance, by layer, where there are any.

    Each layer is tried alone: its kernel is replaced by the product of its factors, which gives the
    same outputs as the factors, and put back afterwards.

    Args:
        layers: Layers that can be split.
        tolerance: How much the score on the validation split may fall for one layer, 0 to 1.
        validate: Judges the model with the kernels that it has.
        tried: Told of each trial, with the share of all that are done.
    """
    whole = validate()
    trials = [(layer, ranks) for layer in layers for ranks in _candidates(layer)]
    fitting: dict[str, list[Ranks]] = {}
    for done, (layer, ranks) in enumerate(trials, 1):
        kernel = layer.layer.kernel
        before = kernel.numpy()
        try:
            kernel.assign(layer.factors.product(ranks))
            trial = Trial(layer, ranks, validate().gain(whole))
        finally:
            kernel.assign(before)
        if -trial.change <= tolerance:
            fitting.setdefault(layer.name, []).append(ranks)
        tried(trial, done / len(trials))
    return {
        layer.name: min(fitting[layer.name], key=layer.factors.parameters)
        for layer in layers
        if layer.name in fitting
    }


def _candidates(layer: Factorable) -> list[Ranks]:
    found = dict.fromkeys(layer.factors.at_energy(share) for share in ENERGIES)
    return [ranks for ranks in found if layer.factors.shrinks(ranks)]
