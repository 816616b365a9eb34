"""Hands a model object from a notebook to the workbench, as a file that a worker can read."""

from __future__ import annotations

import dis
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from workbench.api.errors import InvalidInput, Refused
from workbench.api.library_errors import reason_of
from workbench.api.text import say
from workbench.api.variant import OwnClass
from workbench.models.intake.opening_up import is_own, opened_up
from workbench.models.intake.own_code import BY_VALUE, save_by_value


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
    if isinstance(model, sys.modules["keras"].Model) and any(
        is_own(type(layer)) for layer in model._flatten_layers()
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened_up(model, samples) as (graph, found):
            own = {type(layer) for layer in graph._flatten_layers() if is_own(type(layer))}
            _save(graph, path, trust=trust)
            if own:
                save_by_value(own, path.with_name(BY_VALUE))
        return found
    _save(model, path, trust=trust)
    return None


def _save(model: Any, path: Path, *, trust: bool) -> None:
    layers = list(_flat(model))
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
    for layer in layers:
        _require_known_activations(layer)
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


def _require_known_activations(layer: Any) -> None:
    """Refuses functions of the user's own: a file keeps their name, or code that Keras cannot read."""
    for role in ("activation", "recurrent_activation"):
        function = getattr(layer, role, None)
        name = str(getattr(function, "__name__", type(function).__name__))
        # tf.nn.relu and the like have the names of Keras' own
        if not callable(function) or not is_own(function) or hasattr(sys.modules["keras"].activations, name):
            continue
        raise Refused(
            say(
                "The activation of the layer {layer} is {function}, a function of your own, which a worker "
                "process cannot import.",
                layer=layer.name,
                function=name,
            ),
            say("Use an activation of Keras by its name, or build the model with keras.ops instead."),
        )


def _globals(code: CodeType) -> Iterator[str]:
    """Names that a function looks up around it, those of functions inside included."""
    for step in dis.get_instructions(code):
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield str(step.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _globals(inner)


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
