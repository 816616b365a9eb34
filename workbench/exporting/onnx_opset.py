"""ONNX files of old operator sets, with words for what was changed."""

from __future__ import annotations

from pathlib import Path

from workbench.api.errors import InvalidInput
from workbench.api.library_errors import reason_of
from workbench.api.text import Text, say
from workbench.plain.onnx.opset import opset_of, raised_opset


def with_opset(source: Path, target: Path) -> tuple[Path, tuple[Text, ...]]:
    """See :func:`workbench.plain.onnx.opset.raised_opset`.

    Returns:
        The file to go on with, and what is to be said of it.

    Raises:
        InvalidInput: If the operator set is too old to be quantized, and ONNX cannot convert it.
    """
    before = opset_of(source)
    try:
        path = Path(raised_opset(source, target))
    # The converter is C++ behind a binding: it raises RuntimeError and its own classes.
    except Exception as error:
        raise InvalidInput(
            say(
                "The file is written in ONNX operator set {opset}, which is too old to be quantized, and "
                "ONNX cannot bring it to a newer one: {error}",
                opset=before,
                error=reason_of(error),
            ),
            say("Export it again with operator set 17."),
        ) from error
    if path == source:
        return source, ()
    return path, (
        say(
            "Brought from ONNX operator set {before} to {after}, in which quantization can be written.",
            before=before,
            after=opset_of(path),
        ),
    )
