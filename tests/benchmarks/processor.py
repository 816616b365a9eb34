"""Processor time against latency: with a thread more the one grows where the other falls.

Each built-in model in every runtime and in int8, timed by the ``quick`` protocol; the last column is how far
the two ratios are apart. Keras keeps more than one processor busy, so ratios to it differ by that factor for
all files of one thread; among those they agree.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from workbench import Workbench
from workbench.models.demo.demo import DEMO_MODELS
from workbench.results.rows import ResultRow
from workbench.results.savings import Saving

NAME = "processor"
STEPS: tuple[tuple[str, dict[str, object]], ...] = (
    ("inference.runtime", {"runtime": "litert"}),
    ("inference.runtime", {"runtime": "onnxruntime"}),
    ("inference.runtime", {"runtime": "openvino"}),
    ("quantization.int8", {}),
    ("inference.runtime", {"runtime": "litert", "threads": 2}),
)


def main() -> None:
    """Prints a table."""
    heads = ("model", "variant", "threads", "times faster", "times less processor time", "apart")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    for model in DEMO_MODELS.values():
        with tempfile.TemporaryDirectory() as folder, Workbench(Path(folder) / "workbench") as workbench:
            workbench.open(model.name, model.dataset).wait()
            for technique, parameters in STEPS:
                workbench.apply(technique, **parameters).wait()
            rows = workbench.results()
            saved = workbench.savings(rows)
            for row in rows:
                if not row.variant.is_baseline:
                    print(f"| {model.name} | {_line(row, saved[row.variant.id])} |", flush=True)


def _line(row: ResultRow, saved: Saving) -> str:
    threads = row.variant.settings.threads
    if saved.times_less is None or row.total_speedup is None:
        return f"{row.variant.name} | {threads} | – | – | {saved.reason}"
    faster, less = row.total_speedup, saved.times_less
    return (
        f"{row.variant.name} | {threads} | {faster.value:.3g} [{faster.low:.3g}, {faster.high:.3g}] "
        f"| {less.value:.3g} [{less.low:.3g}, {less.high:.3g}] | {abs(less.value / faster.value - 1):.1%}"
    )


if __name__ == "__main__":
    main()
