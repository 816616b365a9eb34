"""Ctrl-C ends a command and everything that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import PATIENCE_SECONDS, PROGRAM, environment

pytestmark = pytest.mark.slow


@contextmanager
def started(*words: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """``workbench`` at the head of its own process group, as a terminal starts it."""
    process = subprocess.Popen(
        [PROGRAM, *words],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        # What starts in the background of a shell inherits that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def press_ctrl_c(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)  # a terminal tells the whole group


def test_ctrl_c_during_run(tmp_path):
    (tmp_path / "recipe.yaml").write_text(
        "steps:\n- technique: structure.width\n  parameters: {epochs: 100}\n", "utf-8"
    )
    words = ("run", "recipe.yaml", "--model", "dense-digits", "--data", "digits", "--json")
    with started(*words, folder=tmp_path) as process:
        wait_for(lambda: len(descendants(process)) >= 4, process)
        processes = descendants(process)
        press_ctrl_c(process)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 130
        assert err.strip() == "Interrupted."
        assert out.strip() == "[]"
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    assert alive == []


def test_cluster_writes_its_address_and_ends_with_everything(tmp_path):
    with started("cluster", "--address-file", "address", folder=tmp_path) as process:
        wait_for((tmp_path / "address").is_file, process)
        address = (tmp_path / "address").read_text("utf-8")
        assert process.stdout.readline().strip() == f"WORKBENCH_SCHEDULER={address}"
        processes = descendants(process)
        assert processes
        press_ctrl_c(process)
        assert process.wait(PATIENCE_SECONDS) == 0
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    assert alive == []


def test_lab_says_where_it_is_and_nothing_else_and_ends_with_everything(tmp_path):
    with started("lab", "--no-browser", "--folder", "workbench", folder=tmp_path) as process:
        assert process.stdout.readline().startswith("JupyterLab is at http://127.0.0.1:")
        processes = descendants(process)
        assert processes
        press_ctrl_c(process)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert (process.returncode, err) == (0, "")
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    assert alive == []
