"""What making a file of a large transformer takes in memory, all processes together.

``python -m tests.benchmarks.memory [TECHNIQUE ...]`` applies each technique to a model of 12 blocks of width
768 (85 million weights, 325 MiB), once, in a process that has done nothing else; ``WIDTH`` and ``BLOCKS`` may
be set in the environment. Columns: the model; a process with the libraries alone; the peak; the peak without
one and without every such process, in times of the model; the file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.benchmarks.table import heads, row

WIDTH, BLOCKS, TOKENS, HEADS = (
    int(os.environ.get("WIDTH", "768")),
    int(os.environ.get("BLOCKS", "12")),
    16,
    12,
)
TECHNIQUES = ("inference.runtime onnxruntime", "quantization.onnx_int8", "quantization.int8_weights")
_MIB = 2**20
_POLL_S = 0.05


def main(names: Sequence[str] = ()) -> None:
    """Prints the table."""
    heads("technique", "model MiB", "libraries MiB", "peak MiB", "without one", "without all", "file MiB")
    with tempfile.TemporaryDirectory(prefix="workbench-memory-") as folder:
        subprocess.run([*_this("model"), folder], check=True)
        for name in names or TECHNIQUES:
            row(*_row(name, folder))


def _this(part: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.memory", f"--{part}"]


def _row(name: str, folder: str) -> list[str]:
    with subprocess.Popen([*_this("apply"), folder, name], stdout=subprocess.PIPE, text=True) as process:
        peak = processes = 0
        me = psutil.Process(process.pid)
        while process.poll() is None:
            total = count = 0
            try:
                for one in (me, *me.children(recursive=True)):
                    total, count = total + one.memory_info().rss, count + 1
            except psutil.Error:
                continue
            if total > peak:
                peak, processes = total, count
            time.sleep(_POLL_S)
        assert process.stdout is not None
        said = process.stdout.read().split()
    if process.returncode:
        return [name, "failed", *["-"] * 5]
    model, libraries, file = (int(word) for word in said[-3:])
    times = [f"{(peak - count * libraries) / model:.2f}" for count in (1, processes)]
    sizes = [str(round(size / _MIB)) for size in (model, libraries, peak)]
    return [name, *sizes, *times, str(round(file / _MIB))]


def _write_model(folder: Path) -> None:
    import keras
    from keras import layers

    from tests import small_models

    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((TOKENS, WIDTH), name="tokens")
    for _ in range(BLOCKS):
        attended = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(x, x)
        x = layers.LayerNormalization()(layers.Add()([x, attended]))
        hidden = layers.Dense(WIDTH)(layers.Dense(4 * WIDTH, activation="gelu")(x))
        x = layers.LayerNormalization()(layers.Add()([x, hidden]))
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES)(x), name="large")
    small_models.SHAPES["large"] = {"": (TOKENS, WIDTH)}
    small_models.write_dataset("large", folder / "data")
    variant = small_models.baseline(model, folder / "large.keras")
    (folder / "variant.json").write_text(variant.model_dump_json())


def _apply(folder: Path, name: str) -> None:
    from tests.techniques.applying import apply
    from workbench.api.dataset import Dataset
    from workbench.api.variant import Variant
    from workbench.models.converting.conversion import import_keras

    import_keras()
    import onnxruntime  # noqa: F401  (with TensorFlow, what every conversion needs)
    import tf2onnx  # noqa: F401  (what its import takes)

    libraries = psutil.Process().memory_info().rss
    technique, _, runtime = name.partition(" ")
    values = {"runtime": runtime} if runtime else {}
    if technique == "quantization.onnx_int8":
        values["samples"] = 16
    parent = Variant.model_validate_json((folder / "variant.json").read_text())
    with tempfile.TemporaryDirectory(dir=folder) as made:
        applied = apply(technique, parent, Dataset(folder / "data"), Path(made) / "made", **values)
        print(4 * parent.description.parameters, libraries, applied.path.stat().st_size)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--model", folder]:
            _write_model(Path(folder))
        case ["--apply", folder, name]:
            _apply(Path(folder), name)
        case names:
            main(names)
