"""The same work done with each peer and with the workbench: size, latency in one interleaved run, F1.

Both sides start from the same weights, calibrate with the same samples and fine-tune on the same samples with
the same epochs, batches and learning rate. A peer is called as its documentation shows. All files, theirs and
ours, are measured by the workbench, and judged in pairs on the same rounds and the same test samples.
``BENCH_PROTOCOL=quick`` times in one process in place of five.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests import small_models
from tests.benchmarks import fashion
from tests.benchmarks.peers import environment, judging, subjects
from tests.benchmarks.peers.subjects import Subject
from tests.techniques.applying import apply
from workbench.api.dataset import Dataset
from workbench.data.builtin import BUILTINS
from workbench.data.prepare import prepare
from workbench.engine.measuring import candidate
from workbench.measure.latency import Candidate
from workbench.measure.records import Protocol
from workbench.models.converting.conversion import load_keras
from workbench.techniques import technique as find_technique

FINE_TUNING: dict[str, object] = {"epochs": 2, "batch_size": 128}
"""On both sides."""
TRAINED_ON = 10_000
"""Samples that the residual network is fine-tuned on. The small one has all of them: with fewer steps, the
toolkit's schedule of pruning would not get to its end."""


@dataclass(frozen=True)
class Pair:
    """The same work, done twice.

    Attributes:
        peer: What the table calls the peer.
        subject: Name of the network.
        task: What the peer's script is asked for.
        settings: Settings of the peer that is trained; None for one that is installed beside Keras 3.
        ours: Techniques with parameters, one applied to the other.
    """

    peer: str
    subject: str
    task: str
    settings: dict[str, object] | None
    ours: tuple[tuple[str, dict[str, object]], ...]


PAIRS = (
    Pair(
        "tfmot prune_low_magnitude 80 %, int8",
        "tutorial CNN",
        "prune",
        {"share": 0.8, "learning_rate": 1e-3},
        (("structure.sparsity", {"share": 0.8, "learning_rate": 1e-3}), ("quantization.int8", {})),
    ),
    Pair(
        "tfmot cluster_weights 16, int8",
        "tutorial CNN",
        "cluster",
        {"clusters": 16, "learning_rate": 1e-4},
        (("structure.clustering", {"clusters": 16, "learning_rate": 1e-4}), ("quantization.int8", {})),
    ),
    Pair(
        "tfmot cluster_weights 16, int8",
        "tutorial CNN",
        "cluster",
        {"clusters": 16, "learning_rate": 1e-4},
        (
            ("structure.clustering", {"clusters": 16, "learning_rate": 1e-4}),
            ("quantization.int8", {"per_channel": False}),
        ),
    ),
    Pair(
        "tfmot quantize_model",
        "residual CNN",
        "qat",
        {"learning_rate": 1e-4},
        (("quantization.qat", {"learning_rate": 1e-4}),),
    ),
    Pair(
        "AI Edge Quantizer static int8",
        "residual CNN",
        "ai_edge_quantizer",
        None,
        (("quantization.litert_int8", {}),),
    ),
    Pair(
        "AI Edge Quantizer static int8",
        "residual CNN",
        "ai_edge_quantizer",
        None,
        (("quantization.int8", {}),),
    ),
    Pair(
        "ONNX Runtime quantize_static",
        "residual CNN",
        "onnxruntime_quantization",
        None,
        (("quantization.onnx_int8", {}),),
    ),
    Pair(
        "ONNX Runtime quantize_static",
        "residual CNN",
        "onnxruntime_quantization",
        None,
        (("quantization.onnx_int8", {"per_channel": False}),),
    ),
    Pair(
        "NNCF quantize",
        "residual CNN",
        "nncf_quantize",
        None,
        (("quantization.openvino_int8", {}),),
    ),
    Pair('Keras quantize("int8")', "residual CNN", "keras_int8", None, (("quantization.keras", {}),)),
    Pair('Keras quantize("int8")', "residual CNN", "keras_int8", None, (("quantization.int8", {}),)),
)


def main() -> None:
    protocol: Protocol = "quick" if os.environ.get("BENCH_PROTOCOL") == "quick" else "final"
    missing = BUILTINS["fashion-mnist"].obstacle()
    if missing is not None:
        print(f"skipped: {missing}")
        return
    interpreter = environment.python()
    if isinstance(interpreter, str):
        print(f"skipped tensorflow-model-optimization: {interpreter}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        whole = prepare("fashion-mnist", folder / "whole", seed=0)
        if not fashion.MODEL.exists():
            fashion.train(whole.folder)
        found = subjects.subjects(whole, folder)
        dataset = prepare(subjects.shortened(whole, TRAINED_ON, folder / "fashion.npz"), folder / "data")
        made: dict[str, Candidate] = {}
        pairs: list[judging.Judged] = []
        for pair in PAIRS:
            subject = found[pair.subject]
            train = whole if subject.name == "tutorial CNN" else dataset
            if pair.settings is not None and isinstance(interpreter, str):
                continue
            theirs = f"{pair.task}, {subject.name}"
            if theirs not in made:
                made[theirs] = _peer(pair, subject, train, folder / pair.task, interpreter, theirs)
            ours = f"{_words(pair)}, {subject.name}"
            if ours not in made:
                made[ours] = _ours(pair, subject, train, folder / ours, ours)
            pairs.append(judging.Judged(pair.peer, theirs, ours, subject.name))
            print(f"  made {theirs}; {ours} ({time.monotonic() - started:.0f} s)", flush=True)
        measured = judging.measure(made, found, dataset, protocol)
        judging.report(pairs, measured)
    print(f"\n{time.monotonic() - started:.0f} s in all")


def _words(pair: Pair) -> str:
    """The techniques, with what is set of them beyond the peer's own settings."""
    return " + ".join(
        name + (" with one scale per tensor" if parameters.get("per_channel") is False else "")
        for name, parameters in pair.ours
    )


def _ours(pair: Pair, subject: Subject, dataset: Dataset, folder: Path, id_: str) -> Candidate:
    folder.mkdir()
    parent = small_models.baseline(load_keras(subject.path), folder / "parent.keras")
    for number, (technique, parameters) in enumerate(pair.ours):
        trained = "epochs" in find_technique(technique).parameters_type.model_fields
        parameters = {**parameters, **(FINE_TUNING if trained else {})}
        applied = apply(technique, parent, dataset, folder / str(number), **parameters)
        parent = small_models.child(applied, parent, technique)
    return candidate(parent).model_copy(update={"variant": id_})


def _peer(
    pair: Pair, subject: Subject, dataset: Dataset, folder: Path, interpreter: Path | str, id_: str
) -> Candidate:
    folder.mkdir()
    arrays = subjects.for_peer(dataset, subject)
    np.savez(folder / "data.npz", **arrays)
    if pair.settings is None:
        shutil.copy(subject.path, folder / "model.keras")
        command = [sys.executable, "-m", "tests.benchmarks.peers.installed", pair.task, str(folder)]
        variables = {**os.environ, "CI": "true"}
    else:
        subjects.write_job(folder, subject, {"task": pair.task, "seed": 0, **pair.settings, **FINE_TUNING})
        script = Path(__file__).parent / "tfmot_worker.py"
        command = [str(interpreter), str(script), str(folder)]
        variables = environment.clean_environment()
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    if done.returncode:
        sys.exit(f"{pair.peer} failed:\n{done.stderr[-3000:]}")
    for name, runtime in (
        ("peer.tflite", "litert"),
        ("peer.onnx", "onnxruntime"),
        ("peer", "openvino"),
        ("peer.keras", "keras.function"),
    ):
        if (folder / name).exists():
            return Candidate(variant=id_, path=folder / name, runtime=runtime)
    sys.exit(f"{pair.peer} wrote nothing.")
