"""What servers are told, without starting one."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from workbench.api.errors import Unavailable
from workbench.cli import workbench
from workbench.serving.lab import writable_notebooks
from workbench.serving.page import Environment, ServerSettings
from workbench.serving.session import listening_socket


def test_own_page_has_a_secret_and_takes_files():
    settings = ServerSettings(folder=Path("models"), language="zh_CN")
    variables = settings.kernel_environment("tcp://127.0.0.1:1")
    assert settings.with_token
    assert settings.loopback
    assert variables["WORKBENCH_SCHEDULER"] == "tcp://127.0.0.1:1"
    assert variables["WORKBENCH_FOLDER"] == str(Path("models").absolute())
    assert variables["WORKBENCH_LANGUAGE"] == "zh_CN"
    assert variables["WORKBENCH_UPLOADS"] == "1"
    assert "WORKBENCH_SHARED" not in variables


@pytest.mark.parametrize("uploads", [False, True])
def test_shared_page_takes_files_only_when_told(uploads):
    settings = ServerSettings(shared=True, uploads=uploads)
    variables = settings.kernel_environment(None)
    assert settings.loopback
    assert not settings.with_token
    assert variables["WORKBENCH_SHARED"] == "1"
    assert ("WORKBENCH_UPLOADS" in variables) is uploads


def test_taken_port_is_an_error_only_when_asked_for():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"Port {port} of 127.0.0.1"):
            listening_socket("127.0.0.1", port, usual=port)
        other = listening_socket("127.0.0.1", None, usual=port)
        with other:
            assert other.getsockname()[1] not in {0, port}


def test_port_stays_taken_from_the_moment_it_is_chosen():
    first = listening_socket("127.0.0.1", None, usual=0)
    with first:
        port = first.getsockname()[1]
        second = listening_socket("127.0.0.1", None, usual=port)
        with second:
            assert second.getsockname()[1] != port
        socket.create_connection(("127.0.0.1", port), timeout=60).close()


def test_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("WORKBENCH_LANGUAGE", "en")
    monkeypatch.delenv("WORKBENCH_SHARED", raising=False)
    with Environment({"WORKBENCH_LANGUAGE": "zh_CN", "WORKBENCH_SHARED": "1"}):
        assert os.environ["WORKBENCH_LANGUAGE"] == "zh_CN"
    assert os.environ["WORKBENCH_LANGUAGE"] == "en"
    assert "WORKBENCH_SHARED" not in os.environ


def test_installed_notebooks_are_copied_and_changes_kept(tmp_path):
    installed = tmp_path / "site-packages" / "widgets" / "notebooks"
    installed.mkdir(parents=True)
    (installed / "dashboard.ipynb").write_text("first")
    copies = tmp_path / "copies"
    assert writable_notebooks(installed, copies) == copies
    (copies / "dashboard.ipynb").write_text("changed by the user")
    (installed / "new.ipynb").write_text("new")
    writable_notebooks(installed, copies)
    assert (copies / "dashboard.ipynb").read_text() == "changed by the user"
    assert (copies / "new.ipynb").read_text() == "new"
    assert writable_notebooks(tmp_path, copies) == tmp_path


def test_help_lists_commands_without_importing_them():
    shown = CliRunner().invoke(workbench, ["--help"])
    assert shown.exit_code == 0
    assert "Open the dashboard in the browser" in shown.output
    assert "Open the notebooks in JupyterLab" in shown.output


def test_unknown_command_is_refused():
    shown = CliRunner().invoke(workbench, ["dashbord"])
    assert shown.exit_code == 2
    assert "No such command" in shown.output
