"""Compare finished model files of any format in one interleaved run."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click


@click.command("measure")
@click.argument("files", nargs=-1, required=True)
@click.option("--data", required=True, help="Data file or folder, or the name of built-in data.")
@click.option("--scaling", default="auto", show_default=True, help="How raw values become inputs.")
@click.option("--trust", is_flag=True, help="Let code inside the model files run.")
@click.option("--quick", is_flag=True, help="One process and about a second each, instead of five and ten.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(files: tuple[str, ...], data: str, scaling: str, trust: bool, quick: bool, as_json: bool) -> None:
    """Compare finished model files of any format in one interleaved run.

    The first file is the one that the others are compared with.
    """
    from workbench import Workbench
    from workbench.cli._progress import watch
    from workbench.cli._tables import print_results, result_as_json

    with (
        tempfile.TemporaryDirectory(prefix="workbench-") as scratch,
        Workbench(Path(scratch) / "workbench") as workbench,
    ):
        watch(workbench.open(files[0], data, trust=trust, scaling=scaling))
        for file in files[1:]:
            watch(workbench.add(file, trust=trust))
        watch(workbench.measure(protocol="quick" if quick else "final"))
        rows = workbench.results()
        if as_json:
            click.echo(json.dumps([result_as_json(row) for row in rows], indent=2, ensure_ascii=False))
        else:
            print_results(rows)
