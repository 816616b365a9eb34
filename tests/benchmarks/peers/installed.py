"""What the peers that live beside Keras 3 make of a model, each called as its documentation shows.

``python -m tests.benchmarks.peers.installed PEER FOLDER`` reads ``model.keras`` and ``data.npz`` in the
folder, and writes ``peer.tflite``, ``peer.onnx``, ``peer/model.xml`` or ``peer.keras`` there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from workbench.api.privacy import forbid_telemetry, import_onnxruntime, import_openvino


def ai_edge_quantizer(model: Any, samples: Any, folder: Path) -> Path:
    """The static int8 recipe of github.com/google-ai-edge/litert-quantizer."""
    from litert_quantizer import quantizer, recipe

    model.export(str(folder / "float32.tflite"), format="litert", verbose=False)
    worker = quantizer.Quantizer(str(folder / "float32.tflite"))
    worker.load_quantization_recipe(recipe.static_wi8_ai8())
    ranges = worker.calibrate(
        {"serving_default": [{model.inputs[0].name: sample[None]} for sample in samples]}
    )
    worker.quantize(ranges).export_model(str(folder / "peer.tflite"), overwrite=True)
    return folder / "peer.tflite"


def onnxruntime_quantization(model: Any, samples: Any, folder: Path) -> Path:
    """Pre-processing, then the defaults.

    As in onnxruntime.ai/docs/performance/model-optimizations/quantization.html.
    """
    onnxruntime = import_onnxruntime()
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    source, prepared, target = (str(folder / f"{name}.onnx") for name in ("float32", "prepared", "peer"))
    model(np.zeros((1, *model.inputs[0].shape[1:]), np.float32))  # the exporter wants a model that was called
    model.export(source, format="onnx", verbose=False)
    name = onnxruntime.InferenceSession(source).get_inputs()[0].name

    class Reader(CalibrationDataReader):
        """The calibration samples one by one."""

        def __init__(self) -> None:
            self._rows = iter(samples)

        def get_next(self) -> dict[str, Any] | None:
            """The next sample; None after the last."""
            sample = next(self._rows, None)
            return None if sample is None else {name: sample[None]}

    # Symbolic shapes need sympy, and are for transformers.
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    quantize_static(prepared, target, Reader())
    return folder / "peer.onnx"


def nncf_quantize(model: Any, samples: Any, folder: Path) -> Path:
    """docs.openvino.ai, "Basic Quantization Flow"."""
    openvino = import_openvino()
    forbid_telemetry()
    import nncf

    model.export(str(folder / "saved"), format="tf_saved_model", verbose=False)
    converted = openvino.convert_model(str(folder / "saved"))
    quantized = nncf.quantize(converted, nncf.Dataset(list(samples), lambda sample: sample[None]))
    openvino.save_model(quantized, str(folder / "peer" / "model.xml"))
    return folder / "peer"


def keras_int8(model: Any, samples: Any, folder: Path) -> Path:
    """keras.io/guides/quantization_overview; it needs no samples."""
    del samples
    model.quantize("int8")
    model.save(folder / "peer.keras")
    return folder / "peer.keras"


PEERS: dict[str, Callable[[Any, Any, Path], Path]] = {
    function.__name__: function
    for function in (ai_edge_quantizer, onnxruntime_quantization, nncf_quantize, keras_int8)
}

if __name__ == "__main__":
    import keras

    where = Path(sys.argv[2])
    PEERS[sys.argv[1]](
        keras.models.load_model(where / "model.keras", compile=False),
        np.load(where / "data.npz")["x_calibration"],
        where,
    )
