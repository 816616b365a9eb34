"""Makes variants in worker processes and stores them: from foreign files, and by techniques."""

from __future__ import annotations

import shutil
import time
import uuid
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
from workbench.jobs.limits import Limits
from workbench.models.intake import Opened
from workbench.technique import AnyTechnique, Applied, Parameters
from workbench.text import Text, say
from workbench.variant import Format, Report, RuntimeSettings, Variant
from workbench.workers import run_step

HOME_RUNTIME: dict[Format, str] = {
    "keras": "keras.function",
    "tflite": "litert",
    "onnx": "onnxruntime",
    "openvino": "openvino",
}
"""What runs a file of each format unless it is asked for otherwise."""

# A foreign file may not take the machine with it: what a 100 MB model needs, with room.
FOREIGN_FILE_LIMITS = Limits(address_space_bytes=6 << 30, cpu_seconds=300, wall_seconds=300)


class Making:
    """Prepares data, loads files and applies techniques; what is finished is durable.

    Args:
        bench: Where they read, run and write.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def prepare(self, job: Job, data: str | Path, options: dict[str, Any]) -> DatasetInfo:
        """Reads, splits and scales the data, and keeps them as the workbench's."""
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
            worker=worker,
            limits=FOREIGN_FILE_LIMITS,
        )
        self._bench.store.set_fact("dataset", str(folder.relative_to(self._bench.store.folder)))
        return info

    async def load(
        self,
        job: Job,
        model: Path,
        name: str,
        parent: str | None,
        trust: bool,
        shared: bool,
        started: float,
        share: tuple[float, float],
        data: tuple[str | Path, dict[str, Any]] | None = None,
    ) -> Variant:
        """Loads a foreign model file; without a parent, as the baseline.

        With ``data``, the source and options that the data set was prepared from, they are prepared again
        where the model turns out to expect another range.
        """
        job.phase(*share, say("Reading the model"))
        opened = await run_step(
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
        settings = RuntimeSettings(trusted=trust and not shared and opened.format == "keras")
        notes = check_agreement(opened.description, self._bench.evidence.dataset.info)
        refitted = await self._fit_range(job, opened, settings, data) if data is not None else None
        if refitted is not None:
            notes = (refitted, *check_agreement(opened.description, self._bench.evidence.dataset.info))
        variant = Variant(
            id=_new_id(),
            name=self._free_name(name),
            format=opened.format,
            path=opened.path,
            sha256="",
            runtime=HOME_RUNTIME[opened.format],
            settings=settings,
            description=opened.description,
            parent=parent,
            is_reference=parent is None,
            report=Report(notes=(*opened.notes, *notes)),
            created=datetime.now(UTC),
            seconds=time.monotonic() - started,
        )
        return self._add(variant, opened.path)

    async def _fit_range(
        self, job: Job, opened: Opened, settings: RuntimeSettings, data: tuple[str | Path, dict[str, Any]]
    ) -> Text | None:
        """Prepares the data again in the range that the model expects, and says so; None if they are."""
        source, options = data
        dataset = self._bench.evidence.dataset
        if options["scaling"] != "auto" or not may_differ(dataset.info):
            return None
        found: tuple[Scaling, Text] | None = await run_step(
            self._bench.executor,
            job,
            better_range,
            opened.path,
            HOME_RUNTIME[opened.format],
            settings,
            opened.description,
            dataset.folder,
            worker="tensorflow" if opened.needs_tensorflow else "light",
            limits=FOREIGN_FILE_LIMITS,
        )
        if found is None:
            return None
        scaling, reason = found
        await self.prepare(job, source, {**options, "scaling": scaling})
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
        variant = Variant(
            id=_new_id(),
            name=self._free_name(technique.variant_name(parameters)),
            format=applied.format,
            path=applied.path,
            sha256="",
            runtime=applied.runtime,
            settings=applied.settings.model_copy(
                update={"trusted": parent.settings.trusted and applied.format == "keras"}
            ),
            description=applied.description,
            technique=technique.name,
            parameters=parameters.model_dump(mode="json"),
            parent=parent.id,
            automatic=automatic,
            is_reference=automatic or self._serves_as_reference(technique, parent, applied),
            report=applied.report,
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
