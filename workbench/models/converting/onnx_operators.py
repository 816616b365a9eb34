"""Operations that the ONNX converter leaves as they are, which no runtime knows, are refused."""

from __future__ import annotations

from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.text import say


def require_known_operators(graph: Any) -> None:
    """Checks that there are only operators of ONNX in a graph: the converter leaves others in and only logs.

    Args:
        graph: An ``onnx.GraphProto``, before it is written.

    Raises:
        InvalidInput: With the operations that it could not convert.
    """
    import onnx

    unknown = sorted({node.op_type for node in graph.node if not onnx.defs.has(node.op_type, node.domain)})
    if unknown:
        raise InvalidInput(
            say("The model cannot be converted to ONNX: it has no form for {names}.", names=tuple(unknown)),
            say("Replace these operations, or choose another runtime."),
        )
