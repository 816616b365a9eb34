"""What is in the wheel, and that the pinned versions can be installed by pip as well as by uv."""

from __future__ import annotations

import platform
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

REPOSITORY = Path(__file__).parents[2]
PARTS = {
    "widgets/assets.js",
    "widgets/launcher/launcher.js",
    "widgets/launcher/package.json",
    "widgets/notebooks/dashboard.ipynb",
    "widgets/notebooks/quickstart.ipynb",
    "widgets/py.typed",
    "widgets/static/workbench.css",
    "widgets/static/workbench.js",
    "widgets/vendor/LICENSE.dagre",
    "widgets/vendor/LICENSE.plotly",
    "widgets/vendor/README.md",
    "widgets/vendor/dagre.esm.js",
    "widgets/vendor/plotly.min.js",
    "widgets/template/nbconvert/templates/neural-workbench/conf.json",
    "widgets/template/nbconvert/templates/neural-workbench/index.html.j2",
    "workbench/locale/zh_CN/LC_MESSAGES/workbench.po",
    "workbench/models/demo/cnn-mnist-5k.keras",
    "workbench/models/demo/dense-digits.keras",
    "workbench/py.typed",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """Built by the build backend itself, in the repository, with what is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        yield archive


def test_wheel_has_every_module_and_every_other_file(wheel):
    names = set(wheel.namelist())
    assert names >= PARTS
    tracked = subprocess.run(
        ["git", "ls-files", "workbench", "widgets"], cwd=REPOSITORY, capture_output=True, text=True
    )
    if tracked.returncode == 0:  # a source distribution has no git
        assert names >= {file for file in tracked.stdout.split() if (REPOSITORY / file).is_file()}


def test_wheel_has_nothing_else(wheel):
    packages = {name.split("/")[0] for name in wheel.namelist()}
    assert {"workbench", "widgets"} < packages
    assert [name for name in packages if name not in {"workbench", "widgets"}] == [
        name for name in packages if name.endswith(".dist-info")
    ]
    assert not [name for name in wheel.namelist() if name.endswith((".pyc", ".log", ".db", ".sqlite"))]


def test_wheel_starts_the_command_line(wheel):
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "workbench = workbench.cli:main" in wheel.read(entry_points).decode()


def test_every_dependency_is_pinned():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {
        line.split(">")[0].split("=")[0].strip().lower()
        for line in (*project["dependencies"], *extras["runtimes"], *extras["test"], *extras["docs"])
    }
    lines = (REPOSITORY / "constraints.txt").read_text("utf-8").split()
    assert wanted <= {line.partition("==")[0] for line in lines if "==" in line}


def test_pinned_versions_say_that_they_run_on_this_python():
    # uv does not look at the upper end of it; pip refuses to install.
    pins = dict(
        line.split("==")
        for line in (REPOSITORY / "constraints.txt").read_text("utf-8").split()
        if "==" in line
    )
    wrong = [
        f"{found.name} {found.version}: {found.metadata.get('Requires-Python')}"
        for found in distributions()
        if found.name.lower().replace("_", "-").replace(".", "-") in pins
        and found.metadata.get("Requires-Python")
        and platform.python_version() not in SpecifierSet(found.metadata["Requires-Python"])
    ]
    assert wrong == []
