"""TensorFlow's oneDNN kernels: how a crash is recognized, and how they are switched off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from workbench.api.errors import JobFailed, TensorFlowCrashed
from workbench.engine import worker_functions
from workbench.jobs import failure, onednn
from workbench.jobs.limits import Limits
from workbench.jobs.reporter import SilentReporter

SWITCH = "TF_ENABLE_ONEDNN_OPTS=0"


@pytest.fixture(autouse=True)
def usual_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(onednn.VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("number", "crash"),
    [("SIGSEGV", True), ("SIGABRT", True), ("SIGFPE", True), ("SIGKILL", False), ("SIGTERM", False)],
)
def test_a_fault_is_told_from_an_order(number: str, crash: bool) -> None:
    assert onednn.is_crash(-getattr(signal, number)) is crash


@pytest.mark.parametrize("code", [0, 1, 139, None])
def test_what_ended_by_itself_did_not_crash(code: int | None) -> None:
    assert not onednn.is_crash(code)


def test_a_crash_names_its_cause_and_the_switch() -> None:
    first = failure.from_exit(-signal.SIGSEGV, None, Limits(), "tensorflow")
    assert isinstance(first, TensorFlowCrashed)
    assert "TensorFlow itself crashed (signal SIGSEGV)" in str(first)
    assert f"Set {SWITCH} in the environment" in str(first)
    again = failure.from_exit(-signal.SIGSEGV, None, Limits(), "tensorflow_without_onednn")
    assert isinstance(again, TensorFlowCrashed)
    assert f"with its oneDNN kernels and without them ({SWITCH})" in str(again)
    assert "another version of TensorFlow" in str(again)


@pytest.mark.parametrize(
    ("number", "kind"),
    [(signal.SIGKILL, "tensorflow"), (signal.SIGSEGV, "light"), (signal.SIGXCPU, "tensorflow")],
)
def test_another_end_is_not_blamed_on_tensorflow(number: int, kind: str) -> None:
    error = failure.from_exit(-number, None, Limits(cpu_seconds=1), kind)
    assert type(error) is JobFailed


def test_who_asks_for_them_again_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(onednn.VARIABLE, raising=False)
    assert not onednn.stay_off(None)
    assert onednn.stay_off(onednn.OFF)
    assert f"set {onednn.VARIABLE}=1 in the environment" in str(onednn.made_without())
    monkeypatch.setenv(onednn.VARIABLE, "1")
    assert not onednn.stay_off(onednn.OFF)


def test_processes_of_a_call_hear_the_switch() -> None:
    def ask(report: object) -> str:
        code = f"import os; print(os.environ.get({onednn.VARIABLE!r}))"
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert worker_functions.without_onednn(SilentReporter(), ask).strip() == "0"
    assert onednn.VARIABLE not in os.environ
    assert ask(None).strip() == "None"


@pytest.mark.parametrize(
    ("code", "before"),
    [
        ("import keras\n", 0),
        ('"""What it does."""\n\nimport keras\n', 1),
        ('"""What\n\nit does."""\n\nfrom __future__ import annotations\n\nimport keras\n', 2),
        ('X = "a"\nimport tensorflow\n', 0),
    ],
)
def test_plain_code_switches_them_off_before_anything_else(code: str, before: int) -> None:
    import ast

    switched = onednn.plain_code(code)
    body = [ast.unparse(node) for node in ast.parse(switched).body]
    original = [ast.unparse(node) for node in ast.parse(code).body]
    assert body[:before] + body[before + 2 :] == original
    assert body[before : before + 2] == ["import os", f"os.environ['{onednn.VARIABLE}'] = '0'"]
    compile(switched, "optimize.py", "exec")


def test_code_without_tensorflow_stays_as_it_is() -> None:
    assert onednn.plain_code("import onnxruntime\n") == "import onnxruntime\n"
