"""Every technique and runtime on a CNN for Fashion-MNIST, as a table.

``BENCH_PROTOCOL=final`` times in five fresh processes each, which takes half an hour.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from workbench import Workbench
from workbench.api.errors import WorkbenchError
from workbench.data import Dataset
from workbench.data.builtin import BUILTINS
from workbench.data.prepare import prepare
from workbench.measure.records import Interval, Protocol
from workbench.results.rows import ResultRow

MODEL = Path("artifacts") / "fashion-cnn.keras"
TUNING: dict[str, object] = {"batch_size": 64, "learning_rate": 1e-3, "schedule": "cosine"}
STEPS: list[tuple[str, str | None, dict[str, object]]] = [
    *(
        ("inference.runtime", None, {"runtime": runtime})
        for runtime in ("keras.xla", "litert", "onnxruntime", "openvino")
    ),
    ("inference.grid", None, {}),
    ("inference.fold", None, {}),
    ("quantization.float16", None, {}),
    ("quantization.dynamic_range", None, {}),
    ("quantization.int8", None, {}),
    ("quantization.litert_int8", None, {}),
    ("quantization.int16x8", None, {}),
    ("quantization.int8_weights", None, {}),
    ("quantization.int4_weights", None, {}),
    ("quantization.mixed_precision", None, {}),
    ("quantization.qat", None, {"epochs": 1, "batch_size": 64}),
    ("quantization.onnx_int8", None, {}),
    ("quantization.openvino_int8", None, {}),
    ("quantization.keras", None, {}),
    ("training.retrain", None, {"epochs": 2, **TUNING}),
    ("structure.width", None, {"factor": 0.5, "epochs": 6, **TUNING}),
    ("quantization.int8", "structure.width", {}),
    ("structure.pruning", None, {"epochs": 4, "distill": 0.5, **TUNING}),
    ("inference.runtime", "structure.pruning", {"runtime": "litert"}),
    ("quantization.int8", "structure.pruning", {}),
    ("structure.depth", None, {"epochs": 2, **TUNING}),
    ("structure.low_rank", None, {"epochs": 2, **TUNING}),
    ("structure.sparsity", None, {"epochs": 2, **TUNING}),
    ("quantization.int8", "structure.sparsity", {}),
    ("structure.clustering", None, {"epochs": 1, **TUNING}),
    ("quantization.int8", "structure.clustering", {}),
    ("distillation.distill", None, {"factor": 0.5, "epochs": 6, "compare_seeds": 1, **TUNING}),
    ("quantization.int8", "distillation.distill", {}),
]


def train(data: Path) -> None:
    """Trains the network once; later runs use the file."""
    import keras
    import numpy as np

    from workbench.models.demo.architectures import residual_cnn

    dataset = Dataset(data)
    keras.utils.set_random_seed(0)
    model = residual_cnn((28, 28, 1), 10, name="fashion_cnn")
    epochs, batch = 6, 64
    steps = -(-dataset.info.counts["train"] // batch) * epochs
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        np.asarray(dataset.x("train")),
        np.asarray(dataset.y("train")),
        validation_data=(np.asarray(dataset.x("validation")), np.asarray(dataset.y("validation"))),
        batch_size=batch,
        epochs=epochs,
        verbose=2,
    )
    plain = residual_cnn((28, 28, 1), 10, name="fashion_cnn")
    plain.set_weights(model.get_weights())
    MODEL.parent.mkdir(exist_ok=True)
    plain.save(MODEL)


def main() -> None:
    protocol: Protocol = "final" if os.environ.get("BENCH_PROTOCOL") == "final" else "quick"
    missing = BUILTINS["fashion-mnist"].obstacle()
    if missing is not None:
        print(f"skipped: {missing}")
        return
    with tempfile.TemporaryDirectory() as scratch:
        if not MODEL.exists():
            prepare("fashion-mnist", Path(scratch) / "data", seed=0)
            train(Path(scratch) / "data")
        workbench = Workbench(Path(scratch) / "workbench")
        workbench.open(MODEL, "fashion-mnist", name="fashion CNN").wait()
        made: dict[str, str] = {}
        for technique, parent, parameters in STEPS:
            try:
                variant = workbench.apply(technique, made.get(parent or ""), **parameters).wait()
            except WorkbenchError as error:
                print(f"{technique}: {error}")
                continue
            assert variant is not None
            made.setdefault(technique, variant.id)
            print(
                f"  made {variant.name} on {parent or 'the baseline'} in {variant.seconds:.0f} s", flush=True
            )
        workbench.measure(protocol=protocol).wait()
        rows = workbench.results()
        machine = workbench.environment
        workbench.close()
    print(
        f"\n{machine.cpu}, {machine.cores} cores ({', '.join(machine.features)}); "
        f"1 thread, batch 1; {protocol} protocol\n"
    )
    print(
        "| variant | made from | runtime | parameters | file kB | gzip kB | p50 ms | speed-up in its runtime "
        "| F1 % | change of F1, points |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    names = {row.variant.id: row.variant.name for row in rows}
    for row in rows:
        print(_line(row, names.get(row.variant.parent or "", "-")))
    print()
    for row in rows:
        for note in row.notes:
            print(f"- {row.variant.name}: {note}")


def _line(row: ResultRow, parent: str) -> str:
    assert row.size is not None
    assert row.latency is not None
    assert row.quality is not None
    cells = [
        row.variant.name,
        parent,
        row.variant.runtime,
        f"{row.size.parameters:,}",
        f"{row.size.file_bytes / 1000:.0f}",
        f"{row.size.gzip_bytes / 1000:.0f}",
        _interval(row.latency.p50_ms, 1, 3),
        f"{row.speed.word}: {_interval(row.speed.speedup, 1, 2)}" if row.speed else "(reference)",
        _interval(row.quality.f1_macro, 100, 1),
        f"{row.quality_change.word}: {_interval(row.quality_change.change, 100, 2)}"
        if row.quality_change
        else "-",
    ]
    return f"| {' | '.join(cells)} |"


def _interval(interval: Interval, factor: float, digits: int) -> str:
    value, low, high = (
        f"{factor * part:.{digits}f}" for part in (interval.value, interval.low, interval.high)
    )
    return f"{value} [{low}, {high}]"
