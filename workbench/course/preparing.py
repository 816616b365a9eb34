"""What a teacher hands out: lessons, what is fixed, and a folder in which a room is gathered."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from workbench.api.errors import InvalidInput, Refused
from workbench.api.text import LANGUAGES, say
from workbench.course.class_settings import SETTINGS, ClassSettings
from workbench.course.hand_in_files import DATABASE
from workbench.course.notebooks import LANGUAGE_FOLDERS
from workbench.store.ownership import lives

ROOM = "room"
"""The folder for what is handed in."""

LESSONS = "lessons"
"""The folder with a folder of notebooks for each language."""


def prepare_class(folder: Path, settings: ClassSettings, notebooks: Path) -> tuple[Path, ...]:
    """Writes what is handed out.

    Args:
        folder: A new folder, or an empty one.
        settings: What is fixed for everybody.
        notebooks: The folder with a folder of the course's notebooks for each language.

    Returns:
        What was written, in the order of their reading.

    Raises:
        Refused: If there is something in the folder.
        InvalidInput: If there is no such lesson, or the folder cannot be written to.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(
            say("{folder} is there already.", folder=str(folder)),
            say("Name a new folder, so that nothing in this one is lost."),
        )
    languages = [settings.language] if settings.language is not None else list(LANGUAGES)
    available = _available(notebooks, languages)
    for lesson in settings.lessons:
        if lesson not in available:
            raise InvalidInput(
                say("There is no lesson {name}.", name=lesson),
                say("There are: {names}.", names=tuple(available)),
            )
    kept = settings.model_copy(update={"room": settings.room or ROOM})
    try:
        (folder / ROOM).mkdir(parents=True)
        file = folder / SETTINGS
        file.write_text(kept.model_dump_json(indent=2) + "\n", encoding="utf-8")
        written = [file]
        for language in languages:
            home = folder / LESSONS / LANGUAGE_FOLDERS[language]
            home.mkdir(parents=True)
            for lesson in settings.lessons or available:
                source = notebooks / LANGUAGE_FOLDERS[language] / f"{lesson}.ipynb"
                written.append(Path(shutil.copy(source, home / source.name)))
    except OSError as error:
        raise InvalidInput(
            say("{path} cannot be written: {reason}", path=str(folder), reason=error.strerror or str(error))
        ) from error
    return (*written, folder / ROOM)


def _available(notebooks: Path, languages: list[str]) -> Mapping[str, Path]:
    """The lessons that are there in all these languages, in the order of the course."""
    found = {
        file.stem: file
        for file in (notebooks / LANGUAGE_FOLDERS[languages[0]]).glob("*.ipynb")
        if all((notebooks / LANGUAGE_FOLDERS[one] / file.name).is_file() for one in languages)
    }
    return dict(sorted(found.items(), key=lambda item: int(item[0].partition("-")[0])))


def put_aside(course: Path) -> Path:
    """Gives the folder of the lessons another name, so that the next learner begins anew.

    Args:
        course: The folder with a folder for each lesson.

    Returns:
        The folder under its new name.

    Raises:
        InvalidInput: If there is none, or it holds no lesson.
        Refused: If a lesson is open.
    """
    homes = [file.parent for file in course.glob(f"*/{DATABASE}")] if course.is_dir() else []
    if not homes:
        raise InvalidInput(
            say("There is no work of a lesson in {folder}.", folder=str(course)),
            say("Name the folder that holds a folder for each lesson."),
        )
    for home in homes:
        if lives(home / "owners"):
            raise Refused(
                say("{folder} is open in another process.", folder=str(home)),
                say("Close its page or notebook, then try again."),
            )
    aside = course.with_name(f"{course.name}-{datetime.now(UTC):%Y-%m-%d-%H%M%S}")
    try:
        course.rename(aside)
    except OSError as error:
        raise InvalidInput(
            say("{path} cannot be written: {reason}", path=str(course), reason=error.strerror or str(error))
        ) from error
    return aside
