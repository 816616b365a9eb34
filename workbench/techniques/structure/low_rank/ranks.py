"""Which rank each layer gets: by energy, by a target for the whole model, by measured sensitivity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.api.errors import Refused
from workbench.api.text import Text, say
from workbench.api.variant import Skip, Table
from workbench.techniques.structure.low_rank.factor_layers import Factorable
from workbench.techniques.structure.low_rank.factors import Ranks
from workbench.training.validation import Validated

ENERGIES = (0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
"""Shares of the energy whose ranks are tried when sensitivity is measured."""
_HALVINGS = 40


@dataclass(frozen=True)
class RankChoice:
    """The ranks of the layers that are split, by layer name, and why others are not."""

    ranks: dict[str, Ranks]
    skipped: tuple[Skip, ...]
    tables: tuple[Table, ...] = ()


def by_energy(layers: Sequence[Factorable], share: float) -> RankChoice:
    """The smallest ranks that keep a share of the energy, where they shrink the layer."""
    ranks, skipped = {}, []
    for layer in layers:
        wanted = layer.factors.at_energy(share)
        if layer.factors.shrinks(wanted):
            ranks[layer.name] = wanted
        else:
            skipped.append(Skip(name=layer.name, reason=_larger(layer, wanted)))
    return RankChoice(ranks, tuple(skipped))


def _larger(layer: Factorable, ranks: Ranks) -> Text:
    return say(
        "At rank {rank}, which this takes, it would have {after} weights instead of {before}.",
        rank=shown(ranks),
        after=f"{layer.factors.parameters(ranks):,}",
        before=f"{layer.factors.kernel.size:,}",
    )


def by_target(layers: Sequence[Factorable], others: int, ratio: float) -> RankChoice:
    """The highest common share of energy at which the model has so few weights.

    Args:
        layers: Layers that can be split.
        others: Weights of the model that stay.
        ratio: Weights after / before, of the whole model.

    Raises:
        workbench.api.errors.Refused: If rank 1 everywhere has more weights.
    """
    before = others + sum(layer.factors.kernel.size for layer in layers)

    def total(share: float) -> int:
        return others + sum(
            min(layer.factors.parameters(layer.factors.at_energy(share)), layer.factors.kernel.size)
            for layer in layers
        )

    least = total(0.0)
    if least > ratio * before:
        raise Refused(
            say(
                "{wanted}% of the weights cannot be reached: even at rank 1 everywhere, {least}% are left.",
                wanted=f"{100 * ratio:g}",
                least=f"{100 * least / before:.1f}",
            ),
            say("Ask for more weights, or prune channels as well."),
        )
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if total(middle) <= ratio * before else (low, middle)
    return by_energy(layers, low)


def by_sensitivity(
    layers: Sequence[Factorable],
    tolerance: float,
    validate: Callable[[], Validated],
    progress: Callable[[float], None],
) -> RankChoice:
    """The smallest rank of each layer at which F1 falls by no more than a tolerance.

    Each layer is tried alone: its kernel is replaced by the product of its factors, which gives the
    same outputs as the factors, and put back afterwards.

    Args:
        layers: Layers that can be split.
        tolerance: How much macro F1 on the validation split may fall for one layer, 0 to 1.
        validate: Validates the model with the kernels that it has.
        progress: Told how much is done, 0 to 1.
    """
    whole = validate().f1
    tried = [(layer, ranks) for layer in layers for ranks in _candidates(layer)]
    measured: dict[str, list[tuple[Ranks, float]]] = {layer.name: [] for layer in layers}
    rows = []
    for done, (layer, ranks) in enumerate(tried):
        kernel = layer.layer.kernel
        before = kernel.numpy()
        try:
            kernel.assign(layer.factors.product(ranks))
            f1 = validate().f1
        finally:
            kernel.assign(before)
        progress((done + 1) / len(tried))
        measured[layer.name].append((ranks, f1))
        rows.append(
            (
                layer.name,
                shown(ranks),
                round(100 * (f1 - whole), 3),
                round(100 * layer.factors.parameters(ranks) / layer.factors.kernel.size, 1),
                round(100 * layer.factors.energy(ranks), 2),
            )
        )
    chosen: dict[str, Ranks] = {}
    skipped = []
    for layer in layers:
        fitting = [one for one, f1 in measured[layer.name] if whole - f1 <= tolerance]
        if fitting:
            chosen[layer.name] = min(fitting, key=layer.factors.parameters)
        elif measured[layer.name]:
            skipped.append(
                Skip(
                    name=layer.name,
                    reason=say("F1 falls by more than that at every rank that makes it smaller."),
                )
            )
        else:
            skipped.append(
                Skip(name=layer.name, reason=_larger(layer, layer.factors.at_energy(ENERGIES[-1])))
            )
    table = Table(
        title=say("Sensitivity of each layer and rank"),
        columns=(
            say("Layer"),
            say("Rank"),
            say("Change of F1, points"),
            say("Weights left, %"),
            say("Energy kept, %"),
        ),
        rows=tuple(rows),
        picture="heatmap",
        note=say("Each layer was tried alone on the validation split, without fine-tuning."),
    )
    return RankChoice(chosen, tuple(skipped), (table,))


def _candidates(layer: Factorable) -> list[Ranks]:
    found = dict.fromkeys(layer.factors.at_energy(share) for share in ENERGIES)
    return [ranks for ranks in found if layer.factors.shrinks(ranks)]


def shown(ranks: Ranks) -> str:
    """Ranks as the user reads them."""
    return " x ".join(map(str, ranks))
