"""Kernels of pages: started for a page, ended when their page is gone."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Float, Unicode

from workbench.jobs import under_way

_Base: Any = AsyncMappingKernelManager  # half typed: its coroutines are declared as plain functions
_SWEEP_SECONDS = 1.0
_LEAVING_SECONDS = 1.0
_LEAVING_EARLY_SECONDS = 15.0


class PageKernelManager(_Base):
    """Gives each page a kernel, and ends it some seconds after the last connection of its page.

    One with jobs under way is kept until they have ended, for as long as the server was told: whoever opens
    the page again sees them, in the folder that both kernels share, and gets what they make.

    Voila's own way, a request that the page sends when it closes, is refused by its server for want
    of a token, and never sent when a browser crashes or a network fails. A broken connection is
    seen always. Jupyter's culling looks at activity, which a running job has.

    ::

        warm ──take──> its page is being sent ──release──> expected, then connected ──> alone ──> ended
    """

    grace_seconds = Float(30.0, help="How long to wait for the page to come back").tag(config=True)
    first_visit_seconds = Float(
        90.0, help="How long a kernel waits for the first connection after the last sign of its page"
    ).tag(config=True)
    working_folder = Unicode("", help="Where kernels start; empty means at the notebook").tag(config=True)
    keep_jobs_seconds = Float(
        0.0, help="How long a kernel with jobs under way is kept after its page is gone"
    ).tag(config=True)
    jobs_folder = Unicode("", help="Holds a file for each kernel with jobs under way").tag(config=True)
    visitor_root = Unicode("", help="Holds one folder per kernel, removed with it; empty: none").tag(
        config=True
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._alone_since: dict[str, float] = {}
        self._given: set[str] = set()
        self._being_sent: set[str] = set()
        self._opening = 0
        self._visited: set[str] = set()
        self._working_since: dict[str, float] = {}
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def pages(self) -> int:
        """How many pages have a kernel or wait for one; kernels that are kept warm are no page's."""
        return self._opening + len(self._given)

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        """Within it, one page more is counted that has no kernel yet."""
        self._opening += 1
        try:
            yield
        finally:
            self._opening -= 1

    async def take(self, notebook: str) -> tuple[asyncio.Task[Any], list[str], str]:
        """A kernel that runs a notebook for a page: the warm one, else one that is started now.

        Voila renders a page without a warm kernel in another way, which waits for ever for a kernel
        that failed. All pages go one way here.

        Args:
            notebook: Its path, as Voila knows it.

        Returns:
            The task that renders the page, the parts that are rendered already, and the kernel. It
            is not ended before :meth:`release`, however long it takes.
        """
        pools: Any = self  # Voila makes a subclass of this class, which keeps kernels warm
        self._drop_failed_starts()
        if pools.get_pool_size(notebook) == 0:
            pools.fill_if_needed(delay=0, notebook_name=notebook)
        task, parts, kernel_id = await pools.get_rendered_notebook(notebook_name=notebook)
        self._given.add(kernel_id)
        self._being_sent.add(kernel_id)
        return task, parts, kernel_id

    def release(self, kernel_id: str) -> None:
        """The page has been sent: from now on its browser is waited for."""
        self._being_sent.discard(kernel_id)
        self.expect(kernel_id)

    def expect(self, kernel_id: str) -> None:
        """A sign of a page that is on its way, however slow its browser is."""
        if kernel_id in self._given and kernel_id not in self._visited:
            self._alone_since[kernel_id] = time.monotonic()

    async def start_kernel(self, *arguments: Any, **options: Any) -> str:
        """Starts a kernel, where relative paths mean what they mean to the user."""
        if self.working_folder:
            options.pop("path", None)
            options["cwd"] = self.working_folder
        kernel_id = options.setdefault("kernel_id", str(uuid4()))
        if self.visitor_root:
            options["env"] = {**options.get("env", {}), "WORKBENCH_FOLDER": str(self._visitor(kernel_id))}
        if self.jobs_folder:
            options["env"] = {**options.get("env", {}), under_way.VARIABLE: str(self._jobs_file(kernel_id))}
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep_for_ever())
        await super().start_kernel(*arguments, **options)
        return str(kernel_id)

    async def shutdown_kernel(self, kernel_id: str, *arguments: Any, **options: Any) -> None:
        """Ends a kernel and removes what belonged to its visitor."""
        self._forget(kernel_id)
        await super().shutdown_kernel(kernel_id, *arguments, **options)
        self._remove_folder(kernel_id)
        if self.jobs_folder:
            self._jobs_file(kernel_id).unlink(missing_ok=True)

    async def abandon(self, kernel_id: str) -> None:
        """Ends a kernel whose page was not sent to its end, as far as there is one."""
        self._forget(kernel_id)
        self._drop_failed_starts()
        # What has died by itself is unknown to Jupyter.
        with contextlib.suppress(Exception):
            await self.shutdown_kernel(kernel_id, now=True)

    def _forget(self, kernel_id: str) -> None:
        self._alone_since.pop(kernel_id, None)
        self._working_since.pop(kernel_id, None)
        for known in (self._given, self._being_sent, self._visited):
            known.discard(kernel_id)

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
        self._working_since.pop(kernel_id, None)

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
        elif kernel_id in self._alone_since:
            # One that stays gives the next sign within seconds.
            early = time.monotonic() - max(0.0, self.first_visit_seconds - _LEAVING_EARLY_SECONDS)
            self._alone_since[kernel_id] = min(early, self._alone_since[kernel_id])

    def _left(self, kernel_id: str) -> None:
        if kernel_id in self._alone_since:
            self._alone_since[kernel_id] = -self.grace_seconds

    def _visitor(self, kernel_id: str) -> Path:
        return Path(self.visitor_root) / kernel_id

    def _remove_folder(self, kernel_id: str) -> None:
        if self.visitor_root:
            shutil.rmtree(self._visitor(kernel_id), ignore_errors=True)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                await self._sweep()
            except Exception:
                self.log.exception("A kernel could not be ended")

    async def _sweep(self) -> None:
        now = time.monotonic()
        self._drop_failed_starts()
        for kernel_id in list(self._given):
            if kernel_id not in self:  # it died
                self._forget(kernel_id)
                self._remove_folder(kernel_id)
                continue
            if kernel_id in self._being_sent or self._kernel_connections.get(kernel_id, 0) > 0:
                continue
            since = self._alone_since.setdefault(kernel_id, now)
            patience = self.grace_seconds if kernel_id in self._visited else self.first_visit_seconds
            if now - since > patience and not self._works_on(kernel_id, now):
                self.log.info("The page of kernel %s is gone", kernel_id)
                await self.shutdown_kernel(kernel_id)

    def _works_on(self, kernel_id: str, now: float) -> bool:
        """Whether jobs are under way that the reader may come back for."""
        if not self.jobs_folder or not self._jobs_file(kernel_id).exists():
            return False
        since = self._working_since.setdefault(kernel_id, now)
        return now - since < self.keep_jobs_seconds

    def _jobs_file(self, kernel_id: str) -> Path:
        return Path(self.jobs_folder) / f"jobs-{kernel_id}"

    def _drop_failed_starts(self) -> None:
        # Voila asks each warm kernel's task for its result when it ends any kernel.
        for pool in getattr(self, "_pools", {}).values():
            for task in [task for task in pool if task.done()]:
                error = None if task.cancelled() else task.exception()
                if error is not None:
                    self.log.error("A kernel could not be started", exc_info=error)
                if error is not None or task.cancelled():
                    pool.remove(task)
