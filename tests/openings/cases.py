"""One random opening: a model, its labels, the form of the data, and what plain Keras makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.openings.forms import DATA, LABELS, Given
from tests.openings.models import INPUTS, OUTPUTS, SAMPLES, Array, Inputs, Outputs

_CHANGED = 0.12
"""Share of the labels that are not what the model says."""

_RAREST = 0.06
_TRIES = 200


@dataclass(frozen=True)
class Case:
    """What is opened, and what is right.

    Attributes:
        title: The kinds that it is made of.
        model: A Keras model.
        given: The data as they are handed over.
        truth: Class index of each sample, shape ``(n,)``.
        decisions: Class index that plain Keras predicts for each sample, shape ``(n,)``.
        samples: The raw samples by input name.
        asked: Whether the workbench has to ask before it opens this.
    """

    title: str
    model: Any
    given: Given
    truth: Array
    decisions: Array
    samples: dict[str, Array] = field(repr=False)
    asked: bool

    def plain_f1(self, picked: npt.NDArray[np.int64]) -> float:
        """Macro F1 by scikit-learn of what plain Keras predicts for some of the samples."""
        from sklearn.metrics import f1_score

        return float(f1_score(self.truth[picked], self.decisions[picked], average="macro"))


def draw(seed: int, folder: Path, labels: str | None = None) -> Case:
    """A random case.

    Args:
        seed: Decides everything: kinds follow each other so that each soon meets every other one.
        folder: Where files are written.
        labels: One of the kinds of labels; by default any.
    """
    import keras

    rng = np.random.default_rng(seed)
    inputs_kind, outputs_kind = (_pick(kinds, seed, rng) for kinds in (INPUTS, OUTPUTS))
    for _ in range(_TRIES):
        keras.utils.set_random_seed(int(rng.integers(1 << 30)))
        inputs = INPUTS[inputs_kind](rng)
        outputs = OUTPUTS[outputs_kind](inputs, rng)
        model = keras.Model(inputs.tensors, outputs.tensors)
        decisions = outputs.decide(_predict(model, inputs))
        counts = np.bincount(decisions, minlength=outputs.classes)
        if counts.min() >= _RAREST * SAMPLES:
            break
    else:
        raise AssertionError(f"no balanced model of {inputs_kind}, {outputs_kind} in {_TRIES} tries")
    truth = decisions.copy()
    changed = rng.random(SAMPLES) < _CHANGED
    truth[changed] = rng.integers(0, outputs.classes, int(changed.sum()))
    labels_kind, data_kind, given = _hand_over(inputs, outputs, truth, rng, folder, labels)
    options = {**outputs.options, **given.options}
    return Case(
        title=f"{seed}: {inputs_kind} | {outputs_kind} | {labels_kind} | {data_kind}",
        model=model,
        given=Given(given.data, options),
        truth=truth,
        decisions=decisions,
        samples=inputs.arrays,
        asked=outputs.asked,
    )


def _pick(kinds: dict[str, Any], seed: int, rng: np.random.Generator) -> str:
    # every kind has its turn in the first len(kinds) cases; the numbers of kinds differ, so pairs vary
    names = list(kinds)
    return names[seed % len(names)] if seed < 4 * len(names) else str(rng.choice(names))


def _hand_over(
    inputs: Inputs,
    outputs: Outputs,
    truth: Array,
    rng: np.random.Generator,
    folder: Path,
    asked: str | None,
) -> tuple[str, str, Given]:
    while True:
        labels_kind, data_kind = asked or str(rng.choice(list(LABELS))), str(rng.choice(list(DATA)))
        labels = LABELS[labels_kind](truth, outputs.classes)
        if labels is None:
            continue
        given = DATA[data_kind](inputs.arrays, labels, folder)
        if given is not None:
            return labels_kind, data_kind, given


def _predict(model: Any, inputs: Inputs) -> Any:
    import tensorflow as tf

    meant = [inputs.meant[tensor.name] for tensor in inputs.tensors]
    # Keras does not know NumPy's texts of fixed width
    fed = [tf.constant(values) if values.dtype.kind == "U" else values for values in meant]
    return model.predict(fed if len(fed) > 1 else fed[0], batch_size=inputs.batch or 60, verbose=0)
