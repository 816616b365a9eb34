"""No runtime may report to its maker: their telemetry is off before they are imported."""

from __future__ import annotations

import os
import sys
from typing import Any


def forbid_telemetry() -> None:
    """Turns off the telemetry of OpenVINO, NNCF and ONNX Runtime in this process and its children.

    Call it before any of them is imported; it imports nothing.

    - OpenVINO and NNCF take a missing consent file for consent, write into ``~/intel`` and send
      events. Both do nothing where their telemetry package cannot be imported, so it is made so.
    - ONNX Runtime 1.32 writes an identifier into ``~/.cache/Microsoft`` when it is imported, unless
      this variable is set (its Privacy.md).
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None forbids the import


def import_openvino() -> Any:
    """Imports OpenVINO with its telemetry off; NNCF after this is silent too."""
    forbid_telemetry()
    import openvino

    return openvino


def import_onnxruntime() -> Any:
    """Imports ONNX Runtime with its telemetry off."""
    forbid_telemetry()
    import onnxruntime

    return onnxruntime
