import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.api.errors import InvalidInput
from workbench.measure import energy
from workbench.measure.energy import RaplMeter, find_meter, measure_energy


def counter(root, name, energy_uj, most=1_000_000):
    folder = root / name
    folder.mkdir()
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder


def test_the_counters_of_all_packages_add_up_and_wrap(tmp_path):
    first = counter(tmp_path, "intel-rapl:0", 900_000)
    counter(tmp_path, "intel-rapl:1", 100)
    counter(tmp_path, "intel-rapl:0:0", 5)  # a part of package 0
    meter = find_meter("litert", tmp_path)
    assert meter.name == "RAPL package"
    assert meter.joules() == 0
    (first / "energy_uj").write_text("950000")
    assert meter.joules() == pytest.approx(0.05)
    (first / "energy_uj").write_text("50000")
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text("200100")
    assert meter.joules() == pytest.approx(0.05 + 0.1 + 0.2)


def test_without_a_meter_there_is_a_reason_and_no_number(report, tiny, dataset_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(energy, "find_meter", lambda runtime: find_meter(runtime, tmp_path))
    found = measure_energy(report, tiny("model"), dataset_folder)
    assert found.joules_per_sample is None
    assert "Not measurable on this machine" in str(found.reason)


def test_less_than_ten_seconds_is_refused(report, tiny, dataset_folder):
    with pytest.raises(ValueError, match="at least 10"):
        measure_energy(report, tiny("model"), dataset_folder, seconds=9.9)


def test_energy_is_what_exceeds_the_idle_baseline(report, tiny, dataset_folder, monkeypatch, tmp_path):
    """A counter that rises by 20 W, and by 50 W more once inference has started."""
    monkeypatch.setattr(energy, "LEAST_S", 1.0)
    folder = counter(tmp_path, "intel-rapl:0", 0, most=10**12)
    start = time.monotonic()
    busy_since = []

    class Rising(RaplMeter):
        def joules(self):
            now = time.monotonic()
            busy = now - busy_since[0] if busy_since else 0.0
            (folder / "energy_uj").write_text(str(int(1e6 * (20 * (now - start) + 50 * busy))))
            if any("Measuring energy" in str(stage) for stage in report.stages) and not busy_since:
                busy_since.append(now)
            return super().joules()

    found = measure_energy(
        report, tiny("model", sleep_s=0.01), dataset_folder, seconds=3.0, meter=Rising([folder])
    )

    assert found.meter == "RAPL package"
    assert found.idle_watts == pytest.approx(20, rel=0.25)
    assert found.busy_watts == pytest.approx(70, rel=0.25)
    net = found.joules_per_sample * found.samples / found.seconds
    assert net == pytest.approx(50, rel=0.4)
    assert 0 < found.samples <= 300


DRIVER = """\
#include <stdint.h>
/* Two GPUs: the first counts 1.5 J a question, the second 10 J. */
static unsigned long long counted[2] = {5000, 70000};
static int handles[2] = {0, 1};
int nvmlInitWithFlags(unsigned flags) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned* count) { *count = GPUS; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) { *device = &handles[index]; return 0; }
int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* energy) {
    int gpu = *(int*) device;
    *energy = counted[gpu] += gpu ? 10000 : 1500;
    return COUNTS ? 0 : 3; /* NVML_ERROR_NOT_SUPPORTED */
}
"""

METER = """\
import json
from workbench.measure.energy import find_meter
meter = find_meter("tensorrt")
print(json.dumps(meter and [meter.name, meter.joules(), meter.joules(), meter.close()]))
"""


@pytest.mark.parametrize(
    ("gpus", "counts", "found"),
    [
        (2, 1, ["NVML GPU energy", 11.5, 23.0, None]),
        (1, 1, ["NVML GPU energy", 1.5, 3.0, None]),
        (0, 1, None),
        (1, 0, None),
        (None, None, None),
    ],
    ids=["two", "one", "none", "one that does not count", "no driver"],
)
def test_the_energy_of_gpus_is_read_through_nvidia_s_package(gpus, counts, found, tmp_path):
    """NVIDIA's own Python package runs; in the place of the driver's library stands one of five functions."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("a C compiler on Linux makes the library in the driver's place")
    if gpus is not None:
        library = tmp_path / "libnvidia-ml.so.1"
        options = [f"-DGPUS={gpus}", f"-DCOUNTS={counts}", "-shared", "-fPIC", "-x", "c", "-"]
        subprocess.run([compiler, *options, "-o", library], input=DRIVER, text=True, check=True)
    elif Path("/dev/nvidiactl").exists():
        pytest.skip("here is a driver")
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", METER], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == found


def test_a_command_of_ones_own_is_a_meter_to_the_last_joule(
    report, tiny, dataset_folder, monkeypatch, tmp_path
):
    """It counts 5 J for each time that it is asked: what is measured is known without a clock."""
    monkeypatch.setattr(energy, "LEAST_S", 0.5)
    asked, script = tmp_path / "asked", tmp_path / "my meter.py"
    script.write_text(
        f"from pathlib import Path; asked = Path({str(asked)!r})\n"
        "number = int(asked.read_text()) + 1 if asked.exists() else 0\n"
        "asked.write_text(str(number)); print(5 * number)\n"
    )
    monkeypatch.setenv(energy.COMMAND_VARIABLE, f"{sys.executable} '{script}'")
    meter = find_meter("litert", tmp_path / "no counters")
    assert meter.name == Path(sys.executable).name
    assert [meter.joules(), meter.joules()] == [5, 10]
    asked.unlink()
    found = measure_energy(report, tiny("model"), dataset_folder, seconds=0.5)
    # Asked once to see that it works, twice of the idle machine, twice of the busy one.
    assert int(asked.read_text()) == 4
    assert found.busy_watts * found.seconds == pytest.approx(5)
    assert found.joules_per_sample * found.samples == pytest.approx(5 - found.idle_watts * found.seconds)


@pytest.mark.parametrize(
    "command", ["no-such-program", "echo twelve", "echo nan", "false", "'", f"{sys.executable} -c 'print()'"]
)
def test_a_command_that_gives_no_number_is_refused(command, monkeypatch):
    monkeypatch.setenv(energy.COMMAND_VARIABLE, command)
    with pytest.raises(InvalidInput, match="gave no number"):
        find_meter("litert")
