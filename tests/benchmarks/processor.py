"""Processor time against latency: with a thread more the one grows where the other falls.

Each built-in model in every runtime and in int8, timed by the ``quick`` protocol; the last column is how far
the two ratios are apart. Keras keeps more than one processor busy, so ratios to it differ by that factor for
all files of one thread; among those they agree.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.table import heads, row
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
    heads("model", "variant", "threads", "times faster", "times less processor time", "apart")
    for model in DEMO_MODELS.values():
        with tempfile.TemporaryDirectory() as folder, Workbench(Path(folder) / "workbench") as workbench:
            workbench.open(model.name, model.dataset).wait()
            for technique, parameters in STEPS:
                workbench.apply(technique, **parameters).wait()
            rows = workbench.results()
            saved = workbench.savings(rows)
            for one in rows:
                if not one.variant.is_baseline:
                    row(model.name, *_cells(one, saved[one.variant.id]))


def _cells(found: ResultRow, saved: Saving) -> tuple[object, ...]:
    variant = found.variant
    if saved.times_less is None or found.total_speedup is None:
        return variant.name, variant.settings.threads, "–", "–", saved.reason
    faster, less = found.total_speedup, saved.times_less
    return (
        variant.name,
        variant.settings.threads,
        f"{faster.value:.3g} [{faster.low:.3g}, {faster.high:.3g}]",
        f"{less.value:.3g} [{less.low:.3g}, {less.high:.3g}]",
        f"{abs(less.value / faster.value - 1):.1%}",
    )


if __name__ == "__main__":
    main()
