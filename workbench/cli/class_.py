"""Prepare what a class is handed, and gather what it hands in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from workbench.api.text import LANGUAGES, say


@click.group("class")
def command() -> None:
    """Prepare what a class is handed, and gather what it hands in."""


@command.command("new")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", default="", help="Of the class; it stands on the board.")
@click.option("--lesson", "lessons", multiple=True, help="A lesson, such as 9-challenge; by default all.")
@click.option("--language", type=click.Choice(sorted(LANGUAGES)), help="By default all languages.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="So that all splits and trainings are alike.")
@click.option("--hide", "hidden", multiple=True, help="A panel that is not shown, such as training.")
@click.option("--fix", "fixed", multiple=True, help="A parameter that stays: quantization.int8.samples=100")
@click.option("--projector", is_flag=True, help="Large type, one panel at a time.")
@click.option(
    "--file-share",
    type=click.FloatRange(0, 100, min_open=True),
    default=25.0,
    show_default=True,
    help="Demand of the challenge: the file, in per cent of the baseline's.",
)
@click.option(
    "--may-fall",
    type=click.FloatRange(0, 100),
    default=1.0,
    show_default=True,
    help="Demand of the challenge: how many points F1 may fall.",
)
@click.option(
    "--speedup",
    type=click.FloatRange(0, 1000, min_open=True),
    help="Demand of the challenge: how many times faster than the own baseline.",
)
def new(
    folder: Path,
    title: str,
    lessons: tuple[str, ...],
    language: str | None,
    seed: int | None,
    hidden: tuple[str, ...],
    fixed: tuple[str, ...],
    projector: bool,
    file_share: float,
    may_fall: float,
    speedup: float | None,
) -> None:
    """Prepare a class: lessons, what is fixed in them, and a folder for what is handed in.

    FOLDER is new. Put it where the learners can read it, and write to its folder room: on a shared drive, or
    hand out copies and let them send you what they download.
    """
    from workbench.course.class_settings import parse_settings
    from workbench.course.preparing import prepare_class
    from workbench.engine.page_parts import required_part

    required_part("panels")(hidden)
    settings = parse_settings(
        {
            "title": title,
            "lessons": lessons,
            "language": language,
            "seed": seed,
            "hidden": hidden,
            "fixed": _fixed(fixed),
            "projector": projector,
            "demands": {"size": file_share / 100, "may_fall": may_fall / 100, "speedup": speedup},
        }
    )
    for path in prepare_class(folder, settings, required_part("notebooks")() / "course"):
        click.echo(path)
    if (file_share, may_fall, speedup) != (25.0, 1.0, None):
        click.echo(
            str(
                say("Lesson 9 speaks of a quarter of the size and one point. Tell the class what you demand.")
            ),
            err=True,
        )


@command.command("collect")
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to write.  [default: here]",
)
@click.option("--language", type=click.Choice(sorted(LANGUAGES)), help="Language of the board.")
def collect(folders: tuple[Path, ...], out: Path, language: str | None) -> None:
    """Gather a room into one table, room.csv, and one page, board.html.

    FOLDERS are what "class new" made, or folders with learners' own folders or with what they handed in, or
    those of the visitors of a shared dashboard. Nothing in them is changed, and nothing in them is run. What
    is damaged is named, and left out.
    """
    from workbench.api.errors import InvalidInput
    from workbench.api.text import use_language
    from workbench.course.class_settings import SETTINGS, ClassSettings, read_settings
    from workbench.course.room import collect_room
    from workbench.course.room_table import room_csv
    from workbench.engine.page_parts import required_part

    files = [home / SETTINGS for folder in folders for home in (folder, folder.resolve().parent)]
    found = next((file for file in files if file.is_file()), None)
    settings = ClassSettings() if found is None else read_settings(found)
    # Of what "class new" made, only the room is the learners'.
    rooms = [
        folder / (settings.room or ".") if (folder / SETTINGS).is_file() else folder for folder in folders
    ]
    if language or settings.language:
        use_language(language or settings.language or "en")
    room = collect_room(rooms)
    for one in room.refused:
        click.echo(f"{one.path}: {one.reason}", err=True)
    if not room.handed:
        raise InvalidInput(say("Nobody has handed in anything there."))
    table, board = out / "room.csv", out / "board.html"
    try:
        out.mkdir(parents=True, exist_ok=True)
        table.write_text(room_csv(room.handed, settings.demands), encoding="utf-8", newline="")
        board.write_text(required_part("board")(room, settings), encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            say("{path} cannot be written: {reason}", path=str(out), reason=error.strerror or str(error))
        ) from error
    counts = say(
        "learners: {learners}, lessons: {lessons}", learners=len(room.learners), lessons=len(room.lessons)
    )
    click.echo(str(counts))
    click.echo(table)
    click.echo(board)


@command.command("hand-in")
@click.argument("course", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", required=True, help="Yours, as it is to stand on the board.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to write.  [default: here]",
)
def hand_in(course: Path | None, name: str, out: Path) -> None:
    """Write what you have done in all lessons into one small file, to be given to the teacher.

    COURSE is the folder with a folder for each lesson; by default that which the lessons use. The file holds
    numbers and words: predictions, checks, sizes, times, decisions. No model, no data.
    """
    from workbench.api.errors import InvalidInput
    from workbench.course.hand_in_files import hand_in_all
    from workbench.engine.workbench_folders import default_folder

    file, content = hand_in_all(course or default_folder().parent / "course", name)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / file).write_bytes(content)
    except OSError as error:
        raise InvalidInput(
            say(
                "{path} cannot be written: {reason}",
                path=str(out / file),
                reason=error.strerror or str(error),
            )
        ) from error
    click.echo(out / file)


@command.command("reset")
@click.argument("course", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(course: Path | None, yes: bool) -> None:
    """Begin the lessons on this machine anew, for the next learner. Nothing is deleted.

    COURSE, by default the folder that the lessons use, gets another name; the next lesson makes a new one.
    """
    from workbench.course.preparing import put_aside
    from workbench.engine.workbench_folders import default_folder

    home = course or default_folder().parent / "course"
    if not yes:
        click.confirm(str(say("Begin all lessons in {folder} anew?", folder=str(home))), abort=True)
    click.echo(put_aside(home))


def _fixed(told: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """``technique.parameter=value``; a value that is no JSON is text."""
    from workbench.api.errors import InvalidInput

    found: dict[str, dict[str, Any]] = {}
    for one in told:
        name, equals, value = one.partition("=")
        technique, _, parameter = name.strip().rpartition(".")
        if not equals or not technique:
            raise InvalidInput(
                say("A parameter is fixed like this: {example}.", example="quantization.int8.samples=100"),
                say("Received: {text}", text=one[:100]),
            )
        try:
            found.setdefault(technique, {})[parameter] = json.loads(value)
        except ValueError:
            found.setdefault(technique, {})[parameter] = value
    return found
