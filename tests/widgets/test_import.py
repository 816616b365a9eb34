"""Importing the page costs little and brings nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = (
    "tensorflow",
    "keras",
    "plotly",
    "dask",
    "distributed",
    "sklearn",
    "pandas",
    "onnx",
    "onnxruntime",
    "openvino",
    "PIL",
)


def test_importing_widgets_imports_nothing_heavy() -> None:
    program = "import json, sys, widgets; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout
    )
    assert not [name for name in modules if name.partition(".")[0] in HEAVY]
    assert "anywidget" in modules


def test_everything_public_is_there() -> None:
    import widgets

    for name in widgets.__all__:
        assert getattr(widgets, name).__doc__
