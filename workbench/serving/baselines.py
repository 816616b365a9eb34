"""Opens every built-in model once and measures it: ``python -m workbench.serving.baselines FOLDER``.

A shared page's server runs it at its start, in a process of its own, which takes its memory with it. Visitors
then find them measured. One that is asked for meanwhile waits for it; what is on the shelf already is not
measured again. Visitors who have something else made go first.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from workbench.api.errors import WorkbenchError
from workbench.models.demo.demo import DEMO_MODELS

_SECONDS_BETWEEN_LOOKS = 2.0


@contextlib.contextmanager
def baselines_measured(scratch: Path) -> Iterator[None]:
    """Within it, a process measures them; it is ended with it.

    Args:
        scratch: A folder for what it needs meanwhile.
    """
    command = [sys.executable, "-m", "workbench.serving.baselines", str(scratch)]
    process = subprocess.Popen(command, start_new_session=True)  # noqa: S603  (ours; Ctrl-C is for the server)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def measure_baselines(scratch: Path) -> None:
    """Opens them one after the other, in the order in which they are offered."""
    from workbench.engine.shelving import others_are_at_work
    from workbench.workbench import Workbench

    for number, model in enumerate(DEMO_MODELS.values()):
        while number and others_are_at_work():  # the first is the one that every page opens
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        with (
            contextlib.suppress(WorkbenchError),  # a visitor who opens it is told
            tempfile.TemporaryDirectory(dir=scratch, prefix="baseline-") as folder,
            Workbench(folder) as workbench,
        ):
            workbench.open(model.name, model.dataset).wait()


if __name__ == "__main__":
    measure_baselines(Path(sys.argv[1]))
