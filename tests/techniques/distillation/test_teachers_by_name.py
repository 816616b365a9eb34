"""Teachers are found by the engine: by name, before the job starts, and in what is taken home."""

from __future__ import annotations

import io
import shutil
import zipfile

import pytest

from tests.judging import judged
from workbench import Workbench
from workbench.api.errors import InvalidInput
from workbench.api.recipe import Recipe

SHORT = {"epochs": 1, "compare_seeds": 0}


@pytest.fixture(scope="module")
def workbench(opened_digits, executor, tmp_path_factory):
    folder = shutil.copytree(opened_digits, tmp_path_factory.mktemp("teachers") / "digits")
    with Workbench(folder, executor=executor) as workbench:
        judged(workbench, workbench.apply("distillation.distill", **SHORT))
        yield workbench


@pytest.mark.slow
def test_the_baseline_teaches_a_variant_and_a_variant_its_copy(workbench):
    small = workbench.variant("distilled 0.5")
    assert small.description.parameters < workbench.baseline.description.parameters
    again = judged(
        workbench, workbench.apply("distillation.distill", small.name, student="this variant", **SHORT)
    )
    assert again.parent == small.id
    assert f"scores of {workbench.baseline.name}," in " ".join(map(str, again.report.touched))
    both = f"{small.name}, {workbench.baseline.id}"
    job = workbench.apply(
        "distillation.distill", small.name, student="same architecture", teacher=both, **SHORT
    )
    born = judged(workbench, job)
    assert any(f"Teacher {small.name}: " in str(note) for note in born.report.notes)


def test_a_teacher_that_is_not_there_is_named_at_once(workbench):
    with pytest.raises(InvalidInput, match=r"no variant 'nobody'.*dense-digits"):
        workbench.apply("distillation.distill", teacher="nobody")
    recipe = Recipe.from_yaml("steps: [{technique: distillation.distill, parameters: {teacher: nobody}}]")
    with pytest.raises(InvalidInput, match="nobody"):
        workbench.run(recipe)


def test_the_teacher_goes_home_with_the_code(workbench):
    small = workbench.variant("distilled 0.5")
    _, content = workbench.take_home("distillation.distill", small.name, {"student": "this variant"})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        file = f"{workbench.baseline.id}.keras"
        beside = [name for name in archive.namelist() if not name.startswith("plain/")]
        assert sorted(beside) == sorted(["optimize.py", "data.npz", "model.keras", file])
        assert "plain/keras/distillation.py" in archive.namelist()
        assert f'load_model("{file}"' in archive.read("optimize.py").decode()
    _, content = workbench.take_home("distillation.distill")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        beside = [name for name in archive.namelist() if not name.startswith("plain/")]
        assert len(beside) == 3  # the baseline teaches its own copy
