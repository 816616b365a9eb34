"""One look at a model file, in a fresh process: how long it takes, its memory, its predictions.

A hostile file ends only that process. The caller holds a slot of the machine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset, SplitName
from workbench.api.technique import Reporter
from workbench.measure import environment as machine
from workbench.measure.block_plan import BlockPlan
from workbench.measure.child_process import run_in_child
from workbench.measure.forgotten.perturbing import perturbed_features
from workbench.measure.forgotten.records import Perturbations
from workbench.measure.latency import Candidate, TimedRun
from workbench.measure.narrowing import OnSoFar, heard
from workbench.measure.prediction import predict_in_batches
from workbench.measure.records import Protocol
from workbench.runtimes import runtime

OnBatch = Callable[[int, int, npt.NDArray[np.float32]], None]
"""Given the first sample, one past the last, and the outputs of a batch."""


def time_once(
    report: Reporter,
    candidates: Sequence[Candidate],
    dataset_folder: Path,
    protocol: Protocol,
    seed: int,
    *,
    plan: BlockPlan | None = None,
    split: SplitName = "test",
    on_so_far: OnSoFar = lambda so_far: None,
) -> TimedRun:
    """Times files against each other in one fresh process; the caller holds the slot alone.

    Args:
        report: Progress and cancellation.
        candidates: The first one is the reference.
        dataset_folder: The prepared data.
        protocol: ``quick`` or ``final``: how long.
        seed: Seeds the samples and the order in each round.
        plan: Rounds and runs of an earlier process; chosen anew if None.
        split: Where the samples are from.
        on_so_far: Told a few times a second what is known of each file.

    Raises:
        InvalidInput: If a file cannot be loaded or run, or crashes its runtime.
    """

    def on_message(message: dict[str, Any]) -> None:
        heard(message, on_so_far)
        if "progress" in message:
            report.progress(float(message["progress"]))

    import scipy.special  # noqa: F401  # needed by what is heard: not to be loaded while files are timed

    with tempfile.TemporaryDirectory() as folder:
        answer = run_in_child(
            report,
            "latency",
            candidates,
            Path(folder),
            on_message=on_message,
            dataset=str(dataset_folder),
            protocol=protocol,
            seed=seed,
            plan=plan and plan.model_dump(mode="json"),
            split=split,
            address_space_bytes=address_space(candidates),
        )
        with np.load(Path(folder) / "samples.npz", allow_pickle=False) as arrays:
            samples = {name: arrays[name] for name in arrays.files}
    return TimedRun(
        load_ms=tuple(answer["load_ms"]),
        first_ms=tuple(answer["first_ms"]),
        samples=tuple(samples[str(number)] for number in range(len(candidates))),
        control=samples.get("control"),
        plan=BlockPlan.model_validate(answer["plan"]),
        waited=answer["waited"],
        cores_busy=tuple(samples.get(f"busy {number}") for number in range(len(candidates))),
    )


def peak_memory(
    report: Reporter, candidate: Candidate, dataset_folder: Path, *, split: SplitName = "test"
) -> int | None:
    """Highest resident memory of a fresh process that loads a file and infers once, in bytes.

    What the process held before loading (Python, NumPy, this package) is subtracted. The runtime
    is imported by loading, so it counts: a deployment pays for it too.

    Args:
        report: Cancellation.
        candidate: The file.
        dataset_folder: The prepared data; one batch of it is inferred.
        split: Where that is from.

    Returns:
        None where the system does not tell the peak.

    Raises:
        InvalidInput: If the file cannot be run.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = run_in_child(
            report,
            "memory",
            [candidate],
            Path(folder),
            dataset=str(dataset_folder),
            split=split,
            address_space_bytes=address_space([candidate]),
        )
    peak = answer["bytes"]
    return None if peak is None else int(peak)


def predict_split(
    report: Reporter,
    candidate: Candidate,
    dataset: Dataset,
    on_batch: OnBatch,
    split: SplitName = "test",
    perturbed: Perturbations | None = None,
) -> None:
    """Predicts a split: in a fresh process, or here where the runtime is TensorFlow's.

    Args:
        report: Cancellation.
        candidate: The file.
        dataset: The prepared data.
        on_batch: Receives each batch in order.
        split: What is predicted.
        perturbed: Perturbed samples, to be predicted instead.

    Raises:
        InvalidInput: If the file cannot be run, or crashes its runtime.
    """
    predict = _predict_here if runtime(candidate.runtime).imports_tensorflow else _predict_apart
    predict(report, candidate, dataset, on_batch, split, perturbed)


def _predict_here(
    report: Reporter,
    candidate: Candidate,
    dataset: Dataset,
    on_batch: OnBatch,
    split: SplitName,
    perturbed: Perturbations | None,
) -> None:
    # A worker that trains needs all its threads: TensorFlow must be imported before a session
    # with fewer is made, which then leaves them alone.
    import tensorflow  # noqa: F401  (see above)

    report.check()
    session = runtime(candidate.runtime).load(candidate.path, candidate.settings)
    try:
        features = dataset.x(split) if perturbed is None else perturbed_features(perturbed, dataset)
        for start, stop, outputs in predict_in_batches(session, features):
            on_batch(start, stop, outputs)
    finally:
        session.close()


def _predict_apart(
    report: Reporter,
    candidate: Candidate,
    dataset: Dataset,
    on_batch: OnBatch,
    split: SplitName,
    perturbed: Perturbations | None,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder) / "outputs.npy"

        def on_message(message: dict[str, Any]) -> None:
            if "batch" in message:
                start, stop = message["batch"]
                stored = np.load(outputs, mmap_mode="r", allow_pickle=False)
                on_batch(start, stop, np.array(stored[start:stop]))

        run_in_child(
            report,
            "predict",
            [candidate],
            Path(folder),
            on_message=on_message,
            dataset=str(dataset.folder),
            split=split,
            perturbed=perturbed and perturbed.model_dump(mode="json"),
            address_space_bytes=address_space([candidate]),
        )


def address_space(candidates: Sequence[Candidate]) -> int | None:
    """A limit that a damaged file cannot pass: all of the machine's memory, with room.

    None where a runtime maps far more than it uses, as TensorFlow and GPU drivers do.
    """
    if machine.environment().gpu or any(runtime(c.runtime).imports_tensorflow for c in candidates):
        return None
    return max(4 << 30, machine.environment().memory_bytes)
