"""Openings of other processes in the folders beside: a page that was closed may still be at one."""

from __future__ import annotations

import sqlite3
from collections.abc import Container
from datetime import UTC, datetime
from pathlib import Path

from workbench.engine.shared_mode import shared_mode
from workbench.engine.workbench_folders import DATABASE
from workbench.jobs.live_states import LiveStates
from workbench.jobs.state import PROCESS_ENDED, JobState
from workbench.store.ownership import lives

_UNDER_WAY = "SELECT owner, record FROM jobs WHERE status IN ('queued', 'running') ORDER BY number DESC"
_BUSY_SECONDS = 1


class OpeningElsewhere:
    """An opening that another process is at, as it is seen from here.

    Args:
        folder: Of the workbench that it is for.
        owner: The mark of its process.
        state: What is known of it.
        connection: To the database of that folder, taken over. Where the opening comes to nothing the
            folder goes, and what is open of it still says why.
    """

    def __init__(self, folder: Path, owner: str, state: JobState, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.state = state
        self._owner = owner
        self._connection = connection

    def look(self) -> JobState:
        """What is known of it now."""
        try:
            query = "SELECT record FROM jobs WHERE id = ?"
            row = self._connection.execute(query, (self.state.id,)).fetchone()
        except sqlite3.Error:
            row = None
        if row is not None:
            self.state = JobState.model_validate_json(row[0])
        if self.state.ended:
            self._connection.close()
        elif row is None or not lives(self.folder / "owners", self._owner):
            self.state = self.state.model_copy(
                update={"status": "interrupted", "error": PROCESS_ENDED, "finished": datetime.now(UTC)}
            )
            self._connection.close()
        else:
            self.state = LiveStates(self.folder / "live").read(self.state.id) or self.state
        return self.state

    def cancel(self) -> None:
        """Asks its process to cancel it, which it does within seconds."""
        with sqlite3.connect(self.folder / DATABASE, timeout=_BUSY_SECONDS) as base:
            base.execute(
                "INSERT OR REPLACE INTO facts (name, value) VALUES (?, 'asked')", (f"cancel {self.state.id}",)
            )
        base.close()


def openings_elsewhere(folder: Path, known: Container[Path]) -> tuple[OpeningElsewhere, ...]:
    """The openings beside a folder that other processes are at; on a shared page, none.

    Args:
        folder: Of the workbench that is shown.
        known: Folders that this process has open itself.
    """
    if shared_mode():
        return ()
    found = []
    for beside in folder.parent.iterdir():
        if beside == folder or beside in known or not (beside / DATABASE).is_file():
            continue
        connection = sqlite3.connect(
            f"{(beside / DATABASE).as_uri()}?mode=ro",
            uri=True,
            timeout=_BUSY_SECONDS,
            check_same_thread=False,
        )
        try:
            rows = connection.execute(_UNDER_WAY).fetchall()
        except sqlite3.Error:  # another program's file, or one that is just being made
            rows = []
        for owner, record in rows:
            state = JobState.model_validate_json(record)
            if state.kind == "open" and lives(beside / "owners", owner):
                found.append(OpeningElsewhere(beside, owner, state, connection))
                break  # a workbench opens one model at a time
        else:
            connection.close()
    return tuple(found)
