"""List every runtime: the formats it reads, whether it can run here."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command("runtimes")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List every runtime: the formats it reads, whether it can run here."""
    from workbench.api.text import say
    from workbench.cli._tables import print_table
    from workbench.runtimes import runtimes

    rows: list[dict[str, Any]] = []
    for runtime in runtimes().values():
        reason = runtime.unavailable()
        rows.append(
            {
                "name": runtime.name,
                "title": runtime.title,
                "formats": sorted(runtime.formats),
                "threads": runtime.supports_threads,
                "available": reason is None,
                "unavailable": None if reason is None else str(reason),
            }
        )
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    print_table(
        [say("runtime"), say("reads"), say("runs here")],
        [[str(row["name"]), ", ".join(row["formats"]), str(row["unavailable"] or "✓")] for row in rows],
        identifiers=True,
    )
