"""What every test relies on: quiet TensorFlow, no GPU unless asked, no deadline on a loaded machine.

And what many tests start from and none of them is about: worker processes, and an opened model.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from workbench.api.privacy import forbid_telemetry
from workbench.jobs.cluster_process import serve_cluster
from workbench.jobs.executor import Executor
from workbench.workbench import Workbench

forbid_telemetry()  # also where a test imports a runtime's package itself
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

# Two test processes share the machine: neither waits for the other's turn to measure.
_slot = tempfile.TemporaryDirectory(prefix="workbench-slot-")
os.environ["WORKBENCH_SLOT_FOLDER"] = _slot.name

# A timing of full length is for the tests of timing (see tests/measure/conftest.py); of all others the
# numbers are real and short. Where it stands already, it is kept: empty for the full length everywhere.
os.environ.setdefault("WORKBENCH_SHORT_TIMING", "1")

hypothesis.settings.register_profile("default", deadline=None, derandomize=True)
hypothesis.settings.load_profile("default")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """``made_once(name, make)``: a folder that ``make`` fills, once for all processes of this test run."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # each process has a folder of its own in that of the run

    def of(name: str, make: Callable[[Path], None]) -> Path:
        folder = base / f"once-{name}"
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                begun = Path(tempfile.mkdtemp(dir=base)) / "folder"
                make(begun)
                begun.rename(folder)
        return folder

    return of


@pytest.fixture(scope="session")
def scheduler() -> Iterator[str]:
    """Worker processes for all tests that are not about them, and for the programs that they start.

    Each start imports TensorFlow. It is the address that ``WORKBENCH_SCHEDULER`` takes.
    """
    cluster, address = serve_cluster()
    yield address
    cluster.close()


@pytest.fixture(scope="session")
def executor(scheduler: str) -> Iterator[Executor]:
    """The way to those worker processes."""
    executor = Executor(scheduler)
    executor.start()
    yield executor
    executor.close()


@pytest.fixture(scope="session")
def opened_digits(made_once: Callable[..., Path], executor: Executor) -> Path:
    """A workbench with the digits model, opened and measured. Copy it, do not use it."""

    def make(folder: Path) -> None:
        with Workbench(folder, executor=executor) as workbench:
            workbench.open("dense-digits", "digits").wait()

    return made_once("opened-digits", make)
