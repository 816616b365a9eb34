"""A Keras model called again, operation by operation, with other layers in place of some.

Nested models are inlined: what comes out is one functional model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import keras

Steps = list[tuple[Any, list[Any]]]
"""New layers, each with its weights, that are called one after the other in place of one layer."""


def retraced(model: keras.Model, call: Callable[..., Any], start: Callable[[Any], Any]) -> keras.Model:
    """Calls every operation of a model again, in order, nested models inlined.

    Args:
        model: A built Sequential or functional model.
        call: Makes each call, given the operation, its arguments, its keyword arguments and the tensors
            that it gave in the old model; what it returns takes their place.
        start: What is done with each input first.

    Returns:
        A functional model with inputs of the same names, shapes and types.
    """
    inputs = [keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name) for x in model.inputs]
    outputs = _run(model, [start(x) for x in inputs], call)
    return keras.Model(
        inputs if len(inputs) > 1 else inputs[0],
        outputs if len(outputs) > 1 else outputs[0],
        name=model.name,
    )


def _run(model: keras.Model, inputs: list[Any], call: Any) -> list[Any]:
    def visit(operation: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], old: list[Any]) -> Any:
        if isinstance(operation, keras.Sequential) or hasattr(operation, "_nodes_by_depth"):
            outputs = _run(operation, keras.tree.flatten(arguments), call)
            return outputs if len(outputs) > 1 else outputs[0]
        return call(operation, arguments, keywords, old)

    if isinstance(model, keras.Sequential):
        (tensor,) = inputs
        for layer in model.layers:
            tensor = visit(layer, (tensor,), {}, [])
        return [tensor]
    known = {id(old): tensor for old, tensor in zip(model.inputs, inputs, strict=True)}

    def new(value: Any) -> Any:
        return known.get(id(value), value)

    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if node.is_input:
                continue
            arguments, keywords = keras.tree.map_structure(new, (node.arguments.args, node.arguments.kwargs))
            # These are decided anew at every call of the new model.
            keywords = {name: value for name, value in keywords.items() if name not in ("training", "mask")}
            made = keras.tree.flatten(visit(node.operation, arguments, keywords, node.output_tensors))
            known.update({id(old): tensor for old, tensor in zip(node.output_tensors, made, strict=True)})
    return [known[id(output)] for output in model.outputs]


def replaced(model: keras.Model, steps: Callable[[Any, str, int], Steps | None]) -> keras.Model:
    """A model in which layers are replaced; the others are shared with the model that is given.

    Args:
        model: A built Sequential or functional model.
        steps: Given a layer, a name that is not taken, and the rank of its input: what takes its
            place, nothing at all for an empty list; None keeps it.
    """
    made: dict[int, list[Any]] = {}
    names: Counter[str] = Counter()
    weights: Steps = []

    def call(operation: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], old: list[Any]) -> Any:
        if not isinstance(operation, keras.Layer):
            return operation(*arguments, **keywords)
        if id(operation) not in made:
            names[operation.name] += 1
            number = names[operation.name]
            name = operation.name if number == 1 else f"{operation.name}_{number}"
            rank = len(getattr(arguments[0], "shape", ())) if arguments else 0
            new = steps(operation, name, rank)
            if new is None and number > 1:  # the layer of a nested model, named as another one
                copy = operation.__class__.from_config({**operation.get_config(), "name": name})
                new = [(copy, operation.get_weights())]
            weights.extend(new or [])
            made[id(operation)] = [operation] if new is None else [layer for layer, _ in new]
        if not made[id(operation)]:
            return arguments[0]
        first, *others = made[id(operation)]
        result = first(*arguments, **keywords)
        for layer in others:
            result = layer(result)
        return result

    new = retraced(model, call, lambda tensor: tensor)
    for layer, values in weights:
        if values:
            layer.set_weights(values)
    return new
