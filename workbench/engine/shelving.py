"""What one visitor of a shared page has had made and measured appears for the next one at once.

Only what begins with a model and data that come with the workbench: no file of a visitor's is in it, nor
anything that was made from one, nor a name that somebody has given. An entry's key is a digest of all that
decides what comes out: the contents of the files, what was asked, the seed, the machine and this program.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, overload

import workbench
from workbench.api.dataset import Dataset
from workbench.api.errors import Unavailable
from workbench.api.technique import AnyTechnique, Parameters
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.data.builtin import BUILTINS
from workbench.engine.context import JobContext
from workbench.engine.origin import content_digest
from workbench.engine.shared_mode import SHELF_VARIABLE, shared_mode
from workbench.jobs import onednn
from workbench.jobs.job import Job
from workbench.measure.block_plan import is_short
from workbench.measure.environment import environment
from workbench.measure.records import LatencyMeasurement
from workbench.models.demo.demo import DEMO_MODELS
from workbench.results.rows import BEFORE
from workbench.store.shelf import FromShelf, Shelf

_KEY = "key "
"""The fact that keeps the key of a variant, by its identifier."""
_EARLY = "-early"
"""Ends the key of what is not timed yet: size and quality need not wait until the machine is quiet."""
_ID_LETTERS = 10
_SECONDS_BETWEEN_TRIES = 0.2
_TRIES_BETWEEN_WORDS = 10


class Shelving:
    """Takes from the shelf what is there, and puts there what was made.

    Args:
        context: Where it reads and writes.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context

    async def key_of_opening(
        self, model: Path, name: str, model_digest: str, data: object, options: Mapping[str, Any]
    ) -> str | None:
        """The key of a baseline; None where it is nobody else's.

        Args:
            model: The file that is opened.
            name: What it is to be called.
            model_digest: Digest of its content.
            data: What was named as data.
            options: How both are read.
        """
        ours = name in DEMO_MODELS and DEMO_MODELS[name].path == model
        if _shelf() is None or not ours or not isinstance(data, str) or data not in BUILTINS:
            return None
        return await self._key({"model": model_digest, "data": data, "options": dict(options)})

    async def key_of_step(
        self, technique: AnyTechnique, parent: Variant, parameters: Parameters
    ) -> str | None:
        """The key of what a technique makes of a variant; None where it is nobody else's."""
        if _shelf() is None:
            return None
        read = {"": parent, **self._context.queries.others(technique, parameters)}
        keys = self._context.store.facts(_KEY)
        renamed = self._context.store.made_names()  # names of variants are in those of what is made from them
        if any(one.id not in keys or one.id in renamed for one in read.values()):
            return None
        files = {
            name: [
                keys[one.id],
                await asyncio.to_thread(content_digest, one.path),
                one.runtime,
                one.settings.model_dump(mode="json"),
            ]
            for name, one in read.items()
        }
        asked = parameters.model_dump(mode="json")
        return await self._key({"technique": technique.name, "parameters": asked, "files": files})

    async def _key(self, what: dict[str, Any]) -> str | None:
        store = self._context.store
        if onednn.stay_off(store.fact(onednn.FACT)):
            return None
        place = [(await asyncio.to_thread(environment)).id, is_short(), _program()]
        text = json.dumps([what, self._context.seed, place], sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()
        known = {one.id for deleted in (False, True) for one in store.variants(deleted=deleted)}
        return None if identifier(key) in known else key

    @asynccontextmanager
    async def turn(
        self, job: Job, key: str | None, early: Callable[[], Awaitable[object]] | None = None
    ) -> AsyncIterator[None]:
        """Within it, nobody else makes what belongs to a key: what one makes, the others take.

        Args:
            job: Hears that it waits.
            key: Of what is made.
            early: Called once while it waits, as soon as there is something to take early.
        """
        shelf = _shelf()
        if shelf is None or key is None:
            yield
            return
        tries = 0
        try:
            while (turn := shelf.turn(key)) is None:
                if tries % _TRIES_BETWEEN_WORDS == 0:
                    waits = say("Another visitor has asked for the same: it appears here when it is measured")
                    job.on_event({"type": "waiting", "text": waits, "may_go_on": False})
                if early is not None and shelf.has(key + _EARLY):
                    await early()
                    early = None
                tries += 1
                await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
        finally:
            if tries:
                job.on_event({"type": "waiting", "text": None})
        try:
            yield
        finally:
            turn.release()

    async def find(self, key: str | None, *, early: bool = False) -> FromShelf | None:
        """What the shelf has, with its files in this workbench's folder; None if it has nothing.

        Args:
            key: Of it.
            early: Whether what is not timed yet is asked for.
        """
        shelf = _shelf()
        if shelf is None or key is None:
            return None
        store = self._context.store
        data = store.folder / "data" / identifier(key)
        return await asyncio.to_thread(shelf.take, key + _EARLY * early, store.staging(), data)

    def keep(
        self, key: str, taken: FromShelf, facts: Mapping[str, str] | None = None, **changes: Any
    ) -> Variant:
        """Stores what was found, as if it had been made and measured here; of what is here, what is new.

        Args:
            key: Its key.
            taken: What was found.
            facts: Small values that are stored with it.
            **changes: What is this workbench's own of the variant.
        """
        store = self._context.store
        for one in taken.kept.environments:
            store.add_environment(one)
        variant = taken.kept.variant.model_copy(
            update={**changes, "path": taken.model, "created": datetime.now(UTC)}
        )
        own = {_KEY + variant.id: key, BEFORE + variant.id: taken.kept.measured.isoformat()}
        here = {one.id: one for one in store.variants()}
        stored = here.pop(variant.id, None)
        if stored is None:
            stored = store.add_variant(variant, taken.model, taken.measured, {**own, **(facts or {})})
        else:  # it was taken early
            store.add_measured(stored.id, taken.measured)
            store.set_fact(BEFORE + stored.id, taken.kept.measured.isoformat())
        for row in taken.measured:
            if row.kind == "latency":  # a run is found under each of those that were timed in it
                run = LatencyMeasurement.model_validate_json(row.record)
                for other in here.keys() & {summary.variant for summary in run.summaries}:
                    store.add_measured(other, [row])
        self._context.changed("variants")
        self._context.changed("results")
        return stored

    async def put(
        self, key: str | None, variant: Variant, data: Dataset | None = None, *, early: bool = False
    ) -> None:
        """Puts a variant on the shelf.

        Args:
            key: Its key; None puts nothing there.
            variant: As it was stored.
            data: With a baseline, the prepared data.
            early: Whether it is not timed yet.
        """
        shelf, store = _shelf(), self._context.store
        if shelf is None or key is None or onednn.stay_off(store.fact(onednn.FACT)):
            return
        store.set_fact(_KEY + variant.id, key)
        rows = store.measured(variant.id)
        used = {row.environment for row in rows}
        machines = [one for id_, one in store.environments().items() if id_ in used]
        folder = None if data is None else data.folder
        try:
            await asyncio.to_thread(
                shelf.put, key + _EARLY * early, variant, rows, machines, datetime.now(UTC), folder
            )
            if not early:
                shelf.remove(key + _EARLY)
        except OSError:
            return  # the disk is full: the next one makes it


@overload
def identifier(key: str) -> str: ...


@overload
def identifier(key: None) -> None: ...


def identifier(key: str | None) -> str | None:
    """The identifier that a variant has in every workbench; None for one that is in none but its own."""
    return None if key is None else key[:_ID_LETTERS]


def others_are_at_work() -> bool:
    """Whether a visitor of this shared page is having something made now."""
    shelf = _shelf()
    return shelf is not None and shelf.busy()


def _shelf() -> Shelf | None:
    folder = os.environ.get(SHELF_VARIABLE)
    return _shelf_in(folder) if folder and shared_mode() else None


@cache
def _shelf_in(folder: str) -> Shelf | None:
    try:
        return Shelf(Path(folder))
    except (Unavailable, OSError):
        return None


@cache
def _program() -> list[Any]:
    """This program: what an older one has measured is not handed out by it."""
    home = Path(workbench.__file__).parent
    return [workbench.__version__, max(file.stat().st_mtime_ns for file in home.rglob("*.py"))]
