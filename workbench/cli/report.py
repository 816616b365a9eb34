"""Write what came out into one file for somebody who has no workbench."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="The file to write.",
)
@click.option("--language", help="Language of the report, such as zh_CN; by default English.")
def command(folder: Path, out: Path, language: str | None) -> None:
    """Write what came out into one file for somebody who has no workbench.

    FOLDER is that of a workbench. The file is HTML, asks nobody for anything, and can be printed: the
    variants with their intervals, charts, what to know of the numbers, recipes, machine and versions.
    """
    from workbench.api.errors import InvalidInput
    from workbench.api.text import say
    from workbench.engine.reading import Reading
    from workbench.engine.reporting import write_report
    from workbench.store import Store

    if not (folder / "workbench.sqlite").is_file():
        raise InvalidInput(
            say("{folder} is no workbench's folder.", folder=str(folder)),
            say("It is the one that was named with --folder, and holds workbench.sqlite."),
        )
    store = Store(folder)
    try:
        click.echo(str(write_report(Reading(store), out, language)))
    finally:
        store.close()
