"""``workbench.open``: the short way, and the folder that it chooses."""

from __future__ import annotations

import numpy as np
import pytest

import workbench
from workbench.api.errors import InvalidInput
from workbench.engine.folder_of import fingerprint, folder_of, remember_opening

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path, monkeypatch, scheduler):
    monkeypatch.setenv("WORKBENCH_FOLDER", str(tmp_path / "default"))
    monkeypatch.setenv("WORKBENCH_SCHEDULER", scheduler)
    return tmp_path


def test_the_same_is_opened_in_the_same_folder_and_anything_else_in_another(home):
    with workbench.open("dense-digits", "digits") as first:
        assert first.baseline.name == "dense-digits"
        assert first.folder == home / "dense-digits"
        jobs = len(first.jobs)
        with workbench.open("dense-digits", "digits") as again:
            assert again.folder == first.folder
            assert again.variants == first.variants
            assert len(again.jobs) == jobs + 1  # done at once
        with pytest.raises(InvalidInput, match="There is no data none"):
            workbench.open("dense-digits", "none.npz")
        with workbench.open("dense-digits", "digits", scaling="none", name="other") as other:
            assert other.folder == home / "other"
        with pytest.raises(InvalidInput, match="already holds the model dense-digits"):
            workbench.open("cnn-mnist-5k", "mnist-5k", folder=first.folder)
    with workbench.open("dense-digits", "digits", folder=home / "mine", seed=3) as mine:
        assert (mine.folder, mine.seed) == (home / "mine", 3)


def test_what_decides_the_folder(home):
    class Model:
        def __init__(self, name, *weights):
            self.name, self.weights = name, weights

    x, y = np.eye(4, dtype="float32"), np.arange(4)
    one = fingerprint(Model("a", x), (x, y), {})
    assert one == fingerprint(Model("a", x.copy()), (x.copy(), y.copy()), {})
    others = [
        fingerprint(Model("a", x + 1), (x, y), {}),
        fingerprint(Model("a", x), (x, y[::-1]), {}),
        fingerprint(Model("a", x), (x, y), {"scaling": "none"}),
        fingerprint(Model("a", x), {"x": x, "y": y}, {}),
        fingerprint("a" * 5000, [["words", None], iter(())], {}),
    ]
    assert len({one, *others}) == 6
    first = folder_of(Model("My_model (1)/../x", x), None, one)
    assert first == home / "my-model-1-x"
    first.mkdir()
    remember_opening(first, one)
    assert folder_of(Model("My_model (1)/../x", x), None, one) == first
    second = folder_of(Model("My_model (1)/../x", x), None, others[0])
    assert second == home / "my-model-1-x-2"
    second.mkdir()
    remember_opening(second, others[0])
    first.rename(home / "elsewhere")
    first.mkdir()  # another program's: nothing is put there
    assert folder_of(Model("My_model (1)/../x", x), None, others[0]) == second
    assert folder_of(Model("模型", x), None, one) == home / "模型"
    assert folder_of("!", None, one) == home / "model"
