"""Energy from a meter, or the plain word that there is none."""

from __future__ import annotations

import math
import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from workbench.api.errors import InvalidInput
from workbench.api.technique import Reporter
from workbench.api.text import say
from workbench.measure import environment as machine
from workbench.measure.child_process import run_in_child
from workbench.measure.latency import Candidate
from workbench.measure.records import EnergyMeasurement

LEAST_S = 10.0
"""Shorter watching would count the meter's steps, not the model."""

COMMAND_VARIABLE = "WORKBENCH_ENERGY_COMMAND"
"""The environment variable that names a meter of one's own: see :class:`CommandMeter`."""

POWERCAP = Path("/sys/class/powercap")

_SAMPLE_S = 0.1
_COMMAND_S = 10


class Meter(Protocol):
    """Something that counts the energy that the machine has used."""

    name: str

    def joules(self) -> float:
        """Energy since some fixed moment."""

    def close(self) -> None:
        """Stops watching."""


class RaplMeter:
    """The energy counters of the processor packages (Intel and AMD), as Linux shows them.

    Args:
        counters: Folders with ``energy_uj`` and ``max_energy_range_uj``.
    """

    name = "RAPL package"

    def __init__(self, counters: list[Path]) -> None:
        self._counters = counters
        self._ranges = [_number(folder / "max_energy_range_uj") for folder in counters]
        self._last = self._read()
        self._total = 0

    def joules(self) -> float:
        """Energy since the meter was made; must be asked before a counter has wrapped twice."""
        now = self._read()
        for before, after, most in zip(self._last, now, self._ranges, strict=True):
            self._total += after - before if after >= before else after - before + most
        self._last = now
        return self._total / 1e6

    def close(self) -> None:
        """Nothing is held open."""

    def _read(self) -> list[int]:
        return [_number(folder / "energy_uj") for folder in self._counters]


class NvmlMeter:
    """The energy counters of all NVIDIA GPUs (Volta or later), as their driver's library shows them.

    Raises:
        pynvml.NVMLError: If there is no driver, no GPU, or a GPU that does not count.
    """

    name = "NVML GPU energy"

    def __init__(self) -> None:
        import pynvml

        self._library = pynvml
        pynvml.nvmlInit()
        try:
            count = pynvml.nvmlDeviceGetCount()
            if not count:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
            self._gpus = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(count)]
            self._start = self._millijoules()
        except pynvml.NVMLError:
            pynvml.nvmlShutdown()
            raise

    def joules(self) -> float:
        """Energy since the meter was made."""
        return (self._millijoules() - self._start) / 1000

    def close(self) -> None:
        """Lets go of the driver's library."""
        self._library.nvmlShutdown()

    def _millijoules(self) -> int:
        return sum(self._library.nvmlDeviceGetTotalEnergyConsumption(gpu) for gpu in self._gpus)


class CommandMeter:
    """A meter of one's own: a command that prints the joules since some fixed moment.

    Args:
        command: Program and arguments, such as ``read-my-plug --joules``; no shell is asked.

    Raises:
        workbench.api.errors.InvalidInput: If it cannot be started, fails, takes longer than 10 s, or prints
            anything but a number.
    """

    def __init__(self, command: str) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:  # a quotation mark that is not closed
            raise _no_number(command, str(error)) from error
        self._command = command
        self.name = Path(self._words[0]).name if self._words else command
        self.joules()

    def joules(self) -> float:
        """Energy since some fixed moment, as the command says it."""
        try:
            said = subprocess.run(  # noqa: S603  # whoever runs the workbench has named it
                self._words, capture_output=True, text=True, timeout=_COMMAND_S, check=True
            ).stdout
            joules = float(said)
        except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
            raise _no_number(self._command, str(error)) from error
        if not math.isfinite(joules):
            raise _no_number(self._command, said.strip())
        return joules

    def close(self) -> None:
        """Nothing is held open."""


def _no_number(command: str, reason: str) -> InvalidInput:
    return InvalidInput(
        say("The energy meter {command!r} gave no number: {reason}", command=command, reason=reason[:200]),
        say("{variable} names a command that prints joules since a fixed moment.", variable=COMMAND_VARIABLE),
    )


def _nvml_meter() -> NvmlMeter | None:
    try:
        import pynvml
    except ImportError:  # it comes with the extra tensorrt
        return None
    try:
        return NvmlMeter()
    except pynvml.NVMLError:
        return None


def find_meter(runtime: str, powercap: Path = POWERCAP) -> Meter | None:
    """The meter of the user's own, or that of the processor that a runtime uses, or None.

    Args:
        runtime: Name of the runtime; ``tensorrt`` runs on the GPU.
        powercap: Where Linux shows the counters.
    """
    if command := os.environ.get(COMMAND_VARIABLE, "").strip():
        return CommandMeter(command)
    if runtime == "tensorrt":
        return _nvml_meter()
    counters = [
        folder
        for folder in sorted(powercap.glob("intel-rapl:*"))
        # Packages only: "intel-rapl:0:0" and the like are parts of them.
        if folder.name.count(":") == 1 and _readable(folder / "energy_uj")
    ]
    return RaplMeter(counters) if counters else None


def measure_energy(
    report: Reporter,
    candidate: Candidate,
    dataset_folder: Path,
    *,
    seconds: float = LEAST_S,
    meter: Meter | None = None,
) -> EnergyMeasurement:
    """Net energy of one sample: at least 10 s of inference, less as long an idle baseline.

    Args:
        report: Progress and cancellation.
        candidate: The file.
        dataset_folder: The prepared data.
        seconds: How long to watch, at least 10.
        meter: What to read; found on this machine if None.

    Returns:
        With ``reason`` instead of numbers where the machine has no meter. Energy is never
        estimated from time.

    Raises:
        ValueError: For less than 10 s.
        workbench.api.errors.InvalidInput: If the file cannot be run.
    """
    from workbench.jobs.slot import exclusive_slot

    if seconds < LEAST_S:
        raise ValueError(f"energy is watched for at least {LEAST_S} s. Received: {seconds}")
    meter = meter or find_meter(candidate.runtime)
    environment = machine.environment().id
    if meter is None:
        return EnergyMeasurement(
            variant=candidate.variant,
            reason=say("Not measurable on this machine: it shows no energy meter (RAPL, NVML)."),
            environment=environment,
        )
    try:
        with exclusive_slot(report, say("measuring energy")):
            report.stage(say("Measuring the idle machine's power"))
            idle_watts = _idle_watts(report, meter, seconds)
            report.stage(say("Measuring energy"))
            joules, calls, spent = _busy(report, meter, candidate, dataset_folder, seconds)
    finally:
        meter.close()
    samples = calls * candidate.settings.batch
    return EnergyMeasurement(
        variant=candidate.variant,
        meter=meter.name,
        joules_per_sample=(joules - idle_watts * spent) / samples,
        idle_watts=idle_watts,
        busy_watts=joules / spent,
        seconds=spent,
        samples=samples,
        environment=environment,
    )


def _idle_watts(report: Reporter, meter: Meter, seconds: float) -> float:
    start, before = time.monotonic(), meter.joules()
    while (spent := time.monotonic() - start) < seconds:
        report.check()
        report.progress(0.5 * spent / seconds)
        time.sleep(_SAMPLE_S)
    after = meter.joules()
    return (after - before) / (time.monotonic() - start)


def _busy(
    report: Reporter, meter: Meter, candidate: Candidate, dataset_folder: Path, seconds: float
) -> tuple[float, int, float]:
    marks: list[tuple[float, float]] = []

    def mark() -> None:
        marks.append((time.monotonic(), meter.joules()))

    with tempfile.TemporaryDirectory() as folder:
        answer = run_in_child(
            report,
            "work",
            [candidate],
            Path(folder),
            on_message=_on_work(report, mark),
            dataset=str(dataset_folder),
            seconds=seconds,
        )
    (start, before), (end, after) = marks[0], marks[-1]
    return after - before, int(answer["calls"]), end - start


def _on_work(report: Reporter, mark: Callable[[], None]) -> Callable[[dict[str, object]], None]:
    def on_message(message: dict[str, object]) -> None:
        if "started" in message or "finished" in message:
            mark()
        elif isinstance(fraction := message.get("progress"), float):
            report.progress(0.5 + 0.5 * fraction)

    return on_message


def _number(path: Path) -> int:
    return int(path.read_text())


def _readable(path: Path) -> bool:
    try:
        _number(path)
    except (OSError, ValueError):
        return False
    return True
