"""What a model file holds, read without running it: inputs, outputs, layers, weights, operations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import Format, ModelDescription, TensorSpec

if TYPE_CHECKING:
    import keras

__all__ = ["describe", "describe_keras"]


def describe_keras(model: keras.Model) -> ModelDescription:
    """Describes a Keras model that is in memory.

    Args:
        model: A built Keras 3 model.

    Returns:
        Layers in order, those of nested models as ``outer/inner``. Multiply-accumulates are those
        of Dense, convolution and EinsumDense layers, nothing else; None where a shape is free.

    Raises:
        workbench.api.errors.InvalidInput: If the model has no known input shape.
    """
    from workbench.models.reading.keras_layers import describe_model

    return describe_model(model)


def describe(path: Path, format: Format, like: ModelDescription | None = None) -> ModelDescription:
    """Describes a model file.

    Args:
        path: The file; for ``openvino`` a folder with ``model.xml`` and ``model.bin``.
        format: Its format. ``keras`` imports TensorFlow; the others do not.
        like: What the file was converted from. A conversion keeps the meaning of the output, the
            operations, the number of weights, the order of the inputs and what is done with them, so
            these are taken from it; what the new file stores (layers, bytes, precision, element
            types) is read.

    Raises:
        workbench.api.errors.InvalidInput: If the file cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise InvalidInput(say("There is no model file {path}.", path=str(path)))
    match format:
        case "keras":
            from workbench.models.converting.conversion import load_keras

            found = describe_keras(load_keras(path))
        case "tflite":
            from workbench.models.reading.tflite import describe_tflite

            found = describe_tflite(path)
        case "onnx":
            from workbench.models.reading.onnx_graph import describe_onnx

            found = describe_onnx(path)
        case "openvino":
            from workbench.models.reading.openvino_graph import describe_openvino

            found = describe_openvino(path)
    return found if like is None else _carried(found, like)


def _carried(found: ModelDescription, like: ModelDescription) -> ModelDescription:
    return found.model_copy(
        update={
            "inputs": _with_roles(_in_order(found.inputs, like.inputs), like.inputs),
            "outputs": _in_order(found.outputs, like.outputs),
            "parameters": like.parameters,
            "from_logits": like.from_logits,
            "macs": like.macs,
            "batch": like.batch,
        }
    )


def _with_roles(found: tuple[TensorSpec, ...], wanted: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
    if len(found) != len(wanted):
        return found
    return tuple(
        spec.model_copy(update={"role": before.role, "made_for": before.made_for})
        for spec, before in zip(found, wanted, strict=True)
    )


def _in_order(found: tuple[TensorSpec, ...], wanted: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
    """The tensors of a converted file in the order of the model it came from, where names tell."""
    names = [spec.name for spec in wanted]
    if len(found) != len(names) or len(found) == 1:
        return found
    by_name: dict[str, TensorSpec] = {}
    for spec in found:
        # converters decorate a name: serving_default_image:0, image:0
        bare = spec.name.partition(":")[0].removeprefix("serving_default_")
        by_name[bare] = spec
    if all(name in by_name for name in names):
        return tuple(by_name[name] for name in names)
    return found
