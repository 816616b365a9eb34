"""Channel pruning of every architecture of keras.applications, with random weights.

Each is pruned by 30 % of its channels, runs, trains a step, is saved, loaded again, and converted to LiteRT
and ONNX, in a process of its own. Columns: what is left of weights and operations; the largest difference
of the outputs relative to their size when the weights behind the removed channels were zero (they must not
change), and between the pruned model in Keras and in each runtime.

``python -m tests.benchmarks.architectures NAME ...`` looks at some of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from workbench.api.errors import WorkbenchError

REMOVED = 0.3
SIDES = {"InceptionV3": 80, "InceptionResNetV2": 80, "Xception": 96, "NASNetLarge": 96}
COLUMNS = (
    "architecture", "layers", "groups", "graph s", "surgery s", "weights", "MACs", "exact", "step", "reload",
    "LiteRT", "ONNX",
)  # fmt: skip
SECONDS = 1500


def main(names: list[str] | None = None) -> None:
    """Prints the table; architectures that fail have the reason in their row."""
    rows = []
    print(" | ".join(COLUMNS), flush=True)
    for name in names or _all():
        rows.append(_in_a_process(name))
        print(" | ".join(str(rows[-1].get(column, "-")) for column in COLUMNS), flush=True)
        if "reason" in rows[-1]:
            print(f"    {rows[-1]['reason']}", flush=True)
    whole = sum("reason" not in row for row in rows)
    print(f"{whole} of {len(rows)} architectures went all the way.")


def _all() -> list[str]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return sorted(name for name in dir(keras.applications) if name[0].isupper())


def _in_a_process(name: str) -> dict[str, object]:
    program = f"from tests.benchmarks.architectures import examine; examine({name!r})"
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        environment = {
            **os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "RESULT": str(result),
        }  # fmt: skip
        try:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", program],
                env=environment, capture_output=True, text=True, timeout=SECONDS,
            )  # fmt: skip
            problem = done.stderr.strip().rpartition("\n")[2] if done.returncode else None
        except subprocess.TimeoutExpired:
            problem = f"more than {SECONDS} s"
        row = json.loads(result.read_text()) if result.exists() else {"architecture": name}
    return row if problem is None else {**row, "reason": problem}


def examine(name: str) -> None:
    """Writes what is found to the file $RESULT as it goes."""
    row: dict[str, object] = {"architecture": name}

    @contextlib.contextmanager
    def noting():
        try:
            yield
        finally:
            Path(os.environ["RESULT"]).write_text(json.dumps(row))

    from workbench.models.converting.conversion import import_keras

    keras = import_keras()
    side = SIDES.get(name, 64)
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(side, side, 3), classes=10, classifier_activation=None
    )
    with noting(), tempfile.TemporaryDirectory() as folder:
        pruned = prune(model, row)
        x = np.random.default_rng(1).uniform(0, 255, (2, side, side, 3)).astype(np.float32)
        expected = outputs(pruned, x)
        row["step"] = train_a_step(keras, pruned, x)
        expected = outputs(pruned, x)
        clean = pruned.__class__.from_config(pruned.get_config())
        clean.set_weights(pruned.get_weights())
        path = Path(folder) / "pruned.keras"
        clean.save(path)
        loaded = keras.models.load_model(path, compile=False)
        row["reload"] = difference(outputs(loaded, x), expected)
        for column in ("LiteRT", "ONNX"):
            try:
                row[column] = difference(through(column, loaded, Path(folder), x), expected)
            except WorkbenchError as error:
                row[column] = "fails"
                row["reason"] = f"{column}: {str(error)[:150]} {unpruned(column, model, Path(folder), x)}"


def through(column, model, folder, x):
    """The outputs of a model in another runtime."""
    from workbench.api.variant import RuntimeSettings
    from workbench.models.converting.conversion import to_onnx, to_tflite
    from workbench.runtimes import runtime

    if column == "LiteRT":
        session = runtime("litert").load(to_tflite(model, folder / "a.tflite"), RuntimeSettings())
    else:
        session = runtime("onnxruntime").load(to_onnx(model, folder / "a.onnx"), RuntimeSettings())
    try:
        return session.predict(x)
    finally:
        session.close()


def unpruned(column, model, folder, x):
    """Whether the architecture fails by itself."""
    try:
        through(column, model, folder, x)
    except WorkbenchError:
        return "(the architecture fails so before it is pruned)"
    return "(the architecture before it is pruned does not fail)"


def prune(model, row):
    """Removes channels behind which all weights are zero."""
    from tests.graph.zeroing import randomized, zero_outgoing
    from workbench.graph.channel_removal import without_channels
    from workbench.graph.dependencies import DependencyGraph
    from workbench.graph.units import Units
    from workbench.techniques.structure.pruning.plan import PruningPlan

    config = model.get_config()
    started = time.perf_counter()
    units = Units(DependencyGraph(config))
    plan = PruningPlan(
        units, parameters=model.count_params(), file_bytes=4 * model.count_params(),
        weight_bytes=4 * model.count_params(), round_to=8, least=0.1,
    )  # fmt: skip
    row |= {"layers": len(model.layers), "groups": len(units.groups)}
    row["graph s"] = round(time.perf_counter() - started, 2)
    counts = plan.meeting("channels", 1 - REMOVED, plan.evenly, plan.all)
    remains = plan.remains(counts)
    scores = np.random.default_rng(0).random(len(units.of))
    removed = plan.removed(counts, scores)
    randomized(model)
    x = np.random.default_rng(1).uniform(0, 255, (2, *model.input_shape[1:])).astype(np.float32)
    normalize(model, x)
    zero_outgoing(model, units, removed)
    started = time.perf_counter()
    pruned = without_channels(model, units.channels, removed)
    row["surgery s"] = round(time.perf_counter() - started, 1)
    row["weights"] = round(pruned.count_params() / model.count_params(), 3)
    row["MACs"] = None if remains.macs is None else round(remains.macs, 3)
    before = outputs(model, x)
    assert not np.allclose(before[0], before[1]), "the outputs do not depend on the input"
    row["exact"] = difference(outputs(pruned, x), before)
    assert row["exact"] < 1e-4, "removing dead channels changed the outputs"
    return pruned


def normalize(model, x):
    """Statistics of the samples in every BatchNormalization, or random weights would let signals die out."""
    layers = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    model(x, training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
        # So few samples give some channels hardly any variance. To divide by it, a hundred layers deep, makes
        # a difference of rounding a large one: 1e-2 in float32 where float64 has 1e-11 (EfficientNetV2L).
        variance = np.asarray(layer.moving_variance)
        layer.moving_variance.assign(np.maximum(variance, variance.mean()))


def train_a_step(keras, model, x):
    """Whether the loss of one step is finite."""
    model.compile(keras.optimizers.SGD(1e-4), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    loss = float(model.train_on_batch(x, np.array([1, 2])))
    assert np.isfinite(loss), f"the loss is {loss}"
    return "ok"


def outputs(model, x):
    return np.asarray(model(x, training=False))


def difference(one, other):
    """Largest difference relative to the largest value."""
    return float(f"{np.abs(np.asarray(one) - other).max() / (np.abs(other).max() or 1.0):.1e}")


if __name__ == "__main__":
    main(sys.argv[1:])
