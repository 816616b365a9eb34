"""Turns a Keras model into one of OpenVINO."""

from __future__ import annotations

import tempfile
from typing import Any

from ..keras.export import predicting, signature


def to_openvino(model: Any) -> Any:
    """The model as a float32 ``openvino.Model`` in memory.

    Args:
        model: A built ``keras.Model``.
    """
    import openvino

    # By way of a SavedModel: it alone keeps the names of the inputs.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as saved:
        with predicting(model):
            model.export(saved, format="tf_saved_model", verbose=False, **signature(model))
        return openvino.convert_model(saved)
