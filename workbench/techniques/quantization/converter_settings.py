"""What TensorFlow's converter is told: one description, which is carried out and shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from operator import attrgetter
from typing import Any


class Name(str):
    """A name in a script, such as ``tf.lite.Optimize.DEFAULT``, where a value is meant."""

    __slots__ = ()


DEFAULT = Name("tf.lite.Optimize.DEFAULT")


def operators(*names: str) -> dict[str, list[Name]]:
    """The ``target_spec`` that allows some sets of operators.

    Args:
        *names: Members of ``tf.lite.OpsSet``.
    """
    return {"supported_ops": [Name(f"tf.lite.OpsSet.{name}") for name in names]}


def made(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with TensorFlow's objects in place of their names; imports TensorFlow."""
    import tensorflow as tf

    def value(one: Any) -> Any:
        if isinstance(one, Name):
            return attrgetter(one.removeprefix("tf."))(tf)
        if isinstance(one, Mapping):
            return {key: value(item) for key, item in one.items()}
        return [value(item) for item in one] if isinstance(one, list) else one

    return {name: value(one) for name, one in settings.items()}


def written(value: Any) -> str:
    """A setting as source code."""
    if isinstance(value, Name):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return json.dumps(value) if isinstance(value, str) else repr(value)
