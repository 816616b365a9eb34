"""Where quantization after training loses more than a point, and training with rounding brings it back.

A network of depthwise separable convolutions on MNIST-5k, several seeds. Every file is predicted with by
LiteRT on the test split. The interval of a change is the t-interval over seeds; within one seed it is the
paired bootstrap over test samples.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests import small_models
from tests.techniques.applying import apply, predict
from workbench.api.dataset import Dataset
from workbench.data.prepare import prepare
from workbench.measure.quality import compare_quality
from workbench.measure.scores import to_scores
from workbench.measure.student_t import mean_interval

SEEDS = range(11, 23)
EPOCHS = 8
FURTHER: dict[str, object] = {"epochs": 4, "learning_rate": 5e-4}
"""Training after the float32 network is finished: with rounding, and as a control without."""
FILES: list[tuple[str, str, dict[str, object]]] = [
    ("LiteRT float32", "inference.runtime", {"runtime": "litert"}),
    ("int8 after training", "quantization.int8", {}),
    ("int4 after training", "quantization.int4_weights", {"compute": "int8"}),
    ("int4 after further training without rounding", "quantization.int4_weights", {"compute": "int8"}),
    ("int4 trained with rounding", "quantization.qat", {"weights": "int4", **FURTHER}),
]
CONTROL = "int4 after further training without rounding"
COMPARED = [
    ("int8 after training", "LiteRT float32"),
    ("int4 after training", "LiteRT float32"),
    (CONTROL, "LiteRT float32"),
    ("int4 trained with rounding", "LiteRT float32"),
    ("int4 trained with rounding", "int4 after training"),
    ("int4 trained with rounding", CONTROL),
]


def network(seed: int) -> Any:
    """Depthwise separable blocks in the manner of MobileNet, with batch normalization and ReLU6."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((28, 28, 1), name="image")
    x = layers.Conv2D(12, 3, strides=2, padding="same", use_bias=False)(inputs)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    for width, strides in ((16, 1), (24, 2), (24, 1), (32, 2), (32, 1)):
        x = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
        x = layers.Conv2D(width, 1, use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, name="logits")(x), name="separable")


def trained(seed: int, dataset: Dataset) -> Any:
    """The float32 network."""
    import keras

    model = network(seed)
    x, y = np.asarray(dataset.x("train")), np.asarray(dataset.y("train"))
    steps = EPOCHS * -(-len(y) // 32)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(x, y, batch_size=32, epochs=EPOCHS, verbose=0)
    plain = network(seed)
    plain.set_weights(model.get_weights())
    return plain


def main() -> None:
    scores: dict[str, list[Any]] = {name: [] for name, _, _ in FILES}
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepare("mnist-5k", folder / "data", seed=0)
        dataset = Dataset(folder / "data")
        labels = np.asarray(dataset.y("test"))
        for seed in SEEDS:
            parent = small_models.baseline(trained(seed, dataset), folder / f"{seed}.keras")
            again = apply(
                "training.retrain",
                parent,
                dataset,
                folder / f"{seed}-further",
                start="the parent's weights",
                **FURTHER,
            )
            further = small_models.child(again, parent, "training.retrain")
            for number, (name, technique, parameters) in enumerate(FILES):
                start = further if name == CONTROL else parent
                applied = apply(technique, start, dataset, folder / f"{seed}-{number}", **parameters)
                outputs = predict(applied, dataset.x("test"))
                scores[name].append(to_scores(outputs, 10, from_logits=True)[0])
                sizes[name] = applied.path.stat().st_size
            print(f"  seed {seed} done", flush=True)
    f1 = {name: [_f1(each, labels) for each in found] for name, found in scores.items()}
    print(f"\n{'':46}{'bytes':>8}  macro F1 by seed")
    for name, values in f1.items():
        print(f"{name:46}{sizes[name]:>8}  " + "  ".join(f"{value:.4f}" for value in values))
    print("\nchange of macro F1, points [95 % interval over seeds]; by seed [95 % over test samples]")
    for name, reference in COMPARED:
        verdicts = [
            compare_quality(name, reference, a, b, labels)
            for a, b in zip(scores[name], scores[reference], strict=True)
        ]
        mean, low, high = mean_interval([100 * verdict.change.value for verdict in verdicts])
        print(f"{name}  against  {reference}")
        print(f"    {mean:+.2f} [{low:+.2f}, {high:+.2f}]")
        for seed, verdict in zip(SEEDS, verdicts, strict=True):
            points = [
                100 * value for value in (verdict.change.value, verdict.change.low, verdict.change.high)
            ]
            print("    seed {}: {:+.2f} [{:+.2f}, {:+.2f}]".format(seed, *points))


def _f1(scores: Any, labels: Any) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(labels, scores.argmax(1), average="macro"))
