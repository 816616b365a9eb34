"""Prints how well latency repeats on this machine: one file against itself, measured several times.

Run it with a ``.tflite`` file, or without one for a small matrix product::

    python tests/benchmarks/latency_floor.py [FILE] [--repeats 5] [--protocol quick]

Nothing is asserted: the spread belongs to the machine and its other work.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from workbench.api.dataset import DatasetInfo
from workbench.api.text import say
from workbench.jobs.reporter import SilentReporter
from workbench.measure.latency import Candidate
from workbench.measure.timing import measure_latency


def random_samples(folder: Path, shape: tuple[int, ...]) -> Path:
    """Writes a data set of random samples; times depend little on the values."""
    samples = np.random.default_rng(0).random((64, *shape), np.float32)
    for split in ("train", "validation", "test"):
        np.save(folder / f"x_{split}.npy", samples)
        np.save(folder / f"y_{split}.npy", np.zeros(64, np.int64))
    info = DatasetInfo(
        name="random",
        input_shapes={"": shape},
        classes=("0",),
        counts=dict.fromkeys(("train", "validation", "test"), 64),
        class_counts=dict.fromkeys(("train", "validation", "test"), (64,)),
        scaling=say("none"),
        minimum=0.0,
        maximum=1.0,
        is_image=False,
        seed=0,
        sha256="random",
    )
    (folder / "dataset.json").write_text(info.model_dump_json(), "utf-8")
    return folder


def matrix_product(path: Path) -> tuple[int, ...]:
    """Writes a small ``.onnx`` file; gives its input shape."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(0).random((512, 512), np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 512])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 512])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return (512,)


def tflite_shape(path: Path) -> tuple[int, ...]:
    """Input shape of a ``.tflite`` file, without the batch axis."""
    from ai_edge_litert.interpreter import Interpreter

    return tuple(int(n) for n in Interpreter(model_path=str(path)).get_input_details()[0]["shape"][1:])


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--protocol", choices=["quick", "final"], default="quick")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.file is None:
            path, runtime = folder / "product.onnx", "onnxruntime"
            shape = matrix_product(path)
        else:
            path, runtime = arguments.file.resolve(), "litert"
            shape = tflite_shape(path)
        data = random_samples(folder, shape)
        first = Candidate(variant="first", path=path, runtime=runtime)
        second = Candidate(variant="second", path=path, runtime=runtime)
        ratios = []
        for seed in range(arguments.repeats):
            measurement, _ = measure_latency(
                SilentReporter(), [first, second], data, arguments.protocol, seed
            )
            (verdict,) = measurement.verdicts
            ratios.append(verdict.speedup.value)
            print(
                f"ratio {verdict.speedup.value:.4f} [{verdict.speedup.low:.4f}, {verdict.speedup.high:.4f}]  "
                f"floor {verdict.floor:.4f}  {verdict.word}  "
                f"rounds {measurement.rounds}  pressure {measurement.pressure}"
            )
        print(f"spread of the ratio (standard deviation): {100 * np.std(ratios):.2f} %")
        print(f"worst distance from 1: {100 * np.max(np.abs(np.array(ratios) - 1)):.2f} %")


if __name__ == "__main__":
    main()
