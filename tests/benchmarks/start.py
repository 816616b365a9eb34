"""What it costs to import the widgets and to hold the page in a kernel."""

from __future__ import annotations

import statistics
import subprocess
import sys

IMPORT = "import time; t = time.perf_counter(); import widgets; print(time.perf_counter() - t)"
HEAVY = """
import widgets, sys
print(*({"tensorflow", "keras", "dask", "sklearn", "plotly"} & set(sys.modules)) or ["-"])
"""
KERNEL = """
import tempfile, psutil, ipykernel.kernelapp
from workbench import Workbench
from widgets import Dashboard
workbench = Workbench(tempfile.mkdtemp())
page = Dashboard(workbench)
workbench.open("cnn-mnist-5k", "mnist-5k").wait()
workbench.apply("quantization.int8").wait()
workbench.results()
print(psutil.Process().memory_info().rss / 2**20)
workbench.close()
"""


def run(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()


def main() -> None:
    run(IMPORT)
    seconds = [float(run(IMPORT)) for _ in range(5)]
    print(
        f"import of widgets: {statistics.median(seconds):.2f} s "
        f"(median of 5, {min(seconds):.2f}-{max(seconds):.2f})"
    )
    print(f"heavy packages that it imports: {run(HEAVY)}")
    print(
        f"memory of a kernel with the page, a model open and one variant made: {float(run(KERNEL)):.0f} MiB"
    )
