"""Search for the stack of techniques that meets demands, and say why it is that one."""

from __future__ import annotations

import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from workbench.cli._data import chosen, opening_options
from workbench.cli._exit import DONE, INTERRUPTED, exit_code


@click.command("advise")
@click.argument("model")
@click.argument("data")
@click.option(
    "--want",
    type=click.Choice(["smaller", "faster", "both"]),
    help="What is best of what meets the rest; by default what was not limited.",
)
@click.option("--size-kb", type=float, help="Bytes of the file, at most, in thousands.")
@click.option("--latency-ms", type=float, help="Median time of one call, at most, in milliseconds.")
@click.option("--loss-points", type=float, help="How much F1 may fall, at most, in points; by default 1.")
@click.option(
    "--minutes", type=float, help="How long it may take; by default until nothing better is expected."
)
@click.option("--runtime", help="The runtime that it has to run in; by default any of this machine.")
@click.option("--threads", type=int, help="Threads inside one inference; by default 1.")
@click.option("--training/--no-training", default=True, help="Whether techniques that train are tried.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Workbench that keeps everything: a search that was ended goes on there. By default none.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Where the best file is written: a folder.")
@opening_options
@click.option("--json", "as_json", is_flag=True, help="Print the ledger as JSON.")
def command(
    model: str,
    data: str,
    folder: Path | None,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Search for the stack of techniques that meets demands, and say why it is that one.

    MODEL is a model file or the name of a demo model, DATA a data file or folder or the name of built-in
    data. Exit code: 0 found; 1 nothing meets the demands; 2 the input is wrong; 130 interrupted. Whatever was
    found is printed all the same.
    """
    from workbench import Workbench
    from workbench.advisor.demands import Demands, parse_demands
    from workbench.api.errors import WorkbenchError
    from workbench.cli._progress import watch

    demanded = {name: options.pop(name) for name in Demands.model_fields}
    demands = parse_demands(demanded)  # before any time is spent on opening the model
    code = DONE
    kept = tempfile.TemporaryDirectory(prefix="workbench-") if folder is None else nullcontext(folder)
    with kept as scratch, Workbench(Path(scratch) / "workbench" if folder is None else folder) as workbench:
        advice = None
        try:
            watch(workbench.open(model, data, **chosen(options)))
            advice = workbench.advise_for(demands)
            watch(advice.job)
        except KeyboardInterrupt:
            code = INTERRUPTED
            click.echo("Interrupted.", err=True)
        except WorkbenchError as error:
            code = exit_code(error)
            click.echo(str(error), err=True)
        if advice is not None:
            winner = advice.winner
            if code == DONE and winner is None:
                code = 1
            if out is not None and winner is not None:
                out.mkdir(parents=True, exist_ok=True)
                name, content = workbench.download(winner.id)
                (out / name).write_bytes(content)
                click.echo(str(out / name), err=True)
            click.echo(advice.ledger.model_dump_json(indent=1) if as_json else str(advice))
    sys.exit(code)
