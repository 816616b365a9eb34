"""Kernels of pages: started for a page, ended when their page is gone."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Float, Unicode

_Base: Any = AsyncMappingKernelManager  # half typed: its coroutines are declared as plain functions
_SWEEP_SECONDS = 1.0
_LEAVING_SECONDS = 1.0


class PageKernelManager(_Base):  # type: ignore[misc]
    """Ends each kernel some seconds after the last connection of its page.

    Voila's own way, a request that the page sends when it closes, is refused by its server for want
    of a token, and never sent when a browser crashes or a network fails. A broken connection is
    seen always. Jupyter's culling looks at activity, which a running job has.
    """

    grace_seconds = Float(30.0, help="How long to wait for the page to come back").tag(config=True)
    first_visit_seconds = Float(
        90.0, help="How long a kernel waits for the first connection of the page it was started for"
    ).tag(config=True)
    working_folder = Unicode("", help="Where kernels start; empty means at the notebook").tag(config=True)
    visitor_root = Unicode("", help="Holds one folder per kernel, removed with it; empty: none").tag(
        config=True
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._alone_since: dict[str, float] = {}
        self._visited: set[str] = set()
        self._sweeper: asyncio.Task[None] | None = None

    async def start_kernel(self, *arguments: Any, **options: Any) -> str:
        """Starts a kernel, where relative paths mean what they mean to the user."""
        if self.working_folder:
            options.pop("path", None)
            options["cwd"] = self.working_folder
        kernel_id = options.setdefault("kernel_id", str(uuid4()))
        if self.visitor_root:
            options["env"] = {**options.get("env", {}), "WORKBENCH_FOLDER": str(self._visitor(kernel_id))}
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep_for_ever())
        await super().start_kernel(*arguments, **options)
        return str(kernel_id)

    async def shutdown_kernel(self, kernel_id: str, *arguments: Any, **options: Any) -> None:
        """Ends a kernel and removes what belonged to its visitor."""
        self._alone_since.pop(kernel_id, None)
        self._visited.discard(kernel_id)
        await super().shutdown_kernel(kernel_id, *arguments, **options)
        if self.visitor_root:
            shutil.rmtree(self._visitor(kernel_id), ignore_errors=True)

    async def shutdown_all(self, *arguments: Any, **options: Any) -> None:
        """Ends all kernels, at once: what they finished is stored, and the user waits for the prompt."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for kernel_id in self.list_kernel_ids():
            # One that is just starting or ending is unknown to Jupyter; its process is ended later.
            with contextlib.suppress(Exception):
                await self.shutdown_kernel(kernel_id, now=True)

    def notify_connect(self, kernel_id: str) -> None:
        """A page connected."""
        super().notify_connect(kernel_id)
        self._visited.add(kernel_id)
        self._alone_since.pop(kernel_id, None)

    def notify_disconnect(self, kernel_id: str) -> None:
        """A page's connection ended."""
        super().notify_disconnect(kernel_id)
        if self._kernel_connections.get(kernel_id) == 0:
            self._alone_since[kernel_id] = time.monotonic()

    def leaving(self, kernel_id: str) -> None:
        """The page says that it closes: no need to wait for it.

        It is only a hint. A page that says so and stays (a click on a download does that) keeps
        its connection, and so its kernel.
        """
        if kernel_id in self._visited:
            early = time.monotonic() - self.grace_seconds + _LEAVING_SECONDS
            if kernel_id in self._alone_since:
                self._alone_since[kernel_id] = min(early, self._alone_since[kernel_id])
            else:
                asyncio.get_running_loop().call_later(_LEAVING_SECONDS, self._left, kernel_id)

    def _left(self, kernel_id: str) -> None:
        if kernel_id in self._alone_since:
            self._alone_since[kernel_id] = -self.grace_seconds

    def _visitor(self, kernel_id: str) -> Path:
        return Path(self.visitor_root) / kernel_id

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                await self._sweep()
            except Exception:
                self.log.exception("A kernel could not be ended")

    async def _sweep(self) -> None:
        if not self._pool_is_settled():
            return
        now = time.monotonic()
        pooled = self._pooled()
        for kernel_id in self.list_kernel_ids():
            if kernel_id in pooled or self._kernel_connections.get(kernel_id, 0) > 0:
                continue
            since = self._alone_since.setdefault(kernel_id, now)
            patience = self.grace_seconds if kernel_id in self._visited else self.first_visit_seconds
            if now - since > patience:
                self.log.info("The page of kernel %s is gone", kernel_id)
                await self.shutdown_kernel(kernel_id)

    # Voila makes a subclass of this class when it keeps kernels warm; `_pools` is the subclass's.

    def _pool_is_settled(self) -> bool:
        return all(task.done() for pool in getattr(self, "_pools", {}).values() for task in pool)

    def _pooled(self) -> set[str]:
        pools = getattr(self, "_pools", {})
        return {
            task.result()["kernel_id"]
            for pool in pools.values()
            for task in pool
            if not task.cancelled() and task.exception() is None
        }
