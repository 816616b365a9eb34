"""The one connection of a store to its database, for all threads of its process."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput, Unavailable
from workbench.api.text import say
from workbench.store.schema import connect


class Database:
    """Runs queries one after the other, and says in words what is wrong with the folder.

    Args:
        folder: The workbench's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._connection = connect(folder / "workbench.sqlite")
        self._closed = False

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone.

        Raises:
            Unavailable: If it is closed.
            InvalidInput: If the folder cannot be written to.
        """
        with self._lock:
            if self._closed:
                raise Unavailable(
                    say("This workbench is closed."),
                    say("Open its folder again: Workbench({folder!r}).", folder=str(self._folder)),
                )
            try:
                yield self._connection
            except sqlite3.OperationalError as error:
                raise InvalidInput(
                    say(
                        "The workbench folder {folder} cannot be used: {error}.",
                        folder=str(self._folder),
                        error=str(error),
                    ),
                    say("Check that the disk has room and that you may write there."),
                ) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection; what is written is there whole or not at all."""
        with self.connected() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def execute(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of one query."""
        with self.connected() as connection:
            return connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Closes it, after what another thread is at."""
        with self._lock:
            self._connection.close()
            self._closed = True
