"""Apply a recipe to a model and print what came out."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli._data import chosen, opening_options
from workbench.cli._exit import DONE, INTERRUPTED, exit_code

if TYPE_CHECKING:
    from workbench import Workbench


@click.command("run")
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="Model file, or the name of a demo model.")
@click.option("--data", required=True, help="Data file or folder, or the name of built-in data.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the variants' files."
)
@opening_options
@click.option("--final", is_flag=True, help="Time everything again in five fresh processes at the end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    recipe: Path,
    model: str,
    data: str,
    out: Path | None,
    final: bool,
    as_json: bool,
    **opening: Any,
) -> None:
    """Apply a recipe to a model and print what came out.

    Exit code: 0 done; 1 a step failed; 2 the input is wrong; 3 a step does not fit the model or this
    machine; 130 interrupted. Whatever was finished before is printed all the same.
    """
    from workbench import Workbench
    from workbench.advisor.demands import parse_demands
    from workbench.api.errors import WorkbenchError
    from workbench.api.recipe import Recipe
    from workbench.cli._progress import watch
    from workbench.cli._tables import print_as_json, print_data, print_results
    from workbench.engine.compatibility import parse_parameters
    from workbench.techniques import technique

    steps = Recipe.from_file(recipe)
    for step in steps.steps:  # before any time is spent on opening the model
        parse_parameters(technique(step.technique), step.parameters)
    if steps.advise is not None:
        parse_demands(steps.advise)
    code = DONE
    with (
        tempfile.TemporaryDirectory(prefix="workbench-") as scratch,
        Workbench(Path(scratch) / "workbench", seed=steps.seed) as workbench,
    ):
        try:
            watch(workbench.open(model, data, **chosen(opening)))
            search = workbench.run(steps)
            watch(search)
            if steps.advise is not None:
                for line in search.state.log:
                    click.echo(str(line), err=True)
            if final:
                watch(workbench.measure(protocol="final"))
        except KeyboardInterrupt:
            code = INTERRUPTED
            click.echo("Interrupted.", err=True)
        except WorkbenchError as error:
            code = exit_code(error)
            click.echo(str(error), err=True)
            if not workbench.variants:
                print_data(workbench, err=True)  # what was read may be why it does not fit
        files = None if out is None else _write(workbench, out)
        if as_json:
            print_as_json(workbench, files)
        elif rows := workbench.results():
            print_results(rows)
            print_data(workbench)
    sys.exit(code)


def _write(workbench: Workbench, out: Path) -> dict[str, Path]:
    """Writes every variant's file into a folder; says where each is."""
    out.mkdir(parents=True, exist_ok=True)
    files: dict[str, Path] = {}
    for variant in workbench.variants:
        name, content = workbench.download(variant.id)
        file = (out / name).absolute()
        while file in files.values():  # "int8 2" and "int8-2" are one name for a file
            file = file.with_stem(f"{file.stem}-{variant.id}")
        file.write_bytes(content)
        files[variant.id] = file
    return files
