"""What opens: every kind of model that people bring, and what each family of techniques makes of it.

Each is opened, and each technique is applied to the baseline, through the front door. A cell says that all of
them work, or which do not and why. ``python -m tests.benchmarks.what_opens "own"`` looks at the kinds with a
word in their name.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.kinds import KINDS
from workbench.api.errors import WorkbenchError
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.jobs.executor import Executor
from workbench.workbench import Workbench

_EPOCH = {"epochs": 1}
FAMILIES: dict[str, dict[str, dict[str, Any]]] = {
    "structure": {
        "structure.pruning": {
            "target": "parameters",
            "remove": 0.3,
            "epochs_between": 0,
            "round_to": 4,
            **_EPOCH,
        },
        "structure.sparsity": {"every": 1, **_EPOCH},
        "structure.clustering": _EPOCH,
        "structure.low_rank": {"choose": "weights", **_EPOCH},
        "structure.width": _EPOCH,
    },
    "training": {"training.retrain": _EPOCH},
    "inference": {
        f"inference.runtime {runtime}": {"runtime": runtime}
        for runtime in ("litert", "onnxruntime", "openvino")
    },
    "quantization": {
        "quantization.int8": {"samples": 32},
        "quantization.float16": {},
        "quantization.onnx_int8": {"samples": 32},
        "quantization.qat": _EPOCH,
    },
    "distillation": {
        "distillation.distill narrower": {"compare_seeds": 1, **_EPOCH},
        "distillation.distill again": {"student": "same architecture", "compare_seeds": 1, **_EPOCH},
    },
}
"""One or a few techniques of each family, with parameters that take seconds."""


def main(words: list[str] | None = None, executor: Executor | None = None) -> None:
    """Prints the table."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("WORKBENCH_SHORT_TIMING", "1")
    columns = ("What is brought", "opens", *FAMILIES)
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
    own = executor or Executor()
    for name in KINDS:
        if all(word in name for word in words or ()):
            print(f"| {name} | {' | '.join(_row(name, own))} |", flush=True)
    own.close()


def _row(name: str, executor: Executor) -> list[str]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Workbench(Path(folder) / "w", executor=executor) as workbench,
    ):
        try:
            brought = KINDS[name](Path(folder))
            baseline = workbench.open(brought.model, brought.data, **brought.options).wait()
        except WorkbenchError as error:
            return [_short(error.text), *["–"] * len(FAMILIES)]
        assert baseline is not None
        return [_way(baseline), *(_cell(workbench, family) for family in FAMILIES.values())]


def _way(baseline: Variant) -> str:
    found = baseline.description.opened_up
    if found is None:
        return "yes"
    return "as its graph of layers" if not found.closed else f"closed: {', '.join(found.closed)}"


def _cell(workbench: Workbench, family: dict[str, dict[str, Any]]) -> str:
    works, reasons = [], {}
    for title, parameters in family.items():
        technique = title.split()[0]
        what = title.split()[-1].rpartition(".")[2].replace("_", " ")
        try:
            reason = workbench.obstacle(technique, parameters=parameters)
            if reason is not None:
                reasons[what] = reason
                continue
            started = time.monotonic()
            made = workbench.apply(technique, **parameters).wait()
            assert made is not None
            row = next(row for row in workbench.results() if row.variant.id == made.id)
            if row.quality is None or row.latency is None:
                reasons[what] = say("it is made, but not measured")
            if os.environ.get("VERBOSE"):
                print(title, f"{time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
            works.append(what)
        except WorkbenchError as error:
            reasons[what] = error.text
    if not reasons:
        return "works"
    refused = "; ".join(f"{what}: {_short(reason)}" for what, reason in reasons.items())
    return f"{', '.join(works)} work; {refused}" if works else refused


def _short(reason: Text) -> str:
    """The first sentence."""
    text = str(reason).replace("|", "/")
    return text.split(". ")[0].rstrip(".")


if __name__ == "__main__":
    main(sys.argv[1:])
