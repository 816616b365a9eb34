"""kill -9 at random moments: nothing that was finished is lost, nothing stays half.

Of each ten, six times the process that holds the workbench (a notebook's kernel), three times a worker
process or a child of one, each time another one, once the server that holds all workers.
``WORKBENCH_KILLS=50`` kills more often than the usual ten.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from workbench.jobs.cluster_process import ClusterProcess
from workbench.store import Store
from workbench.store.files import digest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(5400)]

KILLS = int(os.environ.get("WORKBENCH_KILLS", "10"))
KERNEL_KILLS = KILLS * 6 // 10
WORKER_KILLS = KILLS * 3 // 10
SERVER_KILLS = KILLS // 10
PATIENCE_S = 1200
"""Against hanging only: how much is done in a time says nothing."""


class Session:
    """The process of ``tests/crash/session.py`` and what it has said."""

    def __init__(self, folder: Path, scheduler: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.session", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "WORKBENCH_SCHEDULER": scheduler},
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                with self._news:
                    self.lines.append(line.strip())
                    self._news.notify_all()

    def said(self, start: str) -> list[str]:
        return [line for line in self.lines if line.startswith(start)]

    def wait_for(self, start: str, count: int = 1) -> None:
        self._wait(lambda: len(self.said(start)) >= count, f"{count} lines {start!r}")

    def wait_for_more_than(self, stored: Collection[str]) -> None:
        """Until a variant is stored besides these."""
        self._wait(lambda: not self.stored().keys() <= set(stored), "new variant")

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        with self._news:
            heard = self._news.wait_for(condition, PATIENCE_S)
        assert heard, f"no {what} in:\n" + "\n".join(self.lines[-30:])

    def stored(self) -> dict[str, str]:
        """The variants that it was told are stored, with their digests."""
        return {line.split()[1]: line.split()[2] for line in self.said("stored") if len(line.split()) == 3}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def cluster() -> Iterator[tuple[ClusterProcess, str]]:
    process = ClusterProcess()
    address = process.start()
    try:
        yield process, address
    finally:
        process.close()


def check(folder: Path, stored: dict[str, str]) -> None:
    """What must hold after any crash."""
    store = Store(folder)
    try:
        assert store.problems == ()
        kept = {variant.id: variant for variant in store.variants()}
        assert stored.keys() <= kept.keys()
        for id_, sha256 in stored.items():
            assert kept[id_].sha256 == sha256
        for variant in kept.values():
            assert digest(variant.path) == variant.sha256
        assert not [state for state in store.jobs() if not state.ended]
        assert {path.name for path in (folder / "variants").iterdir()} == set(kept)
        leftovers = [path for path in (folder / "staging").rglob("*") if path.is_file()]
        assert leftovers == []
    finally:
        store.close()


def test_killing_the_kernel(tmp_path: Path) -> None:
    rng = random.Random(1)
    stored: dict[str, str] = {}
    with cluster() as (_, address):
        for number in range(KERNEL_KILLS):
            session = Session(tmp_path / "folder", address)
            if not stored:
                session.wait_for("open")
            elif number % 3 == 0:
                session.wait_for_more_than(stored)
            else:
                session.wait_for("stored")
            time.sleep(rng.uniform(0.0, 3.0))
            session.kill()
            stored |= session.stored()
            check(tmp_path / "folder", stored)
    # One at the first opening, and one in each third session at least.
    assert len(stored) >= KERNEL_KILLS // 3


def test_killing_workers(tmp_path: Path) -> None:
    rng = random.Random(2)
    with cluster() as (process, address):
        session = Session(tmp_path / "folder", address)
        session.wait_for("open")
        for number in range(WORKER_KILLS):
            time.sleep(rng.uniform(0.2, 4.0))
            victims = psutil.Process(process.pid).children(recursive=True)
            with suppress(psutil.NoSuchProcess):
                victims[number % len(victims)].kill()
        # It goes on by itself: more variants come after the last kill.
        session.wait_for("stored", len(session.said("stored")) + 2)
        reasons = session.said("failed")
        stored = session.stored()
        session.kill()
    assert all(line.startswith("failed failed ") and len(line) > 40 for line in reasons), reasons
    check(tmp_path / "folder", stored)


def test_killing_the_server(tmp_path: Path) -> None:
    rng = random.Random(3)
    stored: dict[str, str] = {}
    for _ in range(SERVER_KILLS):
        with cluster() as (process, address):
            children = psutil.Process(process.pid).children(recursive=True)
            session = Session(tmp_path / "folder", address)
            session.wait_for("open")
            time.sleep(rng.uniform(0.0, 5.0))
            os.kill(process.pid, signal.SIGKILL)
            session.wait_for("failed")
            assert not [line for line in session.lines if "Traceback" in line], "\n".join(session.lines)
            stored |= session.stored()
            session.kill()
            _, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
            assert alive == []
        check(tmp_path / "folder", stored)
