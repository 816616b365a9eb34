"""What a training job through the workbench costs over the same plain Keras script.

Both train the same network on the same arrays from the same seed, in turn, in processes that have
imported TensorFlow already; the ratio is taken pair by pair.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from workbench import Workbench

EPOCHS = 8
PAIRS = 5
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
        plain = subprocess.Popen(
            [
                sys.executable,
                "-c",
                PLAIN,
                str(folder),
                str(EPOCHS),
                str(baseline.path),
                f"{scratch}/plain.keras",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert plain.stdin is not None
        assert plain.stdout is not None
        ratios = []
        for pair in range(PAIRS + 1):
            plain.stdin.write("go\n")
            plain.stdin.flush()
            alone = float(json.loads(plain.stdout.readline()))
            variant = workbench.apply("structure.width", **PARAMETERS).wait()
            assert variant is not None
            if pair:  # the first one warms both up
                ratios.append(variant.seconds / alone)
                print(
                    f"  plain {alone:.1f} s, workbench {variant.seconds:.1f} s, ratio {ratios[-1]:.3f}",
                    flush=True,
                )
        plain.stdin.close()
        plain.wait()
        workbench.close()
    print(
        f"training through the workbench / plain Keras, {EPOCHS} epochs: {statistics.median(ratios):.3f} "
        f"(median of {PAIRS} pairs, {min(ratios):.3f}-{max(ratios):.3f})"
    )
