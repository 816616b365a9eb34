"""What an inspection of a foreign file found, and the limits that it is held to."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal

from workbench.api.errors import InvalidInput, Refused, WorkbenchError
from workbench.api.file_format import file_format
from workbench.api.text import Text, say

Kind = Literal["keras", "h5", "saved model", "tflite", "onnx", "unknown"]

SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "keras": (file_format("keras").suffix,),
    "h5": (".h5", ".hdf5"),
    "tflite": (file_format("tflite").suffix,),
    "onnx": (file_format("onnx").suffix,),
}
"""What files of each kind that can be opened are called, the usual one first."""

MEBIBYTE = 1 << 20
LARGEST_FILE_BYTES = 4 << 30
LARGEST_WEIGHTS_BYTES = 4 << 30
LARGEST_CONFIG_BYTES = 32 * MEBIBYTE
DEEPEST_CONFIG = 200
MOST_OBJECTS = 100_000
"""Groups and datasets in one HDF5 file, members in one archive."""
EXPANSION = 100
"""Bytes that a file may declare for each byte that it holds, above :data:`FREE_EXPANSION_BYTES`."""
FREE_EXPANSION_BYTES = 64 * MEBIBYTE
LARGEST_UNSTORED_AXIS = 4096
"""A longer axis in a layer's configuration must be seen in the stored weights too."""
LARGEST_ACTIVATION_ELEMENTS = 1 << 28
"""Elements of one layer's output for one sample."""


@dataclass(frozen=True)
class Problem:
    """A reason not to open a file.

    Attributes:
        problem: What is wrong, with what was received.
        action: What to do about it.
        refused: True for something that could be done and is not; False for a broken file.
        trust: Whether it goes away when the user says that the file can be trusted.
        needs: Names of what the user can define in a file of code to make it go away.
    """

    problem: Text
    action: Text | None = None
    refused: bool = False
    trust: bool = False
    needs: tuple[str, ...] = ()

    def error(self, *, shared: bool = False) -> WorkbenchError:
        """The error to raise.

        Args:
            shared: Whether the page is shared; it has no switch to trust a file.
        """
        action = self.action
        if self.trust and not shared:
            trusted = say("If you made this file or know who did, open it again and say that you trust it.")
            action = trusted if action is None else say("{one} {two}", one=action, two=trusted)
        if self.needs and not shared:
            given = say("Or give the Python file that defines them: --code layers.py, or code='layers.py'.")
            package = self._package()
            if package is not None:
                given = say(
                    "Or trust the package that defines them: --trust-packages {package}, or "
                    "trust_packages=['{package}'].",
                    package=package,
                )
            action = given if action is None else say("{one} {two}", one=action, two=given)
        return (Refused if self.refused else InvalidInput)(self.problem, action)

    def _package(self) -> str | None:
        """The installed package that defines all of it, as the names tell; None if that is not clear."""
        names = {need.partition(">")[0] for need in self.needs if ">" in need}
        if len(names) != 1 or any(">" not in need for need in self.needs):
            return None
        (name,) = names
        return name if name.isidentifier() and importlib.util.find_spec(name) is not None else None


@dataclass(frozen=True)
class Inspection:
    """What is known of a file before anything but this package has read it.

    Attributes:
        kind: By content, never by file name.
        problems: Reasons not to open it; the first one is shown.
        notes: What the user should know.
        keras_version: Version that wrote it, if it says so.
        optimizer_bytes: Bytes of stored optimizer state.
    """

    kind: Kind
    problems: tuple[Problem, ...] = ()
    notes: tuple[Text, ...] = ()
    keras_version: str = ""
    optimizer_bytes: int = 0


def size_text(size: float) -> str:
    """A number of bytes for people, such as ``1.0 GiB``."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def expands_too_much(declared: int, held: int) -> bool:
    """Whether a file declares far more bytes than it holds."""
    return declared > FREE_EXPANSION_BYTES and declared > EXPANSION * held


def damaged(name: str) -> Problem:
    """The problem of a file that ends early or was changed on its way."""
    return Problem(say("{name} is damaged or cut short.", name=name), say("Copy, download or save it again."))
