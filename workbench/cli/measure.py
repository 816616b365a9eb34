"""Compare finished model files of any format in one interleaved run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from workbench.cli._data import chosen, chosen_of_another, opening_options


@click.command("measure")
@click.argument("files", nargs=-1, required=True)
@click.option("--data", required=True, help="Data file or folder, or the name of built-in data.")
@opening_options
@click.option("--quick", is_flag=True, help="One process and about a second each, instead of five and ten.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(
    context: click.Context,
    /,
    files: tuple[str, ...],
    data: str,
    quick: bool,
    as_json: bool,
    **opening: Any,
) -> None:
    """Compare finished model files of any format in one interleaved run.

    The first file that can be loaded is the one that the others are compared with. A file that cannot is
    named with the reason, and the exit code is then not 0.
    """
    from workbench import Workbench
    from workbench.api.errors import WorkbenchError
    from workbench.api.text import say
    from workbench.cli._exit import exit_code
    from workbench.cli._progress import watch
    from workbench.cli._tables import print_as_json, print_data, print_results

    with (
        tempfile.TemporaryDirectory(prefix="workbench-") as scratch,
        Workbench(Path(scratch) / "workbench") as workbench,
    ):
        failed: dict[str, WorkbenchError] = {}
        for file in files:
            try:
                if workbench.baseline is None:
                    watch(workbench.open(file, data, **chosen(opening)))
                else:
                    watch(workbench.add(file, **chosen_of_another(opening)))
            except WorkbenchError as error:
                failed[file] = error
        if workbench.baseline is None and all(why.text == failed[files[0]].text for why in failed.values()):
            raise failed[files[0]]
        for file, why in failed.items():
            click.echo(str(say("Not measured: {file}. {reason}", file=file, reason=why.text)), err=True)
        if workbench.baseline is None:
            context.exit(exit_code(failed[files[0]]))
        watch(workbench.measure(protocol="quick" if quick else "final"))
        if as_json:
            given = (Path(file).absolute() for file in files if file not in failed)
            print_as_json(
                workbench, {one.id: file for one, file in zip(workbench.variants, given, strict=True)}
            )
        else:
            print_results(workbench.results())
            print_data(workbench)
        if failed:
            context.exit(exit_code(next(iter(failed.values()))))
