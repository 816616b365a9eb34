"""Applies a technique as the engine does, and runs its plain code as a user does."""

import runpy
import sys

from tests.techniques.plain_process import run_scripts
from workbench import techniques
from workbench.api.bundle import PACKAGE, SCRIPT, Bundle
from workbench.api.dataset import Dataset
from workbench.api.errors import Cancelled
from workbench.api.technique import CodePaths, Context
from workbench.runtimes import runtime


class Reports:
    """Collects what a technique says; cancels after so many checks."""

    def __init__(self, cancel_at=None):
        self.stages, self.fractions, self.checks = [], [], 0
        self._cancel_at = cancel_at

    def stage(self, text):
        self.stages.append(str(text))

    def progress(self, fraction):
        assert 0 <= fraction <= 1
        self.fractions.append(fraction)

    def metric(self, name, step, value, interval=None):
        pass

    def table(self, table):
        pass

    def log(self, text):
        pass

    def check(self):
        self.checks += 1
        if self._cancel_at is not None and self.checks >= self._cancel_at:
            raise Cancelled


class WithoutTest(Dataset):
    """A data set whose test split must not be touched."""

    def x(self, split):
        assert split != "test"
        return super().x(split)

    def y(self, split):
        assert split != "test"
        return super().y(split)


def apply(name, parent, dataset, folder, *, report=None, **parameters):
    """Validates and applies; the test split is guarded."""
    technique = techniques.technique(name)
    values = technique.parameters_type.model_validate(parameters)
    assert technique.unavailable() is None
    assert technique.obstacle(parent, dataset.info, values) is None
    report = report or Reports()
    folder.mkdir(parents=True, exist_ok=True)
    applied = technique.apply(
        Context(parent=parent, dataset=WithoutTest(dataset.folder), folder=folder, report=report, seed=0),
        values,
    )
    assert applied.path.parent == folder
    assert applied.format in runtime(applied.runtime).formats
    assert report.stages
    assert report.fractions == sorted(report.fractions)
    assert report.fractions[-1] == 1.0
    return applied


def predict(applied, features):
    session = runtime(applied.runtime).load(applied.path, applied.settings)
    try:
        return session.predict(features)
    finally:
        session.close()


def write_bundle(code, folder, name=SCRIPT):
    """Writes plain code with the files that it imports.

    Bundles may share a folder: the files that they import are the same.
    """
    script = Bundle(code).write(folder)
    return script.rename(folder / name)


def run_here(script):
    """Names that plain code defines, run in this process with the files that lie beside it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]  # another script brought other files
    sys.path.insert(0, str(script.parent))
    try:
        return runpy.run_path(str(script))
    finally:
        sys.path.remove(str(script.parent))


def run_code(scripts, folder):
    """Runs plain code in one process, one script after the other, with a home folder of its own.

    Args:
        scripts: (technique, parent, dataset, parameters, output) of each; a relative output is in ``folder``.
        folder: Where they run.

    Returns:
        What they printed.
    """
    home = folder / "home"
    home.mkdir(parents=True)
    files = []
    for number, (name, parent, dataset, parameters, output) in enumerate(scripts):
        technique = techniques.technique(name)
        paths = CodePaths(
            model=str(parent.path),
            data=str(dataset.folder.parent / f"{dataset.info.name}.npz"),
            output=output,
        )
        code = technique.code(parent, technique.parameters_type.model_validate(parameters), paths)
        files.append(write_bundle(code, folder, f"{number}.py"))
    done = run_scripts(files, folder, HOME=str(home), CI="")
    assert done.returncode == 0, done.stderr[-3000:]
    # nothing that a runtime would send to its maker
    assert not (home / "intel").exists()
    assert not list(home.rglob("*icrosoft*"))
    return done.stdout


def size(path):
    if path.is_dir():
        return sum(item.stat().st_size for item in path.rglob("*") if item.is_file())
    return path.stat().st_size
