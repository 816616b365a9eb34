"""A classifier as scikit-learn's converter writes it: dictionaries at its end."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.techniques.applying import Reports
from workbench.models.intake.intake import open_model


@pytest.fixture
def classical(tmp_path):
    """Logistic regression with the outputs that skl2onnx gives it: a label, and a dictionary per sample."""
    x, y = load_iris(return_X_y=True)
    x = x.astype("float32")
    fitted = LogisticRegression(max_iter=500).fit(x, y)
    scores = helper.make_node(
        "LinearClassifier",
        ["X"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        coefficients=fitted.coef_.ravel().tolist(),
        intercepts=fitted.intercept_.tolist(),
        classlabels_ints=[0, 1, 2],
        multi_class=1,
        post_transform="SOFTMAX",
    )
    maps = helper.make_node(
        "ZipMap", ["scores"], ["probabilities"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2]
    )
    pair = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    graph = helper.make_graph(
        [scores, maps],
        "classical",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 4])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_value_info("probabilities", helper.make_sequence_type_proto(pair)),
        ],
    )
    sets = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)]
    path = tmp_path / "classical.onnx"
    onnx.save(helper.make_model(graph, opset_imports=sets, ir_version=8), str(path))
    return path, x, fitted


def test_the_array_behind_the_dictionaries_is_the_output(classical, tmp_path):
    path, x, fitted = classical
    before = path.read_bytes()
    opened = open_model(Reports(), path, tmp_path / "opened")
    assert path.read_bytes() == before  # the user's own file
    assert [(spec.name, spec.shape) for spec in opened.description.outputs] == [
        ("label", ()),
        ("scores", (3,)),
    ]
    assert any("ZipMap" in str(note) for note in opened.notes)
    session = onnxruntime.InferenceSession(str(opened.path), providers=["CPUExecutionProvider"])
    _, scores = session.run(None, {"X": x})
    assert np.abs(scores - fitted.predict_proba(x)).max() < 1e-6
