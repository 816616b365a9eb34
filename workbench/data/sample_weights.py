"""How much each sample counts: weights that a source gives beside samples and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from workbench.api.dataset import SPLITS, SplitName
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.data.labels import EncodedLabels
from workbench.data.raw import Array, RawData
from workbench.data.splits import SplitSource, split_text


def with_weights(
    raw: RawData, encoded: EncodedLabels
) -> tuple[EncodedLabels, dict[SplitName, Array], tuple[Text, ...]]:
    """What the weights of a source say, by its splits.

    Weights of positions, all 0 or 1, are a mask: the labels where they are 0 do not count. Weights that are
    all alike say nothing.

    Args:
        raw: The data as read.
        encoded: Their labels.

    Returns:
        The labels, with what was masked; float32 weights of shape ``(n,)`` of the splits that have some; and
        what is to be said.

    Raises:
        InvalidInput: If there is not one weight above or at 0 for each sample.
    """
    found: dict[SplitName, Array] = {}
    masked: dict[SplitName, Array] = {}
    for split in SPLITS:
        if split not in raw.splits or not raw.splits[split].weights:
            continue
        called = raw.splits[split].called("w")
        weights = _of_target(raw, split, called)
        labels = encoded.y[split]
        values = _numbers(weights, called)
        if values.ndim > 1 and values.shape[-1] == 1 and values.shape[:-1] == labels.shape:
            values = values[..., 0]
        if encoded.task == "per position" and values.shape == labels.shape:
            masked[split] = _masked(labels, values, called)
        elif values.size == len(labels) == len(values):
            found[split] = values.reshape(len(labels))
        else:
            raise InvalidInput(
                say(
                    "The sample weights {name} have the shape {shape}, and there are {count} samples.",
                    name=called,
                    shape=str(values.shape),
                    count=len(labels),
                ),
                say("Give one weight for each sample, or leave the weights out."),
            )
    notes: tuple[Text, ...] = ()
    if masked:
        encoded = replace(encoded, y={**encoded.y, **masked})
        notes = (say("Positions of weight 0 do not count."),)
    if found and all((values == next(iter(found.values()))[0]).all() for values in found.values()):
        alike = float(next(iter(found.values()))[0])
        if len(found) == len(raw.splits):
            return (
                encoded,
                {},
                (*notes, say("All sample weights are {value:g}: they say nothing.", value=alike)),
            )
    return encoded, found, notes


def _of_target(raw: RawData, split: SplitName, called: str) -> Array:
    weights: Mapping[str, Array] = raw.splits[split].weights
    if len(weights) == 1:
        return next(iter(weights.values()))
    if raw.target is not None and raw.target in weights:
        return weights[raw.target]
    raise InvalidInput(
        say("{name} holds weights of several targets: {names}.", name=called, names=tuple(weights)),
        say("Give those of the target that is judged, one for each sample."),
    )


def _numbers(weights: Array, called: str) -> Array:
    if weights.dtype.kind == "O":
        try:
            weights = weights.astype(np.float64)
        except (TypeError, ValueError):
            weights = weights.astype(str)
    if weights.dtype.kind not in "biuf" or not weights.ndim:
        raise InvalidInput(
            say("The sample weights {name} are no numbers.", name=called),
            say("Give one weight for each sample, or leave the weights out."),
        )
    with np.errstate(over="ignore"):
        values: Array = weights.astype(np.float32)
    bad = int((~np.isfinite(values) | (values < 0)).sum())
    if bad:
        raise InvalidInput(
            say(
                "{bad} of {count} sample weights in {name} are below 0, missing or infinite.",
                bad=bad,
                count=values.size,
                name=called,
            ),
            say("A weight says how often a sample counts: 0 or more."),
        )
    return values


def _masked(labels: Array, weights: Array, called: str) -> Array:
    if not ((weights == 0) | (weights == 1)).all():
        raise InvalidInput(
            say("The weights of positions in {name} are others than 0 and 1.", name=called),
            say("A position counts or does not: give 0 and 1, or one weight for each sample."),
        )
    return np.where(weights > 0, labels, -1)


def divided_weights(
    weights: Mapping[SplitName, Array], parts: Mapping[SplitName, SplitSource]
) -> tuple[dict[SplitName, Array], tuple[Text, ...]]:
    """The weights of the splits that are stored, and what is to be said of them.

    Args:
        weights: By the splits of the source.
        parts: Where the samples of each stored split come from.

    Raises:
        InvalidInput: If all samples of a split have the weight 0.
    """
    found = {
        split: np.ascontiguousarray(weights[part.source][part.index])
        for split, part in parts.items()
        if part.source in weights
    }
    for split, values in found.items():
        if not values.any():
            raise InvalidInput(
                say("All samples of the {split} split have the weight 0.", split=split_text(split)),
                say("Give every split samples that count."),
            )
    if not found:
        return {}, ()
    every = np.concatenate(list(found.values()))
    notes = [
        say(
            "Samples have weights, from {low:g} to {high:g}: they count in the loss of a training and in "
            "every measure with its interval.",
            low=float(every.min()),
            high=float(every.max()),
        )
    ]
    without = [split for split in SPLITS if split not in found]
    if without:
        notes.append(
            say(
                "There are no weights for the splits {splits}: there each sample counts once.",
                splits=tuple(split_text(split) for split in without),
            )
        )
    return found, tuple(notes)
