"""The store: a folder with a database and model files.

::

    <folder>/workbench.sqlite     records: variants, measurements, jobs, environments, facts
    <folder>/variants/<id>/...    one folder per variant with its file
    <folder>/data/<name>/...      prepared data sets
    <folder>/staging/<owner>/...  what is being written
    <folder>/owners/<owner>.lock  which processes have it open
    <folder>/live/<job>.json      how far running jobs are, for other processes
    <folder>/owners/opening       held while a process opens it

A variant's files are moved into place before its record is written. So a crash at any instant
leaves at most files without a record, and those are swept when nobody else has the folder open.
"""

from __future__ import annotations

import io
import shutil
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput, Refused
from workbench.api.records import Record
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.data.durable import sync_folder
from workbench.jobs.state import JobKind, JobState
from workbench.measure.records import Environment
from workbench.models.intake.own_code import code_beside
from workbench.store.database import Database
from workbench.store.files import digest, move_durably
from workbench.store.jobs import JobRecords
from workbench.store.labels import Label, change_label, read_labels
from workbench.store.measured import Measured, Stored
from workbench.store.ownership import Ownership, one_at_a_time

R = TypeVar("R", bound=Record)

_ADD_MEASUREMENT = "INSERT INTO measurements (kind, variant, record, arrays, passport) VALUES (?, ?, ?, ?, ?)"
_SET_FACT = (
    "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class Store:
    """Variants, measurements and jobs of one workbench, on disk.

    Safe to use from several threads, and to open from several processes at once. Opening marks
    jobs whose process is gone as interrupted and sweeps what they left half written.

    Args:
        folder: The workbench's folder; made if missing.

    Attributes:
        folder: The folder, absolute.
        problems: What opening found wrong, such as a record without its file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder).expanduser().resolve()
        if self.folder.exists() and not self.folder.is_dir():
            raise InvalidInput(
                say("A workbench is kept in a folder. Received a file: {path}", path=str(self.folder)),
                say("Name a folder that exists or can be made."),
            )
        for name in ("variants", "data", "staging"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.problems: tuple[Text, ...] = ()
        with one_at_a_time(self.folder / "owners"):
            self._database = Database(self.folder)
            self._owner = Ownership(self.folder / "owners")
            self._jobs = JobRecords(self._database.execute, self._owner.id)
            self._recover()

    def close(self) -> None:
        """Closes the database; what was stored stays."""
        self._database.close()
        shutil.rmtree(self.folder / "staging" / self._owner.id, ignore_errors=True)
        self._owner.release()

    # -- variants ---------------------------------------------------------------------------

    def staging(self) -> Path:
        """A new empty folder on the store's file system, to write into before storing."""
        folder = self.folder / "staging" / self._owner.id / uuid.uuid4().hex[:12]
        folder.mkdir(parents=True)
        return folder

    def add_variant(
        self,
        variant: Variant,
        source: Path,
        measured: Iterable[Measured | Stored] = (),
        facts: Mapping[str, str] | None = None,
    ) -> Variant:
        """Moves a finished file into the store and records its variant, with what is known of it.

        Args:
            variant: The record; ``path`` and ``sha256`` are filled in here.
            source: The file or folder to move, made in a :meth:`staging` folder.
            measured: What was measured of it already, recorded with it or not at all.
            facts: Small values by name, likewise.

        Returns:
            The record as stored.
        """
        home = self.folder / "variants" / variant.id
        packed = self.staging() / "packed"
        packed.mkdir()
        code = code_beside(source)
        for file in (source,) if code is None else (source, code):
            file.rename(packed / file.name)
        stored = variant.model_copy(
            update={"path": home / source.name, "sha256": digest(packed / source.name)}
        )
        move_durably(packed, home)
        rows = [one.row(stored.id) for one in measured]
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO variants (id, record) VALUES (?, ?)", (stored.id, self._relative(stored))
            )
            connection.executemany(_ADD_MEASUREMENT, rows)
            connection.executemany(_SET_FACT, list((facts or {}).items()))
        return stored

    def forget_variant(self, id_: str) -> None:
        """Removes a variant that nothing was made from, with its file and its measurements."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM measurements WHERE variant = ?", (id_,))
            connection.execute("DELETE FROM labels WHERE variant = ?", (id_,))
            connection.execute("DELETE FROM variants WHERE id = ?", (id_,))
        shutil.rmtree(self.folder / "variants" / id_, ignore_errors=True)

    def variants(self, *, deleted: bool = False) -> tuple[Variant, ...]:
        """The variants in the order of their making, by the names that they have now.

        Args:
            deleted: Whether to list the deleted ones, latest deletion last, instead of the others.
        """
        query = (
            "SELECT record, name FROM named_variants WHERE deleted IS NOT NULL ORDER BY deleted, number"
            if deleted
            else "SELECT record, name FROM named_variants WHERE deleted IS NULL ORDER BY number"
        )
        return tuple(self._absolute(record, name) for record, name in self._database.execute(query))

    def last_deleted(self) -> tuple[Variant, ...]:
        """The variants of the last deletion, in the order of their making; empty if there is none."""
        return tuple(
            self._absolute(record, name)
            for record, name in self._database.execute(
                "SELECT record, name FROM named_variants "
                "WHERE deleted = (SELECT MAX(deleted) FROM variants) ORDER BY number"
            )
        )

    def made_names(self) -> dict[str, str]:
        """The names that renamed variants had when they were made, by their identifiers."""
        rows = self._database.execute(
            "SELECT id, json_extract(record, '$.name') FROM named_variants "
            "WHERE deleted IS NULL AND name != json_extract(record, '$.name')"
        )
        return dict(rows)

    def set_deleted(self, ids: Iterable[str], deleted: bool) -> None:
        """Marks variants as deleted or takes that back; files stay until :meth:`purge`."""
        moment = datetime.now(UTC).isoformat() if deleted else None
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE variants SET deleted = ? WHERE id = ?", [(moment, id_) for id_ in ids]
            )

    def purge(self) -> int:
        """Removes deleted variants for good; returns how many.

        Raises:
            Refused: If another process has the folder open: its page could still take a deletion back.
        """
        with one_at_a_time(self.folder / "owners"):
            if self._owner.others_alive():
                raise Refused(
                    say("{folder} is open in another process.", folder=str(self.folder)),
                    say("Close its page or notebook, then try again."),
                )
            gone = self.variants(deleted=True)
            for variant in gone:
                self._database.execute("DELETE FROM measurements WHERE variant = ?", (variant.id,))
                self._database.execute("DELETE FROM labels WHERE variant = ?", (variant.id,))
                self._database.execute("DELETE FROM variants WHERE id = ?", (variant.id,))
                shutil.rmtree(self.folder / "variants" / variant.id, ignore_errors=True)
            return len(gone)

    def labels(self) -> dict[str, Label]:
        """What was written on variants, by their identifiers."""
        with self._database.connected() as connection:
            return read_labels(connection)

    def set_label(self, id_: str, **changes: Any) -> None:
        """Changes parts of what is written on a variant.

        Args:
            id_: Identifier of the variant.
            **changes: Attributes of :class:`~workbench.store.labels.Label`.

        Raises:
            InvalidInput: If another variant has the new name.
        """
        with self._database.transaction() as connection:
            change_label(connection, id_, changes)

    # -- measurements -----------------------------------------------------------------------

    def add_measurement(
        self,
        kind: str,
        variants: Iterable[str],
        record: Record,
        *,
        environment: str | None = None,
        arrays: Mapping[str, npt.NDArray[np.generic]] | None = None,
    ) -> None:
        """Stores a measurement for each variant that it speaks of, in one transaction.

        Args:
            kind: Such as ``latency``.
            variants: Identifiers of the variants that it is found under.
            record: The measurement.
            environment: Identifier of the machine's environment.
            arrays: Raw samples or predictions, kept with it.
        """
        measured = Measured(kind, record, environment, arrays)
        rows = [measured.row(variant) for variant in variants]
        with self._database.transaction() as connection:
            connection.executemany(_ADD_MEASUREMENT, rows)

    def measurements(self, kind: str, variant: str, record_type: type[R]) -> tuple[R, ...]:
        """All measurements of one kind of a variant, newest first."""
        rows = self._database.execute(
            "SELECT record FROM measurements WHERE kind = ? AND variant = ? ORDER BY id DESC", (kind, variant)
        )
        return tuple(record_type.model_validate_json(record) for (record,) in rows)

    def arrays(self, kind: str, variant: str) -> dict[str, npt.NDArray[Any]] | None:
        """The arrays kept with the newest measurement of one kind that has any; None without."""
        rows = self._database.execute(
            "SELECT arrays FROM measurements WHERE kind = ? AND variant = ? AND arrays IS NOT NULL "
            "ORDER BY id DESC LIMIT 1",
            (kind, variant),
        )
        if not rows:
            return None
        with np.load(io.BytesIO(rows[0][0]), allow_pickle=False) as packed:
            return {name: packed[name] for name in packed.files}

    def measured(self, variant: str) -> tuple[Stored, ...]:
        """All that was measured of a variant, as it is stored, oldest first."""
        rows = self._database.execute(
            "SELECT kind, record, arrays, passport FROM measurements WHERE variant = ? ORDER BY id",
            (variant,),
        )
        return tuple(Stored(*row) for row in rows)

    def add_measured(self, variant: str, rows: Iterable[Stored]) -> None:
        """Stores what was measured elsewhere under a variant that is here, unless it is there already."""
        with self._database.transaction() as connection:
            for row in rows:
                known = connection.execute(
                    "SELECT 1 FROM measurements WHERE kind = ? AND variant = ? AND record = ?",
                    (row.kind, variant, row.record),
                ).fetchone()
                if known is None:
                    connection.execute(_ADD_MEASUREMENT, row.row(variant))

    def add_environment(self, environment: Environment) -> None:
        """Stores a machine's environment, once."""
        self._database.execute(
            "INSERT OR IGNORE INTO passports (id, record) VALUES (?, ?)",
            (environment.id, environment.model_dump_json()),
        )

    def environments(self) -> dict[str, Environment]:
        """All environments by identifier."""
        rows = self._database.execute("SELECT id, record FROM passports")
        return {id_: Environment.model_validate_json(record) for id_, record in rows}

    # -- jobs and facts ---------------------------------------------------------------------

    def save_job(self, state: JobState) -> None:
        """Stores a job's state; called when its status changes, not at every progress."""
        self._jobs.save(state)

    def jobs(self) -> tuple[JobState, ...]:
        """All jobs, newest first."""
        return self._jobs.all()

    def is_behind(self, job: str, kind: JobKind) -> bool:
        """Whether another process was asked for a job of a kind before this job, and is at it."""
        with one_at_a_time(self.folder / "owners"):
            return self._jobs.is_behind(job, kind, self._owner.others_alive())

    def fact(self, name: str) -> str | None:
        """A small value kept by name, such as which data set is open."""
        rows = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def facts_of_makers(self, beginning: str) -> dict[str, str]:
        """The small values whose names are ``beginning`` and a job's identifier, by what that job made."""
        rows = self._database.execute(
            "SELECT json_extract(jobs.record, '$.variant') AS made, facts.value "
            "FROM facts JOIN jobs ON facts.name = ? || jobs.id WHERE made IS NOT NULL",
            (beginning,),
        )
        return dict(rows)

    def facts(self, beginning: str) -> dict[str, str]:
        """The small values whose names begin so, by the rest of their names."""
        rows = self._database.execute(
            "SELECT substr(name, ?), value FROM facts WHERE substr(name, 1, ?) = ?",
            (len(beginning) + 1, len(beginning), beginning),
        )
        return dict(rows)

    def set_fact(self, name: str, value: str) -> None:
        """Keeps a small value by name."""
        self._database.execute(_SET_FACT, (name, value))

    def drop_fact(self, name: str) -> None:
        """Forgets a small value; does nothing where there is none of this name."""
        self._database.execute("DELETE FROM facts WHERE name = ?", (name,))

    def version(self) -> int:
        """A number that changes whenever another process or store has written to this folder."""
        return int(self._database.execute("PRAGMA data_version")[0][0])

    # -- inside -----------------------------------------------------------------------------

    def _relative(self, variant: Variant) -> str:
        # Paths are stored relative, so that a folder can be moved or copied.
        return variant.model_copy(update={"path": variant.path.relative_to(self.folder)}).model_dump_json()

    def _absolute(self, record: str, name: str) -> Variant:
        variant = Variant.model_validate_json(record)
        return variant.model_copy(update={"path": self.folder / variant.path, "name": name})

    def _recover(self) -> None:
        alive = self._owner.others_alive()
        self._jobs.interrupt(alive)
        for folder in (self.folder / "staging").iterdir():
            if folder.name not in alive and folder.name != self._owner.id:
                shutil.rmtree(folder, ignore_errors=True)
        if not alive:
            shutil.rmtree(self.folder / "live", ignore_errors=True)
        recorded = {variant.id for deleted in (False, True) for variant in self.variants(deleted=deleted)}
        if not alive:
            # With another process at work, a folder without a record may be one that it is just storing.
            for folder in (self.folder / "variants").iterdir():
                if folder.name not in recorded:
                    shutil.rmtree(folder, ignore_errors=True)
            for folder in (self.folder / "data").iterdir():  # of an opening that did not come to its end
                if str(folder.relative_to(self.folder)) != self.fact("dataset"):
                    shutil.rmtree(folder, ignore_errors=True)
            sync_folder(self.folder / "variants")
        self.problems = tuple(
            say("The file of variant {name} is missing: {path}", name=variant.name, path=str(variant.path))
            for variant in self.variants()
            if not variant.path.exists()
        )
