"""The CNN of TensorFlow's pruning tutorial: how much smaller and faster a recipe makes it, and at what F1.

The network has one 3x3 convolution of 12 channels, pooling and a Dense layer: 20,410 weights. The
tutorial's toolkit reports a file 3 times smaller by gzip when pruned, and 10 times when quantized as well.
Here a student with strides in place of pooling is taught by a better network, becomes sparse and clustered
while it learns from what it was, and gets 8-bit weights. LiteRT computes with these in float32: of so small
a network int8 arithmetic is slower, even where the processor has instructions for it. Speed is against the
float32 file in LiteRT, and F1 is of the test split.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import fashion
from workbench import Workbench
from workbench.api.dataset import Dataset
from workbench.data.builtin import BUILTINS
from workbench.data.prepare import prepare
from workbench.measure.student_t import mean_interval
from workbench.models.demo.demo import DEMO_MODELS
from workbench.results.rows import ResultRow

Step = tuple[str, dict[str, object]]
Convolution = tuple[int, int, int]

SEEDS = (0, 1, 2)
WANTED_GZIP, WANTED_SPEED = 25, 3


@dataclass(frozen=True)
class Case:
    """What is done on one data set.

    Attributes:
        data: Name of the built-in data set.
        teacher: Who teaches.
        epochs: Of the float32 network, at most.
        batch_size: Of the float32 network and of the student.
        convolutions: Of the student: channels, size and strides of each.
        recipe: The steps from the new student to a file.
    """

    data: str
    teacher: Path
    epochs: int
    batch_size: int
    convolutions: tuple[Convolution, ...]
    recipe: tuple[Step, ...]


def _recipe(
    batch_size: int, taught: tuple[int, float], sparse: tuple[float, int, float], clusters: tuple[int, int]
) -> tuple[Step, ...]:
    """The four steps.

    Args:
        batch_size: Of every training.
        taught: Epochs and learning rate of the student with its teacher.
        sparse: Share of zeros, epochs and learning rate while they come.
        clusters: Number of shared values, and epochs.
    """
    every: dict[str, object] = {"batch_size": batch_size, "schedule": "one-cycle", "patience": 0}
    return (
        (
            "distillation.distill",
            {
                **every,
                "student": "this variant",
                "teacher": "teacher",
                "compare_seeds": 0,
                "epochs": taught[0],
                "learning_rate": taught[1],
            },
        ),
        (
            "structure.sparsity",
            {**every, "share": sparse[0], "epochs": sparse[1], "learning_rate": sparse[2], "distill": 0.8},
        ),
        (
            "structure.clustering",
            {
                **every,
                "clusters": clusters[0],
                "initialization": "density",
                "epochs": clusters[1],
                "learning_rate": 1e-3,
                "distill": 0.8,
            },
        ),
        ("quantization.int8_weights", {"per_channel": False, "round_biases": True}),
    )


CASES = (
    Case(
        "mnist-5k",
        DEMO_MODELS["cnn-mnist-5k"].path,
        40,
        32,
        ((16, 4, 4), (16, 3, 2)),
        _recipe(32, (80, 8e-3), (0.7, 40, 4e-3), (12, 30)),
    ),
    Case(
        "fashion-mnist",
        fashion.MODEL,
        15,
        128,
        ((16, 4, 4), (32, 3, 2)),
        _recipe(128, (60, 1.6e-2), (0.80, 40, 8e-3), (12, 30)),
    ),
)


def network() -> Any:
    """The tutorial's, without its Reshape: the samples have their channel already."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(12, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10),
        ],
        name="tutorial",
    )


def student(convolutions: Sequence[Convolution], seed: int) -> Any:
    """Convolutions with new weights; the first looks at patches of 4x4 pixels, each once."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *(
                layers.Conv2D(channels, size, strides=strides, activation="relu")
                for channels, size, strides in convolutions
            ),
            layers.Flatten(),
            layers.Dense(10),
        ],
        name="student",
    )


def trained(case: Case, dataset: Dataset) -> Any:
    """The float32 network, trained with Adam until its validation loss rises."""
    import keras

    keras.utils.set_random_seed(0)
    model = network()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(
        np.asarray(dataset.x("train")),
        np.asarray(dataset.y("train")),
        validation_data=(np.asarray(dataset.x("validation")), np.asarray(dataset.y("validation"))),
        batch_size=case.batch_size,
        epochs=case.epochs,
        callbacks=[keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)],
        verbose=0,
    )
    return model


def main() -> None:
    for case in CASES:
        missing = BUILTINS[case.data].obstacle()
        if missing is not None:
            print(f"skipped {case.data}: {missing}")
            continue
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            _run(case, Path(scratch))
        print(f"({time.monotonic() - begin:.0f} s)\n", flush=True)


def _run(case: Case, scratch: Path) -> None:
    dataset = prepare(case.data, scratch / "data", seed=0)
    if not case.teacher.exists():
        fashion.train(scratch / "data")
    trained(case, dataset).save(scratch / "tutorial.keras")
    files: list[str] = []
    with Workbench(scratch / "workbench") as workbench:

        def made(step: Step, parent: str, seed: int) -> str:
            technique, parameters = step
            seeded = {"seed": seed} if "epochs" in parameters else {}
            variant = workbench.apply(technique, parent, **parameters, **seeded).wait()
            assert variant is not None
            row = _rows(workbench)[variant.id]
            print(f"  seed {seed}, {technique}: {_brief(row)}", flush=True)
            return variant.id

        workbench.open(scratch / "tutorial.keras", case.data, name="tutorial's CNN").wait()
        workbench.add(case.teacher, name="teacher").wait()
        for seed in SEEDS:
            path = scratch / f"student-{seed}.keras"
            student(case.convolutions, seed).save(path)
            added = workbench.add(path, name=f"student {seed}").wait()
            assert added is not None
            last = added.id
            for step in case.recipe:
                last = made(step, last, seed)
            files.append(last)
        reference = next(
            variant for variant in workbench.variants if variant.is_reference and variant.runtime == "litert"
        )
        workbench.measure([reference.id, *files], "final").wait()
        rows, machine = _rows(workbench), workbench.environment
        baseline = workbench.baseline
    assert baseline is not None
    print(
        f"\n{case.data}; {machine.cpu} ({', '.join(machine.features)}); "
        "LiteRT, 1 thread, batch 1, interleaved"
    )
    _table(rows[baseline.id], rows[reference.id], [rows[id_] for id_ in files])


def _rows(workbench: Workbench) -> dict[str, ResultRow]:
    return {row.variant.id: row for row in workbench.results()}


def _brief(row: ResultRow) -> str:
    assert row.size is not None
    assert row.quality_change is not None
    change = row.quality_change
    return (
        f"{row.size.gzip_bytes:,} bytes by gzip, F1 {100 * change.change.value:+.2f} points ({change.word}), "
        f"{row.variant.seconds:.0f} s"
    )


def _table(baseline: ResultRow, reference: ResultRow, files: Sequence[ResultRow]) -> None:
    keras_bytes, litert_bytes = (_gzip(row) for row in (baseline, reference))
    assert reference.quality is not None
    assert reference.latency is not None
    print(
        f"float32: {keras_bytes:,} bytes by gzip as a Keras file, {litert_bytes:,} as a LiteRT file; "
        f"{1000 * reference.latency.p50_ms.value:.2f} us; F1 {100 * reference.quality.f1_macro.value:.2f} %\n"
    )
    print(
        "| seed | gzip bytes | x Keras file | x LiteRT file | speed-up | F1 % | change of F1, points "
        "| verdict |"
    )
    print("|---|---|---|---|---|---|---|---|")
    columns: dict[str, list[float]] = {
        "by gzip": [],
        "by gzip, of the LiteRT file": [],
        "speed-up": [],
        "F1": [],
    }
    met = 0
    for seed, row in zip(SEEDS, files, strict=True):
        assert row.speed is not None
        assert row.quality is not None
        assert row.quality_change is not None
        size, speed, change = _gzip(row), row.speed.speedup, row.quality_change.change
        values = (keras_bytes / size, litert_bytes / size, speed.value, 100 * change.value)
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
        word = row.quality_change.word
        met += values[0] >= WANTED_GZIP and values[2] >= WANTED_SPEED and word == "kept"
        print(
            f"| {seed} | {size:,} | {values[0]:.1f} | {values[1]:.1f} "
            f"| {speed.value:.2f} [{speed.low:.2f}, {speed.high:.2f}] "
            f"| {100 * row.quality.f1_macro.value:.2f} "
            f"| {values[3]:+.2f} [{100 * change.low:+.2f}, {100 * change.high:+.2f}] | {word} |"
        )
    means = {name: mean_interval(values) for name, values in columns.items()}
    print("\nMean of the seeds, with its 95 % interval over them:")
    for name, (mean, low, high) in means.items():
        print(f"  {name}: {mean:.2f} [{low:.2f}, {high:.2f}]{' points' if name == 'F1' else 'x'}")
    print(
        f"{met} of {len(files)} seeds: at least {WANTED_GZIP}x by gzip, {WANTED_SPEED}x faster, and F1 kept."
    )


def _gzip(row: ResultRow) -> int:
    assert row.size is not None
    return row.size.gzip_bytes
