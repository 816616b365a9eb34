"""Errors that teach: what came, what is allowed, what to do next."""

from __future__ import annotations

from typing import Any

from workbench.api.text import Text, say


class WorkbenchError(Exception):
    """A problem that the user can understand and act on; shown without a traceback.

    Attributes:
        problem: What is wrong, with what was received.
        action: What to do next; None where the problem says it.
    """

    def __init__(self, problem: Text, action: Text | None = None) -> None:
        super().__init__(problem, action)
        self.problem = problem
        self.action = action

    @property
    def text(self) -> Text:
        """Problem and action as one text."""
        if self.action is None:
            return self.problem
        return say("{problem} {action}", problem=self.problem, action=self.action)

    def __str__(self) -> str:
        return str(self.text)

    def as_json(self) -> dict[str, Any]:
        """What another process needs to raise the same; see :func:`error_from_json`."""
        return {
            "kind": type(self).__name__,
            "problem": self.problem.model_dump(mode="json"),
            "action": self.action and self.action.model_dump(mode="json"),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problem, self.action)


class InvalidInput(WorkbenchError):
    """A value, file or data set that cannot be used as it is."""


class Refused(WorkbenchError):
    """Something that the workbench could do and does not, with the reason."""


class Unavailable(WorkbenchError):
    """Something that this machine or installation lacks."""


class JobFailed(WorkbenchError):
    """A job that ended without its result."""


class TensorFlowCrashed(JobFailed):
    """A job whose process was ended by a fault in TensorFlow's native code."""


class Cancelled(Exception):
    """Raised inside a worker when the user has cancelled the job."""


def error_from_json(told: dict[str, Any]) -> WorkbenchError:
    """The error that another process has told by :meth:`WorkbenchError.as_json`.

    Args:
        told: What it said; a kind that is not known here is a :class:`JobFailed`.
    """
    kinds = (InvalidInput, Refused, Unavailable, JobFailed, TensorFlowCrashed)
    kind = next((known for known in kinds if known.__name__ == told["kind"]), JobFailed)
    action = told.get("action")
    return kind(Text.model_validate(told["problem"]), action and Text.model_validate(action))
