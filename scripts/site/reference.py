"""The reference, made from the code: techniques, runtimes, commands, Python."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import click

from workbench.api.technique import FAMILIES, AnyTechnique
from workbench.runtimes import runtimes
from workbench.techniques import techniques

ROOMS = (
    "workbench.api",
    "workbench.data",
    "workbench.models",
    "workbench.runtimes",
    "workbench.measure",
    "workbench.results",
    "workbench.engine",
    "workbench.techniques",
    "workbench.plain",
)
"""What authors of techniques, runtimes and scripts read; the rest is found in the code."""


def reference_pages(rooms: tuple[str, ...] = ROOMS) -> dict[str, str]:
    """The pages, by path.

    Args:
        rooms: The packages whose modules are shown.
    """
    return {
        "reference/techniques.md": _techniques(),
        "reference/runtimes.md": _runtimes(),
        "reference/commands.md": _commands(),
        "reference/python.md": _python(),
        "reference/panels.md": _panels(),
        "reference/modules.md": _modules(rooms),
        **{f"reference/{room.replace('.', '-')}.md": _room(room) for room in rooms},
    }


def _techniques() -> str:
    lines = [
        "# Techniques",
        "",
        "Each is a method of its family, `bench.quantization.int8()`, a step of a recipe,",
        "`quantization.int8`, and a form on the page. All take `parent`, the variant to start from.",
    ]
    own = [one for one in techniques().values() if type(one).__module__.startswith("workbench.")]
    for family in FAMILIES:
        lines += ["", f"## {family.capitalize()}"]
        for technique in own:
            if technique.family == family:
                lines += ["", f"### `{technique.name}`", "", *_technique(technique)]
    return "\n".join(lines) + "\n"


def _technique(technique: AnyTechnique) -> Iterator[str]:
    aims = ", ".join(sorted(technique.aims))
    yield f"**{technique.title}.** Makes: {technique.produces}. Aims: {aims or 'none'}."
    yield from ("", inspect.getdoc(type(technique)) or "")
    schema = technique.parameters_type.model_json_schema()
    fields = schema.get("properties", {})
    if fields:
        yield from ("", "| parameter | default | values | what it does |", "|---|---|---|---|")
        for name, field in fields.items():
            told = " ".join(str(field.get("description", field.get("title", ""))).split())
            cells = (f"`{name}`", f"`{field.get('default')!r}`", _values(field), told)
            yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _values(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"])
    ends = [
        field.get("minimum", field.get("exclusiveMinimum")),
        field.get("maximum", field.get("exclusiveMaximum")),
    ]
    kind = field.get("type", "number or none")
    return kind if ends == [None, None] else f"{kind}, {_end(ends[0])} to {_end(ends[1])}"


def _end(value: object) -> str:
    return "…" if value is None else f"{value:g}"


def _runtimes() -> str:
    lines = ["# Runtimes", "", "| runtime | title | reads | threads |", "|---|---|---|---|"]
    for one in runtimes().values():
        reads = ", ".join(sorted(one.formats))
        lines.append(f"| `{one.name}` | {one.title} | {reads} | {'yes' if one.supports_threads else 'no'} |")
    for one in runtimes().values():
        lines += ["", f"## {one.title}", "", inspect.getdoc(type(one)) or ""]
    return "\n".join(lines) + "\n"


def _commands() -> str:
    from workbench.cli import workbench

    lines = ["# Commands", ""]
    with click.Context(workbench, info_name="workbench") as context:
        for name in workbench.list_commands(context):
            command = workbench.get_command(context, name)
            assert command is not None
            lines += [f"## `workbench {name}`", "", *_help(command, context, name)]
    return "\n".join(lines) + "\n"


def _help(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    with click.Context(
        command, info_name=name, parent=parent, terminal_width=88, max_content_width=88
    ) as own:
        yield from ("```text", command.get_help(own), "```", "")
        if isinstance(command, click.Group):
            for inner in command.list_commands(own):
                found = command.get_command(own, inner)
                assert found is not None
                yield from _help(found, own, inner)


def _python() -> str:
    import workbench

    names = [name for name in workbench.__all__ if not name.startswith("_")]
    parts = [_directive("function", "workbench.open")]
    for name in sorted(names, key=lambda one: (one != "Workbench", one)):
        found = getattr(workbench, name)
        kind = "class" if inspect.isclass(found) else "function"
        options = [":inherited-members: BaseModel"] if name == "Workbench" else []
        parts.append(_directive(kind, f"{found.__module__}.{found.__name__}", *options))
    parts.append(_directive("class", "workbench.engine.goal.Goal"))
    parts.append(_directive("class", "workbench.results.table.Results"))
    parts.append(_directive("class", "workbench.results.rows.ResultRow"))
    parts.append(_directive("module", "workbench.api.errors"))
    return "# Python\n\n" + "\n".join(parts)


def _panels() -> str:
    import widgets

    classes = sorted({getattr(widgets, name) for name in widgets.__all__}, key=lambda one: one.__name__)
    parts = [_directive("class", f"{one.__module__}.{one.__name__}", ":no-members:") for one in classes]
    text = "Each takes a `Workbench`, and panels of the same one share their state.\n\n"
    return "# Panels\n\n" + text + "\n".join(parts)


def _modules(rooms: tuple[str, ...]) -> str:
    listed = "\n".join(room.replace(".", "-") for room in rooms)
    told = "The rooms that authors of techniques, runtimes and scripts use."
    return f"# Modules\n\n{told}\n\n```{{toctree}}\n{listed}\n```\n"


def _room(room: str) -> str:
    inner = walk_packages(import_module(room).__path__, f"{room}.")
    names = [room, *(one.name for one in inner if "._" not in one.name)]
    parts = [f"## {name}\n\n" + _directive("module", name, ":no-index:") for name in names]
    return f"# {room}\n\n" + "\n".join(parts)


def _directive(kind: str, name: str, *options: str) -> str:
    lines = "\n".join(f"   {option}" for option in options)
    return f"```{{eval-rst}}\n.. auto{kind}:: {name}\n{lines}\n```\n"
