"""Which scripts a page loads, so that the next one can be told of them at once."""

from __future__ import annotations

from typing import Any

import tornado.log


class Scripts:
    """The scripts that the first opening of a page asked for, one after the other.

    Voila's own JavaScript and the extensions find out in steps what they need, and the browser waits at
    each. Every later opening is told in the header of its answer, and fetches them while it computes.

    Args:
        apart: A folder of extensions whose scripts the page itself names; they are left out.

    Source: the ``preload`` relation, W3C Resource Hints and the HTML standard.
    """

    def __init__(self, apart: str) -> None:
        self._apart = f"/voila/labextensions/{apart}/"
        self._addresses: dict[str, None] = {}
        self._openings = 0

    def see(self, handler: Any) -> None:
        """Tornado's ``log_function``: called once for each request that was answered."""
        request, status = handler.request, handler.get_status()
        if status >= 500:
            tornado.log.access_log.error("%d %s %s", status, request.method, request.path)
        # Only the first opening teaches: what later visitors ask for is nothing to tell others.
        if self._openings > 1 or status not in {200, 304} or not request.path.endswith(".js"):
            return
        inside = "/voila/static/" in request.path or "/voila/labextensions/" in request.path
        if inside and self._apart not in request.path:
            self._addresses.setdefault(request.uri)

    def hints(self) -> str:
        """The value of the header ``Link`` for a page that is opened now; empty for the first."""
        self._openings += 1
        return ", ".join(f"<{address}>; rel=preload; as=script" for address in self._addresses)
