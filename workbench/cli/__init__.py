"""``workbench`` on the command line.

One file a command: ``cli/<name>.py`` (``<name>_.py`` where Python has that word itself) holds a click
command called ``command``; the first line of its
docstring is what ``workbench --help`` shows. A file is imported when its command is run, so that
the help is there at once.
"""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path

import click

from workbench import __version__
from workbench.api.errors import WorkbenchError
from workbench.cli._exit import INTERRUPTED, exit_code

_FOLDER = Path(__file__).parent


class _Commands(click.Group):
    """The commands are the files beside this one."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(_files())

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        file = _files().get(name)
        if file is None:
            return None
        command = import_module(f"{__name__}.{file.stem}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, _first_line(file)) for name, file in sorted(_files().items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _files() -> dict[str, Path]:
    return {file.stem.rstrip("_"): file for file in _FOLDER.glob("*.py") if not file.stem.startswith("_")}


def _first_line(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].rstrip(".")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="neural-workbench")
def workbench() -> None:
    """Make neural networks smaller, faster and cheaper, with numbers you can trust."""


def main() -> None:
    """Runs the command line; an error that the user can act on is shown without a traceback."""
    try:
        code = workbench(standalone_mode=False)
    except WorkbenchError as error:
        click.echo(str(error), err=True)
        code = exit_code(error)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        code = INTERRUPTED
    sys.exit(code)
