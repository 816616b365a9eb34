"""What runs in a worker, called here without one."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from tests.techniques.applying import Reports
from workbench.engine import worker_functions
from workbench.jobs.slot import exclusive_slot

HELD_SECONDS = 0.2


@pytest.fixture(autouse=True)
def own_slot(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_SLOT_FOLDER", str(tmp_path / "slot"))


def test_waiting_for_a_measurement_is_no_part_of_the_time_that_making_took(tmp_path):
    held, waits, left_at = threading.Event(), threading.Event(), []

    class Waiting(Reports):
        def stage(self, text):
            super().stage(text)
            waits.set()

    def measure() -> None:
        with exclusive_slot(Reports()):
            held.set()
            waits.wait()
            time.sleep(HELD_SECONDS)
            left_at.append(time.monotonic())

    measuring = threading.Thread(target=measure)
    measuring.start()
    held.wait()

    def made(*asked):
        file = tmp_path / "made.bin"
        file.write_bytes(b"bytes")
        return SimpleNamespace(
            path=file, format="onnx", description=SimpleNamespace(parameters=3), asked=asked
        )

    technique = SimpleNamespace(
        title="Noise",
        worker="light",
        measures=False,
        apply=lambda context, parameters: made(context.seed, parameters),
    )
    applied, seconds, size = worker_functions.apply_technique(
        Waiting(), technique, "as asked", None, _data(tmp_path), tmp_path, 7, {}
    )
    ended_at = time.monotonic()
    measuring.join()
    assert applied.asked == (7, "as asked")
    assert (size.file_bytes, size.parameters, size.peak_memory_bytes) == (5, 3, None)
    assert 0 <= seconds <= ended_at - left_at[0]


def _data(folder):
    from workbench.data.prepare import prepare

    prepare("digits", folder / "data", seed=0)
    return folder / "data"
