"""Compare finished model files of any format in one interleaved run."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click


@click.command("measure")
@click.argument("files", nargs=-1, required=True)
@click.option("--data", required=True, help="Data file or folder, or the name of built-in data.")
@click.option("--scaling", default="auto", show_default=True, help="How raw values become inputs.")
@click.option("--label", help="Label column of a table; by default label, target, class or y, else the last.")
@click.option("--trust", is_flag=True, help="Let code inside the model files run.")
@click.option("--quick", is_flag=True, help="One process and about a second each, instead of five and ten.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    files: tuple[str, ...],
    data: str,
    scaling: str,
    label: str | None,
    trust: bool,
    quick: bool,
    as_json: bool,
) -> None:
    """Compare finished model files of any format in one interleaved run.

    The first file is the one that the others are compared with.
    """
    from workbench import Workbench
    from workbench.cli._progress import watch
    from workbench.cli._tables import print_as_json, print_data, print_results

    with (
        tempfile.TemporaryDirectory(prefix="workbench-") as scratch,
        Workbench(Path(scratch) / "workbench") as workbench,
    ):
        watch(workbench.open(files[0], data, trust=trust, scaling=scaling, label=label))
        for file in files[1:]:
            watch(workbench.add(file, trust=trust))
        watch(workbench.measure(protocol="quick" if quick else "final"))
        if as_json:
            given = (Path(file).absolute() for file in files)
            print_as_json(
                workbench, {one.id: file for one, file in zip(workbench.variants, given, strict=True)}
            )
        else:
            print_results(workbench.results())
            print_data(workbench)
