"""Apply a recipe to a model and print what came out."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import click

from workbench.cli._exit import DONE, INTERRUPTED, exit_code


@click.command("run")
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="Model file, or the name of a demo model.")
@click.option("--data", required=True, help="Data file or folder, or the name of built-in data.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the variants' files."
)
@click.option("--scaling", default="auto", show_default=True, help="How raw values become inputs.")
@click.option("--trust", is_flag=True, help="Let code inside the model file run.")
@click.option("--final", is_flag=True, help="Time everything again in five fresh processes at the end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    recipe: Path,
    model: str,
    data: str,
    out: Path | None,
    scaling: str,
    trust: bool,
    final: bool,
    as_json: bool,
) -> None:
    """Apply a recipe to a model and print what came out.

    Exit code: 0 done; 1 a step failed; 2 the input is wrong; 3 a step does not fit the model or this
    machine; 130 interrupted. Whatever was finished before is printed all the same.
    """
    from workbench import Workbench
    from workbench.cli._progress import watch
    from workbench.cli._tables import print_results, result_as_json
    from workbench.compatibility import parse_parameters
    from workbench.errors import WorkbenchError
    from workbench.recipe import Recipe
    from workbench.techniques import technique

    steps = Recipe.from_file(recipe)
    for step in steps.steps:  # before any time is spent on opening the model
        parse_parameters(technique(step.technique), step.parameters)
    code = DONE
    with (
        tempfile.TemporaryDirectory(prefix="workbench-") as scratch,
        Workbench(Path(scratch) / "workbench", seed=steps.seed) as workbench,
    ):
        try:
            watch(workbench.open(model, data, trust=trust, scaling=scaling))
            watch(workbench.run(steps))
            if final:
                watch(workbench.measure(protocol="final"))
        except KeyboardInterrupt:
            code = INTERRUPTED
            click.echo("Interrupted.", err=True)
        except WorkbenchError as error:
            code = exit_code(error)
            click.echo(str(error), err=True)
        rows = workbench.results()
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for row in rows:
                name, content = workbench.download(row.variant.id)
                (out / name).write_bytes(content)
        if as_json:
            click.echo(json.dumps([result_as_json(row) for row in rows], indent=2, ensure_ascii=False))
        elif rows:
            print_results(rows)
    sys.exit(code)
