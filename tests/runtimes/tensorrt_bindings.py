"""TensorRT's real bindings on a machine without TensorRT: three stub libraries that they link to.

The wheels are NVIDIA's and are not kept here: they are installed into a folder that is kept between runs.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

STAND_IN = Path(__file__).with_name("tensorrt_stand_in")
"""A folder with modules of TensorRT's and PyCUDA's names, which compute without a GPU."""

WHEELS = {11: "tensorrt_cu13_bindings==11.4.0.106", 10: "tensorrt_cu12_bindings==10.16.1.11"}

_STUB = """\
#include <stddef.h>
#define NOTHING(name) void* name(void) { return NULL; }
NOTHING(createInferBuilder_INTERNAL) NOTHING(createInferRefitter_INTERNAL)
NOTHING(createInferRuntime_INTERNAL)
NOTHING(createNvOnnxParserRefitter_INTERNAL) NOTHING(createNvOnnxParser_INTERNAL)
NOTHING(getBuilderPluginRegistry) NOTHING(getPluginRegistry)
int getNvOnnxParserVersion(void) { return 0; }
int getInferLibVersion(void) { return 0; }
_Bool initLibNvInferPlugins(void* logger, const char* name) { return 0; }
"""


def bindings(version):
    """Folders of the wheel and of the stub libraries; skips with the reason where that cannot be."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("a C compiler on Linux makes the stub libraries")
    root = (
        Path(os.environ.get("WORKBENCH_TEST_CACHE") or tempfile.gettempdir()) / "workbench-tensorrt-bindings"
    )
    folder = root / f"{WHEELS[version]}-{sys.version_info[0]}{sys.version_info[1]}"
    if not (folder / "ready").exists():
        _install(WHEELS[version], folder)
        for library in ("nvinfer", "nvonnxparser", "nvinfer_plugin"):
            name = f"lib{library}.so.{version}"
            subprocess.run(
                [
                    compiler,
                    "-shared",
                    "-fPIC",
                    "-x",
                    "c",
                    "-",
                    "-o",
                    str(folder / name),
                    f"-Wl,-soname,{name}",
                ],
                input=_STUB,
                text=True,
                check=True,
                capture_output=True,
            )
        (folder / "ready").touch()
    return folder


def _install(wheel, folder):
    ways = [[shutil.which(name), *words] for name, words in _INSTALLERS if shutil.which(name)]
    told = "neither uv nor pip is there"
    for way in ways:
        done = subprocess.run(
            [*way, "--no-deps", "--target", str(folder), wheel], capture_output=True, text=True, timeout=1500
        )
        if done.returncode == 0:
            return
        told = done.stderr.strip().splitlines()[-1:] or told
    pytest.skip(f"{wheel} could not be installed: {told}")


_INSTALLERS = [
    ("uv", ["pip", "install", "--quiet", "--python", sys.executable]),
    ("pip", ["install", "--quiet", "--disable-pip-version-check", "--python-version",
             f"{sys.version_info[0]}.{sys.version_info[1]}", "--only-binary", ":all:"]),
]  # fmt: skip


def ask(version, program):
    """Runs a program in a process where ``trt`` is the bindings; returns what it prints as JSON."""
    folder = bindings(version)
    start = f"import sys, json; sys.path.insert(0, {str(folder)!r}); import tensorrt_bindings as trt\n"
    done = subprocess.run(
        [sys.executable, "-c", start + program],
        capture_output=True,
        text=True,
        env={**os.environ, "LD_LIBRARY_PATH": str(folder)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
