"""Data of this process on their way into a file that a worker reads."""

from __future__ import annotations

import asyncio
import ctypes
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.api.errors import Cancelled, InvalidInput
from workbench.api.row_array import add_array
from workbench.api.text import say
from workbench.api.variant import ModelDescription
from workbench.data.npz import HANDED_OVER, HandedOver
from workbench.data.streams import Bounds, Watch
from workbench.engine.shared_mode import shared_mode
from workbench.jobs.job import Job

if TYPE_CHECKING:
    from workbench.data.raw import Disk, RawData

STALLED_SECONDS = 300.0
"""How long a source may take for one element, or a table to become arrays."""

_LOOK_SECONDS = 0.2
_END_SECONDS = 1.0


@dataclass(frozen=True)
class Collecting:
    """Arrays, a table or a stream of this process, and the file that they are written into.

    Attributes:
        data: See :data:`workbench.engine.sources.Data`.
        file: An ``.npz`` that is not there yet.
        label: Label column of a table.
        limit_bytes: The most memory that the values may take; None for the usual limit.
        bounds: How much is read of streams.
        weights: Column of sample weights of a table.
    """

    data: Any
    file: Path
    label: str | None
    limit_bytes: int | None
    bounds: Bounds
    weights: str | None = None

    def __str__(self) -> str:
        return str(self.file)

    async def run(self, job: Job, model: ModelDescription) -> Path:
        """Reads and writes in a thread of its own, so that a generator that waits blocks nobody.

        Cancelling the job ends the reading at the next element, and a source that computes in Python without
        giving one at its next step. What waits outside of Python, such as for a network, cannot be ended: its
        thread goes when that returns, or with the process, which it does not hold; that is said.

        Args:
            job: Is told how many samples have been read.
            model: The model that the data are for.

        Raises:
            InvalidInput: If the data cannot be used, or give no element in :data:`STALLED_SECONDS`.
            Refused: If they take more than the limit.
        """
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        stop = threading.Event()
        read = _Read()

        def watch(count: int) -> None:
            read.count, read.since = count, time.monotonic()
            if stop.is_set():
                raise Cancelled

        def work() -> None:
            try:
                with self._disk() as disk:
                    raw = self._read(model, watch, disk)
                    read.since = None  # what follows ends by itself
                    self._write(raw)
            except BaseException as error:
                read.error = error
            with suppress(RuntimeError, Cancelled):  # nobody waits any more
                loop.call_soon_threadsafe(ended.set)

        # A daemon: the interpreter must be able to end while a generator waits.
        thread = threading.Thread(target=work, name="workbench-data", daemon=True)
        thread.start()
        told = 0
        try:
            while not ended.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), _LOOK_SECONDS)
                if read.count != told:
                    told = read.count
                    job.update(
                        stage=say(
                            "Reading the data: {count} sample",
                            "Reading the data: {count} samples",
                            count=told,
                        )
                    )
                if read.since is not None and time.monotonic() - read.since > STALLED_SECONDS:
                    stop.set()
                    _interrupt(thread)
                    await asyncio.to_thread(thread.join, _END_SECONDS)
                    raise _stalled(read.count, remains=thread.is_alive())
        finally:
            stop.set()
            if not ended.is_set():
                _interrupt(thread)
        if read.error is not None:
            raise read.error
        return self.file

    def write(self) -> Path:
        """Reads and writes now, in the caller's thread, what is in memory already."""
        with self._disk() as disk:
            self._write(self._read(None, lambda count: None, disk))
        return self.file

    @contextmanager
    def _disk(self) -> Iterator[Disk]:
        """Where samples wait that are too many for memory."""
        from workbench.data.raw import Disk, default_kept_bytes, default_limit_bytes

        most = self.limit_bytes
        if most is None:
            most = default_limit_bytes() if shared_mode() else default_kept_bytes(self.file)
        disk = Disk(self.file.with_suffix(".spool"), most)
        try:
            yield disk
        finally:
            shutil.rmtree(disk.scratch, ignore_errors=True)

    def _read(self, model: ModelDescription | None, watch: Watch, disk: Disk) -> RawData:
        from workbench.data.arrays import is_columns_and_labels, is_frame, read_arrays
        from workbench.data.raw import default_limit_bytes

        limit_bytes = self.limit_bytes
        if limit_bytes is None:
            # arrays of this process are in memory already, and go to the disk; tables become others first
            tables = is_frame(self.data) or is_columns_and_labels(self.data)
            limit_bytes = default_limit_bytes() if tables else disk.most_bytes
        return read_arrays(
            self.data,
            label=self.label,
            limit_bytes=limit_bytes,
            model=model,
            bounds=self.bounds,
            watch=watch,
            disk=disk,
            weights=self.weights,
        )

    def _write(self, raw: RawData) -> None:
        with zipfile.ZipFile(self.file, "w") as archive:
            for name, values in _arrays(raw).items():
                add_array(archive, name, values)
            known = HandedOver(notes=raw.notes, tabular=raw.tabular, numbered=raw.numbered)
            archive.writestr(HANDED_OVER, known.model_dump_json())


@dataclass
class _Read:
    """How far the reading thread is."""

    count: int = 0
    since: float | None = field(default_factory=time.monotonic)
    error: BaseException | None = None


def _stalled(count: int, *, remains: bool) -> InvalidInput:
    """The refusal of a source that gives nothing more.

    Args:
        count: Samples that it gave.
        remains: Whether its thread could not be ended.
    """
    problem = say(
        "The data gave {count} sample, then nothing for {seconds:.0f} s.",
        "The data gave {count} samples, then nothing for {seconds:.0f} s.",
        count=count,
        seconds=STALLED_SECONDS,
    )
    action = say("Try them by themselves first, for instance with a loop over them.")
    if not remains:
        return InvalidInput(problem, action)
    return InvalidInput(
        say(
            "{problem} They wait for something outside of Python, such as a file or a network, which nobody "
            "can interrupt: that wait goes on until it is answered, or this Python process ends.",
            problem=problem,
        ),
        action,
    )


def _interrupt(thread: threading.Thread) -> None:
    """Raises in a thread at its next step of Python, as Python itself does on Ctrl-C in the main one."""
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Cancelled))


def _arrays(raw: RawData) -> dict[str, Any]:
    """All of it under the names that an ``.npz`` file has them, see :mod:`workbench.data.mapping`."""
    arrays: dict[str, Any] = {} if raw.classes is None else {"classes": np.asarray(raw.classes, str)}
    for split, samples in raw.splits.items():
        # Without a suffix, the splits are cut from the one block that there is.
        suffix = f"_{split}" if len(raw.splits) > 1 else ""
        labels = samples.targets or {"": samples.y}
        for letter, named in (("x", samples.x), ("y", labels), ("w", samples.weights)):
            for name, values in named.items():
                key = f"{letter}{suffix}.{name}" if name else f"{letter}{suffix}"
                arrays[key] = _plain(values, samples.called(letter, name))
    return arrays


def _plain(values: Any, called: str) -> Any:
    """Python objects as an array of one plain type: pickled objects are never read from a file."""
    if values.dtype != object or not values.size:
        return values
    if all(isinstance(text, str) for text in values.flat):
        return values.astype(str)
    texts = [value for value in values.flat if isinstance(value, str | bytes)]
    try:
        plain = np.asarray(values.tolist())
    except (ValueError, TypeError):
        plain = values
    if plain.dtype.kind not in "biufcS" or plain.shape != values.shape or 0 < len(texts) < values.size:
        raise InvalidInput(
            say("{name} holds Python objects of several types.", name=called),
            say("Convert it first, for instance with {name}.astype('float32').", name=called)
            if called[:1] == "x"
            else say(
                "Labels are integers, strings or booleans, shape (n,), or one-hot rows, shape (n, classes)."
            ),
        )
    return plain
