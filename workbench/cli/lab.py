"""Open the notebooks in JupyterLab."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.text import LANGUAGES


@click.command("lab")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: a free one]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where models and measurements are kept.",
)
@click.option("--language", type=click.Choice(sorted(LANGUAGES)), help="Language of the widgets.")
def command(port: int | None, host: str, no_browser: bool, folder: Path | None, language: str | None) -> None:
    """Open the notebooks in JupyterLab. Ctrl-C ends it."""
    from widgets.page import page
    from workbench.serving.cluster import shared_cluster
    from workbench.serving.lab import serve_lab
    from workbench.serving.page import ServerSettings
    from workbench.text import say, use_language

    if language is not None:
        use_language(language)
    settings = ServerSettings(
        host=host, port=port, open_browser=not no_browser, folder=folder, language=language
    )
    with shared_cluster() as scheduler:
        serve_lab(page(), settings, scheduler, announce=_announce)
    click.echo(str(say("Stopped.")))


def _announce(address: str) -> None:
    from workbench.text import say

    click.echo(str(say("JupyterLab is at {address}", address=address)))
    click.echo(str(say("Press Ctrl-C to stop it.")))
