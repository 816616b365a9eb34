"""What a built-in data set is: something that is known by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from workbench.api.text import Text
from workbench.data.raw import RawData


@dataclass(frozen=True)
class BuiltIn(ABC):
    """A data set that is known by name.

    Attributes:
        name: What the user types.
        title: Shown to the user.
    """

    name: str
    title: Text

    @property
    def needs_internet(self) -> bool:
        """Whether reading it now would download something."""
        return False

    def obstacle(self) -> Text | None:
        """Why it cannot be read here and now, or None. May ask a server and wait up to three seconds."""
        return None

    @abstractmethod
    def read(self) -> RawData:
        """Reads it.

        Raises:
            workbench.api.errors.Unavailable: If it must be downloaded and cannot be.
        """
