import os
import subprocess
import sys
from importlib import metadata

import psutil
import pytest

from workbench.measure.environment import cpu_pressure, environment, parse_cpuinfo

XEON = """processor\t: 0
vendor_id\t: GenuineIntel
model\t\t: 143
model name\t: Intel(R) Xeon(R) Platinum 8488C
flags\t\t: fpu sse2 fma avx f16c avx2 avx512f avx512_vnni avx512_bf16 amx_tile amx_int8 amx_bf16

processor\t: 1
model name\t: another
"""
RYZEN = "model name\t: AMD Ryzen 5\nflags\t\t: fpu fma avx f16c avx2\n"
GRAVITON = "processor\t: 0\nFeatures\t: fp asimd asimdhp asimddp i8mm bf16 sve\nCPU part\t: 0xd40\n"
RASPBERRY = "processor : 0\nFeatures : half thumb neon vfpv4\nModel : Raspberry Pi 4 Model B\n"


@pytest.mark.parametrize(
    ("text", "model", "features"),
    [
        (
            XEON,
            "Intel(R) Xeon(R) Platinum 8488C",
            "AMX AMX-BF16 AMX-INT8 AVX AVX-512 AVX2 BF16 F16C FMA VNNI",
        ),
        (RYZEN, "AMD Ryzen 5", "AVX AVX2 F16C FMA"),
        (GRAVITON, "", "BF16 DOTPROD FP16 I8MM NEON SVE"),
        (RASPBERRY, "Raspberry Pi 4 Model B", "NEON"),
        ("", "", ""),
    ],
)
def test_cpuinfo(text, model, features):
    assert parse_cpuinfo(text) == (model, tuple(features.split()))


def test_this_machine():
    found = environment()
    assert found.cpu
    assert found.memory_bytes == psutil.virtual_memory().total
    if hasattr(os, "sched_getaffinity"):
        assert found.cores == len(os.sched_getaffinity(0))
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert found.libraries["numpy"] == metadata.version("numpy")
    assert found.id == environment().id
    assert len(found.id) == 16
    other = found.model_copy(update={"libraries": {**found.libraries, "numpy": "0"}})
    assert other.id != found.id


def test_the_same_machine_has_the_same_environment_in_every_process_and_nothing_is_imported_for_it():
    code = (
        "import sys; from workbench.measure.environment import environment; print(environment().id);"
        "print(*({'tensorflow', 'keras', 'sklearn', 'onnxruntime', 'openvino', 'scipy'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split("\n") == [environment().id, "", ""]


def test_pressure(tmp_path):
    path = tmp_path / "cpu"
    path.write_text("some avg10=3.13 avg60=1.80 avg300=1.93 total=41238146\nfull avg10=0.00 avg60=0\n")
    assert cpu_pressure(path) == 3.13
    path.write_text("")
    assert cpu_pressure(path) is None
    assert cpu_pressure(tmp_path / "none") is None
