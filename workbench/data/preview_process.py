"""Looks into data in a small process of its own: a kernel that must answer clicks reads no strangers' files.

``python -m workbench.data.preview_process <limits> <path> <limit_bytes>`` prints the answer as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from workbench.api.errors import InvalidInput, JobFailed
from workbench.api.text import Text, say
from workbench.data.preview import Preview
from workbench.data.raw import default_limit_bytes
from workbench.jobs.child_process import ChildLimits, limit_this_process, run_limited
from workbench.jobs.reporter import SilentReporter

_WALL_SECONDS = 60.0
_LIBRARIES_BYTES = 3 * 2**30
"""Address space, most of it never touched."""


async def previewed(path: Path) -> Preview:
    """What data look like.

    Args:
        path: As for :func:`workbench.data.preview.preview`.

    Raises:
        InvalidInput: If they cannot be read, and why.
        JobFailed: If looking takes too long, or more memory than there is for it.
    """
    limit = default_limit_bytes()
    limits = ChildLimits(
        address_space_bytes=_LIBRARIES_BYTES + 3 * limit,
        cpu_seconds=int(_WALL_SECONDS),
        wall_seconds=_WALL_SECONDS,
    )
    arguments = [str(path), str(limit)]
    ended = await asyncio.to_thread(
        run_limited, "workbench.data.preview_process", arguments, limits, SilentReporter()
    )
    if ended.code != 0 or not ended.output.strip():
        raise JobFailed(
            say("{name} takes too long or too much memory to be looked into.", name=path.name[:100]),
            say("It can be opened all the same."),
        )
    answer = json.loads(ended.output)
    if "error" in answer:
        raise InvalidInput(Text.model_validate(answer["error"]))
    return Preview.model_validate(answer["preview"])


def main() -> None:
    """Prints what the data in a path look like, or why they cannot be read."""
    path, limit = limit_this_process(sys.argv[1:])
    with suppress(OSError):
        os.nice(10)  # a measurement may be under way
    from workbench.api.errors import WorkbenchError
    from workbench.data.preview import preview

    try:
        answer = {"preview": preview(Path(path), int(limit)).model_dump(mode="json")}
    except WorkbenchError as error:
        answer = {"error": error.text.model_dump(mode="json")}
    except MemoryError:
        sys.exit(1)
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
