"""The command line as a user runs it: the installed program, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PROGRAM = Path(sysconfig.get_path("scripts")) / "workbench"
PATIENCE_SECONDS = 1500


class Finished(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def environment(folder: Path) -> dict[str, str]:
    """A user's environment: nothing of the tests' own reaches the command."""
    names = ("WORKBENCH_FOLDER", "WORKBENCH_SCHEDULER", "WORKBENCH_LANGUAGE", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return {**kept, "WORKBENCH_FOLDER": str(folder / "workbench"), "PYTHONIOENCODING": "utf-8"}


def workbench(*words: str | Path, folder: Path, **variables: str) -> Finished:
    """Runs ``workbench`` in ``folder`` and waits for its end."""
    ended = subprocess.run(
        [PROGRAM, *map(str, words)],
        cwd=folder,
        env={**environment(folder), **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
    )
    return Finished(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Finished]:
    """``workbench`` in an empty folder."""

    def command(*words: str | Path, **variables: str) -> Finished:
        return workbench(*words, folder=tmp_path, **variables)

    return command


@pytest.fixture
def write_recipe(tmp_path: Path) -> Callable[..., Path]:
    """Writes a recipe of the named techniques, or the text given."""

    def write(*techniques: str, text: str | None = None) -> Path:
        path = tmp_path / "recipe.yaml"
        path.write_text(text if text is not None else recipe(*techniques), "utf-8")
        return path

    return write


def recipe(*techniques: str) -> str:
    return "steps:\n" + "".join(f"- technique: {name}\n" for name in techniques)
