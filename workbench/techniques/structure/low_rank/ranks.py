"""Which rank each layer gets, and what a report says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.api.errors import Refused
from workbench.api.task import Task, TaskMeasure, measure_of
from workbench.api.text import Text, say
from workbench.api.variant import Skip, Table
from workbench.plain.keras.factor_layers import Factorable
from workbench.plain.keras.factors import Ranks
from workbench.plain.keras.ranks import (
    ENERGIES,
    Trial,
    energy_for,
    ranks_by_energy,
    ranks_by_sensitivity,
    weights_at,
)
from workbench.training.results import change_column, change_shown

if TYPE_CHECKING:
    from workbench.plain.keras.validation import ValidationScore


@dataclass(frozen=True)
class RankChoice:
    """The ranks of the layers that are split, by layer name, and why others are not."""

    ranks: dict[str, Ranks]
    skipped: tuple[Skip, ...]
    tables: tuple[Table, ...] = ()


def by_energy(layers: Sequence[Factorable], share: float) -> RankChoice:
    """The smallest ranks that keep a share of the energy, where they shrink the layer."""
    ranks = ranks_by_energy(layers, share)
    skipped = (_larger(layer, share) for layer in layers if layer.name not in ranks)
    return RankChoice(ranks, tuple(skipped))


def _larger(layer: Factorable, share: float) -> Skip:
    ranks = layer.factors.at_energy(share)
    return Skip(
        name=layer.name,
        reason=say(
            "At rank {rank}, which this takes, it would have {after} weights instead of {before}.",
            rank=shown(ranks),
            after=f"{layer.factors.parameters(ranks):,}",
            before=f"{layer.factors.kernel.size:,}",
        ),
    )


def by_target(model: Any, layers: Sequence[Factorable], ratio: float) -> RankChoice:
    """The highest common share of energy at which the model has so few weights.

    Args:
        model: The model.
        layers: Layers that can be split.
        ratio: Weights after / before, of the whole model.

    Raises:
        workbench.api.errors.Refused: If rank 1 everywhere has more weights.
    """
    least = weights_at(model, layers, 0.0) / model.count_params()
    if least > ratio:
        raise Refused(
            say(
                "{wanted}% of the weights cannot be reached: even at rank 1 everywhere, {least}% are left.",
                wanted=f"{100 * ratio:g}",
                least=f"{100 * least:.1f}",
            ),
            say("Ask for more weights, or prune channels as well."),
        )
    return by_energy(layers, energy_for(model, layers, ratio))


def by_sensitivity(
    layers: Sequence[Factorable],
    tolerance: float,
    validate: Callable[[], ValidationScore],
    task: Task | None,
    progress: Callable[[float], None],
) -> RankChoice:
    """The smallest rank of each layer at which the score falls by no more than a tolerance.

    Args:
        layers: Layers that can be split.
        tolerance: How much the score on the validation split may fall for one layer, 0 to 1.
        validate: Judges the model with the kernels that it has.
        task: Which score it is; None where it is that of several outputs which loses most.
        progress: Told how much is done, 0 to 1.
    """
    trials: list[Trial] = []

    def tried(trial: Trial, done: float) -> None:
        trials.append(trial)
        progress(done)

    ranks = ranks_by_sensitivity(layers, tolerance, validate, tried)
    measure = None if task is None else measure_of(task)
    shrinking = {trial.layer.name for trial in trials}
    skipped = [
        Skip(
            name=layer.name,
            reason=_too_sensitive(measure),
        )
        if layer.name in shrinking
        else _larger(layer, ENERGIES[-1])
        for layer in layers
        if layer.name not in ranks
    ]
    return RankChoice(ranks, tuple(skipped), (_sensitivity(trials, measure),))


def _too_sensitive(measure: TaskMeasure | None) -> Text:
    if measure is None:
        return say("An output loses more than that at every rank that makes it smaller.")
    if measure.higher_is_better:
        return say(
            "{measure} falls by more than that at every rank that makes it smaller.", measure=measure.title
        )
    return say(
        "{measure} rises by more than that at every rank that makes it smaller.", measure=measure.title
    )


def _sensitivity(trials: Sequence[Trial], measure: TaskMeasure | None) -> Table:
    return Table(
        title=say("Sensitivity of each layer and rank"),
        columns=(
            say("Layer"),
            say("Rank"),
            change_column(measure),
            say("Weights left, %"),
            say("Energy kept, %"),
        ),
        rows=tuple(
            (
                trial.layer.name,
                shown(trial.ranks),
                round(change_shown(measure, trial.change), 3),
                round(100 * trial.layer.factors.parameters(trial.ranks) / trial.layer.factors.kernel.size, 1),
                round(100 * trial.layer.factors.energy(trial.ranks), 2),
            )
            for trial in trials
        ),
        picture="heatmap",
        better="more" if measure is None or measure.higher_is_better else "less",
        note=say("Each layer was tried alone on the validation split, without fine-tuning."),
    )


def shown(ranks: Ranks) -> str:
    """Ranks as the user reads them."""
    return " x ".join(map(str, ranks))
