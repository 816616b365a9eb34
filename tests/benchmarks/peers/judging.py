"""Measures the files of both sides together, and judges them in pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from tests.benchmarks.peers.subjects import Subject
from workbench.api.dataset import Dataset
from workbench.measure import tasks
from workbench.measure.environment import environment
from workbench.measure.latency import Candidate
from workbench.measure.quality import compare_quality
from workbench.measure.records import (
    Interval,
    LatencyMeasurement,
    Protocol,
    QualityMeasurement,
    SizeMeasurement,
)
from workbench.measure.statistics import compare_speed
from workbench.measure.timing import measure_latency

Word = Literal["better", "worse", "same"]


SAME_SIZE = 0.001
"""Files that differ by less are called equal: a name in them may be longer, or gzip luckier."""


@dataclass(frozen=True)
class Judged:
    """A pair of files.

    Attributes:
        title: What was done, in the peer's words.
        peer: Identifier of the peer's file.
        ours: Identifier of ours.
        subject: The network.
    """

    title: str
    peer: str
    ours: str
    subject: str


@dataclass
class Measured:
    """Everything that was measured, by identifier of the file."""

    latency: LatencyMeasurement
    samples: Mapping[str, npt.NDArray[np.float64]]
    labels: npt.NDArray[np.int64]
    runtimes: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, SizeMeasurement] = field(default_factory=dict)
    quality: dict[str, QualityMeasurement] = field(default_factory=dict)
    scores: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)


class Silent:
    """A reporter that tells nobody."""

    def stage(self, text: object) -> None: ...
    def progress(self, fraction: float) -> None: ...
    def metric(self, name: str, step: float, value: float, interval: object = None) -> None: ...
    def log(self, text: object) -> None: ...
    def check(self) -> None: ...


def measure(
    made: Mapping[str, Candidate], subjects: Mapping[str, Subject], dataset: Dataset, protocol: Protocol
) -> Measured:
    """Times all files in one interleaved run, weighs them, and predicts the test split with each."""
    latency, samples = measure_latency(Silent(), list(made.values()), dataset.folder, protocol, 0)
    measured = Measured(latency, samples, np.asarray(dataset.y("test")))
    for id_, file in made.items():
        subject = next(subject for subject in subjects.values() if id_.endswith(subject.name))
        measured.runtimes[id_] = file.runtime
        measured.sizes[id_] = tasks.measure_size(file.path, 0)
        measured.quality[id_], measured.scores[id_] = tasks.measure_quality(
            Silent(), file, dataset.folder, subject.from_logits
        )
    return measured


def report(pairs: Sequence[Judged], measured: Measured) -> None:
    """Prints the table, and in which columns ours is better or worse."""
    machine, latency = environment(), measured.latency
    print(
        f"\n{machine.cpu}, {machine.cores} cores ({', '.join(machine.features)}); 1 thread, batch 1; "
        f"{latency.protocol} protocol: {latency.processes} processes of {latency.rounds} rounds; "
        f"Fashion-MNIST, {len(measured.labels):,} test samples"
    )
    for warning in latency.warnings:
        print(f"  {warning}")
    print("\n| work | side | runtime | file bytes | gzip bytes | p50 ms | F1 % |")
    print("|---|---|---|---|---|---|---|")
    for pair in pairs:
        print(_line(pair.title + ", " + pair.subject, "peer", pair.peer, measured))
        print(_line("", pair.ours.rpartition(",")[0], pair.ours, measured))
    print("\n| work | ours | file | gzip | speed-up over the peer | F1 less the peer's, points | sum |")
    print("|---|---|---|---|---|---|---|")
    lost = 0
    for pair in pairs:
        cells, words = _judged(pair, measured)
        lost += "worse" in words.values()
        print(f"| {' | '.join(cells)} | **{_sum(words)}** |")
    print(f"\nOurs is worse in a column in {lost} of {len(pairs)} pairs.", flush=True)


def _line(work: str, side: str, id_: str, measured: Measured) -> str:
    size = measured.sizes[id_]
    summary = next(summary for summary in measured.latency.summaries if summary.variant == id_)
    cells = [
        work,
        side,
        measured.runtimes[id_],
        f"{size.file_bytes:,}",
        f"{size.gzip_bytes:,}",
        _interval(summary.p50_ms, 1, 4),
        _interval(measured.quality[id_].f1_macro, 100, 2),
    ]
    return f"| {' | '.join(cells)} |"


def _judged(pair: Judged, measured: Measured) -> tuple[list[str], dict[str, Word]]:
    ours, peer = measured.sizes[pair.ours], measured.sizes[pair.peer]
    speed = compare_speed(
        measured.samples, pair.ours, pair.peer, floor=measured.latency.verdicts[0].floor, seed=0
    )
    change = compare_quality(
        pair.ours, pair.peer, measured.scores[pair.ours], measured.scores[pair.peer], measured.labels
    ).change
    faster: dict[str, Word] = {"faster": "better", "slower": "worse", "no measurable change": "same"}
    words: dict[str, Word] = {
        "file": _of_sizes(ours.file_bytes, peer.file_bytes),
        "gzip": _of_sizes(ours.gzip_bytes, peer.gzip_bytes),
        "speed": faster[speed.word],
        "F1": "better" if change.low > 0 else "worse" if change.high < 0 else "same",
    }
    cells = [
        pair.title,
        pair.ours.rpartition(",")[0],
        f"{words['file']}: {ours.file_bytes / peer.file_bytes:.3f}",
        f"{words['gzip']}: {ours.gzip_bytes / peer.gzip_bytes:.3f}",
        f"{words['speed']}: {_interval(speed.speedup, 1, 3)}",
        f"{words['F1']}: {_interval(change, 100, 2)}",
    ]
    return cells, words


def _of_sizes(ours: int, peer: int) -> Word:
    if abs(ours - peer) <= SAME_SIZE * peer:
        return "same"
    return "better" if ours < peer else "worse"


def _sum(words: Mapping[str, Word]) -> str:
    parts = [
        f"{word} in {', '.join(column for column, found in words.items() if found == word)}"
        for word in ("better", "worse")
        if word in words.values()
    ]
    return "; ".join(parts) or "same"


def _interval(interval: Interval, factor: float, digits: int) -> str:
    value, low, high = (
        f"{factor * part:.{digits}f}" for part in (interval.value, interval.low, interval.high)
    )
    return f"{value} [{low}, {high}]"
