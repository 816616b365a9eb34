"""ONNX files in fewer bits, with words for what ONNX Runtime's tools cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.library_errors import reason_of
from workbench.api.text import say
from workbench.plain.onnx import precision


def to_float16(source: Path, target: Path) -> Path:
    """See :func:`workbench.plain.onnx.precision.to_float16`.

    Returns:
        ``target``.

    Raises:
        InvalidInput: If the tool cannot convert it.
    """
    with _in_words("float16"):
        precision.to_float16(source, target)
    return target


def to_dynamic_int8(source: Path, target: Path) -> Path:
    """See :func:`workbench.plain.onnx.precision.to_dynamic_int8`.

    Returns:
        ``target``.

    Raises:
        InvalidInput: If the tool cannot convert it.
    """
    with _in_words("dynamic int8"):
        precision.to_dynamic_int8(source, target)
    return target


def to_tensorrt_int8(source: Path, target: Path, reader: Any) -> Path:
    """See :func:`workbench.plain.onnx.precision.to_tensorrt_int8`.

    Returns:
        ``target``.

    Raises:
        InvalidInput: If the quantizer cannot do it.
    """
    with _in_words("int8"):
        precision.to_tensorrt_int8(source, target, reader)
    return target


@contextmanager
def _in_words(wanted: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInput(
            say(
                "The ONNX file cannot be made {precision}: {error}", precision=wanted, error=reason_of(error)
            ),
            say("Choose another precision, or another runtime."),
        ) from error
