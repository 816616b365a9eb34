"""What a lesson asks and what is right, which stands in its source and not in its notebooks.

In the source such cells are marked. Their code runs when the lesson is begun, with ``prediction``, ``check``
and ``question`` to say what there is, and ``both`` for what is said in each language::

    # %% tags=["hidden"]
    prediction("size", both("How many times smaller?", "会小几倍？"), unit="×")

    @check("share", both("The share of weights", "权重的比例"))
    def share():
        weights = 4 * lesson.workbench.baseline.description.parameters
        yield weights / size_of_file()  # first what is right, then typical wrong answers with what helps
        yield size_of_file() / weights, both("Upside down.", "上下颠倒了。")
"""

from __future__ import annotations

import re
from pathlib import Path
from types import CodeType

_CELL = re.compile(r"^# %%(?P<marks>.*)$")
HIDDEN = "hidden"
"""The tag of a cell that is in no notebook."""


def hidden_code(source: Path) -> CodeType:
    """The marked cells of a lesson as one program, whose errors name the lines of the file.

    Args:
        source: The lesson.
    """
    lines, shown = [], False
    for line in source.read_text(encoding="utf-8").splitlines():
        cell = _CELL.match(line)
        if cell is not None:
            shown = f'"{HIDDEN}"' in cell["marks"]
        lines.append(line if shown else "")
    return compile("\n".join(lines) + "\n", str(source), "exec")
