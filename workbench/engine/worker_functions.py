"""What runs inside worker processes. Every function takes the reporter first and plain values after.

Submitted by :mod:`workbench.engine.pipeline`; imports TensorFlow only inside the functions, and only where
the worker is one that may.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset, DatasetInfo
from workbench.api.technique import AnyTechnique, Applied, Context, Parameters, Reporter
from workbench.api.text import Text, say
from workbench.api.variant import JudgedOutput, ModelDescription, RuntimeSettings, Variant
from workbench.data.outputs import OutputWish
from workbench.jobs import onednn
from workbench.jobs.slot import shared_slot
from workbench.measure.records import QualityVerdict, SizeMeasurement
from workbench.measure.size import measure_size
from workbench.models.converting.memory import release_after, release_memory
from workbench.models.intake.own_code import code_beside, keep_code

if TYPE_CHECKING:
    from workbench.measure.inside.records import LayerMatch
    from workbench.measure.latency import Candidate
    from workbench.measure.output_reading import OutputReading
    from workbench.measure.range_choice import TrialOutcome
    from workbench.models.intake.intake import OpenedModel

Scores = npt.NDArray[np.float32]


def without_onednn(report: Reporter, function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls ``function(report, *arguments)``; processes that it starts run TensorFlow without oneDNN."""
    with onednn.switched_off():
        return function(report, *arguments)


def open_model(
    report: Reporter,
    source: Path,
    folder: Path,
    trust: bool,
    shared: bool,
    code: Path | None,
    packages: tuple[str, ...] = (),
) -> OpenedModel:
    """Loads a foreign model file safely; see :func:`workbench.models.intake.intake.open_model`."""
    from workbench.models.intake import intake

    report.stage(say("Reading the model"))
    with shared_slot(report, say("reading a model")):
        opened = intake.open_model(
            report, source, folder, trust=trust, shared=shared, code=code, packages=packages
        )
    release_after(source)
    return opened


def prepare_data(
    report: Reporter,
    source: str | Path,
    folder: Path,
    options: dict[str, Any],
    model: ModelDescription | None = None,
) -> DatasetInfo:
    """Reads, splits and scales a data set into ``folder``; see :func:`workbench.data.prepare.prepare`."""
    from workbench.data.prepare import prepare

    report.stage(say("Reading the data"))
    told = False

    def watch(share: float) -> None:
        nonlocal told
        report.check()
        if not told:
            told = True
            report.stage(say("Writing the samples as the model takes them"))
        report.progress(share)

    with shared_slot(report, say("reading data")):
        return prepare(source, folder, model=model, watch=watch, **options).info


def read_output(
    report: Reporter,
    path: Path,
    home: str,
    settings: RuntimeSettings,
    description: ModelDescription,
    folder: Path,
    wish: OutputWish,
    output: str | None = None,
) -> OutputReading:
    """Decides what a model's output means; see :func:`workbench.measure.output_reading.read_output`."""
    from workbench.measure import output_reading

    with shared_slot(report):
        found = output_reading.read_output(report, path, home, settings, description, folder, wish, output)
    release_after(path)
    return found


def match_output(
    report: Reporter,
    parent: Candidate,
    made: Candidate,
    outputs: Sequence[JudgedOutput],
    expected: int,
    dataset: Path,
) -> int:
    """Finds the judged output in a new file; see :mod:`workbench.measure.output_matching`."""
    from workbench.measure.output_matching import matching_output

    with shared_slot(report):
        return matching_output(report, parent, made, outputs, expected, Dataset(dataset))


def try_on_samples(
    report: Reporter,
    path: Path,
    home: str,
    settings: RuntimeSettings,
    description: ModelDescription,
    folder: Path,
    ranges: bool,
) -> TrialOutcome:
    """Runs a model on samples of the data; see :func:`workbench.measure.range_choice.try_on_samples`."""
    from workbench.measure import range_choice

    with shared_slot(report):
        return range_choice.try_on_samples(report, path, home, settings, description, folder, ranges)


def apply_technique(
    report: Reporter,
    technique: AnyTechnique,
    parameters: Parameters,
    parent: Variant,
    dataset: Path,
    folder: Path,
    seed: int,
    others: Mapping[str, Variant],
) -> tuple[Applied, float, SizeMeasurement]:
    """Applies a technique to a variant.

    Args:
        report: Progress and cancellation.
        technique: The technique itself, so that one made in a notebook works too.
        parameters: Its parameters, validated.
        parent: The variant to start from.
        dataset: Folder of the prepared data set.
        folder: An empty folder for the new file.
        seed: Seeds everything random.
        others: Further variants that it reads.

    Returns:
        What it made; the seconds that this took: waiting for a worker, or for a measurement to end,
        is not part of it; and the size of the file, which is known long before its other numbers.
    """
    with nullcontext() if technique.measures else shared_slot(report, say(technique.title)):
        report.check()
        started = time.monotonic()
        with _trusting(parent) if technique.worker == "tensorflow" else nullcontext():
            applied = technique.apply(
                Context(parent, Dataset(dataset), folder, report, seed, others),
                parameters,
            )
        if applied.format == "keras":
            keep_code(code_beside(parent.path), applied.path.parent)
        seconds = time.monotonic() - started
        release_memory()  # a warm worker serves for hours
        size = measure_size(applied.path, applied.description.parameters, check=report.check)
    return applied, seconds, size


def export_float(
    report: Reporter, variant: Variant, target: Literal["tflite", "onnx", "openvino"], folder: Path
) -> Path:
    """Writes a Keras variant as float32 in another format, to compare layers with.

    Args:
        report: Progress.
        variant: A Keras variant.
        target: The format.
        folder: An empty folder.
    """
    from workbench.models.converting.conversion import load_keras, to_onnx, to_openvino, to_tflite

    with shared_slot(report), _trusting(variant):
        report.stage(say("Converting to float32 for comparison"))
        model = load_keras(variant.path, trust=variant.settings.trusted)
        if target == "openvino":
            return to_openvino(model, folder / "float32")
        path = folder / f"float32.{target}"
        return to_tflite(model, path) if target == "tflite" else to_onnx(model, path)


def judge_change(
    report: Reporter,
    variant: str,
    reference: str,
    variant_scores: Scores,
    reference_scores: Scores,
    dataset: Path,
    seed: int,
    output: str | None = None,
) -> QualityVerdict:
    """The paired change of the task's measure; see :mod:`workbench.measure.judges`."""
    from workbench.measure.judges import judge_of

    with shared_slot(report):
        data = Dataset(dataset, output)
        judge = judge_of(data.info, data.y("test"), weights=data.weights("test"))
        found = judge.compared(variant, reference, variant_scores, reference_scores, seed=seed)
        return found.model_copy(update={"output": output})


def match_models(
    report: Reporter, variant: Variant, reference: Variant, dataset: Path
) -> tuple[tuple[LayerMatch, ...], int, Text | None]:
    """The layers of two Keras models; see :func:`workbench.measure.inside.matching.match_layers`."""
    from workbench.measure.inside.matching import Side, match_layers
    from workbench.models.converting.conversion import load_keras

    with ExitStack() as trusted:
        both = variant, reference
        for one in both:
            trusted.enter_context(_trusting(one))
        models = tuple(load_keras(one.path, trust=one.settings.trusted) for one in both)
        sides = [Side(path=one.path, layers=one.description.layers) for one in both]
        return match_layers(report, sides[0], sides[1], dataset, (models[0], models[1]))


def match_files(
    report: Reporter, variant: Variant, reference: Path, described: ModelDescription | None, dataset: Path
) -> tuple[tuple[LayerMatch, ...], int, Text | None, ModelDescription]:
    """The layers of two files of one format; see :func:`workbench.measure.inside.matching.match_layers`.

    Args:
        report: Progress and cancellation.
        variant: What is looked at.
        reference: The other file.
        described: What it holds; found out here if None.
        dataset: Folder of the prepared data.

    Returns:
        What that function returns, and what the other file holds.
    """
    from workbench.measure.inside.matching import Side, match_layers
    from workbench.models.reading.description import describe

    known = described or describe(reference, variant.format)
    theirs = Side(path=reference, layers=known.layers)
    mine = Side(path=variant.path, layers=variant.description.layers)
    return *match_layers(report, mine, theirs, dataset), known


def _trusting(variant: Variant) -> AbstractContextManager[object]:
    """What the user said of the code inside a variant, and gave, for every step that rebuilds its layers."""
    from workbench.models.intake.own_code import own_classes
    from workbench.models.intake.trusting import trusting

    scopes = ExitStack()
    scopes.enter_context(own_classes(variant.path))
    if variant.settings.trusted:
        scopes.enter_context(trusting(True))
    return scopes
