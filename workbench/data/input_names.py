"""Names of a model's inputs that files and signatures can have."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from workbench.api.text import say
from workbench.data.raw import RawData

_OTHER = re.compile(r"[^A-Za-z0-9_.\-]+")
LONGEST = 100
_LIKELY = re.compile(rf"\w[\w .:+\-]{{0,{LONGEST - 1}}}")
"""What people call inputs."""


def safe_name(name: str) -> str:
    """A name with letters, digits, dots, dashes and underscores that begins with a letter or digit.

    The same for a model's input and for the array of the data with that name, so that they still meet.

    Args:
        name: Any name; one that is safe stays as it is.
    """
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = _OTHER.sub("_", plain).lstrip("_.-")[:LONGEST]
    return plain or f"input_{sum(name.encode()) % 10_000}"


def with_safe_inputs(raw: RawData) -> RawData:
    """The data with their inputs under the names that the model's get, see :func:`safe_name`.

    A name that could be a path or markup stays as it is, and is refused later.

    Args:
        raw: The data as read.
    """
    new = {name: safe_name(name) if _LIKELY.fullmatch(name) else name for name in raw.inputs}
    changed = [f"{old} → {name}"[:120] for old, name in new.items() if old != name]
    if not changed or len(set(new.values())) < len(new):
        return raw
    splits = {
        split: replace(samples, x={new.get(name, name): array for name, array in samples.x.items()})
        for split, samples in raw.splits.items()
    }
    note = say("Inputs were renamed: {names}.", names=tuple(changed))
    return replace(raw, splits=splits, notes=(*raw.notes, note))
