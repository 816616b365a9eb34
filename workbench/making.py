"""Makes variants in worker processes and stores them: from foreign files, and by techniques."""

from __future__ import annotations

import shutil
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench import work
from workbench.bench import Bench
from workbench.compatibility import check_agreement
from workbench.data.dataset import DatasetInfo
from workbench.data.range_choice import better_range, may_differ
from workbench.data.raw import Scaling
from workbench.errors import InvalidInput
from workbench.jobs.job import Job
from workbench.models.intake import Opened
from workbench.output_steps import FOREIGN_FILE_LIMITS, carried, opened_settings, understood
from workbench.outputs import OutputWish, judged_model, judged_note
from workbench.technique import AnyTechnique, Applied, Parameters
from workbench.text import Text, say
from workbench.variant import Format, ModelDescription, Report, Variant
from workbench.workers import run_step

_HOME_RUNTIME: dict[Format, str] = {
    "keras": "keras.function",
    "tflite": "litert",
    "onnx": "onnxruntime",
    "openvino": "openvino",
}


class Making:
    """Prepares data, loads files and applies techniques; what is finished is durable.

    Args:
        bench: Where they read, run and write.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def prepare(
        self, job: Job, data: str | Path, options: dict[str, Any], model: ModelDescription
    ) -> DatasetInfo:
        """Reads, splits and scales the data as the model takes them, and keeps them as the workbench's."""
        from workbench.data.builtin import BUILTINS
        from workbench.data.downloads import KerasDownload

        folder = self._bench.store.folder / "data" / _new_id()
        downloads = isinstance(data, str) and isinstance(BUILTINS[data], KerasDownload)
        worker = "tensorflow" if downloads else "light"
        info: DatasetInfo = await run_step(
            self._bench.executor,
            job,
            work.prepare_data,
            data,
            folder,
            options,
            model,
            worker=worker,
            limits=FOREIGN_FILE_LIMITS,
        )
        self._bench.store.set_fact("dataset", str(folder.relative_to(self._bench.store.folder)))
        return info

    async def read(
        self, job: Job, model: Path, trust: bool, shared: bool, share: tuple[float, float]
    ) -> Opened:
        """Reads a foreign model file into the staging folder."""
        job.phase(*share, say("Reading the model"))
        opened: Opened = await run_step(
            self._bench.executor,
            job,
            work.open_model,
            model,
            self._bench.store.staging(),
            trust,
            shared,
            worker="tensorflow",
            limits=FOREIGN_FILE_LIMITS,
        )
        return opened

    async def first(
        self,
        job: Job,
        opened: Opened,
        name: str,
        data: str | Path,
        options: dict[str, Any],
        started: float,
        wish: OutputWish,
    ) -> Variant:
        """Stores a model that was read as the baseline, once it and the prepared data fit each other.

        The data are prepared again, from the same source and options, where the model turns out to expect
        another range.
        """
        notes = check_agreement(opened.description, self._bench.evidence.dataset.info)
        opened = self._judging(opened)
        home = _HOME_RUNTIME[opened.format]
        opened, reading = await understood(self._bench, job, opened, home, wish)
        refitted = await self._fit_range(job, opened, data, options)
        if refitted is not None:
            notes = (refitted, *check_agreement(opened.description, self._bench.evidence.dataset.info))
            opened, reading = await understood(self._bench, job, opened, home, wish)
        return self._store_opened(opened, name, None, (*reading, *notes), started)

    async def another(self, job: Job, opened: Opened, name: str, started: float, wish: OutputWish) -> Variant:
        """Stores a model that was read beside the baseline."""
        baseline = self._bench.evidence.baseline
        notes = check_agreement(opened.description, self._bench.evidence.dataset.info)
        opened = self._judging(opened, baseline.description.judged.name)
        opened, reading = await understood(self._bench, job, opened, _HOME_RUNTIME[opened.format], wish)
        return self._store_opened(opened, name, baseline.id, (*reading, *notes), started)

    def _judging(self, opened: Opened, like: str | None = None) -> Opened:
        """With the output that is judged, chosen by the labels where nobody named one."""
        info = self._bench.evidence.dataset.info
        return replace(opened, description=judged_model(opened.description, info, like))

    def _store_opened(
        self, opened: Opened, name: str, parent: str | None, notes: tuple[Text, ...], started: float
    ) -> Variant:
        variant = Variant(
            id=_new_id(),
            name=self._free_name(name),
            format=opened.format,
            path=opened.path,
            sha256="",
            runtime=_HOME_RUNTIME[opened.format],
            settings=opened_settings(opened),
            description=opened.description,
            parent=parent,
            is_reference=parent is None,
            report=Report(notes=(*opened.notes, *notes)),
            created=datetime.now(UTC),
            seconds=time.monotonic() - started,
        )
        return self._add(variant, opened.path)

    async def _fit_range(
        self, job: Job, opened: Opened, data: str | Path, options: dict[str, Any]
    ) -> Text | None:
        """Prepares the data again in the range that the model expects, and says so; None if they are."""
        dataset = self._bench.evidence.dataset
        if options["scaling"] != "auto" or not may_differ(dataset.info):
            return None
        found: tuple[Scaling, Text] | None = await run_step(
            self._bench.executor,
            job,
            better_range,
            opened.path,
            _HOME_RUNTIME[opened.format],
            opened_settings(opened),
            opened.description,
            dataset.folder,
            worker="tensorflow" if opened.needs_tensorflow else "light",
            limits=FOREIGN_FILE_LIMITS,
        )
        if found is None:
            return None
        scaling, reason = found
        await self.prepare(job, data, {**options, "scaling": scaling}, opened.description)
        shutil.rmtree(dataset.folder, ignore_errors=True)
        return reason

    async def make(
        self,
        job: Job,
        technique: AnyTechnique,
        parent: Variant,
        parameters: Parameters,
        share: tuple[float, float],
        *,
        automatic: bool,
    ) -> Variant:
        """Applies a technique; ``automatic`` for a reference that nobody asked for."""
        job.phase(*share, say("Applying {technique}", technique=say(technique.title)))
        made: tuple[Applied, float] = await run_step(
            self._bench.executor,
            job,
            work.apply_technique,
            technique,
            parameters,
            parent,
            self._bench.evidence.dataset.folder,
            self._bench.store.staging(),
            self._bench.seed,
            self._bench.evidence.others(technique, parameters),
            worker=technique.worker,
        )
        applied, seconds = made
        description, output = await carried(self._bench, job, parent, applied)
        judged = judged_note(description)
        variant = Variant(
            id=_new_id(),
            name=self._free_name(technique.variant_name(parameters)),
            format=applied.format,
            path=applied.path,
            sha256="",
            runtime=applied.runtime,
            settings=applied.settings.model_copy(
                update={
                    "trusted": parent.settings.trusted and applied.format == "keras",
                    "output": output,
                }
            ),
            description=description,
            technique=technique.name,
            parameters=parameters.model_dump(mode="json"),
            parent=parent.id,
            automatic=automatic,
            is_reference=automatic or self._serves_as_reference(technique, parent, applied),
            report=applied.report if judged is None else applied.report.followed_by(Report(notes=(judged,))),
            created=datetime.now(UTC),
            seconds=seconds,
        )
        return self._add(variant, applied.path)

    def require_empty(self, job: Job) -> None:
        """Raises if a model is open already, or another process is opening one."""
        # Asked again here: another page may have opened one while this job waited.
        for variant in self._bench.store.variants():
            if variant.parent is None:
                raise InvalidInput(
                    say("This workbench already holds the model {name}.", name=variant.name),
                    say("Open another folder for another model."),
                )
        if self._bench.store.is_behind(job.id, "open"):
            raise InvalidInput(
                say("Another page or script is opening a model in this folder."),
                say("Wait for it, or open another folder for another model."),
            )

    def _serves_as_reference(self, technique: AnyTechnique, parent: Variant, applied: Applied) -> bool:
        return (
            technique.name == "inference.runtime"
            and parent.parent is None
            and (applied.settings.threads, applied.settings.batch) == (1, 1)
            and self.reference(applied.runtime) is None
        )

    def _add(self, variant: Variant, source: Path) -> Variant:
        stored = self._bench.store.add_variant(variant, source)
        self._bench.changed("variants")
        return stored

    def reference(self, runtime_name: str) -> Variant | None:
        """The float32 form of the baseline in a runtime, with default settings."""
        for variant in self._bench.store.variants():
            if variant.runtime == runtime_name and variant.is_reference:
                return variant
        return None

    def _free_name(self, wish: str) -> str:
        taken = {
            variant.name
            for deleted in (False, True)
            for variant in self._bench.store.variants(deleted=deleted)
        }
        name, number = wish, 2
        while name in taken:
            name, number = f"{wish} {number}", number + 1
        return name


def _new_id() -> str:
    return uuid.uuid4().hex[:10]
