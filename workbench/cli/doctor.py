"""Say what is installed and what this machine can do."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Say what is installed and what this machine can do."""
    from workbench.api.text import say
    from workbench.cli._tables import print_table
    from workbench.data.builtin import BUILTINS
    from workbench.measure.energy import find_meter
    from workbench.measure.environment import environment
    from workbench.runtimes import runtimes
    from workbench.techniques import techniques

    machine = environment()
    meters = [meter for meter in map(find_meter, ("litert", "tensorrt")) if meter is not None]
    found: dict[str, Any] = {
        "environment": machine.model_dump(mode="json"),
        "runtimes": {name: _word(runtime.unavailable()) for name, runtime in runtimes().items()},
        "techniques": {name: _word(technique.unavailable()) for name, technique in techniques().items()},
        "data": {name: _word(builtin.obstacle()) for name, builtin in BUILTINS.items()},
        "energy": ", ".join(meter.name for meter in meters) or str(say("not measurable on this machine")),
    }
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    rows = [
        [str(say("processor")), f"{machine.cpu} ({machine.cores} cores)"],
        [str(say("instructions")), ", ".join(machine.features) or "-"],
        [str(say("memory")), f"{machine.memory_bytes / 2**30:.1f} GiB"],
        [str(say("GPU")), machine.gpu or str(say("none"))],
        [str(say("system")), f"{machine.system}, Python {machine.python}"],
        [
            str(say("libraries")),
            ", ".join(f"{name} {version}" for name, version in machine.libraries.items()),
        ],
        [str(say("energy")), found["energy"]],
    ]
    for kind in ("runtimes", "techniques", "data"):
        rows += [[f"{kind}: {name}", words] for name, words in found[kind].items()]
    print_table([say("what"), say("found")], rows)


def _word(reason: object) -> str:
    return "✓" if reason is None else str(reason)
