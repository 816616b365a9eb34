"""The ranges of activations, as ONNX Runtime finds them, before anything is quantized."""

from typing import Any


def write_ranges(source: str, reader: Any, ranges: str, method: str, *, external: bool = False) -> None:
    """Observes the activations of an ONNX file and writes the range of each.

    With entropy it is the range that loses least information: ``quantize_static`` by itself would look at 128
    bins of 128 levels: one candidate, the extremes.

    Args:
        source: The ONNX file, float32.
        reader: The samples, a ``CalibrationDataReader``.
        ranges: The JSON file to write, for ``quantize_static(calibration_cache_path=...)``.
        method: Name of a ``CalibrationMethod``.
        external: Whether weights lie in a file of their own.
    """
    from onnxruntime.quantization import CalibrationMethod
    from onnxruntime.quantization.calibrate import create_calibrator, save_tensors_data

    calibrator = create_calibrator(
        source,
        augmented_model_path=f"{ranges}.onnx",
        calibrate_method=CalibrationMethod[method],
        use_external_data_format=external,
        extra_options={"num_bins": 1024} if method == "Entropy" else {},
    )
    calibrator.collect_data(reader)
    save_tensors_data(calibrator.compute_data(), ranges)
