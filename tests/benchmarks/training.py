"""What a training job through the workbench costs over the same plain Keras script.

Both train the same network on the same arrays from the same seed, in turn, in processes that have
imported TensorFlow already; the ratio is taken pair by pair.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from workbench import Workbench
from workbench.errors import Cancelled

EPOCHS = 4
PAIRS = 10
PARAMETERS = {"factor": 1.0, "epochs": EPOCHS, "patience": EPOCHS, "batch_size": 32, "learning_rate": 1e-3}

PLAIN = """
import json, sys, time
import keras, numpy as np
from sklearn.metrics import f1_score

folder, epochs = sys.argv[1], int(sys.argv[2])
x, y = np.load(folder + "/x_train.npy"), np.load(folder + "/y_train.npy")
xv, yv = np.load(folder + "/x_validation.npy"), np.load(folder + "/y_validation.npy")
for line in sys.stdin:
    started = time.perf_counter()
    keras.utils.set_random_seed(0)
    source = keras.models.load_model(sys.argv[3], compile=False)
    model = keras.models.clone_model(source)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])

    class F1(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            predicted = self.model.predict(xv, batch_size=256, verbose=0).argmax(1)
            f1_score(yv, predicted, average="macro")

    model.fit(x, y, batch_size=32, epochs=epochs, validation_data=(xv, yv), callbacks=[F1()], verbose=0)
    model.save(sys.argv[4])
    print(json.dumps(time.perf_counter() - started), flush=True)
    keras.utils.clear_session()
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        workbench = Workbench(Path(scratch) / "workbench")
        baseline = workbench.open("cnn-mnist-5k", "mnist-5k").wait()
        assert baseline is not None
        folder = next((workbench.folder / "data").iterdir())
        script = [str(folder), str(EPOCHS), str(baseline.path), f"{scratch}/plain.keras"]
        plain = subprocess.Popen(
            [sys.executable, "-c", PLAIN, *script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        ratios = []
        for pair in range(PAIRS + 1):
            if pair % 2:  # what drifts must not always meet the same one
                ours = through_workbench(workbench)
                alone = by_script(plain)
            else:
                alone = by_script(plain)
                ours = through_workbench(workbench)
            if pair:  # the first one warms both up
                ratios.append(ours / alone)
                print(f"  plain {alone:.1f} s, workbench {ours:.1f} s, ratio {ratios[-1]:.3f}", flush=True)
        plain.communicate()
        workbench.close()
    low, high = median_interval(ratios)
    print(
        f"training through the workbench / plain Keras, {EPOCHS} epochs: {statistics.median(ratios):.3f} "
        f"(median of {PAIRS} pairs, 95 % interval {low:.3f}-{high:.3f}; aim at most 1.05)"
    )


def by_script(plain: subprocess.Popen[str]) -> float:
    """Seconds of one training by the script."""
    assert plain.stdin is not None
    assert plain.stdout is not None
    plain.stdin.write("go\n")
    plain.stdin.flush()
    return float(json.loads(plain.stdout.readline()))


def through_workbench(workbench: Workbench) -> float:
    """Seconds from the call to the stored variant; its measuring is not waited for."""
    before = {variant.id for variant in workbench.variants}
    started = time.perf_counter()
    job = workbench.apply("structure.width", **PARAMETERS)
    while all(variant.id in before for variant in workbench.variants):
        if job.state.ended:
            job.wait()
        time.sleep(0.02)
    seconds = time.perf_counter() - started
    job.cancel()
    with contextlib.suppress(Cancelled):
        job.wait()
    return seconds


def median_interval(values: list[float]) -> tuple[float, float]:
    """A 95 % bootstrap interval of the median."""
    draws = np.random.default_rng(0).choice(values, (10_000, len(values)))
    low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
    return float(low), float(high)
