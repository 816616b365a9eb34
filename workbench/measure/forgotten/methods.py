"""Which samples can be perturbed, how, and how many of them there is time for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import DatasetInfo
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.measure.agreement import gives_classes
from workbench.measure.forgotten.records import Method, Perturbations

MOST_SAMPLES, FEWEST_SAMPLES = 40, 8
_MASKS, _WINDOWS = 250, 200
_LEAST_ORDERS = 4
_MOST_COLUMNS = 256
"""A row of more values is perturbed as a series."""
_SECONDS = 60.0
"""About so long a file is asked."""


def method_of(description: ModelDescription, info: DatasetInfo) -> Method | Text:
    """How the samples of a data set are perturbed, or why they are not.

    Args:
        description: Of the reference.
        info: The data.
    """
    if info.task == "per position":
        return say(
            "The model answers at every position of a sample, and a map explains one answer: what it looks "
            "at is not compared."
        )
    shapes = list(info.input_shapes.values())
    roles = {spec.role for spec in description.inputs}
    if len(shapes) > 1:
        if roles <= {"numbers", "raw numbers"} and all(math.prod(shape) == 1 for shape in shapes):
            return _table(len(shapes))
        # Ids with a mask and the like: at a place that is left out all of them say so.
        if "ids" in roles and "text" not in roles and len(set(shapes)) == 1 and len(shapes[0]) == 1:
            return "tokens"
        return say(
            "The model takes {count} inputs that belong together: to perturb one of them alone would give "
            "samples that cannot be.",
            count=len(shapes),
        )
    (shape,) = shapes
    if "text" in roles:
        if math.prod(shape) == 1:
            return "words"
        return say("A sample is of several texts: what the model looks at is not compared.")
    if "ids" in roles:
        if len(shape) == 1:
            return "tokens"
        return say("A sample is of token ids in {count} axes: no token can be left out.", count=len(shape))
    if info.is_image and len(shape) in (2, 3):
        return "masks"
    if len(shape) == 1:
        return _table(shape[0])
    if len(shape) == 2:
        return "windows"
    return say(
        "A sample has {count} axes and is no picture: it is not known which of its values belong together.",
        count=len(shape),
    )


def _table(columns: int) -> Method:
    return "permutations" if columns <= _MOST_COLUMNS else "windows"


def plan_perturbations(
    method: Method, info: DatasetInfo, answers: npt.NDArray[Any], seed: int, sample_ms: float | None = None
) -> Perturbations | Text:
    """Draws the samples, and says what is explained of each.

    Args:
        method: How they are perturbed.
        info: The data.
        answers: What the reference answers to the test split.
        seed: Seeds what is random.
        sample_ms: How long the slower of the two files takes for a sample; None if unknown.

    Returns:
        The plan; or why there is nothing to explain.
    """
    if info.task == "agreement" and not gives_classes(answers):
        return say(
            "The answers are no classes and no single numbers, so no value of them can be explained: what "
            "the model looks at is not compared."
        )
    columns = sum(math.prod(shape) for shape in info.input_shapes.values())
    count, per_sample = {
        "masks": (_MASKS, _MASKS),
        "windows": (_WINDOWS, _WINDOWS + 1),
        "permutations": (max(_LEAST_ORDERS, _MASKS // (columns + 1)), _MASKS),
        "tokens": (1, max(math.prod(shape) for shape in info.input_shapes.values()) + 1),
        "words": (1, 50),
    }[method]
    if method == "permutations":
        per_sample = count * (columns + 1)
    wanted = MOST_SAMPLES
    if sample_ms:
        wanted = int(np.clip(1000 * _SECONDS / (per_sample * sample_ms), FEWEST_SAMPLES, MOST_SAMPLES))
    drawn = np.random.default_rng(seed).permutation(len(answers))[:wanted]
    samples = np.sort(drawn)
    values = answers[samples].reshape(len(samples), -1)
    # Of several numbers each is explained by turns.
    by_turns = np.arange(len(samples)) % values.shape[1]
    targets = by_turns if info.task == "regression" else values.argmax(axis=1)
    return Perturbations(
        method=method,
        samples=tuple(int(one) for one in samples),
        targets=tuple(int(one) for one in targets),
        count=count,
        seed=seed,
    )
