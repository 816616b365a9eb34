"""The example in the docstring of each public class runs, and gives what it says."""

import doctest
import shutil
import sys
from functools import partial

import pytest

import widgets
import workbench
from workbench.api import bundle, dataset, file_format, lineage, runtime, text
from workbench.engine import goal
from workbench.workbench import Workbench

PUBLIC = [
    *(getattr(workbench, name) for name in workbench.__all__ if name != "__version__"),
    *{getattr(widgets, name) for name in widgets.__all__},
    *(bundle.Bundle, dataset.Dataset, file_format.FileFormat, lineage.Lineage, runtime.Runtime, text.Text),
    goal.Goal,
    workbench.open,
]


@pytest.fixture(scope="module")
def opened(opened_digits, executor, tmp_path_factory):
    folder = shutil.copytree(opened_digits, tmp_path_factory.mktemp("examples") / "workbench")
    with Workbench(folder, executor=executor) as opened:
        yield opened


@pytest.mark.parametrize("public", sorted(PUBLIC, key=lambda one: one.__name__), ids=lambda one: one.__name__)
def test_example(public, opened, opened_digits, executor, scheduler, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_SCHEDULER", scheduler)
    monkeypatch.setenv("WORKBENCH_FOLDER", str(tmp_path / "my-model"))
    shutil.copytree(opened_digits, "my-model")
    names = {**vars(sys.modules[public.__module__]), "workbench": opened}
    if public is Workbench:
        names["Workbench"] = partial(Workbench, executor=executor)
    (found,) = doctest.DocTestFinder(recurse=False).find(public, public.__name__, globs=names)
    assert found.examples
    told = []
    assert doctest.DocTestRunner().run(found, out=told.append).failed == 0, "".join(told)
