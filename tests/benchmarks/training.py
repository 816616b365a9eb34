"""What a training job through the workbench costs over the same plain Keras code.

Both train the same network on the same arrays from the same seed, in turn, in the same worker process:
two processes of the same program differ by more than what is to be seen here, from where their memory
happens to lie. Seconds by the clock differ from run to run by a fifth on a machine that is shared with
others; so the processor time of all processes that take part is compared too. The plain code is also run
as a script of its own, imports included.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from tests.benchmarks import plain_training
from workbench import Workbench

EPOCHS = 4
PAIRS = 10
SCRIPTS = 3
PARAMETERS = {"factor": 1.0, "epochs": EPOCHS, "patience": EPOCHS, "batch_size": 32, "learning_rate": 1e-3}


class Cost(NamedTuple):
    """Of one training: seconds by the clock, and of all processors together."""

    seconds: float
    processor_seconds: float


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch, Workbench(Path(scratch) / "workbench") as workbench:
        baseline = workbench.open("cnn-mnist-5k", "mnist-5k").wait()
        assert baseline is not None
        folder = next((workbench.folder / "data").iterdir())
        target = Path(scratch) / "plain.keras"
        plain, ours = [], []
        for pair in range(PAIRS + 1):
            if pair % 2:  # what drifts must not always meet the same one
                jobs = through_workbench(workbench)
                script = by_code(workbench, folder, baseline.path, target)
            else:
                script = by_code(workbench, folder, baseline.path, target)
                jobs = through_workbench(workbench)
            if pair:  # the first one warms the process up
                plain.append(script)
                ours.append(jobs)
                print(
                    f"  plain {script.seconds:.1f} s ({script.processor_seconds:.1f} s of processors), "
                    f"workbench {jobs.seconds:.1f} s ({jobs.processor_seconds:.1f} s)",
                    flush=True,
                )
        alone = [by_script(folder, baseline.path, target) for _ in range(SCRIPTS)]
    for what, measured, script in (
        ("by the clock", [one.seconds for one in ours], [one.seconds for one in plain]),
        (
            "of processor time",
            [one.processor_seconds for one in ours],
            [one.processor_seconds for one in plain],
        ),
    ):
        ratios = [job / code for job, code in zip(measured, script, strict=True)]
        low, high = median_interval(ratios)
        print(
            f"training through the workbench / plain Keras in the same process, {EPOCHS} epochs, {what}: "
            f"{statistics.median(ratios):.3f} (median of {PAIRS} pairs, 95 % interval {low:.3f}-{high:.3f}; "
            f"aim at most 1.05)"
        )
    print(
        f"training through the workbench / the script with its imports, by the clock: "
        f"{statistics.median(one.seconds for one in ours) / statistics.median(alone):.3f} "
        f"(medians of {PAIRS} and {SCRIPTS})"
    )


def stopwatch() -> Callable[[], Cost]:
    """A function that tells what was spent since here, in this process and those below it."""
    started, before = time.perf_counter(), processor_seconds()
    return lambda: Cost(time.perf_counter() - started, processor_seconds() - before)


def processor_seconds() -> float:
    """Of this process, of those below it that live, and of those that ended and were waited for."""
    this = psutil.Process()
    times = [one.cpu_times() for one in (this, *this.children(recursive=True))]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


def by_code(workbench: Workbench, folder: Path, source: Path, target: Path) -> Cost:
    """One training by plain code in the worker process."""
    executor = workbench.executor
    cost = stopwatch()
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
    return cost()


def by_script(folder: Path, source: Path, target: Path) -> float:
    """Seconds of one training by the script, started as a process."""
    started = time.perf_counter()
    arguments = [str(folder), str(EPOCHS), str(source), str(target)]
    subprocess.run(
        [sys.executable, plain_training.__file__, *arguments], check=True, stderr=subprocess.DEVNULL
    )
    return time.perf_counter() - started


def through_workbench(workbench: Workbench) -> Cost:
    """From the call to the stored variant. Its measuring is waited for, but does not count."""
    before = {variant.id for variant in workbench.variants}
    cost = stopwatch()
    job = workbench.apply("structure.width", **PARAMETERS)
    while all(variant.id in before for variant in workbench.variants):
        if job.state.ended:
            job.wait()
        time.sleep(0.02)
    made = cost()
    job.wait()
    return made


def median_interval(values: list[float]) -> tuple[float, float]:
    """A 95 % bootstrap interval of the median."""
    draws = np.random.default_rng(0).choice(values, (10_000, len(values)))
    low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
    return float(low), float(high)
