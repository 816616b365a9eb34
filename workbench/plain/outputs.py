"""Which output of a converted file is which of the model's, by the names that a converter gave."""

from __future__ import annotations

import re
from collections.abc import Sequence


def plain_name(name: str) -> str:
    """The Keras name inside the name that a converter gave: ``serving_default_image:0`` is ``image``."""
    return re.sub(r":\d+$", "", name).removeprefix("serving_default_")


def position(names: Sequence[str], output: tuple[str, int] | None = None) -> int:
    """Where an output of the model stands among those of a file.

    Args:
        names: The file's outputs, in its order.
        output: Its name in the model, and its position there; None is the first.

    Raises:
        IndexError: If the file has no such output.
    """
    name, number = output or ("", 0)
    for wanted, candidates in ((name, list(names)), (plain_name(name), [plain_name(one) for one in names])):
        if output is not None and candidates.count(wanted) == 1:
            return candidates.index(wanted)
    return _numbered(names)[number]


def _numbered(names: Sequence[str]) -> list[int]:
    """Positions in the order of the numbers that a converter gave, else as they come.

    Converters number outputs but may store them in another order.
    """
    matches = [match for match in (re.fullmatch(r"(.*?)(\d+)", name) for name in names) if match]
    if len(matches) < len(names) or len({match[1] for match in matches}) != 1:
        return list(range(len(names)))
    return sorted(range(len(names)), key=lambda place: int(matches[place][2]))
