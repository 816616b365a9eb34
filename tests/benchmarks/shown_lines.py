"""How many lines of code each technique shows for the demo CNN with its default settings, before and now.

Before, all of it was one script. Now the longer parts are files of the engine, which lie beside the script;
their lines are counted apart.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.table import heads, row
from tests.small_models import baseline
from workbench import techniques
from workbench.api.bundle import Bundle
from workbench.api.technique import CodePaths
from workbench.models.demo.demo import DEMO_MODELS

COMMIT = "d60b176"
"""Where :data:`BEFORE` was counted, by this file."""
BEFORE: dict[str, int] = {
    "quantization.dynamic_range": 161,
    "quantization.float16": 161,
    "quantization.int16x8": 174,
    "quantization.int4_weights": 168,
    "quantization.int8": 174,
    "quantization.int8_weights": 164,
    "quantization.keras": 17,
    "quantization.litert_int8": 301,
    "quantization.mixed_precision": 383,
    "quantization.onnx_int8": 104,
    "quantization.openvino_int8": 109,
    "quantization.qat": 758,
    "inference.fold": 192,
    "inference.grid": 965,
    "inference.runtime": 19,
    "inference.tensorrt": 94,
    "structure.clustering": 131,
    "structure.depth": 197,
    "structure.low_rank": 305,
    "structure.pruning": 202,
    "structure.sparsity": 162,
    "structure.width": 47,
    "distillation.distill": 95,
    "training.retrain": 30,
}


def bundles() -> dict[str, Bundle]:
    """The plain code of each technique by its name."""
    import keras

    with tempfile.TemporaryDirectory() as folder:
        model = keras.models.load_model(DEMO_MODELS["cnn-mnist-5k"].path, compile=False)
        variant = baseline(model, Path(folder) / "model.keras")
        return {
            name: Bundle(technique.code(variant, technique.parameters_type(), CodePaths()))
            for name, technique in techniques.techniques().items()
        }


def main() -> None:
    heads("technique", f"at {COMMIT}", "now", "beside it")
    for name, bundle in bundles().items():
        beside = sum(len(text.splitlines()) for text in bundle.helpers.values())
        row(name, BEFORE.get(name, "-"), len(bundle.script.splitlines()), beside)


if __name__ == "__main__":
    main()
