"""The options of the commands that open a page in the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from workbench.api.text import LANGUAGES

_OPTIONS = (
    click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: a free one]"),
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option("--no-browser", is_flag=True, help="Only print the address."),
    click.option(
        "--folder",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where models and measurements are kept.",
    ),
    click.option("--language", type=click.Choice(sorted(LANGUAGES)), help="Language of the page."),
)


def page_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``port``, ``host``, ``no_browser``, ``folder`` and ``language`` to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
