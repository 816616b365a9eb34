"""Files of Keras 2, made once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def old(tmp_path_factory):
    """A folder with what tests/models/old_keras.py writes."""
    folder = tmp_path_factory.mktemp("old")
    program = Path(__file__).with_name("old_keras.py")
    done = subprocess.run(
        [sys.executable, str(program), str(folder)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="session")
def zoo(tmp_path_factory):
    """A folder with what tests/models/keras_2_zoo.py writes."""
    folder = tmp_path_factory.mktemp("zoo")
    done = subprocess.run(
        [sys.executable, "-m", "tests.models.keras_2_zoo", str(folder)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="session")
def keras():
    from workbench.models.converting.conversion import import_keras

    return import_keras()
