"""Brings an ONNX file to an operator set that quantization can be written in."""

from __future__ import annotations

from pathlib import Path

QUANTIZABLE = 13
"""From this operator set on, a scale can belong to a channel."""
RAISED_TO = 17


def opset_of(path: Path | str) -> int:
    """The operator set of ONNX that a file is written in."""
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    return max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)


def raised_opset(source: Path | str, target: Path | str) -> Path | str:
    """Writes a file of an older operator set in a newer one; it computes the same.

    Args:
        source: An ``.onnx`` file.
        target: The file to write where that is needed.

    Returns:
        ``source`` where its operator set is new enough, else ``target``.
    """
    if opset_of(source) >= QUANTIZABLE:
        return source
    import onnx
    from onnx import version_converter

    converted = version_converter.convert_version(onnx.load(str(source)), RAISED_TO)
    converted.ir_version = max(converted.ir_version, 8)
    onnx.save(converted, str(target))
    return target
