"""Does telling how far a timing has come disturb it? Rounds after a word are compared with those without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.prepare import prepare
from workbench.measure.block_plan import BlockPlan
from workbench.measure.latency import Candidate, time_interleaved
from workbench.measure.narrowing import Narrowing
from workbench.measure.statistics import interval_over_rounds
from workbench.models.demo.demo import DEMO_MODELS

NAME = "narrowing"
ROUNDS = 400


class EverySecond(Narrowing):
    """Tells after every other round, as if its time had come, and after no other."""

    def round_done(self, samples: Any, done: int, rounds: int) -> None:
        self._told = -np.inf if done % 2 else np.inf
        super().round_done(samples, done, rounds)


def main() -> None:
    """Times small files with a reader at the other end of a pipe, as a job has one."""
    from workbench.jobs.reporter import SilentReporter
    from workbench.models.converting.conversion import load_keras, to_tflite

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        data = prepare("digits", folder / "data", seed=0)
        path = to_tflite(load_keras(DEMO_MODELS["dense-digits"].path), folder / "model.tflite")
        reader = subprocess.Popen([sys.executable, "-c", "import sys\nfor line in sys.stdin: pass"],
                                  stdin=subprocess.PIPE)  # fmt: skip
        assert reader.stdin is not None
        pipe = reader.stdin.fileno()
        files = [Candidate(variant=name, path=path, runtime="litert") for name in "ab"]
        plan = BlockPlan(rounds=ROUNDS, discard=3, runs=(10,) * 3, repeats=(200,) * 3)
        sent = 0

        def send(**message: Any) -> None:
            nonlocal sent
            sent += 1
            os.write(pipe, json.dumps(message).encode() + b"\n")

        timed = time_interleaved(
            files, data.x("test"), "quick", 0, SilentReporter(), plan=plan, watch=EverySecond(send, 2)
        )
        reader.stdin.close()
        reader.wait()
    print(f"{ROUNDS} rounds of {len(files)} files, {sent} words (usually 4 a second)")
    for name, samples in zip("ab", timed.samples, strict=True):
        medians = np.median(samples, axis=1)
        # Done rounds count from 1: after the odd ones a word is sent, so index 1, 3, ... follow one.
        ratios = medians[1::2] / medians[::2]
        found = interval_over_rounds(ratios)
        print(f"{name}: after a word / without: {found.value:.4f} [{found.low:.4f}, {found.high:.4f}]")
