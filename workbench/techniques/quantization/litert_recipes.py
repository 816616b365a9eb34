"""What quantizations by the LiteRT quantizer (formerly AI Edge Quantizer) share.

It rewrites a float32 .tflite file operation by operation, so that each can have a precision of its own.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Features, sample_count, select
from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.library_errors import reason_of
from workbench.api.technique import Applied, CodePaths, Context
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription, Report, Skip, Table, Variant
from workbench.data.batches import by_name
from workbench.exporting.litert_files import finished, missing_converter
from workbench.exporting.litert_report import report_of
from workbench.plain import calibration

PACKAGE = "litert-quantizer"


def missing_quantizer() -> Text | None:
    """Why the LiteRT quantizer cannot run here, or None."""
    if (reason := missing_converter()) is not None:
        return reason
    if find_spec("litert_quantizer") is None:
        return say("{package} is not installed.", package=PACKAGE)
    return None


def float32_tflite(context: Context, temporary: Path) -> Path:
    """The parent as a float32 .tflite file.

    Args:
        context: The technique's context; progress up to 0.15.
        temporary: A folder for files on the way.
    """
    context.report.stage(say("Loading the model"))
    context.report.check()
    if context.parent.format == "tflite":
        return context.parent.path
    from workbench.models.converting.conversion import load_keras, to_tflite

    model = load_keras(context.parent.path, trust=context.parent.settings.trusted)
    context.report.stage(say("Converting"))
    path = to_tflite(model, temporary / "float32.tflite")
    context.report.progress(0.15)
    context.report.check()
    return path


def samples(
    context: Context, split: str, index: npt.NDArray[np.int64], names: list[str]
) -> Iterator[dict[str, npt.NDArray[np.float32]]]:
    """Samples one by one, by input name; looks for cancellation before each."""
    features: Features = context.dataset.x(split)  # type: ignore[arg-type]  # a name of a split
    for row in index:
        context.report.check()
        part = select(features, slice(int(row), int(row) + 1))
        yield by_name(part, names, context.parent.description.inputs)


def quantize_file(
    source: Path,
    target: Path,
    recipe: Callable[[Any], None],
    observed: Callable[[Any], Mapping[str, Any]] | None = None,
    edit: Callable[[Path], None] | None = None,
) -> Path:
    """Quantizes a float32 .tflite file.

    Args:
        source: The float32 file.
        target: The file to write.
        recipe: Tells a ``litert_quantizer.quantizer.Quantizer`` what to do.
        observed: Gives the ranges of activations, where the recipe needs them.
        edit: Changes the quantized file in place.

    Raises:
        InvalidInput: If the quantizer cannot do it.
    """
    from litert_quantizer import quantizer

    with quiet(), refusing():
        worker = quantizer.Quantizer(str(source))
        recipe(worker)
        ranges = observed(worker) if observed is not None and worker.need_calibration else None
        worker.quantize(ranges, enable_progress_bar=False, enable_progress_report=False).export_model(
            str(target), overwrite=True
        )
        if edit is not None:
            edit(target)
    return target


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Says what the quantizer could not do, whose errors are those of its own code.

    Raises:
        InvalidInput: If the quantizer cannot do it.
    """
    try:
        yield
    except WorkbenchError:
        raise
    except (ValueError, RuntimeError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InvalidInput(
            say("The LiteRT quantizer cannot quantize this model: {error}", error=reason_of(error)),
            say("Choose another way of quantizing, or another runtime."),
        ) from error


def applied_file(
    context: Context,
    path: Path,
    weights: tuple[str, ...],
    notes: tuple[Text, ...],
    tables: tuple[Table, ...] = (),
) -> Applied:
    """Slims and reads a produced file, and reports what is in it.

    Args:
        context: The technique's context.
        path: The file.
        weights: Element types that weights should have, the wanted one first.
        notes: Notes for the report.
        tables: Tables for the report.

    Raises:
        Refused: If the file holds no weight of the first type.
    """

    def report(description: ModelDescription) -> Report:
        return _report(description, weights, notes).model_copy(update={"tables": tables})

    return finished(context, path, report)


def _report(description: ModelDescription, weights: tuple[str, ...], notes: tuple[Text, ...]) -> Report:
    first = report_of(description, weights[0], notes)
    weighted = [layer for layer in description.layers if layer.parameters]
    touched, skipped = list(first.touched), []
    for other in weights[1:]:
        also = [layer for layer in weighted if layer.precision == other]
        if also:
            touched.append(
                say(
                    "{count} operation holds {type} weights ({bytes} bytes).",
                    "{count} operations hold {type} weights ({bytes} bytes).",
                    count=len(also),
                    type=other,
                    bytes=sum(layer.size_bytes for layer in also),
                )
            )
        skipped += [
            Skip(
                name=f"{layer.name} ({layer.kind})",
                reason=say(
                    "The quantizer has no {wanted} form of {kind}; its weights are {type}.",
                    wanted=weights[0],
                    kind=layer.kind,
                    type=other,
                ),
            )
            for layer in also
        ]
    named = {skip.name for skip in skipped}
    skipped += [skip for skip in first.skipped if skip.name not in named]
    return first.model_copy(update={"touched": tuple(touched), "skipped": tuple(skipped)})


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps the quantizer's progress bars and its log from the user's console."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            # It calibrates with all tensors kept, as it must.
            warnings.filterwarnings("ignore", message=r"\s*Warning: Enabling `experimental_preserve_all")
            yield
    finally:
        logger.setLevel(before)


def start_code(variant: Variant, paths: CodePaths) -> tuple[tuple[str, ...], str]:
    """Plain code that has the float32 file in ``source``: its import statements, and the code."""
    if variant.format == "tflite":
        return (), f'source = "{paths.model}"\n'
    return (
        ("import keras", "from plain.litert.export import export_litert"),
        f"""\
model = keras.models.load_model("{paths.model}", compile=False)
source = "float32.tflite"
export_litert(model, source)
""",
    )


def input_names(context: Context) -> list[str]:
    """The names of the model's inputs, in order."""
    return [spec.name for spec in context.parent.description.inputs]


def drawn(context: Context, split: str, count: int, seed: int) -> npt.NDArray[np.int64]:
    """Positions of samples in a split: drawn without replacement, in order."""
    features = context.dataset.x(split)  # type: ignore[arg-type]  # a name of a split
    whole = sample_count(features)
    return calibration.drawn(whole, count, seed)
