"""What a training job through the workbench costs over the same plain Keras code.

Both train the same network on the same arrays from the same seed, in turn, in the same worker process:
two processes of the same program differ by more than what is to be seen here, from where their memory
happens to lie. The plain code is also run as a script of its own, imports included.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks import plain_training
from workbench import Workbench
from workbench.errors import Cancelled

EPOCHS = 4
PAIRS = 10
SCRIPTS = 3
PARAMETERS = {"factor": 1.0, "epochs": EPOCHS, "patience": EPOCHS, "batch_size": 32, "learning_rate": 1e-3}


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch, Workbench(Path(scratch) / "workbench") as workbench:
        baseline = workbench.open("cnn-mnist-5k", "mnist-5k").wait()
        assert baseline is not None
        folder = next((workbench.folder / "data").iterdir())
        target = Path(scratch) / "plain.keras"
        plain, ours = [], []
        for pair in range(PAIRS + 1):
            if pair % 2:  # what drifts must not always meet the same one
                jobs, scripts = (
                    through_workbench(workbench),
                    by_code(workbench, folder, baseline.path, target),
                )
            else:
                scripts, jobs = (
                    by_code(workbench, folder, baseline.path, target),
                    through_workbench(workbench),
                )
            if pair:  # the first one warms the process up
                plain.append(scripts)
                ours.append(jobs)
                print(
                    f"  plain {scripts:.1f} s, workbench {jobs:.1f} s, ratio {jobs / scripts:.3f}", flush=True
                )
        alone = [by_script(folder, baseline.path, target) for _ in range(SCRIPTS)]
    ratios = [job / script for job, script in zip(ours, plain, strict=True)]
    low, high = median_interval(ratios)
    print(
        f"training through the workbench / plain Keras in the same process, {EPOCHS} epochs: "
        f"{statistics.median(ratios):.3f} (median of {PAIRS} pairs, 95 % interval {low:.3f}-{high:.3f}; "
        f"aim at most 1.05)"
    )
    print(
        f"training through the workbench / the script with its imports: "
        f"{statistics.median(ours) / statistics.median(alone):.3f} (medians of {PAIRS} and {SCRIPTS})"
    )


def by_code(workbench: Workbench, folder: Path, source: Path, target: Path) -> float:
    """Seconds of one training by plain code in the worker process."""
    executor = workbench.executor
    started = time.perf_counter()
    executor.spawn(
        executor.run(
            plain_training.train,
            folder,
            EPOCHS,
            source,
            target,
            worker="tensorflow",
            job="plain",
            on_event=lambda event: None,
        )
    ).result()
    return time.perf_counter() - started


def by_script(folder: Path, source: Path, target: Path) -> float:
    """Seconds of one training by the script, started as a process."""
    started = time.perf_counter()
    arguments = [str(folder), str(EPOCHS), str(source), str(target)]
    subprocess.run(
        [sys.executable, plain_training.__file__, *arguments], check=True, stderr=subprocess.DEVNULL
    )
    return time.perf_counter() - started


def through_workbench(workbench: Workbench) -> float:
    """Seconds from the call to the stored variant; its measuring is not waited for."""
    before = {variant.id for variant in workbench.variants}
    started = time.perf_counter()
    job = workbench.apply("structure.width", **PARAMETERS)
    while all(variant.id in before for variant in workbench.variants):
        if job.state.ended:
            job.wait()
        time.sleep(0.1)
    seconds = time.perf_counter() - started
    job.cancel()
    with contextlib.suppress(Cancelled):
        job.wait()
    return seconds


def median_interval(values: list[float]) -> tuple[float, float]:
    """A 95 % bootstrap interval of the median."""
    draws = np.random.default_rng(0).choice(values, (10_000, len(values)))
    low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
    return float(low), float(high)
