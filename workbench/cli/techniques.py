"""List every technique: family, parameters, whether it can run here."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command("techniques")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List every technique: family, parameters, whether it can run here."""
    from workbench.api.text import say
    from workbench.cli._tables import print_table
    from workbench.techniques import techniques

    rows = [_describe(technique) for technique in techniques().values()]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    print_table(
        [say("technique"), say("parameters"), say("runs here")],
        [
            [
                row["name"],
                "\n".join(f"{name} = {field.get('default')}" for name, field in row["parameters"].items()),
                row["unavailable"] or "✓",
            ]
            for row in rows
        ],
        identifiers=True,
    )


def _describe(technique: Any) -> dict[str, Any]:
    reason = technique.unavailable()
    return {
        "name": technique.name,
        "family": technique.family,
        "title": technique.title,
        "help": " ".join((technique.__doc__ or "").split("\n\n")[0].split()),
        "parameters": technique.parameters_type.model_json_schema().get("properties", {}),
        "available": reason is None,
        "unavailable": None if reason is None else str(reason),
    }
