"""A CNN of 9,098 weights with its teacher of 82,634 against the same CNN from scratch, on MNIST-5k.

Both have the same starting weights, epochs, batches and learning rate for each seed; F1 is that of the test
split, which no training sees. Ends with an error unless the interval of the paired difference is above zero.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SEEDS = range(5)
EPOCHS = 40


class Silent:
    """A reporter that tells nobody."""

    def stage(self, text: object) -> None: ...
    def progress(self, fraction: float) -> None: ...
    def metric(self, name: str, step: float, value: float, interval: object = None) -> None: ...
    def log(self, text: object) -> None: ...
    def check(self) -> None: ...


def small_cnn(keras: Any) -> Any:
    """Two convolutions and a Dense layer, with new weights."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def main() -> None:
    import numpy as np
    from sklearn.metrics import f1_score

    from tests.small_models import baseline
    from workbench.api.technique import Context
    from workbench.data.prepare import prepare
    from workbench.measure.student_t import mean_interval
    from workbench.models.converting.conversion import import_keras, load_keras
    from workbench.models.demo.demo import DEMO_MODELS
    from workbench.techniques.distillation.parameters import DistillationParameters
    from workbench.training import train
    from workbench.training.distilling import Teacher

    keras = import_keras()
    defaults = DistillationParameters()
    with tempfile.TemporaryDirectory() as scratch:
        dataset = prepare("mnist-5k", Path(scratch) / "data", seed=0)
        parent = load_keras(DEMO_MODELS["cnn-mnist-5k"].path)
        x, y = np.asarray(dataset.x("test")), np.asarray(dataset.y("test"))

        def f1(model: object) -> float:
            return float(f1_score(y, model.predict(x, verbose=0).argmax(-1), average="macro"))

        print(f"  teacher: {parent.count_params():,} weights, test F1 {f1(parent):.4f}", flush=True)
        teacher = Teacher([parent], [False], temperature=defaults.temperature, weight=defaults.weight)
        context = Context(
            baseline(parent, Path(scratch) / "teacher.keras"), dataset, Path(scratch), Silent(), 0
        )
        scores: dict[bool, list[float]] = {True: [], False: []}
        for seed in SEEDS:
            parameters = defaults.model_copy(update={"epochs": EPOCHS, "patience": 0, "seed": seed})
            for taught in (True, False):
                started = time.perf_counter()
                keras.utils.set_random_seed(seed)
                student = small_cnn(keras)
                train(student, context, parameters, from_logits=False, teacher=teacher if taught else None)
                scores[taught].append(f1(student))
                print(
                    f"  seed {seed}, {student.count_params():,} weights, "
                    f"{'with teacher' if taught else 'from scratch'}: test F1 {scores[taught][-1]:.4f} "
                    f"({time.perf_counter() - started:.0f} s)",
                    flush=True,
                )
    differences = [100 * (ours - alone) for ours, alone in zip(scores[True], scores[False], strict=True)]
    mean, low, high = mean_interval(differences)
    print(
        f"distilled {np.mean(scores[True]):.4f}, from scratch {np.mean(scores[False]):.4f}: "
        f"{mean:+.2f} points of test F1 [{low:+.2f}, {high:+.2f}], {len(differences)} seeds, {EPOCHS} epochs"
    )
    if low <= 0:
        sys.exit("The student is not shown to be better with its teacher.")
