"""Files between kernel and page, in parts that no server's message limit stops."""

from __future__ import annotations

import math
import secrets
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.text import say

PART_BYTES = 2 * 1024 * 1024
UPLOAD_LIMIT_BYTES = 200 * 1000 * 1000
"""The largest file that a page may send."""


def send_file(widget: Any, name: str, content: bytes) -> None:
    """Lets the reader's browser save a file.

    Args:
        widget: The widget whose page asked for it.
        name: File name that the browser suggests.
        content: The file.
    """
    transfer = secrets.token_hex(8)
    parts = max(1, math.ceil(len(content) / PART_BYTES))
    for part in range(parts):
        message = {"type": "file", "transfer": transfer, "name": name, "part": part, "parts": parts}
        widget.send(message, [content[part * PART_BYTES : (part + 1) * PART_BYTES]])


class Uploads:
    """Files on their way from a page.

    Args:
        folder: Says where a file that starts now is to lie. It stays there: a job that is run
            again reads it again.
        limit_bytes: The largest file.
    """

    def __init__(self, folder: Callable[[], Path], limit_bytes: int = UPLOAD_LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self._folder = folder
        self._open: dict[str, tuple[Path, int]] = {}

    def take(
        self, transfer: object, file: object, part: object, parts: object, content: bytes
    ) -> Path | None:
        """Adds a part; returns the file once the last part is there.

        Raises:
            InvalidInput: If the page sent nonsense, or the file is too large.
        """
        if not (
            isinstance(transfer, str)
            and isinstance(file, str)
            and isinstance(part, int)
            and isinstance(parts, int)
            and 0 <= part < parts
        ):
            raise InvalidInput(say("The upload is broken."), say("Choose the file again."))
        if part == 0:
            self._open[transfer] = (self._place(file), 0)
        if transfer not in self._open or self._open[transfer][1] != part:
            raise InvalidInput(say("The upload was interrupted."), say("Choose the file again."))
        path, _ = self._open[transfer]
        with path.open("ab") as stream:
            stream.write(content)
        self._open[transfer] = (path, part + 1)
        if path.stat().st_size > self.limit_bytes:
            del self._open[transfer]
            path.unlink()
            path.parent.rmdir()
            raise InvalidInput(
                say("The file is larger than {limit} MB.", limit=self.limit_bytes // 1_000_000),
                say("Put it on the machine that runs the workbench, and give its path."),
            )
        if part + 1 < parts:
            return None
        del self._open[transfer]
        return path

    def _place(self, file: str) -> Path:
        # Only the last part of the name, and of that only what no file system trips over.
        name = "".join(
            letter for letter in Path(file.replace("\\", "/")).name if letter.isalnum() or letter in "._- "
        )
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        # A folder for each, so that a file of the same name is not written over.
        place = Path(tempfile.mkdtemp(dir=folder, prefix=f"{datetime.now(UTC):%Y%m%d-%H%M%S}-"))
        return place / (name.lstrip(".")[-100:].encode()[-200:].decode(errors="ignore") or "upload")
