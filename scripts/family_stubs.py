"""Writes what static tools read of the techniques, from the registry: ``make stubs``."""

from __future__ import annotations

import inspect
import types
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from workbench.api.technique import FAMILIES, AnyTechnique
from workbench.engine.technique_calls import of_family, signature

PACKAGE = Path(__file__).parents[1] / "workbench" / "engine"


def stubs() -> dict[str, str]:
    """The content of the files that are made, by their names in the package."""
    return {"families.pyi": _families(), "technique_names.py": _names()}


def _own(family: Any) -> list[str]:
    """The techniques of the package itself: what else is installed here is not everybody's."""
    found = of_family(family)
    return [name for name in found if type(found[name]).__module__.startswith("workbench.")]


def _families() -> str:
    lines = [
        '"""Made from the registry by ``make stubs``: the techniques of each family, with parameters."""',
        "",
        "from typing import Literal",
        "",
        "from workbench.api.variant import Variant",
        "from workbench.engine.technique_calls import FamilyCalls",
        "from workbench.jobs.job import Job",
    ]
    for family in FAMILIES:
        lines += ["", f"class {family.capitalize()}(FamilyCalls):"]
        for name in _own(family):
            lines += _method(name, of_family(family)[name])
    return "\n".join(lines) + "\n"


def _method(name: str, technique: AnyTechnique) -> list[str]:
    lines = [f"    def {name}(", "        self,"]
    own = False
    for parameter in signature(technique).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not own:
            own = True
            lines.append("        *,")
        lines.append(f"        {parameter.name}: {_type(parameter.annotation)} = {parameter.default!r},")
    summary = (inspect.getdoc(type(technique)) or technique.title).partition("\n")[0]
    return [*lines, "    ) -> Job:", f'        """{summary}"""']


def _type(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    if get_origin(annotation) is Literal:
        return f"Literal[{', '.join(map(repr, get_args(annotation)))}]"
    if isinstance(annotation, types.UnionType):
        return " | ".join(_type(one) for one in get_args(annotation))
    return "None" if annotation is type(None) else str(annotation.__name__)


def _names() -> str:
    names = [f"{family}.{name}" for family in FAMILIES for name in _own(family)]
    lines = [
        '"""Made from the registry by ``make stubs``: names of techniques, for editors to complete."""',
        "",
        "from typing import Literal",
        "",
        "TechniqueName = Literal[",
        *(f'    "{name}",' for name in names),
        "]",
        '"""What :meth:`workbench.Workbench.apply` takes; a package may bring more."""',
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name, content in stubs().items():
        (PACKAGE / name).write_text(content, encoding="utf-8")
