"""Makes variants in worker processes and stores them: from foreign files, and by techniques."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.api.dataset import Dataset
from workbench.api.errors import InvalidInput
from workbench.api.lineage import Lineage
from workbench.api.technique import AnyTechnique, Applied, Parameters
from workbench.api.text import Text, say
from workbench.api.variant import STEP, Format, ModelDescription, Report, Variant
from workbench.data.outputs import OutputWish, judged_model, judged_note
from workbench.data.scaling import scaling_warning
from workbench.engine import worker_functions
from workbench.engine.compatibility import check_agreement
from workbench.engine.context import Bench
from workbench.engine.origin import FACT as ORIGIN
from workbench.engine.origin import Origin
from workbench.engine.output_steps import FOREIGN_FILE_LIMITS, carried, opened_settings, understood
from workbench.engine.sources import CODE, HandedModel
from workbench.engine.submit import run_step
from workbench.jobs import onednn
from workbench.jobs.job import Job
from workbench.jobs.limits import Limits
from workbench.measure.passport import passport
from workbench.measure.range_choice import Tried
from workbench.measure.records import SizeMeasurement
from workbench.models.intake.intake import Opened
from workbench.models.intake.opening_words import opening_notes
from workbench.models.intake.own_code import keep_code
from workbench.store.measured import Measured

HOME_RUNTIME: dict[Format, str] = {
    "keras": "keras.function",
    "tflite": "litert",
    "onnx": "onnxruntime",
    "openvino": "openvino",
}
"""What runs a file of each format unless it is asked for otherwise."""

_MOST_OF_MEMORY = 0.1
"""Files that take more of the memory together are not all loaded at once: each takes some times its size."""


class Making:
    """Prepares data, loads files and applies techniques; what is finished is durable.

    Args:
        bench: Where they read, run and write.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def prepare(
        self, job: Job, data: str | Path, options: dict[str, Any], model: ModelDescription
    ) -> Dataset:
        """Reads, splits and scales the data as the model takes them, into a folder of the store."""
        from workbench.data.builtin import BUILTINS
        from workbench.data.downloads import KerasDownload

        folder = self._bench.store.folder / "data" / _new_id()
        downloads = isinstance(data, str) and isinstance(BUILTINS[data], KerasDownload)
        worker = "tensorflow" if downloads else "light"
        try:
            await run_step(
                self._bench,
                job,
                worker_functions.prepare_data,
                data,
                folder,
                options,
                model,
                worker=worker,
                limits=_data_limits(options),
            )
        except BaseException:
            for left in folder.parent.glob(f"*{folder.name}*"):  # also the draft of a worker that was killed
                shutil.rmtree(left, ignore_errors=True)
            raise
        return Dataset(folder)

    async def read(
        self, job: Job, model: HandedModel, trust: bool, shared: bool, share: tuple[float, float]
    ) -> Opened:
        """Reads a foreign model file into the staging folder."""
        job.phase(*share, say("Reading the model"))
        folder = self._bench.store.staging()
        opened: Opened = await run_step(
            self._bench,
            job,
            worker_functions.open_model,
            model.path,
            folder,
            trust,
            shared,
            model.code,
            writes_into=folder,
            worker="tensorflow",
            limits=FOREIGN_FILE_LIMITS,
        )
        if model.code is not None and model.code.suffix == ".py":
            keep_code(model.code, self._bench.store.folder / CODE)
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
        opened: Opened,
        dataset: Dataset,
        data: str | Path,
        options: dict[str, Any],
        wish: OutputWish,
    ) -> tuple[Opened, Dataset, tuple[Text, ...]]:
        """Makes sure that prepared data and a model fit each other, and finds out what its output means.

        It is run on samples of the data before it is stored.

        Returns:
            The model with the meaning of its output; the data, prepared again from the same source and
            options where the model turns out to expect another range; and what is to be said.
        """
        opened, notes = await self.understand(job, opened, dataset, wish)
        tried = await self._try(job, opened, dataset, ranges=options["scaling"] == "auto")
        if tried.scalings is None:
            return opened, dataset, (*notes, *_said(opened, dataset, tried))
        refitted = await self.prepare(job, data, {**options, "scaling": tried.scalings}, opened.description)
        try:
            opened, notes = await self.understand(job, opened, refitted, wish)
        except BaseException:
            self.discard(refitted)
            raise
        shutil.rmtree(dataset.folder, ignore_errors=True)
        return opened, refitted, (*notes, *_said(opened, refitted, tried))

    async def compare(
        self, job: Job, opened: Opened, dataset: Dataset, wish: OutputWish, like: str
    ) -> tuple[Opened, tuple[Text, ...]]:
        """Makes sure that a model fits data that were prepared for another one, whose output was ``like``."""
        opened, notes = await self.understand(job, opened, dataset, wish, like)
        tried = await self._try(job, opened, dataset, ranges=False)
        return opened, (*notes, *_said(opened, dataset, tried))

    async def understand(
        self, job: Job, opened: Opened, dataset: Dataset, wish: OutputWish, like: str | None = None
    ) -> tuple[Opened, tuple[Text, ...]]:
        """A model with the meaning of its output, and what is to be said of that.

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
        home = HOME_RUNTIME[opened.format]
        opened, reading = await understood(self._bench, job, opened, home, wish, dataset.folder)
        return opened, reading

    def take_in(
        self, opened: Opened, name: str, parent: Variant | None, notes: tuple[Text, ...], started: float
    ) -> Variant:
        """The variant that a model which was read becomes; nothing is stored yet."""
        return Variant(
            id=_new_id(),
            name=self._free_name(name),
            format=opened.format,
            path=opened.path,
            sha256="",
            runtime=HOME_RUNTIME[opened.format],
            settings=opened_settings(opened),
            description=opened.description,
            parent=None if parent is None else parent.id,
            is_reference=parent is None,
            report=self._with_kernels(Report(notes=(*opened.notes, *notes)), opened.needs_tensorflow),
            created=datetime.now(UTC),
            seconds=time.monotonic() - started,
        )

    def keep(
        self,
        variant: Variant,
        measured: Sequence[Measured],
        dataset: Dataset | None = None,
        origin: Origin | None = None,
    ) -> Variant:
        """Stores a variant together with its first measurements, and the data as the workbench's.

        Args:
            variant: What is stored.
            measured: What was measured of it already.
            dataset: The data, with the baseline.
            origin: What it was opened with, likewise.
        """
        facts = {}
        if dataset is not None:
            facts["dataset"] = str(dataset.folder.relative_to(self._bench.store.folder))
        if origin is not None:
            facts[ORIGIN] = origin.model_dump_json()
        stored = self._bench.store.add_variant(variant, variant.path, measured, facts)
        self._bench.changed("variants")
        self._bench.changed("results")
        return stored

    def forget(self, baseline: Variant) -> None:
        """Takes the baseline away again with its data, unless something was made from it by now."""
        if any(one.id != baseline.id for one in self._bench.store.variants()):
            return
        dataset = self._bench.evidence.dataset
        self._bench.store.forget_variant(baseline.id)
        self.discard(dataset)
        self._bench.store.drop_fact("dataset")
        self._bench.store.drop_fact(ORIGIN)
        self._bench.changed("variants")
        self._bench.changed("results")

    def discard(self, dataset: Dataset | None) -> None:
        """Removes data that no model was opened with, and what was learned of the model."""
        if dataset is not None:
            shutil.rmtree(dataset.folder, ignore_errors=True)
        self._bench.store.drop_fact(onednn.FACT)

    async def _try(self, job: Job, opened: Opened, dataset: Dataset, *, ranges: bool) -> Tried:
        """Runs a model on samples of the data, before it is stored."""
        tried: Tried = await run_step(
            self._bench,
            job,
            worker_functions.try_on_samples,
            opened.path,
            HOME_RUNTIME[opened.format],
            opened_settings(opened),
            opened.description,
            dataset.folder,
            ranges,
            worker="tensorflow" if opened.needs_tensorflow else "light",
            limits=FOREIGN_FILE_LIMITS,
        )
        return tried

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
        folder = self._bench.store.staging()
        made: tuple[Applied, float, SizeMeasurement] = await run_step(
            self._bench,
            job,
            worker_functions.apply_technique,
            technique,
            parameters,
            parent,
            self._bench.evidence.dataset.folder,
            folder,
            self._bench.seed,
            self._bench.evidence.others(technique, parameters),
            writes_into=folder,
            worker=technique.worker,
        )
        applied, seconds, size = made
        description, output = await carried(self._bench, job, parent, applied)
        judged = judged_note(description)
        report = applied.report if judged is None else applied.report.followed_by(Report(notes=(judged,)))
        variant = Variant(
            id=_new_id(),
            name=self._free_name(_name_after(parent, technique.variant_name(parameters))),
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
            # a file that was made from a model for calls of 32 samples is timed with as many
            description=description.model_copy(update={"batch": parent.description.batch}),
            technique=technique.name,
            parameters=parameters.model_dump(mode="json"),
            parent=parent.id,
            automatic=automatic,
            is_reference=automatic or self._serves_as_reference(technique, parent, applied),
            report=self._with_kernels(report, technique.worker == "tensorflow"),
            created=datetime.now(UTC),
            seconds=seconds,
        )
        return self.keep(variant, (Measured("size", size),))

    def require_turn(self, job: Job) -> None:
        """Raises if another process is opening a model."""
        if self._bench.store.is_behind(job.id, "open"):
            raise InvalidInput(
                say("Another page or script is opening a model in this folder."),
                say("Wait for it, or open another folder for another model."),
            )

    def _serves_as_reference(self, technique: AnyTechnique, parent: Variant, applied: Applied) -> bool:
        return (
            technique.name == "inference.runtime"
            and parent.is_baseline
            and (applied.settings.threads, applied.settings.batch) == (1, parent.settings.batch)
            and self.reference(applied.runtime) is None
        )

    def reference(self, runtime_name: str) -> Variant | None:
        """The float32 form of the baseline in a runtime, with default settings."""
        return Lineage(self._bench.store.variants()).reference(runtime_name)

    def references(self, wanted: Sequence[Variant]) -> list[Variant]:
        """The float32 forms of the baseline in all runtimes, the baseline itself first.

        Args:
            wanted: Those that are needed; of files so large that memory may not hold all, only these.
        """
        found = Lineage(self._bench.store.variants()).references()
        if sum(_bytes(variant.path) for variant in found) > _MOST_OF_MEMORY * passport().memory_bytes:
            ids = {variant.id for variant in wanted}
            found = [variant for variant in found if variant.is_baseline or variant.id in ids]
        return found

    def _with_kernels(self, report: Report, in_tensorflow: bool) -> Report:
        """Says so where TensorFlow's usual kernels were off."""
        if not in_tensorflow or not onednn.stay_off(self._bench.store.fact(onednn.FACT)):
            return report
        return report.followed_by(Report(notes=(onednn.made_without(),)))

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


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _name_after(parent: Variant, step: str) -> str:
    """The name of what a step makes: where it comes from, unless that is the baseline, and the step."""
    return step if parent.is_baseline else f"{parent.name}{STEP}{step}"


def _said(opened: Opened, dataset: Dataset, tried: Tried) -> tuple[Text, ...]:
    """What is to be said of the range of the values."""
    if tried.note is not None:
        return (tried.note,)
    if tried.better_than_guessing:
        return ()
    warning = scaling_warning(dataset.info, opened.description)
    return () if warning is None else (warning,)


def _data_limits(options: dict[str, Any]) -> Limits:
    """What reading data may take: more than usual only where the user has raised the limit."""
    usual, asked = FOREIGN_FILE_LIMITS.address_space_bytes, options.get("limit_bytes")
    if usual is None or asked is None:
        return FOREIGN_FILE_LIMITS
    # Arrays are held once as they came, and once more where their axes or type are changed.
    return FOREIGN_FILE_LIMITS.model_copy(update={"address_space_bytes": max(usual, 3 * asked)})


def _new_id() -> str:
    return uuid.uuid4().hex[:10]
