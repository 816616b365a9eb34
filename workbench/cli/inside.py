"""Look inside a model file: time, bytes, operations and error of each of its layers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from workbench.cli._data import chosen, chosen_of_another, opening_options


@click.command("inside")
@click.argument("model")
@click.option("--data", required=True, help="Data file or folder, or the name of built-in data.")
@click.option("--against", help="Model file, or name of a demo model, that each layer is held against.")
@opening_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    model: str,
    data: str,
    against: str | None,
    as_json: bool,
    **opening: Any,
) -> None:
    """Look inside a model file: time, bytes, operations and error of each of its layers.

    MODEL is a model file or the name of a demo model. Times are taken alone on this machine and held against
    the whole file; the error is that of what each layer gives, against the same layer of the other file.
    """
    from workbench import Workbench
    from workbench.cli._inside import print_inside
    from workbench.cli._progress import watch

    with (
        tempfile.TemporaryDirectory(prefix="workbench-") as scratch,
        Workbench(Path(scratch) / "workbench") as workbench,
    ):
        first = model if against is None else against
        watch(workbench.open(first, data, **chosen(opening)))
        baseline = workbench.baseline
        assert baseline is not None
        looked_at = baseline.id
        if against is not None:
            added = watch(workbench.add(model, **chosen_of_another(opening)))
            assert added is not None
            looked_at = added.id
        look = workbench.inside(looked_at, baseline.id if against is not None else None)
        watch(look.job)
        if as_json:
            click.echo(look.now.model_dump_json(indent=1))
        else:
            print_inside(look.now)
