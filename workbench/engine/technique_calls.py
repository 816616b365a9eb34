"""Techniques as methods, such as ``workbench.quantization.int8(samples=200)``.

What a notebook completes and explains is made from the registry: a technique that a package or a notebook
adds is there at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from pydantic.fields import FieldInfo

from workbench.api.suggestions import meant
from workbench.api.technique import AnyTechnique, Family
from workbench.api.variant import Variant
from workbench.jobs.job import Job
from workbench.techniques import techniques

Apply = Callable[..., Job]

_OWN = (
    inspect.Parameter(
        "parent", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation="str | Variant | None"
    ),
    inspect.Parameter("again", inspect.Parameter.KEYWORD_ONLY, default=False, annotation="bool"),
)


class TechniqueCall:
    """One technique of one workbench: calling it applies it.

    Args:
        technique: Which one.
        apply: The workbench's.
    """

    def __init__(self, technique: AnyTechnique, apply: Apply) -> None:
        self._technique, self._apply = technique, apply
        self.__name__ = technique.name.rpartition(".")[2]
        self.__qualname__ = technique.name
        self.__doc__ = documentation(technique)
        self.__signature__ = signature(technique)

    def __call__(self, parent: str | Variant | None = None, *, again: bool = False, **parameters: Any) -> Job:
        """Applies it; see :meth:`workbench.Workbench.apply`."""
        return self._apply(self._technique.name, parent, again=again, **parameters)

    def __repr__(self) -> str:
        return f"<{self._technique.name}{self.__signature__}>"


class FamilyCalls:
    """The techniques of one family of one workbench.

    Args:
        apply: The workbench's :meth:`~workbench.Workbench.apply`.
    """

    family: ClassVar[Family]

    def __init__(self, apply: Apply) -> None:
        self._apply = apply

    def __getattr__(self, name: str) -> TechniqueCall:
        if not name.startswith("_"):
            known = of_family(self.family)
            if name in known:
                return TechniqueCall(known[name], self._apply)
            suggestion = meant(name, known)
            raise AttributeError(
                f"There is no technique '{self.family}.{name}'. "
                + (f"Did you mean {suggestion}? " if suggestion else "")
                + f"Choose one of: {', '.join(known)}."
            )
        raise AttributeError(name)

    def __dir__(self) -> Iterable[str]:
        return sorted(of_family(self.family))

    def __repr__(self) -> str:
        return f"<{self.family}: {', '.join(of_family(self.family))}>"


def of_family(family: Family) -> dict[str, AnyTechnique]:
    """The techniques of a family, by their names without it."""
    return {
        name.partition(".")[2]: technique
        for name, technique in techniques().items()
        if technique.family == family
    }


def signature(technique: AnyTechnique) -> inspect.Signature:
    """The parameters of a technique with their types and defaults, after those of every application."""
    own = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(field),
            annotation=field.annotation,
        )
        for name, field in technique.parameters_type.model_fields.items()
    ]
    return inspect.Signature([*_OWN, *own], return_annotation=Job)


def documentation(technique: AnyTechnique) -> str:
    """What a technique does, and what each of its parameters means."""
    lines = [inspect.getdoc(type(technique)) or technique.title, "", "Args:"]
    lines += [
        "    parent: The variant to start from, its name or identifier; by default the baseline.",
        "    again: Whether another variant is made where there is one that was made in the same way.",
    ]
    lines += [
        f"    {name}: {explained(field)}" for name, field in technique.parameters_type.model_fields.items()
    ]
    return "\n".join(lines)


def _default(field: FieldInfo) -> Any:
    if field.is_required():
        return inspect.Parameter.empty
    return field.get_default(call_default_factory=True)


def explained(field: FieldInfo) -> str:
    """What a parameter means, in which unit, and its bounds."""
    words = [f"{field.title}." if field.title else "", field.description or ""]
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "unit" in extra:
        words.append(f"In {extra['unit']}.")
    for bound, word in (("ge", "At least"), ("gt", "Above"), ("le", "At most"), ("lt", "Below")):
        words += [f"{word} {getattr(limit, bound)}." for limit in field.metadata if hasattr(limit, bound)]
    return " ".join(word for word in words if word)
