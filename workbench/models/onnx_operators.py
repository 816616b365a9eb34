"""Operations that the ONNX converter leaves as they are, which no runtime knows, are refused."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import InvalidInput
from workbench.text import say


def require_known_operators(path: Path) -> None:
    """Checks that a written file has only operators of ONNX: the converter leaves others in and only logs.

    Raises:
        InvalidInput: With the operations that it could not convert.
    """
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    unknown = sorted({node.op_type for node in graph.node if not onnx.defs.has(node.op_type, node.domain)})
    if unknown:
        path.unlink()
        raise InvalidInput(
            say(
                "The model cannot be converted to ONNX: it has no form for {names}.", names=", ".join(unknown)
            ),
            say("Replace these operations, or choose another runtime."),
        )
