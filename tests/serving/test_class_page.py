"""The lessons of a class: copies of one's own, with what the teacher has fixed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from widgets.page import notebooks_folder, page
from workbench.api.errors import InvalidInput
from workbench.course.class_settings import CLASS_VARIABLE, ClassSettings, find_settings
from workbench.course.preparing import prepare_class
from workbench.serving.class_page import class_page


def test_each_learner_gets_copies_that_stay_as_they_were_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CLASS_VARIABLE, "")
    lessons = ("10-own-model", "2-training")
    prepare_class(tmp_path / "room-4", ClassSettings(lessons=lessons), notebooks_folder() / "course")
    served = class_page(page(tmp_path / "cache"), tmp_path / "room-4", tmp_path / "home")
    assert served.notebooks == tmp_path / "home" / "room-4"
    assert served.course == "en/2-training.ipynb"  # the first by its number
    assert (served.notebooks / served.dashboard).is_file()
    assert os.environ[CLASS_VARIABLE] == str(tmp_path / "room-4")
    assert find_settings(served.notebooks) == tmp_path / "room-4" / "class.json"
    (served.notebooks / served.course).write_text("mine", "utf-8")
    class_page(page(tmp_path / "cache"), tmp_path / "room-4", tmp_path / "home")
    assert (served.notebooks / served.course).read_text("utf-8") == "mine"
    assert (tmp_path / "room-4/lessons/en/2-training.ipynb").read_text("utf-8") != "mine"


def test_a_folder_that_is_no_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no settings of a class"):
        class_page(page(tmp_path / "cache"), tmp_path, tmp_path / "home")
    (tmp_path / "class.json").write_text("{}", "utf-8")
    with pytest.raises(InvalidInput, match="no lesson in"):
        class_page(page(tmp_path / "cache"), tmp_path, tmp_path / "home")
