"""How far jobs are, for the other processes in a folder: a page that is opened again sees its job run.

The database keeps how a job began and ended. What lies between changes many times a second, is worth
nothing afterwards, and is written here once a second at most, unsynced, while it lasts.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from workbench.jobs.state import JobState

_SECONDS = 1.0
_LARGEST_BYTES = 4 * 2**20


class LiveStates:
    """One file for each job that runs.

    Args:
        folder: Where they lie; made when there is one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, float] = {}

    def write(self, state: JobState) -> None:
        """Shows the others a state of a job of this process; some are passed over."""
        now = time.monotonic()
        # Where it cannot be written, the others see it begin and end.
        with suppress(OSError):
            if state.ended:
                self._written.pop(state.id, None)
                self._file(state.id).unlink(missing_ok=True)
            elif state.status == "running" and now - self._written.get(state.id, -_SECONDS) >= _SECONDS:
                self._written[state.id] = now
                self._folder.mkdir(exist_ok=True)
                draft = self._file(state.id).with_suffix(".partial")
                draft.write_text(state.model_dump_json(), encoding="utf-8")
                draft.replace(self._file(state.id))

    def read(self, job: str) -> JobState | None:
        """What another process shows of a job; None if that is nothing."""
        file = self._file(job)
        try:
            if file.stat().st_size > _LARGEST_BYTES:
                return None
            return JobState.model_validate_json(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, ValidationError):
            return None

    def _file(self, job: str) -> Path:
        return self._folder / f"{job}.json"
