"""Takes in what comes from outside: reads models and data, and finds out whether they fit each other."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
import zipfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.api.dataset import Dataset
from workbench.api.errors import InvalidInput
from workbench.api.file_format import file_format
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription, Report, Variant
from workbench.data.arrow_files import PARQUET_SUFFIXES
from workbench.data.outputs import OutputWish, judged_model, judged_note
from workbench.data.raw import default_limit_bytes
from workbench.data.scaling import scaling_warning
from workbench.engine import worker_functions
from workbench.engine.compatibility import check_agreement
from workbench.engine.context import JobContext
from workbench.engine.making import free_name, new_id, with_kernels
from workbench.engine.origin import FACT as ORIGIN
from workbench.engine.output_steps import (
    FOREIGN_FILE_LIMITS,
    limits_beside,
    opened_settings,
    understood,
    with_further,
)
from workbench.engine.shared_mode import shared_mode
from workbench.engine.sources import CODE, HandedModel
from workbench.engine.submit import run_step
from workbench.jobs import onednn
from workbench.jobs.job import Job
from workbench.jobs.limits import Limits
from workbench.measure.output_reading import OutputReading
from workbench.measure.range_choice import TrialOutcome
from workbench.models.intake.intake import OpenedModel
from workbench.models.intake.opening_words import opening_notes
from workbench.models.intake.own_code import keep_code

_SLOWEST_BYTES_PER_SECOND = 1e6
_MOST_UNPACKED = 50


class Opening:
    """Prepares data and loads foreign files; what fails leaves nothing behind.

    Args:
        context: Where it reads, runs and writes.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def require_turn(self, job: Job) -> None:
        """Raises if another process is opening a model."""
        if self._context.store.is_behind(job.id, "open"):
            raise InvalidInput(
                say("Another page or script is opening a model in this folder."),
                say("Wait for it, or open another folder for another model."),
            )

    async def prepare(
        self, job: Job, data: str | Path, options: dict[str, Any], model: ModelDescription
    ) -> Dataset:
        """Reads, splits and scales the data as the model takes them, into a folder of the store."""
        from workbench.data.builtin import BUILTINS
        from workbench.data.downloads import KerasDownload

        folder = self._context.store.folder / "data" / new_id()
        if shared_mode() and options.get("limit_bytes") is None:  # the disk is that of everybody
            options = {**options, "limit_bytes": default_limit_bytes()}
        downloads = isinstance(data, str) and isinstance(BUILTINS[data], KerasDownload)
        worker = "tensorflow" if downloads else "light"
        try:
            await run_step(
                self._context,
                job,
                worker_functions.prepare_data,
                data,
                folder,
                options,
                model,
                worker=worker,
                limits=await asyncio.to_thread(_data_limits, options, data),
            )
        except BaseException:
            for left in folder.parent.glob(f"*{folder.name}*"):  # also the draft of a worker that was killed
                shutil.rmtree(left, ignore_errors=True)
            raise
        return Dataset(folder)

    async def read(
        self, job: Job, model: HandedModel, trust: bool, shared: bool, share: tuple[float, float]
    ) -> OpenedModel:
        """Reads a foreign model file into the staging folder."""
        job.phase(*share, say("Reading the model"))
        folder = self._context.store.staging()
        opened: OpenedModel = await run_step(
            self._context,
            job,
            worker_functions.open_model,
            model.path,
            folder,
            trust,
            shared,
            model.code,
            model.packages,
            writes_into=folder,
            worker="tensorflow",
            limits=FOREIGN_FILE_LIMITS,
        )
        if model.code is not None and model.code.suffix == ".py":
            keep_code(model.code, self._context.store.folder / CODE)
        if model.opened_up is None:
            return opened
        return replace(
            opened,
            description=opened.description.model_copy(update={"opened_up": model.opened_up}),
            notes=(*opening_notes(model.opened_up), *opened.notes),
        )

    async def fit(
        self,
        job: Job,
        opened: OpenedModel,
        dataset: Dataset,
        data: str | Path,
        options: dict[str, Any],
        wish: OutputWish,
    ) -> tuple[OpenedModel, Dataset, tuple[Text, ...]]:
        """Makes sure that prepared data and a model fit each other, and finds out what its output means.

        It is run on samples of the data before it is stored.

        Returns:
            The model with the meaning of its output; the data, prepared again from the same source and
            options where the model turns out to expect another range; and what is to be said.
        """
        opened, dataset, notes, reading = await self._in_order(job, opened, dataset, data, options, wish)
        try:
            tried = await self._try(job, opened, dataset, ranges=options["scaling"] == "auto")
            if tried.scalings is None:
                if reading.refusal is not None:
                    raise reading.refusal
                return opened, dataset, (*notes, *_said(opened, dataset, tried))
            scaled = {**options, "scaling": tried.scalings, "class_order": dataset.info.class_order}
            refitted = await self.prepare(job, data, scaled, opened.description)
        except BaseException:
            self.discard(dataset)
            raise
        shutil.rmtree(dataset.folder, ignore_errors=True)
        opened, refitted, notes, reading = await self._in_order(job, opened, refitted, data, scaled, wish)
        if reading.refusal is not None:
            self.discard(refitted)
            raise reading.refusal
        return opened, refitted, (*notes, *_said(opened, refitted, tried))

    async def _in_order(
        self,
        job: Job,
        opened: OpenedModel,
        dataset: Dataset,
        data: str | Path,
        options: dict[str, Any],
        wish: OutputWish,
    ) -> tuple[OpenedModel, Dataset, tuple[Text, ...], OutputReading]:
        """As :meth:`understand`; data whose classes the model has in another order are prepared again.

        What was prepared is discarded if that fails.
        """
        try:
            opened, notes, reading = await self.understand(job, opened, dataset, wish)
            order = reading.order.better
            if order is None:
                return opened, dataset, notes, reading
            ordered = await self.prepare(job, data, {**options, "class_order": order}, opened.description)
        except BaseException:
            self.discard(dataset)
            raise
        shutil.rmtree(dataset.folder, ignore_errors=True)
        try:
            opened, notes, reading = await self.understand(job, opened, ordered, wish)
        except BaseException:
            self.discard(ordered)
            raise
        return opened, ordered, notes, reading

    async def compare(
        self, job: Job, opened: OpenedModel, dataset: Dataset, wish: OutputWish, like: str
    ) -> tuple[OpenedModel, tuple[Text, ...]]:
        """Makes sure that a model fits data that were prepared for another one, whose output was ``like``."""
        opened, notes, reading = await self.understand(job, opened, dataset, wish, like)
        if reading.refusal is not None:
            raise reading.refusal
        tried = await self._try(job, opened, dataset, ranges=False)
        return opened, (*notes, *_said(opened, dataset, tried))

    async def understand(
        self, job: Job, opened: OpenedModel, dataset: Dataset, wish: OutputWish, like: str | None = None
    ) -> tuple[OpenedModel, tuple[Text, ...], OutputReading]:
        """A model with the meaning of its output, what is to be said of that, and how that was found.

        Args:
            job: Hears of the progress.
            opened: The model that was read.
            dataset: What it is to be measured on.
            wish: What the user said of its output.
            like: Name of an output that counts as named, such as that of the baseline.

        Raises:
            InvalidInput: If model and data do not fit each other, or nothing says which output is meant.
        """
        check_agreement(opened.description, dataset.info)
        opened = replace(opened, description=judged_model(opened.description, dataset.info, like))
        home = file_format(opened.format).home_runtime
        opened, notes, reading = await understood(self._context, job, opened, home, wish, dataset.folder)
        if not dataset.info.further:
            return opened, notes, reading
        judged = judged_note(opened.description)
        opened, further = await with_further(self._context, job, opened, home, dataset)
        if opened.description.further:  # says which outputs are judged
            notes = tuple(note for note in notes if note != judged)
        return opened, (*notes, *further), reading

    def take_in(
        self,
        opened: OpenedModel,
        name: str,
        parent: Variant | None,
        notes: tuple[Text, ...],
        started: float,
        id_: str | None = None,
    ) -> Variant:
        """The variant that a model which was read becomes; nothing is stored yet."""
        return Variant(
            id=id_ or new_id(),
            name=free_name(self._context.store, name),
            format=opened.format,
            path=opened.path,
            sha256="",
            runtime=file_format(opened.format).home_runtime,
            settings=opened_settings(opened),
            description=opened.description,
            parent=None if parent is None else parent.id,
            is_reference=parent is None,
            report=with_kernels(
                self._context.store, Report(notes=(*opened.notes, *notes)), opened.needs_tensorflow
            ),
            created=datetime.now(UTC),
            seconds=time.monotonic() - started,
        )

    def forget(self, baseline: Variant) -> None:
        """Takes the baseline away again with its data, unless something was made from it by now."""
        if any(one.id != baseline.id for one in self._context.store.variants()):
            return
        dataset = self._context.queries.dataset
        self._context.store.forget_variant(baseline.id)
        self.discard(dataset)
        self._context.store.drop_fact("dataset")
        self._context.store.drop_fact(ORIGIN)
        self._context.changed("variants")
        self._context.changed("results")

    def discard(self, dataset: Dataset | None) -> None:
        """Removes data that no model was opened with, and what was learned of the model."""
        if dataset is not None:
            shutil.rmtree(dataset.folder, ignore_errors=True)
        self._context.store.drop_fact(onednn.FACT)

    async def _try(self, job: Job, opened: OpenedModel, dataset: Dataset, *, ranges: bool) -> TrialOutcome:
        """Runs a model on samples of the data, before it is stored."""
        tried: TrialOutcome = await run_step(
            self._context,
            job,
            worker_functions.try_on_samples,
            opened.path,
            file_format(opened.format).home_runtime,
            opened_settings(opened),
            opened.description,
            dataset.folder,
            ranges,
            worker="tensorflow" if opened.needs_tensorflow else "light",
            limits=limits_beside(dataset.folder),
        )
        return tried


def _said(opened: OpenedModel, dataset: Dataset, tried: TrialOutcome) -> tuple[Text, ...]:
    """What is to be said of the range of the values."""
    if tried.note is not None:
        return (tried.note,)
    if tried.better_than_guessing:
        return ()
    warning = scaling_warning(dataset.info, opened.description)
    return () if warning is None else (warning,)


def _data_limits(options: dict[str, Any], data: str | Path) -> Limits:
    """What reading data may take: more than usual where there are many, or the user has raised the limit."""
    usual, asked = FOREIGN_FILE_LIMITS, options.get("limit_bytes")
    size = _size_bytes(data) if isinstance(data, Path) else 0
    memory, seconds = usual.address_space_bytes, usual.wall_seconds
    return usual.model_copy(
        update={
            # Arrays are held once as they came, and once more where their axes or type are changed; files
            # that are read from the disk take addresses, and no memory.
            "address_space_bytes": memory and max(memory, 3 * (asked or 0)) + size,
            "cpu_seconds": seconds and seconds + size / _SLOWEST_BYTES_PER_SECOND,
            "wall_seconds": seconds and seconds + size / _SLOWEST_BYTES_PER_SECOND,
        }
    )


def _size_bytes(path: Path) -> int:
    """How large a file is, unpacked if it is an archive, or a folder with everything in it."""
    with suppress(OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        if path.is_dir():
            found = (Path(folder) / name for folder, _, names in os.walk(path) for name in names)
            return sum(file.lstat().st_size for file in found)
        packed = path.stat().st_size
        if path.suffix.lower() in PARQUET_SUFFIXES:
            return packed * _MOST_UNPACKED
        if path.suffix.lower() not in (".npz", ".zip"):
            return packed
        with zipfile.ZipFile(path) as archive:
            declared = sum(member.file_size for member in archive.infolist())
        return min(declared, packed * _MOST_UNPACKED)
    return 0
