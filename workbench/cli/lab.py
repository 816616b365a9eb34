"""Open the notebooks in JupyterLab."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli._serving import page_options


@click.command("lab")
@page_options
@click.option("--course", is_flag=True, help="Show the course first, not the dashboard.")
@click.option(
    "--class",
    "class_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of a class: its lessons, as copies of your own, with what the teacher has fixed.",
)
def command(
    port: int | None,
    host: str,
    no_browser: bool,
    folder: Path | None,
    language: str | None,
    course: bool,
    class_folder: Path | None,
) -> None:
    """Open the notebooks in JupyterLab. Ctrl-C ends it."""
    from workbench.api.text import say, use_language
    from workbench.engine.page_parts import required_part
    from workbench.serving.class_page import class_page
    from workbench.serving.cluster import shared_cluster
    from workbench.serving.lab import serve_lab
    from workbench.serving.page import ServerSettings

    if language is not None:
        use_language(language)
    settings = ServerSettings(
        host=host, port=port, open_browser=not no_browser, folder=folder, language=language
    )
    served = required_part("dashboard")()
    if class_folder is not None:
        served = class_page(served, class_folder, Path.home() / "neural-workbench")
    first = served.course if course or class_folder is not None else None
    with shared_cluster() as scheduler:
        serve_lab(served, settings, scheduler, announce=_announce, first=first)
    click.echo(str(say("Stopped.")))


def _announce(address: str) -> None:
    from workbench.api.text import say

    click.echo(str(say("JupyterLab is at {address}", address=address)))
    click.echo(str(say("Press Ctrl-C to stop it.")))
