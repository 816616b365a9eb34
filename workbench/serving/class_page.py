"""The lessons of a class in JupyterLab: copies of one's own, with what the teacher has fixed."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

from workbench.api.errors import InvalidInput
from workbench.api.text import current_language, say
from workbench.course.class_settings import CLASS_VARIABLE, read_settings
from workbench.course.notebooks import LANGUAGE_FOLDERS
from workbench.course.preparing import LESSONS
from workbench.serving.lab import copied_notebooks
from workbench.serving.page import Page


def class_page(page: Page, folder: Path, copies: Path) -> Page:
    """What JupyterLab serves to a learner of a class.

    Args:
        page: What it serves otherwise.
        folder: What ``workbench class new`` made; a whole room may read it at once.
        copies: Where this learner's copies go. One that is there already is left as it was changed.

    Raises:
        InvalidInput: If it is no such folder.
    """
    read_settings(folder)
    sources = folder / LESSONS
    own = folder.resolve().name
    spoken = sources / LANGUAGE_FOLDERS[current_language()]
    home = spoken if spoken.is_dir() else next(iter(sorted(sources.glob("*"))), spoken)
    lessons = sorted(home.glob("*-*.ipynb"), key=_number)
    if not lessons:
        raise InvalidInput(
            say("There is no lesson in {folder}.", folder=str(sources)),
            say("Name the folder that workbench class new has made."),
        )
    # Two learners who change one file would overwrite each other.
    notebooks = copied_notebooks(sources, copies / own)
    if not (notebooks / page.dashboard).exists():
        shutil.copyfile(page.notebooks / page.dashboard, notebooks / page.dashboard)
    # The kernels that the server starts look for what is fixed where this says.
    os.environ[CLASS_VARIABLE] = str(folder.absolute())
    return dataclasses.replace(page, notebooks=notebooks, course=lessons[0].relative_to(sources).as_posix())


def _number(lesson: Path) -> tuple[int, str]:
    number = lesson.name.partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() else 1000, lesson.name
