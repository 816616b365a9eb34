"""What tensorflow-model-optimization makes of a model; runs in an environment of its own, as a script.

It reads ``job.json`` and ``data.npz`` in the folder that it is given, and writes ``peer.tflite`` there. The
calls are those of the toolkit's guides (www.tensorflow.org/model_optimization/guide).
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras


def built(file: str, function: str) -> Any:
    """The network that a build function written for Keras 3 makes, in tf_keras."""
    modern = sys.modules.get("keras")
    sys.modules["keras"] = tf_keras
    try:
        spec = importlib.util.spec_from_file_location("networks", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return getattr(module, function)((28, 28, 1), 10)
    finally:
        if modern is None:
            del sys.modules["keras"]
        else:
            sys.modules["keras"] = modern


def fit(model: Any, job: dict[str, Any], data: Any, callbacks: list[Any]) -> None:
    """Fine-tunes as the other side does: same samples, epochs, batch and learning rate."""
    model.compile(
        tf_keras.optimizers.Adam(job["learning_rate"]),
        tf_keras.losses.SparseCategoricalCrossentropy(from_logits=job["from_logits"]),
    )
    model.fit(
        data["x_train"],
        data["y_train"],
        batch_size=job["batch_size"],
        epochs=job["epochs"],
        callbacks=callbacks,
        verbose=0,
    )


def pruned(model: Any, job: dict[str, Any], data: Any) -> Any:
    """As in "Pruning in Keras example"."""
    steps = -(-len(data["y_train"]) // job["batch_size"]) * job["epochs"]
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=0.5, final_sparsity=job["share"], begin_step=0, end_step=steps
    )
    model = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule)
    fit(model, job, data, [tfmot.sparsity.keras.UpdatePruningStep()])
    return tfmot.sparsity.keras.strip_pruning(model)


def clustered(model: Any, job: dict[str, Any], data: Any) -> Any:
    """As in "Weight clustering in Keras example"."""
    model = tfmot.clustering.keras.cluster_weights(
        model,
        number_of_clusters=job["clusters"],
        cluster_centroids_init=tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS,
    )
    fit(model, job, data, [])
    return tfmot.clustering.keras.strip_clustering(model)


def trained_with_rounding(model: Any, job: dict[str, Any], data: Any) -> Any:
    """As in "Quantization aware training in Keras example"."""
    model = tfmot.quantization.keras.quantize_model(model)
    fit(model, job, data, [])
    return model


def main(folder: Path) -> None:
    job = json.loads((folder / "job.json").read_text("utf-8"))
    data = np.load(folder / "data.npz")
    tf_keras.utils.set_random_seed(job["seed"])
    model = built(job["file"], job["function"])
    for layer in model.layers:
        layer.set_weights([data[f"weights/{layer.name}/{k}"] for k in range(len(layer.get_weights()))])
    difference = float(np.abs(model.predict(data["x_check"], verbose=0) - data["y_check"]).max())
    if difference > 1e-3:
        sys.exit(f"The copy in tf_keras computes something else: {difference:.2g}.")
    make = {"prune": pruned, "cluster": clustered, "qat": trained_with_rounding}[job["task"]]
    model = make(model, job, data)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if job["task"] != "qat":  # there the ranges were trained

        def samples() -> Iterator[list[Any]]:
            for sample in data["x_calibration"]:
                yield [sample[None]]

        converter.representative_dataset = samples
    (folder / "peer.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
