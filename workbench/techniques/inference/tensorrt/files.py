"""Makes the ONNX file that TensorRT gets, and judges it without a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.library_errors import reason_of
from workbench.api.task import measure_of
from workbench.api.technique import Context
from workbench.api.text import Text, say
from workbench.api.variant import Skip, Table
from workbench.data.batches import chosen_output, ordered
from workbench.exporting.judging import FileJudge
from workbench.exporting.onnx_files import (
    calibration_reader,
    input_names,
    operations,
    prepared_onnx,
)
from workbench.models.converting.onnx_precision import to_float16, to_tensorrt_int8
from workbench.plain.onnx.bfloat16 import rounded_like_bfloat16, to_bfloat16
from workbench.techniques.inference.tensorrt.parameters import TensorRtParameters

_BATCH = 32


class Made:
    """The file for TensorRT and what is known of it.

    Attributes:
        source: The float32 file that it was made from.
        judged: The file that ONNX Runtime predicts with: the same, or one that rounds as it does.
        touched, skipped, notes: For the report.
    """

    def __init__(
        self,
        source: Path,
        judged: Path,
        touched: tuple[Text, ...],
        skipped: tuple[Skip, ...] = (),
        notes: tuple[Text, ...] = (),
    ) -> None:
        self.source, self.judged = source, judged
        self.touched, self.skipped, self.notes = touched, skipped, notes


def prepare(context: Context, parameters: TensorRtParameters, path: Path, temporary: Path) -> Made:
    """Writes the ONNX file that TensorRT gets. Needs no GPU.

    Args:
        context: The technique's; progress up to 0.85.
        parameters: The precision, and how to calibrate.
        path: The file to write.
        temporary: A folder for files on the way, which are in the answer.
    """
    from workbench.api.privacy import import_onnxruntime

    onnxruntime = import_onnxruntime()
    source = prepared_onnx(context, temporary)
    context.report.stage(say("Preparing the file for TensorRT"))
    context.report.check()
    match parameters.precision:
        case "float32":
            path.write_bytes(source.read_bytes())
            return Made(source, path, (say("float32 throughout, without the 19-bit products of TF32."),))
        case "float16":
            to_float16(source, path)
            told = say("Weights and operations are float16; inputs and outputs stay float32.")
            return Made(source, path, (told,))
        case "bfloat16":
            to_bfloat16(source, path)
            told = say("Weights and operations are bfloat16; inputs and outputs stay float32.")
            judged = rounded_like_bfloat16(source, temporary / "rounded.onnx")
            note = say("Judged with a float32 file whose values are rounded to bfloat16 at each operation.")
            return Made(source, judged, (told,), notes=(note,))
    reader, note = calibration_reader(context, parameters, input_names(onnxruntime, source))
    to_tensorrt_int8(source, path, reader)
    touched, skipped = operations(path)
    return Made(source, path, (touched,), skipped, (note,))


def quality_table(context: Context, float32: Path, prepared: Path) -> Table:
    """The measure on the validation split before and after, predicted by ONNX Runtime."""
    outputs = [predict_exactly(context, path) for path in (float32, prepared)]
    rows = [
        (name, _score(context, found, outputs[0]))
        for name, found in zip((say("float32"), say("for TensorRT")), outputs, strict=True)
    ]
    measure = measure_of(context.parent.description.task)
    return Table(
        title=say("Quality before any GPU is there"),
        columns=(say("File"), say("{measure} on the validation split", measure=measure.title)),
        rows=tuple(rows),
        note=say(
            "Predicted by ONNX Runtime with its optimizations off, so that quantized values are computed "
            "with as on the GPU."
        ),
    )


def predict_exactly(context: Context, path: Path) -> npt.NDArray[np.float32]:
    """The first output on the validation split, without ONNX Runtime's own fused kernels.

    Args:
        context: For the data and cancellation.
        path: An ``.onnx`` file.

    Raises:
        InvalidInput: If ONNX Runtime cannot run it.
    """
    from workbench.api.dataset import sample_count, select
    from workbench.api.privacy import import_onnxruntime

    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    # Fused int8 kernels of CPUs without VNNI saturate, which a GPU does not.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    features = context.dataset.x("validation")
    parts: list[Any] = []
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        inputs = session.get_inputs()
        names = [item.name for item in inputs]
        outputs = [item.name for item in session.get_outputs()]
        # prepared from the parent's file, or converted from it in the order of its outputs
        chosen = outputs[chosen_output(outputs, context.parent.settings.output)]
        step = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else _BATCH
        for start in range(0, sample_count(features), step):
            context.report.check()
            batch = ordered(select(features, slice(start, start + step)), names)
            parts.append(session.run([chosen], dict(zip(names, batch, strict=True)))[0])
    except (RuntimeError, ValueError) as error:
        raise InvalidInput(
            say("ONNX Runtime cannot run the prepared file: {error}", error=reason_of(error))
        ) from error
    joined: npt.NDArray[np.float32] = np.concatenate(parts).astype(np.float32)
    return joined


def _score(context: Context, outputs: npt.NDArray[np.float32], reference: npt.NDArray[np.float32]) -> float:
    description, info = context.parent.description, context.dataset.info
    labels = np.asarray(context.dataset.y("validation"))[: len(outputs)]
    if description.task == "agreement":
        labels = reference.reshape(len(reference), -1)
    weights = context.dataset.weights("validation")
    judge = FileJudge(
        info,
        labels,
        from_logits=description.from_logits,
        seed=context.seed,
        weights=None if weights is None else weights[: len(outputs)],
    )
    return judge.score(judge.answers(outputs))
