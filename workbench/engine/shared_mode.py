"""What holds on a page that strangers use: ``WORKBENCH_SHARED=1``, set by ``workbench dashboard --shared``.

Demo models and built-in data only, or, with ``WORKBENCH_UPLOADS=1``, also files that the visitor
has sent; never another file of the server. One job at a time for each visitor, with a time limit; a few wait.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.api.errors import Refused
from workbench.api.text import say
from workbench.jobs.limits import Limits
from workbench.jobs.state import JobState

JOB_LIMITS = Limits(cpu_seconds=1200, wall_seconds=900)
"""What one job of a stranger may take."""
_MOST_WAITING = 3
"""Jobs of one visitor behind the one that runs."""
SHELF_VARIABLE = "WORKBENCH_SHELF"
"""Names the folder of the shelf; set by ``workbench dashboard --shared``."""


def shared_mode() -> bool:
    """Whether this process serves people who must not run code of their own."""
    return os.environ.get("WORKBENCH_SHARED") == "1"


def shelf_folder() -> Path:
    """Where the shelf of this user is: beside the visitors' folders, so that files can be linked."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir()) / f"workbench-shelf-{socket.gethostname()}-{user}"


def require_allowed(model: Any, data: Any, folder: Path) -> None:
    """Refuses what a visitor of a shared page may not open.

    Args:
        model: As given to :meth:`Workbench.open`.
        data: As given to it; None if only a model is opened.
        folder: The visitor's workbench; what was sent lies in it or beside it.

    Raises:
        Refused: With what is allowed.
    """
    if not shared_mode():
        return
    from workbench.data.builtin import BUILTINS
    from workbench.models.demo.demo import DEMO_MODELS

    uploads = os.environ.get("WORKBENCH_UPLOADS") == "1"
    for value, built_in in ((model, DEMO_MODELS), (data, BUILTINS)):
        if value is None or (isinstance(value, str) and value in built_in):
            continue
        if uploads and isinstance(value, str | Path):
            path = Path(value).resolve()
            if any(path.is_relative_to(home) for home in (folder, *_upload_folders())):
                continue
        raise Refused(
            say("On this shared page, {what} cannot be opened.", what=str(value)[:80]),
            say("Choose from: {names}.", names=tuple(built_in)),
        )


def require_idle(jobs: Sequence[JobState]) -> None:
    """Refuses a second job of a visitor.

    Raises:
        Refused: If one is on its way.
    """
    if shared_mode() and any(not job.ended for job in jobs):
        raise Refused(
            say("On a shared page each visitor has one job at a time."),
            say("Wait until it ends, or cancel it."),
        )


def require_room(jobs: Sequence[JobState]) -> None:
    """Refuses what would wait behind many jobs of the same visitor; a few may wait for their turn.

    Raises:
        Refused: If too many wait already.
    """
    if shared_mode() and sum(not job.ended for job in jobs) > _MOST_WAITING:
        raise Refused(
            say("On a shared page at most {count} jobs of a visitor wait.", count=_MOST_WAITING),
            say("Wait until one has ended, or cancel one."),
        )


def _upload_folders() -> tuple[Path, ...]:
    named = os.environ.get("WORKBENCH_FOLDER")
    return (Path(named).resolve(),) if named else ()
