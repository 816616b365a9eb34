"""Remove what was deleted in a workbench's folder for good."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("purge")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(folder: Path, yes: bool) -> None:
    """Remove what was deleted in a workbench's folder for good.

    On the page a deleted variant can be had back, so its files stay in FOLDER until this is run.
    """
    from workbench.api.errors import InvalidInput
    from workbench.api.text import say
    from workbench.store import Store

    if not (folder / "workbench.sqlite").is_file():
        raise InvalidInput(
            say("{folder} is not the folder of a workbench.", folder=str(folder)),
            say("Name the folder that was given as --folder, or as Workbench(folder)."),
        )
    store = Store(folder)
    try:
        gone = store.variants(deleted=True)
        if gone and not yes:
            click.confirm(str(say("Remove {names}?", names=tuple(one.name for one in gone))), abort=True)
        click.echo(
            str(say("{count} variant was removed.", "{count} variants were removed.", count=store.purge()))
        )
    finally:
        store.close()
