"""What repo2docker makes of ``binder/``, as far as it can be seen without Docker."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from traitlets.config import Config

from workbench.serving.start import start_words

REPOSITORY = Path(__file__).parents[2]
BINDER = REPOSITORY / "binder"


def text(name: str) -> str:
    return (BINDER / name).read_text("utf-8")


def test_one_folder_only():
    # repo2docker stops where both exist, and takes these at the root where neither does.
    assert BINDER.is_dir()
    for other in (".binder", "environment.yml", "requirements.txt", "runtime.txt", "postBuild", "start"):
        assert not (REPOSITORY / other).exists()


def test_requirements_install_the_project_with_its_pins():
    # With this folder pyproject.toml is not looked at. pip takes -e from the folder it runs in, the
    # repository's root, and -c from the folder of this file.
    lines = text("requirements.txt").split("\n")
    assert "-e .[runtimes]" in lines
    assert "-c ../constraints.txt" in lines
    assert (BINDER / "../constraints.txt").is_file()


def test_python_is_one_that_the_project_supports():
    named = re.fullmatch(r"python-(3)\.(\d+)\n", text("runtime.txt"))
    assert named
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert (3, 11) <= tuple(map(int, named.groups())) < (3, 14)


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_can_run(name):
    assert text(name).startswith("#!/bin/bash\n")
    assert os.access(BINDER / name, os.X_OK)
    assert subprocess.run(["bash", "-n", BINDER / name]).returncode == 0


def test_a_failing_build_is_seen():
    commands = [line for line in text("postBuild").splitlines() if line and not line.startswith("#")]
    assert commands[0] == "set -e"


def test_start_hands_over_to_the_server():
    assert text("start").rstrip().splitlines()[-1] == 'exec "$@"'
    # A page without the shared worker is better than no page: nothing may end the script early.
    assert "set -e" not in text("start")


def test_settings_are_those_that_the_page_brings():
    from widgets.page import page

    voila = json.loads(text("voila.json"))["VoilaConfiguration"]
    assert voila["template"] == page().template
    assert (page().jupyter_path[-1] / "nbconvert" / "templates" / voila["template"]).is_dir()
    # Without these words the template fails where the server is not the project's own.
    config = Config()
    exec(compile(text("voila.py"), "voila.py", "exec"), {"get_config": lambda: config})
    brought = config.VoilaConfiguration.resources["neural_workbench"]
    template = next((page().jupyter_path[-1] / "nbconvert" / "templates").rglob("index.html.j2"))
    needed = set(re.findall(r"(?:workbench|\['neural_workbench'\])\['(\w+)'\]", template.read_text("utf-8")))
    assert needed == set(brought) == {"language", "words"}
    assert brought["words"] == start_words()
    json.loads(text("jupyter_server_config.json"))
    for name in ("voila.json", "voila.py", "jupyter_server_config.json"):
        assert f"binder/{name}" in text("postBuild")


def test_no_formulas_are_fetched_from_another_host():
    # Voila as an extension would load MathJax from a content network; what is appended to this address
    # falls into its comment.
    settings = json.loads(text("jupyter_server_config.json"))["ServerApp"]["tornado_settings"]
    assert settings["mathjax_url"] == "data:text/javascript,//"


def test_what_the_launcher_and_the_texts_open_on_binder_is_there():
    # There the repository is the root, and no server of the project says where the notebooks are.
    launcher = (REPOSITORY / "widgets" / "launcher" / "launcher.js").read_text("utf-8")
    paths = re.findall(r'"([^"]+\.ipynb)"', launcher)
    assert len(paths) == 3
    told = (REPOSITORY / "docs" / "howto" / "share.md").read_text("utf-8")
    named = re.findall(r"\?urlpath=(?:voila/render|lab/tree)/notebooks/([^`]+\.ipynb)", told)
    assert named[0] == "dashboard.ipynb"
    assert len(named) == 2
    for path in (*paths, *named):
        assert (REPOSITORY / "notebooks" / path).is_file(), path
