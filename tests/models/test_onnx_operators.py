"""What the converter lacks is said in ONNX's own operations, or refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from tests import small_models
from workbench.api.errors import InvalidInput
from workbench.models.converting.conversion import to_onnx
from workbench.models.converting.onnx_operators import require_known_operators


@pytest.mark.slow
def test_an_exact_gelu_becomes_a_file_that_runs(tmp_path):
    import onnxruntime

    model = small_models.build("transformer")
    session = onnxruntime.InferenceSession(str(to_onnx(model, tmp_path / "model.onnx")))
    x, _ = small_models.features("transformer", 16)
    scores = session.run(None, {session.get_inputs()[0].name: x})[0]
    np.testing.assert_allclose(scores, model(x), atol=1e-5)


def test_an_operation_that_onnx_does_not_have_is_named():
    import onnx

    node = onnx.helper.make_node("Mystery", ["x"], ["y"])
    tensors = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "g", tensors[:1], tensors[1:])
    with pytest.raises(InvalidInput, match="no form for Mystery"):
        require_known_operators(graph)
