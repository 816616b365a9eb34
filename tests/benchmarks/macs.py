"""Half of the multiply-accumulates by channel pruning, on Fashion-MNIST: how much of it becomes time.

A residual and a depthwise separable CNN are trained once and kept in ``artifacts``. Each is pruned to half of
its multiply-accumulates and learns from its parent afterwards, with several seeds. The files are timed in
LiteRT, float32 and int8, each against the same file before pruning; F1 is of the test split.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import fashion
from workbench import Workbench
from workbench.data import Dataset
from workbench.data.builtin import BUILTINS
from workbench.data.prepare import prepare
from workbench.measure.records import Interval
from workbench.measure.student_t import mean_interval
from workbench.results.rows import ResultRow
from workbench.results.timings import chain

SEEDS = (0, 1)
PRUNING: dict[str, Any] = {
    "target": "macs",
    "remove": 0.5,
    "importance": "taylor",
    "epochs": 8,
    "batch_size": 64,
    "learning_rate": 2e-3,
    "schedule": "cosine",
    "patience": 0,
    "distill": 0.7,
}
SEPARABLE = Path("artifacts") / "fashion-separable.keras"
_EPOCHS, _BATCH = 6, 64


def separable_cnn(width: int = 32) -> Any:
    """Depthwise separable blocks in the manner of MobileNet, with batch normalization and ReLU6."""
    import keras
    from keras import layers

    inputs = keras.Input((28, 28, 1), name="image")
    x = layers.Conv2D(width, 3, padding="same", use_bias=False)(inputs)
    x = layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x))
    for factor, strides in ((1, 2), (2, 1), (2, 2), (4, 1), (4, 1)):
        x = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.Conv2D(factor * width, 1, use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x), name="separable")


def train_separable(data: Path) -> None:
    """Trains it once; later runs use the file."""
    import keras

    dataset = Dataset(data)
    keras.utils.set_random_seed(0)
    model = separable_cnn()
    steps = -(-dataset.info.counts["train"] // _BATCH) * _EPOCHS
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        "sparse_categorical_crossentropy",
    )
    x, y = np.asarray(dataset.x("train")), np.asarray(dataset.y("train"))
    model.fit(x, y, batch_size=_BATCH, epochs=_EPOCHS, verbose=2)
    plain = separable_cnn()
    plain.set_weights(model.get_weights())
    SEPARABLE.parent.mkdir(exist_ok=True)
    plain.save(SEPARABLE)


MODELS: Mapping[str, tuple[Path, Callable[[Path], None]]] = {
    "residual CNN": (fashion.MODEL, fashion.train),
    "separable CNN": (SEPARABLE, train_separable),
}


def main() -> None:
    missing = BUILTINS["fashion-mnist"].obstacle()
    if missing is not None:
        print(f"skipped: {missing}")
        return
    with tempfile.TemporaryDirectory() as scratch:
        prepare("fashion-mnist", Path(scratch) / "data", seed=0)
        for name, (file, train) in MODELS.items():
            if not file.exists():
                train(Path(scratch) / "data")
            begin = time.monotonic()
            _halve(name, file, Path(scratch) / name)
            print(f"({time.monotonic() - begin:.0f} s)\n", flush=True)


def _halve(name: str, file: Path, folder: Path) -> None:
    with Workbench(folder) as workbench:

        def made(technique: str, parent: str | None = None, **parameters: object) -> str:
            variant = workbench.apply(technique, parent, **parameters).wait()
            assert variant is not None
            print(f"  {technique} on {parent or name}: {variant.seconds:.0f} s", flush=True)
            return variant.id

        workbench.open(file, "fashion-mnist", name=name).wait()
        before = (made("inference.runtime", runtime="litert"), made("quantization.int8"))
        pruned = [made("structure.pruning", **PRUNING, seed=seed) for seed in SEEDS]
        after = [
            (made("inference.runtime", one, runtime="litert"), made("quantization.int8", one))
            for one in pruned
        ]
        workbench.measure([*before, *(one for pair in after for one in pair)], protocol="quick").wait()
        rows = {row.variant.id: row for row in workbench.results()}
        machine = workbench.environment
        assert workbench.baseline is not None
        baseline = workbench.baseline.id
    print(
        f"\n{name}; {machine.cpu} ({', '.join(machine.features)}); LiteRT, 1 thread, batch 1, interleaved\n"
    )
    macs = [_macs(rows[id_]) for id_ in (baseline, *pruned)]
    print("| | MACs | F1 % | change of F1, points | float32 us | speed-up | int8 us | speed-up | int8 F1 % |")
    print("|---|---|---|---|---|---|---|---|---|")
    print(_line("before", macs[0], rows[baseline], [rows[id_] for id_ in before], (None, None)))
    gains: dict[str, list[float]] = {"float32": [], "int8": []}
    for seed, count, own, pair in zip(SEEDS, macs[1:], pruned, after, strict=True):
        speeds = tuple(_faster(rows[new], rows[old]) for new, old in zip(pair, before, strict=True))
        for values, speed in zip(gains.values(), speeds, strict=True):
            values.append(speed.value)
        print(_line(f"pruned, seed {seed}", count, rows[own], [rows[id_] for id_ in pair], speeds))
    print(f"\n{macs[0] / macs[-1]:.2f}x fewer multiply-accumulates became, mean of the seeds:")
    for precision, values in gains.items():
        mean, low, high = mean_interval(values)
        print(f"  {precision}: {mean:.2f}x [{low:.2f}, {high:.2f}]")


def _macs(row: ResultRow) -> int:
    assert row.variant.description.macs is not None
    return row.variant.description.macs


def _faster(new: ResultRow, old: ResultRow) -> Interval:
    """How much faster one file is than another, both timed against the float32 file in one run."""
    assert new.speed is not None
    if old.speed is None or old.variant.is_reference:
        return new.speed.speedup
    base = old.speed.speedup
    return chain(new.speed.speedup, Interval(value=1 / base.value, low=1 / base.high, high=1 / base.low))


def _line(
    name: str, macs: int, model: ResultRow, files: Sequence[ResultRow], speeds: Sequence[Interval | None]
) -> str:
    assert model.quality is not None
    change = model.quality_change
    cells = [
        name,
        f"{macs:,}",
        f"{100 * model.quality.f1_macro.value:.2f}",
        "-" if change is None else f"{change.word}: {_interval(change.change, 100)}",
    ]
    for file, speed in zip(files, speeds, strict=True):
        assert file.latency is not None
        cells.append(f"{1000 * file.latency.p50_ms.value:.1f}")
        cells.append("-" if speed is None else _interval(speed, 1))
    assert files[1].quality is not None
    cells.append(f"{100 * files[1].quality.f1_macro.value:.2f}")
    return f"| {' | '.join(cells)} |"


def _interval(interval: Interval, factor: float) -> str:
    value, low, high = (factor * part for part in (interval.value, interval.low, interval.high))
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"
