"""The environment: on which machine, with which software, a number was taken."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from workbench.measure.records import Environment

DISTRIBUTIONS = (
    "ai-edge-litert",
    "keras",
    "numpy",
    "onnx",
    "onnxruntime",
    "openvino",
    "nncf",
    "pycuda",
    "scikit-learn",
    "tensorflow",
    "tensorflow-cpu",
    "tensorrt",
    "tf-keras",
    "tf2onnx",
)
"""Distributions whose version can change a number."""

_FLAGS = {
    # x86, as in the "flags" line of /proc/cpuinfo
    "f16c": "F16C",
    "fma": "FMA",
    "avx": "AVX",
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "VNNI",
    "avx_vnni": "VNNI",
    "avx512_bf16": "BF16",
    "avx512_fp16": "FP16",
    "amx_tile": "AMX",
    "amx_int8": "AMX-INT8",
    "amx_bf16": "AMX-BF16",
    # Arm, as in its "Features" line
    "neon": "NEON",
    "asimd": "NEON",
    "asimdhp": "FP16",
    "asimddp": "DOTPROD",
    "i8mm": "I8MM",
    "bf16": "BF16",
    "sve": "SVE",
    "sve2": "SVE2",
    "sme": "SME",
}

_MACOS_FLAGS = {
    "hw.optional.avx2_0": "AVX2",
    "hw.optional.avx512f": "AVX-512",
    "hw.optional.neon": "NEON",
    "hw.optional.arm.FEAT_FP16": "FP16",
    "hw.optional.arm.FEAT_DotProd": "DOTPROD",
    "hw.optional.arm.FEAT_I8MM": "I8MM",
    "hw.optional.arm.FEAT_BF16": "BF16",
    "hw.optional.arm.FEAT_SME": "SME",
}


@cache
def environment() -> Environment:
    """This machine and what is installed here, looked at once per process.

    Versions come from the installed distributions' metadata: no library is imported.
    """
    import psutil

    cpu, features = _processor()
    return Environment(
        cpu=cpu,
        features=features,
        cores=available_cores(),
        memory_bytes=psutil.virtual_memory().total,
        gpu=_gpu(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        libraries=_versions(),
    )


def available_cores() -> int:
    """Logical cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float:
    """One-minute load average; 0 where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def cpu_pressure(path: Path = Path("/proc/pressure/cpu")) -> float | None:
    """Share of the last 10 s, in percent, in which some task waited for a processor.

    Returns:
        The ``some avg10`` value of Linux's pressure stall information; None elsewhere.
    """
    try:
        for part in path.read_text().splitlines()[0].split():
            if part.startswith("avg10="):
                return float(part.removeprefix("avg10="))
    except (OSError, IndexError, ValueError):
        pass
    return None


def parse_cpuinfo(text: str) -> tuple[str, tuple[str, ...]]:
    """Reads ``/proc/cpuinfo``.

    Args:
        text: Its content.

    Returns:
        Model name (empty where the file has none, as on most Arm machines), and the names of the
        instruction sets that matter for inference, sorted.
    """
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields.setdefault(key.strip().lower(), value.strip())
    flags = (fields.get("flags") or fields.get("features") or "").lower().split()
    names = {_FLAGS[flag] for flag in flags if flag in _FLAGS}
    model = fields.get("model name") or fields.get("hardware") or fields.get("model") or ""
    return ("" if model.isdigit() else model), tuple(sorted(names))


def _processor() -> tuple[str, tuple[str, ...]]:
    name, features = "", tuple[str, ...]()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        name, features = parse_cpuinfo(cpuinfo.read_text(errors="replace"))
    elif platform.system() == "Darwin":
        name = _output("sysctl", "-n", "machdep.cpu.brand_string")
        features = tuple(
            sorted({word for key, word in _MACOS_FLAGS.items() if _output("sysctl", "-n", key) == "1"})
        )
    if not name:
        name = _lscpu_model() or platform.processor() or platform.machine()
    return name, features


def _lscpu_model() -> str:
    # On Arm, /proc/cpuinfo has only part numbers; lscpu knows their names.
    for line in _output("lscpu").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "Model name":
            return value.strip()
    return ""


def _gpu() -> str | None:
    lines = _output("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader").splitlines()
    names = [", driver ".join(part.strip() for part in line.split(",", 1)) for line in lines if line.strip()]
    return "; ".join(names) or None


def _output(*command: str) -> str:
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603  (fixed commands)
            [program, *command[1:]], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _versions() -> dict[str, str]:
    versions = {}
    for name in DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
