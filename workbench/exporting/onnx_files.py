"""The files behind a quantization with ONNX Runtime: what goes in, and what came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.api.dataset import sample_count, select
from workbench.api.errors import Refused
from workbench.api.technique import Context
from workbench.api.text import Text, say
from workbench.api.variant import Skip, Variant
from workbench.exporting.calibration import calibration_note
from workbench.exporting.litert_files import CalibratedParameters, calibration_index
from workbench.exporting.onnx_opset import with_opset
from workbench.models.converting.memory import release_memory, require_memory
from workbench.models.converting.onnx_child import to_onnx_in_child
from workbench.plain.onnx.quantize import sample_reader

_RESERVE_BYTES = 200 << 20
"""What ONNX Runtime takes beside the weights."""
_PROCESS_BYTES = 700 << 20
"""What TensorFlow takes in the process that converts a large model."""


LARGE_MODEL_BYTES = 64 << 20
"""From this size of weights on they lie in files of their own on the way, which need not be read whole."""


def is_large(variant: Variant) -> bool:
    """Whether the weights of a variant, as float32, had better stay outside of graphs."""
    return 4 * variant.description.parameters >= LARGE_MODEL_BYTES


def prepared_onnx(context: Context, temporary: Path) -> Path:
    """The parent as a float32 ONNX file, cleaned up for quantization.

    Args:
        context: The technique's context; progress up to 0.2.
        temporary: A folder for files on the way. The weights of a large model are in a second one there.

    Raises:
        Refused: If quantizing does not fit in the memory that is free.
    """
    from onnxruntime.quantization.shape_inference import quant_pre_process

    source, large = context.parent.path, is_large(context.parent)
    weight_bytes = 4 * context.parent.description.parameters
    require_memory(
        _RESERVE_BYTES + large * _PROCESS_BYTES + 4 * weight_bytes, say("Quantizing with ONNX Runtime")
    )
    if context.parent.format == "keras":
        context.report.stage(say("Converting to ONNX"))
        context.report.check()
        source = _converted(context, temporary, large)
        context.report.progress(0.2)
    else:
        source, notes = with_opset(source, temporary / "raised.onnx")
        for note in notes:
            context.report.log(note)
    context.report.check()
    prepared = temporary / "prepared.onnx"
    # Symbolic shapes would need sympy, and are for transformers.
    quant_pre_process(
        str(source),
        str(prepared),
        skip_symbolic_shape=True,
        save_as_external_data=large,
        all_tensors_to_one_file=large,
        external_data_location="prepared.data" if large else None,
    )
    release_memory()
    return prepared


def _converted(context: Context, temporary: Path, large: bool) -> Path:
    source, target = context.parent.path, temporary / "float32.onnx"
    trust = context.parent.settings.trusted
    if large:
        return to_onnx_in_child(context.report, source, target, temporary / "float32.data", trust=trust)
    from workbench.models.converting.conversion import load_keras, to_onnx

    return to_onnx(load_keras(source, trust=trust), target)


def one_file(source: Path, target: Path) -> None:
    """Copies an ONNX file with its weights, which lie in files beside it, into one.

    Args:
        source: The ``.onnx`` file.
        target: The file to write.
    """
    import onnx

    onnx.save(onnx.load(str(source)), str(target))


def input_names(onnxruntime: Any, path: Path) -> list[str]:
    """The names of a file's inputs, in its order."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return [item.name for item in session.get_inputs()]


def calibration_reader(
    context: Context, parameters: CalibratedParameters, names: list[str]
) -> tuple[Any, Text]:
    """The calibration samples as ONNX Runtime reads them, and a note on where they are from.

    Args:
        context: For the data, progress (0.25 to 0.85) and cancellation.
        parameters: How many, from where.
        names: The file's inputs.
    """
    from workbench.data.batches import by_name

    features = context.dataset.x(parameters.split)
    index = calibration_index(parameters, sample_count(features))

    def samples() -> Iterator[dict[str, Any]]:
        for number, row in enumerate(index):
            context.report.check()
            context.report.progress(0.25 + 0.6 * number / len(index))
            part = select(features, slice(row, row + 1))
            yield by_name(part, names, context.parent.description.inputs)
        context.report.check()

    return sample_reader(samples()), calibration_note(parameters, len(index))


def operations(path: Path) -> tuple[Text, tuple[Skip, ...]]:
    """Which operations of a quantized file compute on 8-bit values, and which do not.

    Raises:
        Refused: If none does.
    """
    from workbench.models.reading.onnx_graph import read_onnx

    graph = read_onnx(path).graph
    dequantized = {name for node in graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    done: Counter[str] = Counter()
    left = []
    for node in graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            continue
        if node.input and node.input[0] in dequantized:
            done[node.op_type] += 1
        else:
            reason = say("ONNX Runtime's quantizer leaves this {kind} in float32.", kind=node.op_type)
            left.append(Skip(name=f"{node.name} ({node.op_type})", reason=reason))
    if not done:
        raise Refused(
            say("No operation of this model has an 8-bit form in ONNX Runtime's quantizer."),
            say("Choose another way of int8, or another runtime."),
        )
    touched = say(
        "{done} of {all} operations compute on 8-bit values: {kinds}.",
        done=done.total(),
        all=done.total() + len(left),
        kinds=tuple(f"{count} {kind}" for kind, count in sorted(done.items())),
    )
    return touched, tuple(left)
