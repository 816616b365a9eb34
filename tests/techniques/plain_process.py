"""Runs plain code as a user does: where neither this package nor its widgets can be imported.

TensorFlow takes five seconds of a processor to import. So one process imports it, without using it, and each
run is a fork of that process: it starts with nothing but the imports, in a folder and with variables of its
own, and ends as a program does.

As a program this is that process: it reads one line of JSON for each run and answers with its exit code.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_MOST_SECONDS = 1500


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    returncode: int
    stdout: str
    stderr: str


def run_scripts(files: Sequence[Path], folder: Path, **environment: str) -> Ended:
    """Runs plain code in a process of its own, one script after the other.

    Args:
        files: The scripts.
        folder: Where they run; what they import lies there.
        **environment: Variables besides this process's.
    """
    process = _process()
    assert process.stdin is not None
    assert process.stdout is not None
    with tempfile.NamedTemporaryFile("w+") as out, tempfile.NamedTemporaryFile("w+") as complaints:
        run = {
            "files": [str(file) for file in files],
            "folder": str(folder),
            "environment": {**os.environ, "PYTHONPATH": "", **environment},
            "outputs": [out.name, complaints.name],
        }
        process.stdin.write(json.dumps(run) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, "the process that runs plain code has ended"
        return Ended(int(answer), out.read(), complaints.read())


@cache
def _process() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-P", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ""},
    )

    def end() -> None:
        process.communicate()

    atexit.register(end)
    return process


class _Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("workbench", "widgets"):
            raise ModuleNotFoundError(f"plain code imports {name}")


def main() -> None:
    """Forks for each line; only the parent comes back."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    sys.meta_path.insert(0, _Without())
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    for line in sys.stdin:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            answers.close()
            _run(**json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


def _run(files: list[str], folder: str, environment: dict[str, str], outputs: list[str]) -> None:
    signal.alarm(_MOST_SECONDS)  # one that hangs fails, and the others go on
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for descriptor, file in enumerate(outputs, 1):
        os.dup2(os.open(file, os.O_WRONLY), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = files
    sys.path.insert(0, "")
    for file in files:
        print(file, file=sys.stderr)
        runpy.run_path(file, run_name="__main__")


if __name__ == "__main__":
    main()
