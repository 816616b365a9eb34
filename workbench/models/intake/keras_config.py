"""Judges a Keras configuration (JSON) before Keras builds anything from it.

Keras has a safe mode of its own and it stays on; this one comes first, names what it found, and
also covers what safe mode lets through: sizes that no stored weight has, and files of Keras 2,
whose loader knows no safe mode.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workbench.api.text import say
from workbench.models.intake.findings import (
    DEEPEST_CONFIG,
    LARGEST_CONFIG_BYTES,
    LARGEST_UNSTORED_AXIS,
    Problem,
    size_text,
)
from workbench.models.intake.keras_names import LAYERS, MODELS, MODULES, PARTS, VALUES
from workbench.models.intake.legacy_operations import OPERATIONS, SLICING

_SIZES = frozenset(
    {"units", "filters", "input_dim", "output_dim", "kernel_size", "num_heads", "key_dim", "value_dim"}
    | {"depth_multiplier", "projection_units", "head_dim", "num_query_heads", "num_key_value_heads"}
)
_LOOKUPS = frozenset({"StringLookup", "IntegerLookup", "TextVectorization"})
_OTHER_CODE = {"TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFOpLambda", "SlicingOpLambda"}
_SHOWN = 5


@dataclass(frozen=True)
class StoredWeights:
    """What the weights file holds, against which sizes in the configuration are checked.

    Attributes:
        longest_axis: Longest axis of any stored tensor.
        elements: Elements of all stored tensors.
    """

    longest_axis: int = 0
    elements: int = 0


def parse_config(content: bytes, name: str, part: str) -> Any | Problem:
    """Parses JSON under limits.

    Args:
        content: The JSON text.
        name: Name of the file, for the problem.
        part: Name of the part of it that holds the JSON, such as ``config.json``.

    Returns:
        The parsed value, or why it was not parsed.
    """
    if len(content) > LARGEST_CONFIG_BYTES:
        return too_large(name, part, len(content))
    deep = Problem(
        say(
            "{part} in {name} is nested deeper than {limit} levels.",
            part=part,
            name=name,
            limit=DEEPEST_CONFIG,
        ),
        say("No model needs that: do not open this file."),
        refused=True,
    )
    try:
        value = json.loads(content)
    except RecursionError:
        return deep
    except ValueError:
        return Problem(
            say("{part} in {name} is no valid JSON.", part=part, name=name),
            say("Save the model again with model.save."),
        )
    return deep if any(depth > DEEPEST_CONFIG for _, depth, _ in _walk(value)) else value


def too_large(name: str, part: str, size: int) -> Problem:
    """The problem of a configuration above the limit."""
    return Problem(
        say(
            "{part} in {name} takes {size}; the limit is {limit}.",
            part=part,
            name=name,
            size=size_text(size),
            limit=size_text(LARGEST_CONFIG_BYTES),
        ),
        say("No model needs that: do not open this file."),
        refused=True,
    )


def config_problems(config: Any, name: str, stored: StoredWeights) -> list[Problem]:
    """Everything in a model's configuration that stands against building it.

    Args:
        config: The parsed configuration.
        name: Name of the file, for the problems.
        stored: What the weights file holds.
    """
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        return [
            Problem(
                say("{name} holds no model configuration.", name=name),
                say("Save the whole model with model.save."),
            )
        ]
    # Never built, since models are loaded without their compile state.
    config = {key: value for key, value in config.items() if key != "compile_config"}
    lambdas: list[str] = []
    foreign: list[str] = []
    custom: dict[str, str] = {}
    problems: list[Problem] = []
    for value, _, layer in _walk(config):
        if not isinstance(value, dict):
            continue
        kind = value.get("class_name")
        if isinstance(kind, str):
            bare = kind.rpartition(">")[2]
            if bare in {"Lambda", "__lambda__"}:
                lambdas.append(layer)
                if _inner(value).get("function_type") == "function":
                    # a callable object: Keras 2 wrote its name, and nothing of it
                    function = str(_inner(value).get("function"))
                    custom[function] = f"Lambda of {function}"
            elif bare in _OTHER_CODE:
                if not _known_operation(value, bare):
                    foreign.append(f"{layer} ({bare})")
            elif not _built_in(value, kind):
                name_of_own, needed = _own_name(value, kind)
                custom[name_of_own] = needed
            if bare in _LOOKUPS and isinstance(_inner(value).get("vocabulary"), str):
                problems.append(_reads_a_file(name, layer))
        problems.extend(_size_problems(value, layer, name, stored))
    return [*_code_problems(name, lambdas, foreign, custom), *problems]


def _walk(value: Any) -> Iterator[tuple[Any, int, str]]:
    """Every value inside, with its depth and the name of the layer around it."""
    pending: list[tuple[Any, int, str]] = [(value, 1, "")]
    while pending:
        current, depth, layer = pending.pop()
        if isinstance(current, dict):
            own = _inner(current).get("name") if "class_name" in current else None
            layer = own if isinstance(own, str) else layer
            yield current, depth, layer
            pending.extend((inner, depth + 1, layer) for inner in reversed(current.values()))
        elif isinstance(current, list):
            yield current, depth, layer
            pending.extend((inner, depth + 1, layer) for inner in reversed(current))


def _known_operation(value: dict[str, Any], kind: str) -> bool:
    """Whether a layer of Keras 2 stands for a function of TensorFlow that only computes."""
    function = _inner(value).get("function")
    module = str(value.get("module") or "keras").split(".")[0]
    if module not in {"keras", "tf_keras"} or value.get("registered_name") not in {None, kind}:
        return False  # a class of another module, whose import alone would run code
    return (kind == "TFOpLambda" and function in OPERATIONS) or (
        kind == "SlicingOpLambda" and function == SLICING
    )


def _inner(value: dict[str, Any]) -> dict[str, Any]:
    config = value.get("config")
    return config if isinstance(config, dict) else {}


def _built_in(value: dict[str, Any], kind: str) -> bool:
    if "module" not in value:  # the format of Keras 1 and 2
        return kind in LAYERS | MODELS | PARTS | VALUES
    module = value["module"]
    if kind in VALUES:
        return True
    parts = str(module).split(".")
    if parts[0] not in {"keras", "tf_keras"} or kind == "function":
        return False
    registered = value.get("registered_name")
    if registered is not None and registered != kind:
        return False
    rest = [part for part in parts[1:] if part != "src"]
    # operations written with keras.ops are classes under keras.src.ops
    return not rest or rest[0] in MODULES


def _own_name(value: dict[str, Any], kind: str) -> tuple[str, str]:
    """What a class or function is called to the user, and what code that defines it must call it."""
    named = value.get("config") if kind == "function" else value.get("registered_name")
    if isinstance(named, str):
        return named[:80], named
    if ">" in kind or value.get("module") is None:  # as HDF5 files have it
        return kind[:80], kind
    # Keras would import the module that it names
    return kind[:80], f"{value.get('module')}.{kind}"


def _code_problems(
    name: str, lambdas: list[str], foreign: list[str], custom: dict[str, str]
) -> Iterator[Problem]:
    if lambdas:
        yield Problem(
            say(
                "{name} has Lambda layers, which carry Python code: {layers}.",
                name=name,
                layers=_listed(lambdas),
            ),
            say("Replace them by built-in layers or keras.ops, and save the model again."),
            refused=True,
            trust=True,
        )
    if foreign:
        yield Problem(
            say(
                "{name} has layers that run code from outside Keras: {layers}.",
                name=name,
                layers=_listed(foreign),
            ),
            say("Rebuild the model from Keras layers and keras.ops, and save it again."),
            refused=True,
        )
    if custom:
        yield Problem(
            say(
                "{name} needs classes or functions of your own, which cannot be imported here: {classes}.",
                name=name,
                classes=_listed([*custom]),
            ),
            say("Replace them by built-in layers or keras.ops in a functional model, and save it again."),
            refused=True,
            needs=tuple(custom.values()),
        )


def _listed(names: list[str]) -> tuple[str, ...]:
    unique = list(dict.fromkeys(name or "?" for name in names))
    return (*(name[:80] for name in unique[:_SHOWN]), *("…" for _ in unique[_SHOWN : _SHOWN + 1]))


def _reads_a_file(name: str, layer: str) -> Problem:
    return Problem(
        say("Layer {layer} in {name} reads its vocabulary from a file.", layer=layer, name=name),
        say("Pass the vocabulary as a list and save the model again."),
        refused=True,
    )


def _size_problems(value: dict[str, Any], layer: str, name: str, stored: StoredWeights) -> Iterator[Problem]:
    for key in _SIZES & value.keys():
        lengths = value[key] if isinstance(value[key], list) else [value[key]]
        for length in lengths:
            if not isinstance(length, int | float) or isinstance(length, bool):
                continue
            if length > max(LARGEST_UNSTORED_AXIS, stored.longest_axis):
                yield _unstored(name, layer, key, length, stored)
    units, before = _inner(value).get("units"), _last_axis(value.get("build_config"))
    if (
        value.get("class_name") == "Dense"
        and isinstance(units, int)
        and units * before > max(stored.elements, LARGEST_UNSTORED_AXIS)
    ):
        yield _unstored(name, layer, "units", units, stored)


def _last_axis(build: Any) -> int:
    shape = build.get("input_shape") if isinstance(build, dict) else None
    return shape[-1] if isinstance(shape, list) and shape and isinstance(shape[-1], int) else 0


def _unstored(name: str, layer: str, key: str, length: float, stored: StoredWeights) -> Problem:
    return Problem(
        say(
            "Layer {layer} in {name} declares {key} = {length:,}, but the longest axis of any stored weight "
            "is {longest:,} and all of them hold {elements:,} numbers.",
            layer=layer,
            name=name,
            key=key,
            length=length,
            longest=stored.longest_axis,
            elements=stored.elements,
        ),
        say("Building it would fill the memory: do not open this file."),
        refused=True,
    )
