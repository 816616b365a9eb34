"""Brings a model that was read to what everything here takes: float32, and names that files can have."""

from __future__ import annotations

from typing import Any

from workbench.data.input_names import safe_name
from workbench.text import Text, say


def to_float32(model: Any) -> tuple[Text, ...]:
    """Lets a model that was trained in mixed precision compute in float32, as its weights are.

    No converter takes a graph in which TensorFlow casts to 16 bits and back at every layer.

    Args:
        model: A ``keras.Model``, changed in place.

    Returns:
        What was done, in words.
    """
    mixed = [
        layer
        for layer in model._flatten_layers()
        if layer.dtype_policy.name in ("mixed_float16", "mixed_bfloat16")
    ]
    if not mixed:
        return ()
    policy = mixed[0].dtype_policy.name
    for layer in mixed:
        layer.dtype_policy = "float32"
    return (
        say(
            "{count} layers computed in {policy}, with weights in float32. They compute in float32 here, "
            "which every runtime takes; outputs differ by what 16 bits had rounded.",
            count=len(mixed),
            policy=policy,
        ),
    )


def with_safe_names(model: Any) -> tuple[Text, ...]:
    """Gives inputs whose names TensorFlow cannot export others, as the data's get them.

    Args:
        model: A ``keras.Model``, changed in place.

    Returns:
        What was done, in words.
    """
    notes: list[Text] = []
    names = [safe_name(tensor.name) for tensor in model.inputs]
    if len(set(names)) < len(names):
        return ()
    for tensor, name in zip(model.inputs, names, strict=True):
        if name == tensor.name:
            continue
        notes.append(
            say(
                "The input {old} is called {new} here: files of the runtimes allow letters, digits, dots, "
                "dashes and underscores.",
                old=tensor.name,
                new=name,
            )
        )
        layer = tensor._keras_history.operation
        tensor.name = name
        layer.name = name
    return tuple(notes)
