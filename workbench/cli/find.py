"""Look for a smaller or faster variant of a model and say which is best."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from workbench.cli._data import chosen, opening_options
from workbench.cli._exit import DONE, INTERRUPTED, exit_code


@click.command("find")
@click.argument("model")
@click.argument("data")
@click.option(
    "--want",
    type=click.Choice(["smaller", "faster", "both"]),
    default="both",
    show_default=True,
    help="What is wanted.",
)
@click.option(
    "--f1-may-fall",
    "points",
    type=click.FloatRange(0, 100),
    default=1.0,
    show_default=True,
    help="How much macro F1 may fall, in points.",
)
@click.option("--runtime", help="The runtime that it has to run in; by default any of this machine.")
@click.option("--training", is_flag=True, help="Go on with short trainings: takes minutes.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the best file is written: a folder.")
@opening_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    model: str,
    data: str,
    want: str,
    points: float,
    runtime: str | None,
    training: bool,
    out: Path | None,
    as_json: bool,
    **opening: Any,
) -> None:
    """Look for a smaller or faster variant of a model and say which is best.

    MODEL is a model file or the name of a demo model, DATA a data file or folder or the name of built-in
    data. Exit code: 0 found; 1 nothing serves the goal; 2 the input is wrong; 130 interrupted. Whatever was
    measured is printed all the same.
    """
    from workbench import Workbench
    from workbench.api.errors import WorkbenchError
    from workbench.cli._progress import watch
    from workbench.cli._tables import print_as_json, print_data, print_results
    from workbench.engine.goal import parse_goal

    goal = parse_goal(want, points / 100, runtime)  # before any time is spent on opening the model
    code = DONE
    with (
        tempfile.TemporaryDirectory(prefix="workbench-") as scratch,
        Workbench(Path(scratch) / "workbench") as workbench,
    ):
        search = None
        try:
            watch(workbench.open(model, data, **chosen(opening)))
            search = workbench.find(goal, training=training)
            watch(search)
        except KeyboardInterrupt:
            code = INTERRUPTED
            click.echo("Interrupted.", err=True)
        except WorkbenchError as error:
            code = exit_code(error)
            click.echo(str(error), err=True)
        found = workbench.best(goal)
        if code == DONE and found is None:
            code = 1
        files = None
        if out is not None and found is not None:
            out.mkdir(parents=True, exist_ok=True)
            name, content = workbench.download(found.variant.id)
            (out / name).write_bytes(content)
            files = {found.variant.id: (out / name).absolute()}
        if as_json:
            print_as_json(workbench, files)
        elif rows := workbench.results():
            print_results(rows)
            print_data(workbench)
        if search is not None:
            for line in search.state.log[:-1]:
                click.echo(str(line), err=True)
        if workbench.variants:
            click.echo(str(workbench.conclusion(goal)), err=as_json)
            for line in () if found is None else found.more:
                click.echo(str(line), err=as_json)
    sys.exit(code)
