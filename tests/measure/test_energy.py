import time

import pytest

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
