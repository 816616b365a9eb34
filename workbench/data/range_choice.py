"""Which range of pixels a trained model expects: tried on samples, instead of guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.data.dataset import Dataset, DatasetInfo, sample_count, select
from workbench.data.raw import Scaling
from workbench.data.scaling import DIVIDED, LARGEST_PIXEL_FOR_UNIT_MODELS
from workbench.measure.scores import to_predictions, to_scores
from workbench.runtimes import runtime
from workbench.technique import Reporter
from workbench.text import Text, say
from workbench.variant import ModelDescription, RuntimeSettings

TRIED = 256
"""Samples that both ranges are tried on."""

_LARGEST_BYTE = 255.0
_SIGMAS = 3.0


def may_differ(info: DatasetInfo) -> bool:
    """Whether the data are pixels whose range was decided without knowing the model.

    Args:
        info: The prepared data.
    """
    if not info.is_image or len(info.input_shapes) != 1 or info.minimum < 0:
        return False
    divided = info.scaling.template == DIVIDED.template
    return divided or LARGEST_PIXEL_FOR_UNIT_MODELS < info.maximum <= _LARGEST_BYTE


def better_range(
    report: Reporter,
    path: Path,
    home: str,
    settings: RuntimeSettings,
    description: ModelDescription,
    folder: Path,
) -> tuple[Scaling, Text] | None:
    """Tries pixels from 0 to 1 and from 0 to 255, and says if the range not prepared is the right one.

    A model that scales its own input, with a layer or with ``preprocess_input``, wants bytes; most others
    want 0 to 1. The wrong one gives an accuracy near chance and no error.

    Args:
        report: Says what is being done.
        path: The model's file.
        home: The runtime that it runs in.
        settings: How.
        description: What it holds. Where the samples do not tell, as with classes in another order, a
            layer that scales the input does.
        folder: The prepared data; samples of the training split are tried.

    Returns:
        The scaling to prepare the data with instead, and why; None if they are right, or nothing shows.
    """
    dataset = Dataset(folder)
    info = dataset.info
    if not may_differ(info):
        return None
    before: Scaling = "none" if info.maximum > LARGEST_PIXEL_FOR_UNIT_MODELS else "divide by 255"
    after: Scaling = "divide by 255" if before == "none" else "none"
    factor = 1 / _LARGEST_BYTE if before == "none" else _LARGEST_BYTE
    report.stage(say("Trying which range of pixels the model expects"))
    features, labels = dataset.x("train"), np.asarray(dataset.y("train"))
    step = max(1, sample_count(features) // TRIED)
    part, labels = select(features, slice(0, step * TRIED, step)), labels[: step * TRIED : step]
    session = runtime(home).load(path, settings)
    try:
        given, other = (
            to_predictions(
                to_scores(session.predict(x), len(info.classes), from_logits=description.from_logits)[0]
            )
            == labels
            for x in (part, np.asarray(part) * np.float32(factor))
        )
    finally:
        session.close()
    gained, lost = int((other & ~given).sum()), int((given & ~other).sum())
    unsure = _SIGMAS * np.sqrt(gained + lost)
    if abs(gained - lost) <= unsure and before == "divide by 255" and _scales_its_input(description):
        return after, say("The model scales its own input: pixels were prepared as they came, 0 to 255.")
    if gained - lost <= unsure:
        return None
    return after, say(
        'With scaling "{before}" the model is right on {share} % of {count} training samples, with '
        '"{after}" on {other} %: the data were prepared with "{after}".',
        before=before,
        after=after,
        share=f"{100 * given.mean():.0f}",
        other=f"{100 * other.mean():.0f}",
        count=len(labels),
    )


def _scales_its_input(description: ModelDescription) -> bool:
    return any(layer.kind in ("Rescaling", "Normalization") for layer in description.layers)
