"""Makes and judges the files of a grid."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.api.file_format import file_format
from workbench.api.privacy import import_openvino
from workbench.api.technique import Applied, Context
from workbench.api.text import say
from workbench.api.variant import Report, RuntimeSettings
from workbench.exporting.judging import FileJudge
from workbench.jobs.part import PartReporter
from workbench.measure.child_tasks import predict_split
from workbench.measure.latency import Candidate
from workbench.measure.output_matching import carried_output
from workbench.measure.records import Interval
from workbench.models.converting.onnx_precision import to_dynamic_int8, to_float16
from workbench.models.reading.description import describe
from workbench.runtimes import runtime
from workbench.techniques.inference.grid.cells import FileRecipe, Model
from workbench.techniques.inference.grid.choice import FileQuality


def make(context: Context, model: Model, way: FileRecipe, folder: Path, part: PartReporter) -> Applied:
    """One file of the grid.

    Args:
        context: The technique's.
        model: What is wanted.
        way: How it is made.
        folder: An empty folder for it.
        part: Progress of this file.

    Raises:
        WorkbenchError: If it cannot be made.
    """
    part.stage(say("Making {file}", file=model.label))
    part.check()
    parent = context.parent
    if way.technique is None:
        return Applied(
            path=parent.path,
            format=parent.format,
            runtime=model.runtime,
            settings=RuntimeSettings(trusted=parent.settings.trusted, output=parent.settings.output),
            description=parent.description,
            report=Report(),
        )
    own = replace(context, folder=folder, report=part)
    applied: Applied = way.technique.apply(own, way.parameters)
    made = _derived(applied, model, context) if way.derived else applied
    output = carried_output(made.description, parent.description)
    return replace(made, settings=made.settings.model_copy(update={"output": output}))


def _derived(float32: Applied, model: Model, context: Context) -> Applied:
    source = float32.path
    if float32.format == "openvino":
        target = source.with_name("compressed")
        openvino = import_openvino()
        loaded = openvino.Core().read_model(source / "model.xml")
        openvino.save_model(loaded, target / "model.xml", compress_to_fp16=True)
    elif model.precision == "float16":
        target = to_float16(source, source.with_name("float16.onnx"))
    else:
        target = to_dynamic_int8(source, source.with_name("dynamic.onnx"))
    description = describe(target, float32.format, like=context.parent.description)
    return replace(float32, path=target, description=description)


class Judge:
    """Predicts the validation split with each file, and compares with the parent.

    Args:
        context: The technique's; the test split is not touched.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        parent, info = context.parent, context.dataset.info
        outputs = self._predict(
            Candidate(variant="parent", path=parent.path, runtime=parent.runtime, settings=parent.settings)
        )
        task = parent.description.task
        labels = outputs.reshape(len(outputs), -1)  # what the others have to agree with
        if task != "agreement":
            labels = np.asarray(context.dataset.y("validation"))
        self._judge = FileJudge(
            info,
            labels,
            from_logits=parent.description.from_logits,
            seed=context.seed,
            weights=context.dataset.weights("validation"),
        )
        self._parent = self._judge.answers(outputs)

    def judge(self, model: Model, applied: Applied) -> FileQuality:
        """Quality and size of one file.

        Raises:
            WorkbenchError: If it cannot be run.
        """
        candidate = Candidate(
            variant=model.label,
            path=applied.path,
            runtime=model.runtime,
            settings=RuntimeSettings(trusted=applied.settings.trusted, output=applied.settings.output),
        )
        same = applied.path == self._context.parent.path and model.runtime == self._context.parent.runtime
        answers = self._parent if same else self._judge.answers(self._predict(candidate))
        # The parent's own file in its own runtime is not another model: nothing can differ.
        change = Interval(value=0.0, low=0.0, high=0.0) if same else self._judge.change(self._parent, answers)
        return FileQuality(
            size_bytes=size_bytes(applied.path), score=self._judge.score(answers), change=change
        )

    def _predict(self, candidate: Candidate) -> npt.NDArray[np.float32]:
        parts: list[npt.NDArray[np.float32]] = []

        def on_batch(start: int, stop: int, outputs: npt.NDArray[np.float32]) -> None:
            self._context.report.check()
            parts.append(outputs)

        predict_split(self._context.report, candidate, self._context.dataset, on_batch, "validation")
        return np.concatenate(parts)


def size_bytes(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    if path.is_dir():
        return sum(item.stat().st_size for item in path.rglob("*") if item.is_file())
    return path.stat().st_size


def keep(applied: Applied, folder: Path) -> Path:
    """Copies the chosen file to where the technique hands it back."""
    target = folder / file_format(applied.format).file_name
    if applied.path.is_dir():
        shutil.copytree(applied.path, target)
    else:
        shutil.copyfile(applied.path, target)
    return target


def candidate_of(cell_id: str, applied: Applied, settings: RuntimeSettings, runtime_name: str) -> Candidate:
    """What measuring needs to know of a cell."""
    trusted = applied.settings.trusted and runtime(runtime_name).imports_tensorflow
    return Candidate(
        variant=cell_id,
        path=applied.path,
        runtime=runtime_name,
        settings=settings.model_copy(update={"trusted": trusted, "output": applied.settings.output}),
    )
