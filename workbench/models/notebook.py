"""Hands a model object from a notebook to the workbench, as a file that a worker can read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.errors import InvalidInput, Refused
from workbench.text import say


def save_from_notebook(model: Any, path: Path) -> None:
    """Saves a Keras model that lives in this process.

    The model is not changed: not cloned, not compiled, not run.

    Args:
        model: A built functional or Sequential Keras 3 model.
        path: The ``.keras`` file to write; it appears whole or not at all.

    Raises:
        workbench.errors.InvalidInput: If it is no Keras 3 model, or has no input shape yet.
        workbench.errors.Refused: If it holds Python code that a file cannot carry.
    """
    module = type(model).__module__
    if module.startswith("tf_keras"):
        raise InvalidInput(
            say("The model {name} is a Keras 2 (tf_keras) model.", name=str(model.name)),
            say("Save it with model.save('model.h5') and open that file."),
        )
    layers = list(_flat(model))
    kinds = [(layer.name, type(layer)) for layer in layers]
    lambdas = [name for name, kind in kinds if kind.__name__ == "Lambda"]
    if lambdas:
        raise Refused(
            say(
                "The model has Lambda layers, whose Python code cannot be saved safely: {layers}.",
                layers=", ".join(lambdas),
            ),
            say("Replace them by built-in layers or keras.ops, then open the model again."),
        )
    own = sorted({kind.__name__ for _, kind in [(model.name, type(model)), *kinds] if not _is_keras(kind)})
    if own:
        raise Refused(
            say(
                "The model uses classes of your own, which a worker process cannot import: {classes}.",
                classes=", ".join(own),
            ),
            say("Rebuild it as a functional or Sequential model of built-in layers and keras.ops."),
        )
    if not getattr(model, "inputs", None):
        raise InvalidInput(
            say("The model has no input shape yet."),
            say("Add keras.Input(shape) in front, or call the model once on a batch."),
        )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{os.getpid()}.keras")
    try:
        model.save(temporary)
        temporary.replace(path)
    # Keras raises whatever a layer's get_config raises
    except (ValueError, TypeError, NotImplementedError, OSError, RuntimeError) as error:
        raise InvalidInput(
            say("Keras cannot save the model: {reason}", reason=" ".join(str(error).split())[:300]),
            say("Make model.save('model.keras') work, then open it again."),
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _flat(model: Any) -> Iterator[Any]:
    """Every layer inside, wrapped and nested ones included."""
    for layer in getattr(model, "layers", ()):
        yield layer
        yield from _flat(layer)
        wrapped = [
            getattr(layer, name, None) for name in ("layer", "forward_layer", "backward_layer", "cell")
        ]
        for inner in wrapped:
            if inner is not None and hasattr(inner, "name"):
                yield inner
                yield from _flat(inner)


def _is_keras(kind: type) -> bool:
    return kind.__module__.split(".")[0] == "keras"
