"""Sums of the times of layers against the whole file, in the three runtimes that tell or are made to tell."""

from __future__ import annotations

import tempfile
from pathlib import Path

from workbench import Workbench
from workbench.measure.trust import busy

MODELS = (("cnn-mnist-5k", "mnist-5k"),)
RUNTIMES = ("litert", "onnxruntime", "openvino")


def main() -> None:
    """Prints a row for each model and runtime."""
    print(
        "| model | runtime | sum of the layers, ms | whole file, ms | apart | A/A floor | within twice it |"
    )
    print("|---|---|---|---|---|---|---|")
    for model, data in MODELS:
        with tempfile.TemporaryDirectory() as folder, Workbench(Path(folder) / "w") as workbench:
            workbench.open(model, data).wait()
            for runtime in RUNTIMES:
                variant = workbench.inference.runtime(runtime=runtime).wait()
                assert variant is not None
                times = workbench.inside(variant).wait().times
                assert times is not None
                low, high = times.sum_ms.low, times.sum_ms.high
                within = abs(times.difference) <= 2 * times.floor
                print(
                    f"| {model} | {runtime} | {times.sum_ms.value:.4f} [{low:.4f}, {high:.4f}] "
                    f"| {times.whole_ms.value:.4f} | {100 * times.difference:+.1f}% "
                    f"| {100 * times.floor:.1f}% | {'yes' if within else 'no'} |",
                    flush=True,
                )
                if (waited := busy(times.waited, None)) is not None:
                    print(f"  {waited}", flush=True)
