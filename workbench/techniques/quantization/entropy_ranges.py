"""The ranges of activations that lose least information, as ONNX Runtime finds them."""

from typing import Any


def write_entropy_ranges(source: str, reader: Any, ranges: str) -> None:
    """Observes the activations of an ONNX file and writes the range of each that loses least information.

    ``quantize_static`` by itself would look at 128 bins of 128 levels: one candidate, the extremes.

    Args:
        source: The ONNX file, float32.
        reader: The samples, a ``CalibrationDataReader``.
        ranges: The JSON file to write, for ``quantize_static(calibration_cache_path=...)``.
    """
    from onnxruntime.quantization import CalibrationMethod
    from onnxruntime.quantization.calibrate import create_calibrator, save_tensors_data

    calibrator = create_calibrator(
        source,
        augmented_model_path=f"{ranges}.onnx",
        calibrate_method=CalibrationMethod.Entropy,
        extra_options={"num_bins": 1024},
    )
    calibrator.collect_data(reader)
    save_tensors_data(calibrator.compute_data(), ranges)
