"""What every test relies on: quiet TensorFlow, no GPU unless asked, no deadline on a loaded machine."""

from __future__ import annotations

import os
import tempfile

import hypothesis

from workbench.api.privacy import forbid_telemetry

forbid_telemetry()  # also where a test imports a runtime's package itself
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

# Two test processes share the machine: neither waits for the other's turn to measure.
_slot = tempfile.TemporaryDirectory(prefix="workbench-slot-")
os.environ["WORKBENCH_SLOT_FOLDER"] = _slot.name

hypothesis.settings.register_profile("default", deadline=None, derandomize=True)
hypothesis.settings.load_profile("default")
