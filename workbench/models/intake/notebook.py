"""Hands a model object from a notebook to the workbench, as a file that a worker can read."""

from __future__ import annotations

import dis
import os
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from workbench.api.errors import InvalidInput, Refused
from workbench.api.library_errors import reason_of
from workbench.api.text import say
from workbench.api.variant import OwnClass
from workbench.models.intake.graph_only import graph_only
from workbench.models.intake.opening_up import opened_up
from workbench.models.intake.own_code import BY_VALUE, save_by_value
from workbench.models.intake.own_kinds import every_layer, is_own, own_kinds


def save_from_notebook(
    model: Any, path: Path, *, trust: bool = False, samples: Any = None
) -> OwnClass | None:
    """Saves a Keras model that lives in this process.

    The model is not changed: not cloned, not compiled. One of the user's own class is written out as the
    graph of the layers that it calls, for which it is run on a few samples. What stays of the user's own in
    it goes by value into a file beside it.

    Args:
        model: A built Keras 3 model.
        path: The ``.keras`` file to write; it appears whole or not at all.
        trust: Whether the Python code of its Lambda layers may run in worker processes.
        samples: A few inputs as the model takes them, if any are known.

    Returns:
        What was found in a model of the user's own class; None for any other.

    Raises:
        workbench.api.errors.InvalidInput: If it is no Keras 3 model, or has no weights or input shape yet.
        workbench.api.errors.Refused: If it holds Python code that a file cannot carry.
    """
    module = type(model).__module__
    if module.startswith("tf_keras"):
        raise InvalidInput(
            say("The model {name} is a Keras 2 (tf_keras) model.", name=str(model.name)),
            say("Save it with model.save('model.h5') and open that file."),
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    if any(is_own(type(layer)) for layer in model._flatten_layers()):
        try:
            with opened_up(model, samples) as (graph, found):
                _save_with_own(graph, path, trust=trust)
            return found
        except InvalidInput as error:
            left = graph_only(model, samples, error.problem) if model.weights else None
            if left is None:
                raise
        _save_with_own(left[0], path, trust=trust)
        return left[1]
    _save_with_own(model, path, trust=trust)
    return None


def _save_with_own(model: Any, path: Path, *, trust: bool) -> None:
    own = own_kinds(model)
    _save(model, path, trust=trust)
    if own:
        save_by_value(own, path.with_name(BY_VALUE))


def _save(model: Any, path: Path, *, trust: bool) -> None:
    layers = every_layer(model)
    lambdas = [layer for layer in layers if type(layer).__name__ == "Lambda"]
    if lambdas and not trust:
        raise Refused(
            say(
                "The model has Lambda layers, which carry Python code: {layers}.",
                layers=tuple(layer.name for layer in lambdas),
            ),
            say("If the code is yours, open the model again with trust=True."),
        )
    for layer in lambdas:
        _require_portable(layer)
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
            say("Keras cannot save the model: {reason}", reason=reason_of(error)),
            say("Make model.save('model.keras') work, then open it again."),
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _require_portable(layer: Any) -> None:
    """Refuses a Lambda layer whose file would not run: it carries a lambda's code, and nothing around."""
    for function in (layer.function, layer._output_shape, layer.mask):
        if not callable(function) or not is_own(function):
            continue
        if getattr(function, "__name__", "") != "<lambda>":
            raise Refused(
                say(
                    "The Lambda layer {layer} calls {function}, of which its file keeps the name only.",
                    layer=layer.name,
                    function=str(getattr(function, "__name__", type(function).__name__)),
                ),
                say("Write it as a lambda that imports what it needs, or use built-in layers and keras.ops."),
            )
        missing = sorted(set(_globals(function.__code__)) & function.__globals__.keys())
        if missing:
            raise Refused(
                say(
                    "The Lambda layer {layer} uses {names} from around it, which its file cannot carry.",
                    layer=layer.name,
                    names=tuple(missing),
                ),
                say(
                    "Call keras.ops or built-in layers on the tensors instead, without a Lambda layer, or "
                    "import inside the lambda: __import__('keras').ops.square(x)."
                ),
            )


def _globals(code: CodeType) -> Iterator[str]:
    """Names that a function looks up around it, those of functions inside included."""
    for step in dis.get_instructions(code):
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield str(step.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _globals(inner)
