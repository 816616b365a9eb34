"""Leaves out the dictionaries, one per sample, that scikit-learn's converter puts behind a classifier."""

from __future__ import annotations

from pathlib import Path


def without_maps(path: Path) -> bool:
    """Takes ``ZipMap`` nodes out of an ``.onnx`` file, in place: what they take is the output then.

    They pair each class with its number in a dictionary, which is no tensor: no measure reads it, no other
    runtime has it, and to make it takes longer than many a model. The numbers are the same.

    Args:
        path: A file that is the workbench's own copy.

    Returns:
        Whether there was one.
    """
    import onnx

    from workbench.models.reading.onnx_graph import read_onnx

    model = read_onnx(path)
    outputs = {value.name: place for place, value in enumerate(model.graph.output)}
    maps = [node for node in model.graph.node if node.op_type == "ZipMap" and node.output[0] in outputs]
    for node in maps:
        numbers = next(iter(node.attribute), None)
        classes = len(numbers.ints) or len(numbers.strings) if numbers is not None else 0
        value = onnx.helper.make_tensor_value_info(
            node.input[0], onnx.TensorProto.FLOAT, [None, classes or None]
        )
        model.graph.output[outputs[node.output[0]]].CopyFrom(value)
        model.graph.node.remove(node)
    if maps:
        onnx.save(model, str(path))
    return bool(maps)
