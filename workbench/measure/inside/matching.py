"""The layers of a file against those of another one of the same format: which is which, and how far apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.api.dataset import Dataset, Features, sample_count, select
from workbench.api.errors import Cancelled, WorkbenchError
from workbench.api.library_errors import reason_of
from workbench.api.records import Record
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Layer
from workbench.jobs.slot import shared_slot
from workbench.measure.collapse import decibels, lowest_before, powers
from workbench.measure.inside.names import counterparts, step_of_each_layer, steps_of, tensor_beside
from workbench.measure.inside.opened_files import open_file
from workbench.measure.inside.records import LayerMatch
from workbench.measure.intermediate_tensors import Step, TransparentFile

SAMPLES = 32
"""Of the validation split, drawn with a fixed seed."""


class Side(Record):
    """One of the two files.

    Attributes:
        path: The file or folder.
        layers: Its layers, as described.
    """

    path: Path
    layers: tuple[Layer, ...]


def match_layers(
    report: Reporter, mine: Side, theirs: Side, dataset_folder: Path, models: tuple[Any, Any] = (None, None)
) -> tuple[tuple[LayerMatch, ...], int, Text | None]:
    """Puts each layer beside its counterpart, and takes the error of what it gives.

    Args:
        report: Progress and cancellation.
        mine: The file that is looked at.
        theirs: What is right.
        dataset_folder: The prepared data.
        models: The two as Keras models, of ``.keras`` files.

    Returns:
        A match for each layer; how many samples it is of; and why no outputs were compared, if so.
    """
    with shared_slot(report):
        report.stage(say("Comparing layer by layer"))
        steps = [_step_of_layer(side) for side in (mine, theirs)]
        pairs = counterparts(*steps)
        matches = [LayerMatch(counterpart=pair) for pair in pairs]
        features = Dataset(dataset_folder).x("validation")
        count = min(SAMPLES, sample_count(features))
        index = np.sort(np.random.default_rng(0).choice(sample_count(features), count, replace=False))
        try:
            files = [
                open_file(side.path, side.layers, model)
                for side, model in zip((mine, theirs), models, strict=True)
            ]
            matches = _with_errors(report, matches, files, steps, select(features, index))
        except (Cancelled, WorkbenchError):
            raise
        except Exception as error:  # those of ONNX Runtime share no base class but Exception
            why = say("What its layers give cannot be seen: {reason}", reason=reason_of(error))
            return tuple(matches), 0, why
    report.progress(1.0)
    return tuple(matches), count, None


def _step_of_layer(side: Side) -> list[Step]:
    """The operation that each layer is; one that nothing corresponds to where the file has none."""
    steps = steps_of(side.path, side.layers)
    places = step_of_each_layer(side.layers, steps)
    return [
        Step(layer.kind, (), "") if place is None else steps[place]
        for layer, place in zip(side.layers, places, strict=True)
    ]


def _with_errors(
    report: Reporter,
    matches: Sequence[LayerMatch],
    files: Sequence[TransparentFile],
    steps: Sequence[Sequence[Step]],
    samples: Features,
) -> list[LayerMatch]:
    mine, theirs = steps
    rounded, exact = files
    shown = {}
    for row, match in enumerate(matches):
        if match.counterpart is not None:
            step = _folded(theirs[match.counterpart], mine, exact.steps)
            shown[row] = tensor_beside(mine[row], step, theirs)
    pairs = {name: mine[row].output for row, name in shown.items()}
    signal, noise, unlike = powers(exact, rounded, pairs, samples, report.check)
    ratios = {name: decibels(signal[name], noise[name]) for name in signal}
    givers = {step.output: step for step in exact.steps}
    found = []
    for row, match in enumerate(matches):
        name = shown.get(row)
        if name in unlike:
            match = match.model_copy(update={"agreement": "other shape"})
        elif name in ratios:
            before = lowest_before(givers[name], givers, ratios)
            match = match.model_copy(update=_error(ratios[name], before))
        found.append(match)
    return found


def _error(ratio: float, before: float) -> dict[str, Any]:
    if not math.isfinite(ratio):
        return {"agreement": "equal" if ratio > 0 else "not finite"}
    # As if what comes in were a share of what goes out that this layer does not change.
    own = 10 ** (-ratio / 10) - 10 ** (-before / 10)
    return {
        "agreement": "measured",
        "snr_db": ratio,
        "own_db": -10 * math.log10(own) if own > 0 else None,
    }


def _folded(step: Step, mine: Sequence[Step], theirs: Sequence[Step]) -> Step:
    """What corresponds to a layer into which the normalization behind it was folded: what that gave."""
    if step.kind == "BatchNormalization":
        return step
    there = {one.output for one in mine}
    takers = [one for one in theirs if step.output in one.inputs]
    if len(takers) == 1 and takers[0].kind == "BatchNormalization" and takers[0].output not in there:
        return takers[0]
    return step
