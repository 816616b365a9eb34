"""Make the notebooks of the course from its lessons."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("course")
def command() -> None:
    """Make the notebooks of the course from its lessons."""


@command.command("build")
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where to write."
)
@click.option("--solution", is_flag=True, help="With the answers, for the teacher.")
def build(sources: tuple[Path, ...], out: Path, solution: bool) -> None:
    """Write the notebooks of lessons: the exercise, in each language.

    SOURCES are lessons in jupytext's percent form, or folders of such.
    """
    from workbench.course.notebooks import write_notebooks

    for source in sources:
        lessons = sorted(source.glob("*.py")) if source.is_dir() else [source]
        for lesson in lessons:
            for file in write_notebooks(lesson, out, solution=solution):
                click.echo(file)
