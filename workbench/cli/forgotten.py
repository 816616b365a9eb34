"""Find out what a model file has forgotten of what another one knows."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from workbench.cli._data import chosen, chosen_of_another, opening_options


@click.command("forgotten")
@click.argument("model")
@click.option("--data", required=True, help="Data file or folder, or the name of built-in data.")
@click.option("--against", required=True, help="Model file, or name of a demo model, to compare it with.")
@opening_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    model: str,
    data: str,
    against: str,
    as_json: bool,
    **opening: Any,
) -> None:
    """Find out what a model file has forgotten of what another one knows.

    MODEL is a model file or the name of a demo model. Samples that it gets wrong and the other one right are
    grouped; and samples of the test split are perturbed, the same way for both files, to compare which parts
    their answers hang on.
    """
    from workbench import Workbench
    from workbench.cli._forgotten import print_forgotten
    from workbench.cli._progress import watch

    with (
        tempfile.TemporaryDirectory(prefix="workbench-") as scratch,
        Workbench(Path(scratch) / "workbench") as workbench,
    ):
        watch(workbench.open(against, data, **chosen(opening)))
        baseline = workbench.baseline
        assert baseline is not None
        added = watch(workbench.add(model, **chosen_of_another(opening)))
        assert added is not None
        known = workbench.forgotten_now(added.id, baseline.id)
        if known.drift_obstacle is None:
            look = workbench.forgotten(added.id, baseline.id)
            watch(look.job)
            known = look.now
        if as_json:
            click.echo(known.model_dump_json(indent=1))
        else:
            print_forgotten(known, added.name, baseline.name)
