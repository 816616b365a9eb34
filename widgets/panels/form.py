"""From a technique's parameter model to the fields of its form."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic_core import PydanticUndefined

from widgets.wording import count
from workbench.api.technique import AnyTechnique, Parameters, field_context
from workbench.api.text import Text, say

_MOST_SLIDER_STEPS = 500
_PLAIN = {"integer": "number", "number": "number", "string": "text", "boolean": "checkbox"}


def fields(parameters: type[Parameters], *, several_outputs: bool = True) -> list[dict[str, Any]]:
    """What the page needs to draw a form, in the current language.

    Args:
        parameters: A technique's parameter model.
        several_outputs: Whether the model has several outputs that are judged; else what is asked of these
            only is left out.

    Returns:
        One dict per field: ``name``, ``title``, ``description``, ``unit``, ``kind`` (``checkbox``,
        ``select``, ``range``, ``number`` or ``text``), ``minimum``, ``maximum``, ``step``,
        ``options``, ``range`` (the limits in words), ``advanced``, and ``only``: it is shown where
        each field of these ``[name, value]`` has this value.
    """
    schema = parameters.model_json_schema()
    return [
        _field(name, _resolved(field, schema), field_context(parameters, name))
        for name, field in schema.get("properties", {}).items()
        if several_outputs or not field.get("several_outputs")
    ]


def defaults(parameters: type[Parameters]) -> dict[str, Any]:
    """The values that a form starts with; empty text for a parameter without a default."""
    return {
        name: "" if info.default is PydanticUndefined else info.default
        for name, info in parameters.model_fields.items()
    }


def values_of(parameters: type[Parameters], sent: object) -> dict[str, Any]:
    """What a form says, for the engine to judge: empty fields that may be None are None.

    Args:
        parameters: The parameter model.
        sent: What the page sent, which can be anything.
    """
    if not isinstance(sent, dict):
        return {}
    properties = parameters.model_json_schema().get("properties", {})
    return {
        name: None if value == "" and _may_be_none(properties.get(name, {})) else value
        for name, value in sent.items()
    }


def help_of(technique: AnyTechnique) -> tuple[str, list[str]]:
    """A technique's docstring as the panel's help: the summary, and the paragraphs after it."""
    documentation = inspect.cleandoc(type(technique).__doc__ or "")
    translated = str(Text(template=documentation))
    summary, *rest = [part for part in translated.split("\n\n") if part.strip()] or [""]
    return _flowing(summary), [_flowing(part) for part in rest]


def _flowing(paragraph: str) -> str:
    # A docstring is wrapped for the source; lists and examples keep their lines.
    lines = paragraph.split("\n")
    if any(line.startswith((" ", "-", "*")) for line in lines):
        return paragraph
    return " ".join(lines).replace("``", "")


def _resolved(field: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = field.get("$ref") or next(
        (part["$ref"] for part in field.get("allOf", []) if "$ref" in part), None
    )
    if reference is None:
        return field
    target: dict[str, Any] = schema["$defs"][reference.rpartition("/")[2]]
    return {**target, **{key: value for key, value in field.items() if key not in ("$ref", "allOf")}}


def _may_be_none(field: dict[str, Any]) -> bool:
    return any(part.get("type") == "null" for part in field.get("anyOf", []))


def _field(name: str, field: dict[str, Any], context: str) -> dict[str, Any]:
    constraint = next((part for part in field.get("anyOf", []) if part.get("type") != "null"), field)
    minimum = constraint.get("minimum", constraint.get("exclusiveMinimum"))
    maximum = constraint.get("maximum", constraint.get("exclusiveMaximum"))
    options = constraint.get("enum", [constraint["const"]] if "const" in constraint else None)
    kind = "select" if options else _PLAIN.get(constraint.get("type", "string"), "text")
    whole = constraint.get("type") == "integer"
    step = constraint.get("multipleOf", 1 if whole else None) or _step(minimum, maximum)
    if kind == "number" and _suits_slider(minimum, maximum, step, field.get("default")):
        kind = "range"
    unit = field.get("unit")
    return {
        "name": name,
        "title": str(Text(template=field.get("title", name.replace("_", " ").capitalize()), context=context)),
        "description": str(Text(template=field.get("description", ""), context=context)),
        "unit": str(Text(template=unit, context=context)) if unit else None,
        "kind": kind,
        "minimum": minimum,
        "maximum": maximum,
        # A number that is typed is not held to the slider's steps.
        "step": step if whole or kind == "range" else None,
        "options": [{"value": option, "label": _option(option, context)} for option in options or []],
        "range": _limits(minimum, maximum),
        "advanced": bool(field.get("advanced", False)),
        "only": [[other, value] for other, value in field.get("only", {}).items()],
    }


def _suits_slider(
    minimum: float | None, maximum: float | None, step: float | None, default: float | None
) -> bool:
    # On a slider over decades (a batch size, a learning rate) the useful values would be one pixel.
    if minimum is None or maximum is None or step is None:
        return False
    return (maximum - minimum) / step <= _MOST_SLIDER_STEPS and (
        default is None or default >= step or minimum < 0
    )


def _option(option: Any, context: str) -> str:
    if option is None:
        return str(say("none"))
    if isinstance(option, str) and option:
        return str(Text(template=option, context=context))
    return str(option)


def _limits(minimum: float | None, maximum: float | None) -> str | None:
    if minimum is not None and maximum is not None:
        return str(say("From {minimum} to {maximum}.", minimum=_limit(minimum), maximum=_limit(maximum)))
    if minimum is not None:
        return str(say("At least {minimum}.", minimum=_limit(minimum)))
    if maximum is not None:
        return str(say("At most {maximum}.", maximum=_limit(maximum)))
    return None


def _limit(number: float) -> str:
    # Whole numbers are written out: nobody types 2.14748e+09.
    return count(int(number)) if number == int(number) else f"{number:g}"


def _step(minimum: float | None, maximum: float | None) -> float | None:
    if minimum is None or maximum is None:
        return None
    # A hundredth of the range, rounded down to a power of ten: fine enough, and readable.
    span, step = maximum - minimum, 1.0
    while step > span / 50:
        step /= 10
    return step
