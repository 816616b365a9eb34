"""What the dashboard's server answers: the page, its kernel's connection, signs of life."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import tornado.web
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado.iostream import StreamClosedError
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from workbench.serving.scripts import Scripts

KERNEL_ID = r"(?P<kernel_id>[\w-]+)"
_HEARTBEAT_SECONDS = 10.0
_RETRY_SECONDS = 20
FAILED = "<script>window.workbenchFailed = true;</script>\n"


class PageHandler(TornadoVoilaHandler):
    """The page itself: Voila's, with every way that it can fail answered.

    Args:
        visitors: Most pages at a time; None: no limit.
        scripts: What openings before this one have loaded.
    """

    def initialize(self, visitors: int | None, scripts: Scripts, **options: Any) -> None:
        """Takes what the server's list of handlers says."""
        super().initialize(**options)
        self._visitors = visitors
        self._scripts = scripts
        self._left = False

    def on_connection_close(self) -> None:
        """The browser has left before the page was complete."""
        super().on_connection_close()
        self._left = True

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        """Sends the page, part by part."""
        if path:
            raise tornado.web.HTTPError(404)
        manager: Any = self.kernel_manager
        if self._visitors is not None and manager.pages >= self._visitors:
            self._refuse()
            return
        hints = self._scripts.hints()
        if hints:
            self.set_header("Link", hints)
        self.set_header("Content-Type", "text/html")
        self.set_header("Cache-Control", "no-cache, no-store, must-revalidate")
        with manager.opening():
            task, parts, kernel_id = await manager.take(self.notebook_path)
        complete = False
        try:
            async for html in _page(task, parts):
                self.write(html)
                await self.flush()
            complete = not self._left
        except StreamClosedError:
            return
        except Exception:
            self.log.exception("A page could not be made")
            with contextlib.suppress(StreamClosedError):
                await self.finish(FAILED)  # its head is in the browser already
        finally:
            if complete:
                manager.release(kernel_id)
            else:
                await manager.abandon(kernel_id)

    def _refuse(self) -> None:
        self.set_status(503)
        self.set_header("Retry-After", str(_RETRY_SECONDS))
        self.finish(self.render_template("error.html", status_code=503, retry_seconds=_RETRY_SECONDS))


async def _page(task: asyncio.Task[Any], parts: list[str]) -> AsyncIterator[str]:
    """The parts of a page as they are rendered; while none comes, a word that keeps the connection open."""
    sent = len(parts)
    yield "".join(parts)
    while not (await asyncio.wait({task}, timeout=_HEARTBEAT_SECONDS))[0]:
        yield "<script>window.voila_heartbeat?.()</script>\n"
    rendered, rest = task.result()
    yield "".join(rendered[sent:])
    async for html, _ in rest:
        yield html


class ConnectionHandler(VoilaKernelWebsocketHandler):
    """The connection between a page and its kernel."""

    connection: Any = None

    async def pre_get(self) -> None:
        """Prepares the connection; a page may leave meanwhile."""
        await super().pre_get()
        if self.connection is None:
            raise tornado.web.Finish()

    def on_close(self) -> None:
        """Ends the connection, if there has been one."""
        if self.connection is not None:
            super().on_close()

    def write_message(self, message: Any, binary: bool = False) -> Any:
        """Sends a message; to a page that has just left, it sends none."""
        future = super().write_message(message, binary)
        if future is not None:
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    def write_error(self, status_code: int, **_: Any) -> None:
        """A browser shows nothing of a connection that is refused."""
        self.finish()


class LeavingHandler(APIHandler):
    """The page says that it closes."""

    def check_xsrf_cookie(self) -> None:
        """Asks for none."""
        # A page that is closing cannot add the header. What the request does is harmless: a
        # kernel with a connection stays, and its identifier cannot be guessed.
        return

    @tornado.web.authenticated
    async def post(self, kernel_id: str) -> None:
        """Hears it."""
        manager: Any = self.kernel_manager
        manager.leaving(kernel_id)
        self.set_status(204)
        self.finish()


class ExpectingHandler(APIHandler):
    """The page says that it is still starting, and asks whether its kernel is there: 204, or 404."""

    @tornado.web.authenticated
    async def get(self, kernel_id: str) -> None:
        """Hears it, and answers."""
        manager: Any = self.kernel_manager
        if kernel_id not in manager or not await manager.get_kernel(kernel_id).is_alive():
            self.set_status(404)
        else:
            manager.expect(kernel_id)
            self.set_status(204)
        self.finish()


class StatusHandler(JupyterHandler):
    """How many kernels there are, as Jupyter's servers say it."""

    @tornado.web.authenticated
    async def get(self) -> None:
        """Counts them."""
        manager: Any = self.kernel_manager
        ids = manager.list_kernel_ids()
        self.finish(
            {
                "kernels": len(ids),
                "connections": sum(manager.kernel_model(id_)["connections"] for id_ in ids),
            }
        )
