"""What the exit code of a command says."""

from __future__ import annotations

from workbench.api.errors import InvalidInput, Refused, Unavailable, WorkbenchError

DONE = 0
FAILED = 1
WRONG_INPUT = 2  # what click itself uses for a wrong option
DOES_NOT_FIT = 3
INTERRUPTED = 130  # 128 + SIGINT, as shells do


def exit_code(error: WorkbenchError) -> int:
    """The exit code for an error that ended a command."""
    if isinstance(error, InvalidInput):
        return WRONG_INPUT
    if isinstance(error, Refused | Unavailable):
        return DOES_NOT_FIT
    return FAILED
