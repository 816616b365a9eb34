"""A look at a variant on its way: what is known by now, and waiting for the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from workbench.jobs.job import Job

if TYPE_CHECKING:
    from workbench.workbench import Workbench

Found = TypeVar("Found")
Reference = TypeVar("Reference", str, str | None)


class Look(ABC, Generic[Found, Reference]):
    """A look on its way.

    Attributes:
        job: The work.
        variant: Identifier of what is looked at.
        reference: Identifier of what it is held against; None for nothing, where a look needs none.

    Args:
        workbench: Whose variant it is.
        job: The work.
        variant: Identifier of what is looked at.
        reference: Identifier of what it is held against.
    """

    def __init__(self, workbench: Workbench, job: Job, variant: str, reference: Reference) -> None:
        self.job, self.variant = job, variant
        self.reference: Reference = reference
        self._workbench = workbench

    def wait(self, timeout: float | None = None) -> Found:
        """Waits until everything is known, and shows how far it is.

        Args:
            timeout: Seconds to wait at most; None for ever.

        Raises:
            WorkbenchError: Why it failed.
            Cancelled: If it was cancelled.
            TimeoutError: If it has not ended in time; it goes on.
        """
        self.job.wait(timeout)
        return self.now

    @property
    @abstractmethod
    def now(self) -> Found:
        """What is known by now."""
