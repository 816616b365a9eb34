"""The tables, and the way from every earlier version to this one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from workbench.api.errors import InvalidInput
from workbench.api.text import say

VERSION = 2

# What the code calls an environment is called a passport here.
_MIGRATIONS: dict[int, str] = {
    1: """
        CREATE TABLE variants (
            id TEXT PRIMARY KEY,
            record TEXT NOT NULL,
            deleted TEXT
        );
        CREATE TABLE measurements (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            variant TEXT NOT NULL,
            record TEXT NOT NULL,
            arrays BLOB,
            passport TEXT
        );
        CREATE INDEX measurements_by_variant ON measurements (variant, kind);
        CREATE TABLE jobs (
            id TEXT PRIMARY KEY,
            number INTEGER NOT NULL,
            owner TEXT NOT NULL,
            status TEXT NOT NULL,
            record TEXT NOT NULL
        );
        CREATE TABLE passports (id TEXT PRIMARY KEY, record TEXT NOT NULL);
        CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    """,
    2: """
        CREATE TABLE labels (
            variant TEXT PRIMARY KEY,
            name TEXT,
            note TEXT NOT NULL,
            starred INTEGER NOT NULL
        );
        CREATE VIEW named_variants AS
            SELECT variants.id, variants.rowid AS number, record, deleted,
                COALESCE(labels.name, json_extract(record, '$.name')) AS name
            FROM variants LEFT JOIN labels ON labels.variant = variants.id;
    """,
}


def connect(path: Path) -> sqlite3.Connection:
    """Opens the database, durable at every commit, and brings it to this version.

    Args:
        path: The database file; made if missing.

    Raises:
        InvalidInput: If the file is no database, or was written by a later version.
    """
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        _migrate(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise InvalidInput(
            say("{path} is not a workbench database: {error}.", path=str(path), error=str(error)),
            say("Choose another folder, or restore this one from a copy."),
        ) from error
    except InvalidInput:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > VERSION:
        raise InvalidInput(
            say(
                "{path} was written by a later version of the workbench (schema {found}; known is {known}).",
                path=str(path),
                found=found,
                known=VERSION,
            ),
            say("Update the workbench, or choose another folder."),
        )
    for version in range(found + 1, VERSION + 1):
        # One transaction a step: a crash leaves the old version or the new one, never a mixture.
        connection.executescript(
            f"BEGIN IMMEDIATE; {_MIGRATIONS[version]} PRAGMA user_version={version}; COMMIT;"
        )
