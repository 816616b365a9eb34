"""What large data take: time and the highest memory of a process that opens, trains on and evaluates them.

``python -m tests.benchmarks data_size`` makes everything in a temporary folder (15 GB; ``PICTURES`` and
``ROWS`` in the environment make it smaller). Each line is one process. Its own memory is what it had before,
or what the same work takes on 128 samples; the last column is what the data add.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tests.benchmarks.table import heads, row

PICTURES, SIDE, CLASSES = int(os.environ.get("PICTURES", "30000")), 224, 10
ROWS, COLUMNS = int(os.environ.get("ROWS", "1000000")), 20
_FEW = 128
_MIB = 2**20


def main() -> None:
    """Prints the table."""
    heads("data", "step", "seconds", "peak MiB", "its own MiB", "the data add MiB")
    with tempfile.TemporaryDirectory(prefix="workbench-data-size-") as name:
        folder = Path(name)
        _write_pictures(folder / "pictures", PICTURES)
        _write_pictures(folder / "few", _FEW)
        few = _prepared("few", folder / "few", folder / "few-data", shown=False)
        many = _prepared(f"{PICTURES:,} pictures", folder / "pictures", folder / "data")
        for step in ("train", "evaluate"):
            _, own = _run(step, few)
            _tell(f"{PICTURES:,} pictures", step, *_run(step, many), own)
        _write_npz(folder / "all.npz", many)
        size = (folder / "all.npz").stat().st_size / 1e9
        _prepared(f"the same as .npz, {size:.1f} GB", folder / "all.npz", folder / "npz-data")
        for path in _write_tables(folder):
            _prepared(f"{ROWS:,} rows of {COLUMNS}, {path.suffix}", path, folder / f"{path.name}-data")


def _tell(data: str, step: str, seconds: float, peak: int, own: int) -> None:
    sizes = [str(round(size / _MIB)) for size in (peak, own, peak - own)]
    row(data, step, f"{seconds:.0f}", *sizes)


def _run(step: str, *arguments: Path) -> tuple[float, int]:
    start = time.monotonic()
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.data_size", step, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return time.monotonic() - start, int(done.stdout.split()[-1])


def _prepared(name: str, source: Path, target: Path, *, shown: bool = True) -> Path:
    _, own = _run("import")
    seconds, peak = _run("open", source, target)
    if shown:
        _tell(name, "open", seconds, peak, own)
    return target


def _write_pictures(folder: Path, count: int) -> None:
    from PIL import Image

    def write(number: int) -> None:
        random = np.random.default_rng(number)
        colours = random.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        colours[:, :, number % 3] = 25 * (number % CLASSES)
        Image.fromarray(colours).resize((SIDE, SIDE)).save(folder / str(number % CLASSES) / f"{number}.jpg")

    for label in range(CLASSES):
        (folder / str(label)).mkdir(parents=True)
    with ThreadPoolExecutor() as threads:
        list(threads.map(write, range(count)))


def _write_npz(file: Path, prepared: Path) -> None:
    from workbench.api.dataset import SPLITS, Dataset

    arrays = {f"x_{split}": np.load(prepared / f"raw_{split}.npy", mmap_mode="r") for split in SPLITS}
    labels = {f"y_{split}": np.asarray(Dataset(prepared).y(split)) for split in SPLITS}
    np.savez(file, **arrays, **labels)


def _write_tables(folder: Path) -> list[Path]:
    import pandas
    import pyarrow
    from pyarrow import parquet

    random = np.random.default_rng(0)
    values = random.normal(size=(ROWS, COLUMNS - 1)).round(6)
    frame = pandas.DataFrame(values, columns=[f"column {number}" for number in range(COLUMNS - 1)])
    frame["label"] = random.integers(0, 3, ROWS)
    frame.to_csv(folder / "table.csv", index=False)
    parquet.write_table(pyarrow.Table.from_pandas(frame), folder / "table.parquet")
    return [folder / "table.csv", folder / "table.parquet"]


def _open(source: Path, target: Path) -> None:
    from workbench.data.prepare import prepare

    prepare(source, target)


def _train(prepared: Path) -> None:
    """One epoch of a network of three strided convolutions: most of its memory is that of TensorFlow."""
    import keras

    from tests.local_reporter import LocalReporter
    from workbench.api.dataset import Dataset
    from workbench.api.technique import Context
    from workbench.api.variant import ModelDescription, TensorSpec, Variant
    from workbench.training import TrainingParameters, train

    dataset = Dataset(prepared)
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(width, 5, 4, activation="relu") for width in (8, 16, 32)]
    model = keras.Sequential(
        [keras.Input((SIDE, SIDE, 3)), *layers, keras.layers.Flatten(), keras.layers.Dense(CLASSES)]
    )
    parent = Variant(
        id="1",
        name="conv",
        format="keras",
        path=prepared,
        sha256="",
        runtime="keras.function",
        description=ModelDescription(
            inputs=(TensorSpec(name="input", shape=(SIDE, SIDE, 3)),),
            outputs=(TensorSpec(name="output", shape=(CLASSES,)),),
        ),
        created=datetime.now(UTC),
    )
    context = Context(parent=parent, dataset=dataset, folder=prepared, report=LocalReporter(), seed=0)
    train(model, context, TrainingParameters(epochs=1, batch_size=32), from_logits=True)
    model.save(prepared.parent / "model.keras")


def _evaluate(prepared: Path) -> None:
    """Every sample of the test split, by the Keras model that was trained."""
    from tests.local_reporter import LocalReporter
    from workbench.api.dataset import Dataset
    from workbench.measure.child_tasks import predict_split
    from workbench.measure.latency import Candidate

    candidate = Candidate(variant="1", path=prepared.parent / "model.keras", runtime="keras.function")
    dataset, seen = Dataset(prepared), []
    predict_split(LocalReporter(), candidate, dataset, lambda start, stop, outputs: seen.append(stop))
    assert seen[-1] == dataset.info.counts["test"]


def _import() -> None:
    import pandas  # noqa: F401
    import PIL.Image  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    import workbench.data.files
    import workbench.data.prepare  # noqa: F401


if __name__ == "__main__":
    from workbench.measure.child import peak_resident_bytes

    _import()
    {"import": lambda: None, "open": _open, "train": _train, "evaluate": _evaluate}[sys.argv[1]](
        *map(Path, sys.argv[2:])
    )
    print(peak_resident_bytes())
