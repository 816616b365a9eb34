"""An environment of its own for the peer that cannot live beside Keras 3."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

ENVIRONMENT = Path("artifacts") / "peers" / "environment"
PACKAGES = ("tf_keras==2.21.0", "tensorflow-model-optimization==0.8.1")
_MINUTES = 15


def python() -> Path | str:
    """The interpreter of that environment, made on first use; or why there is none."""
    interpreter = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if _has_toolkit(interpreter):
        return interpreter
    print(f"  installing {', '.join(PACKAGES)} below {ENVIRONMENT}", flush=True)
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*pip, _tensorflow(), *PACKAGES],
            capture_output=True,
            text=True,
            timeout=60 * _MINUTES,
            env=clean_environment(),
        )
    except subprocess.TimeoutExpired:
        return f"it could not be installed within {_MINUTES} minutes"
    if done.returncode or not _has_toolkit(interpreter):
        reason = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        return "it could not be installed: " + (reason[0] if reason else "no reason given")
    return interpreter


def clean_environment() -> dict[str, str]:
    """Environment variables without those that would mix the two environments."""
    mixing = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "KERAS_BACKEND", "__PYVENV_LAUNCHER__"}
    kept = {name: value for name, value in os.environ.items() if name not in mixing}
    return {**kept, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "PIP_USER": "0"}


def _has_toolkit(interpreter: Path) -> bool:
    if not interpreter.exists():
        return False
    looked = subprocess.run(
        [str(interpreter), "-c", "import tensorflow_model_optimization"],
        capture_output=True,
        env=clean_environment(),
    )
    return looked.returncode == 0


def _tensorflow() -> str:
    """The version that the project itself is tested with."""
    found = re.search(r"^tensorflow==\S+", Path("constraints.txt").read_text("utf-8"), re.MULTILINE)
    if found is None:
        sys.exit("constraints.txt names no tensorflow.")
    return found[0]
