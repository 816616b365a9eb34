"""Files that are not a whole Keras model, or carry code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.kinds.brought import Brought, patterns, taught


def _plain(*between: Any) -> Any:
    import keras

    x, y = patterns(20)
    layers = [
        keras.Input((20,), name="values"),
        keras.layers.Dense(48, activation="relu"),
        *between,
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(3, activation="softmax"),
    ]
    return taught(keras.Sequential(layers), x, y), (x, y)


def weights_only(folder: Path) -> Brought:
    model, data = _plain()
    model.save_weights(folder / "some.weights.h5")
    return Brought(folder / "some.weights.h5", data)


def trusted_lambda(folder: Path) -> Brought:
    import keras

    model, data = _plain(keras.layers.Lambda(lambda x: x * 0.5))
    model.save(folder / "lambda.keras")
    return Brought(folder / "lambda.keras", data, {"trust": True})


def litert(folder: Path) -> Brought:
    from workbench.models.converting.conversion import to_tflite

    model, data = _plain()
    return Brought(to_tflite(model, folder / "plain.tflite"), data)


def onnx(folder: Path) -> Brought:
    from workbench.models.converting.conversion import to_onnx

    model, data = _plain()
    return Brought(to_onnx(model, folder / "plain.onnx"), data)


def onnx_trees(folder: Path) -> Brought:
    """As skl2onnx writes a tree: labels, and probabilities."""
    import onnx
    from onnx import TensorProto, helper

    x, y = patterns(2)
    tree = helper.make_node(
        "TreeEnsembleClassifier",
        ["X"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        classlabels_int64s=[0, 1, 2],
        class_ids=[0, 1, 2],
        class_nodeids=[1, 3, 4],
        class_treeids=[0, 0, 0],
        class_weights=[1.0, 1.0, 1.0],
        nodes_falsenodeids=[2, 0, 4, 0, 0],
        nodes_featureids=[0, 0, 1, 0, 0],
        nodes_hitrates=[1.0] * 5,
        nodes_missing_value_tracks_true=[0] * 5,
        nodes_modes=["BRANCH_LEQ", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_nodeids=[0, 1, 2, 3, 4],
        nodes_treeids=[0] * 5,
        nodes_truenodeids=[1, 0, 3, 0, 0],
        nodes_values=[float(x[:, 0].mean()), 0.0, float(x[:, 1].mean()), 0.0, 0.0],
        post_transform="NONE",
    )
    graph = helper.make_graph(
        [tree],
        "tree",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 3]),
        ],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.save(model, folder / "tree.onnx")
    return Brought(folder / "tree.onnx", (x, y), {"output": "probabilities"})
