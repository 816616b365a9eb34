"""What people bring: one small model of each kind, with data that it learns; see :data:`KINDS`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.kinds import files, graphs, hub, keras_2, own, words
from tests.kinds.brought import Brought

__all__ = ["KINDS", "Brought"]

KINDS: dict[str, Callable[[Path], Brought]] = {
    "own model, from a notebook": own.from_a_notebook,
    "own model, `.keras` with its code": own.from_its_file,
    "own model, Keras 3 `.h5` with its code": own.from_hdf5,
    "own composite layers": own.composite,
    "own layer with weights of its own": own.closed,
    "own layer with several inputs": own.several_inputs,
    "own model, closed, with several inputs": own.closed_model,
    "own layer in TimeDistributed, own cell in Bidirectional": own.wrapped,
    "own function as activation": own.activation,
    "registered layer, `.keras` with its code": own.registered,
    "own model of which only the graph is left": graphs.graph_only,
    "Keras 2 LSTM, GRU, Bidirectional, `.h5`": keras_2.recurrent,
    "Keras 2 ConvLSTM2D, `.h5`": keras_2.convolutional_lstm,
    "Keras 2 Sequential of Sequentials and Functionals": keras_2.clicked,
    "HDF5 under the name `.keras`": keras_2.misnamed,
    "`.keras` of Keras 2.13": keras_2.archive,
    "`.keras` of Keras 2.13 from Windows": keras_2.windows,
    "SavedModel folder of Keras 2, trusted": keras_2.saved_model,
    "weights only": files.weights_only,
    "Lambda, trusted": files.trusted_lambda,
    "keras-hub backbone with a head, from code": hub.backbone,
    "keras-hub text classifier, from code": hub.text_classifier,
    "keras-hub text classifier, `.keras`": hub.text_classifier_file,
    "keras-hub picture classifier, from code": hub.image_classifier,
    "keras-hub MobileNet with a head, `.keras`": hub.mobilenet_file,
    "TextVectorization, a list of strings": words.vectorization,
    "TextVectorization, a CSV column": words.vectorization_csv,
    "StringLookup beside numbers": words.lookup,
    "float LiteRT file": files.litert,
    "float ONNX file": files.onnx,
    "scikit-learn ONNX (`ai.onnx.ml`)": files.onnx_trees,
}
