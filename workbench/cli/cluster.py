"""Start worker processes that notebooks and pages share."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("cluster")
@click.option(
    "--address-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the address into this file once the workers listen.",
)
def command(address_file: Path | None) -> None:
    """Start worker processes that notebooks and pages share. Ctrl-C ends them.

    Set WORKBENCH_SCHEDULER to the printed address where notebooks run, and one warm TensorFlow
    serves all of them.
    """
    import threading

    from workbench.serving.cluster import shared_cluster
    from workbench.serving.session import stop_signals

    stopped = threading.Event()
    with shared_cluster() as address, stop_signals(stopped.set):
        if address_file is not None:
            draft = address_file.with_suffix(".draft")
            draft.write_text(address, encoding="utf-8")
            draft.rename(address_file)
        click.echo(f"WORKBENCH_SCHEDULER={address}")
        while not stopped.wait(1.0):
            pass
