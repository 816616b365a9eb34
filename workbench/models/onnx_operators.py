"""Operations that the ONNX converter does not know, said in ONNX's own; what is left is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from workbench.errors import InvalidInput
from workbench.text import say


@cache
def teach_converter() -> None:
    """Adds what tf2onnx lacks, once in a process: ``Erfc``, which TensorFlow's exact GELU is made of."""
    import numpy as np
    from tf2onnx import utils
    from tf2onnx.handler import tf_op

    class Erfc:
        """erfc(x) = 1 - erf(x)."""

        @classmethod
        def version_9(cls, ctx: Any, node: Any, **_: Any) -> None:
            dtype = utils.map_onnx_to_numpy_type(ctx.get_dtype(node.output[0]))
            one = ctx.make_const(utils.make_name("one"), np.array(1, dtype))
            node.type = "Erf"
            ctx.insert_new_node_on_output(
                "Sub", node.output[0], name=utils.make_name("erfc"), inputs=[one.output[0], node.output[0]]
            )

    tf_op("Erfc")(Erfc)


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
