"""Explanation drift: over noise levels, and of int4 against int8 at equal F1, on three seeds of a model."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from tests.benchmarks.table import heads, row
from workbench import Workbench
from workbench.measure.forgotten.records import Drift

SEEDS = (0, 1, 2)
LEVELS = (0.0, 0.05, 0.1, 0.2, 0.4)
EPOCHS = int(os.environ.get("WORKBENCH_BENCHMARK_EPOCHS", "4"))


def main() -> None:
    """Trains a small CNN on handwritten digits for each seed, and prints a table of each."""
    heads("seed", "variant", "F1", "rank correlation", "worst sample", "with itself", "with other masks")
    more = 0
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            model = _train(seed, folder / "model.keras")
            with Workbench(folder / "workbench", seed=seed) as workbench:
                workbench.open(folder / "model.keras", "mnist-5k").wait()
                baseline = workbench.baseline
                assert baseline is not None
                for level in LEVELS:
                    noisy = _with_noise(model, level, folder / f"noise {level:g}.keras")
                    added = workbench.add(noisy).wait()
                    assert added is not None
                    _print(seed, f"noise {level:.0%}", _drift(workbench, added.id), _f1(workbench, added.id))
                int8 = workbench.quantization.dynamic_range().wait()
                int4 = workbench.quantization.int4_weights().wait()
                drifts = [_drift(workbench, made.id) for made in (int8, int4)]
                for made, drift in zip((int8, int4), drifts, strict=True):
                    _print(seed, made.name, drift, _f1(workbench, made.id))
                known = [drift.correlation for drift in drifts if drift.correlation is not None]
                more += known[1].high < known[0].low
    print(f"int4 drifts more than int8, intervals apart: on {more} of {len(SEEDS)} seeds")


def _drift(workbench: Workbench, variant: str) -> Drift:
    drift = workbench.forgotten(variant, workbench.baseline).wait().drift
    assert drift is not None
    return drift


def _f1(workbench: Workbench, variant: str) -> float:
    found = next(one for one in workbench.results() if one.variant.id == variant)
    assert found.quality is not None
    return found.quality.measured.value


def _print(seed: int, name: str, drift: Drift, f1: float) -> None:
    found, itself, otherwise = drift.correlation, drift.itself, drift.otherwise
    assert found is not None
    assert itself is not None
    assert otherwise is not None
    worst = drift.drifted[0].correlation if drift.drifted else 1.0
    correlation = f"{found.value:.6f} [{found.low:.6f}, {found.high:.6f}]"
    row(seed, name, f"{f1:.4f}", correlation, f"{worst:.4f}", f"{itself.value:.4f}", f"{otherwise.value:.4f}")


def _train(seed: int, path: Path):  # type: ignore[no-untyped-def]  # TensorFlow is imported inside
    import keras
    from keras import layers

    from workbench.data.prepare import prepare

    data = prepare("mnist-5k", path.parent / "data", seed=seed)
    keras.utils.set_random_seed(seed)
    shape = next(iter(data.info.input_shapes.values()))
    model = keras.Sequential(
        [
            keras.Input(shape),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.asarray(data.x("train")), data.y("train"), epochs=EPOCHS, batch_size=32, verbose=0)
    model.save(path)
    return model


def _with_noise(model, level: float, path: Path) -> Path:  # type: ignore[no-untyped-def]  # as above
    """The model with noise of so much of each weight array's spread, the same direction at every level."""
    rng = np.random.default_rng(0)
    kept = model.get_weights()
    model.set_weights([array + level * array.std() * rng.normal(size=array.shape) for array in kept])
    model.save(path)
    model.set_weights(kept)
    return path


if __name__ == "__main__":
    main()
