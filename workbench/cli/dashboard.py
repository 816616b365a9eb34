"""Open the dashboard in the browser."""

from __future__ import annotations

import os
from pathlib import Path

import click

from workbench.cli._serving import page_options


@click.command("dashboard")
@page_options
@click.option(
    "--shared",
    is_flag=True,
    help="For visitors: demo models only, one job each, nothing of theirs is kept, no secret in the address.",
)
@click.option("--allow-uploads", is_flag=True, help="With --shared: visitors may bring models and data.")
@click.option(
    "--visitors",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="With --shared: the most at a time (about 100 MB each).",
)
@click.option(
    "--keep-jobs",
    type=click.FloatRange(0),
    envvar="WORKBENCH_KEEP_JOBS",
    default=30.0,
    show_default=True,
    help="Minutes that jobs run on after their page was closed; 0 ends them with it. Not with --shared.",
)
@click.option(
    "--class",
    "settings",
    type=click.Path(exists=True, path_type=Path),
    help="What a teacher has fixed: a class.json, or the folder that it lies in.",
)
def command(
    port: int | None,
    host: str,
    no_browser: bool,
    folder: Path | None,
    language: str | None,
    shared: bool,
    allow_uploads: bool,
    visitors: int,
    keep_jobs: float,
    settings: Path | None,
) -> None:
    """Open the dashboard in the browser. Ctrl-C ends it."""
    from workbench.api.text import say, use_language
    from workbench.course.class_settings import CLASS_VARIABLE, read_settings
    from workbench.engine.page_parts import required_part
    from workbench.serving.cluster import shared_cluster
    from workbench.serving.dashboard import serve_dashboard
    from workbench.serving.page import ServerSettings

    if language is not None:
        use_language(language)
    if settings is not None:
        read_settings(settings)  # what is wrong in it is said here, not on the page
        os.environ[CLASS_VARIABLE] = str(settings.absolute())
    server = ServerSettings(
        host=host,
        port=port,
        open_browser=not no_browser,
        folder=folder,
        language=language,
        shared=shared,
        uploads=allow_uploads,
        visitors=visitors,
        measures_baselines=shared,
        keep_jobs_minutes=keep_jobs,
    )
    if not server.loopback and shared:
        click.echo(str(say("Everyone who can reach this machine can open this page.")), err=True)
    with shared_cluster() as scheduler:
        serve_dashboard(required_part("dashboard")(), server, scheduler, announce=_announce)
    click.echo(str(say("Stopped.")))


def _announce(address: str) -> None:
    from workbench.api.text import say

    click.echo(str(say("The dashboard is at {address}", address=address)))
    click.echo(str(say("Press Ctrl-C to stop it.")))
