"""Opens a model of the user's own class: the layers that it calls become a graph of layers, with its weights.

A subclassed model is called on symbolic inputs, and so is what it is composed of: layers of the user's own
that have no weights beside those of the layers in them. What has some stays as it is, closed: written out,
its weights would become constants that no training reaches.

The user's model is not changed. Symbolic calls leave traces in its layers, and two layers of one graph cannot
have one name; both are put back as they were.
"""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.api.errors import InvalidInput
from workbench.api.library_errors import reason_of
from workbench.api.text import say
from workbench.api.variant import OwnClass
from workbench.models.intake.own_inputs import InputForm, forms_of, symbolic_inputs, with_ids
from workbench.models.intake.own_kinds import is_own
from workbench.models.intake.substitutes import positions_looked_up, substitute
from workbench.models.reading.keras_inputs import input_roles

_ROUNDS = 50
"""Compositions inside compositions that are opened; nobody nests deeper."""


@dataclass
class _Tracing:
    """What was found out while a model was followed through its calls."""

    closed: dict[int, str] = field(default_factory=dict)
    training: bool = False
    substitutes: dict[int, Any] | None = field(default_factory=dict)
    """Layers of Keras' own that stand for others, by the others' ids; None where that is not tried."""


@contextlib.contextmanager
def opened_up(model: Any, samples: Any = None) -> Iterator[tuple[Any, OwnClass]]:
    """A functional model of the layers that a model of the user's own class calls; to be saved within.

    Args:
        model: A built Keras 3 model. Within, its layers carry traces of the new graph.
        samples: A few inputs as the model takes them, if any are known: the proof is done on these.

    Yields:
        The functional model, and what was found.

    Raises:
        InvalidInput: If it has no weights or no known input shape yet, or cannot be called symbolically.
    """
    forms = forms_of(model, samples)
    before = len(model.weights)
    with _as_it_was(model):
        if not before and any(_would_get_weights(layer) for layer in model._flatten_layers()):
            raise _unbuilt()
        failed: Exception | None = None
        for number, form in enumerate(forms):
            for training, substituted in _ways(model):
                tracing = _Tracing(training=training, substitutes={} if substituted else None)
                try:
                    graph = _followed(model, form, tracing)
                    looked_up = [role == "ids" for role in input_roles(graph)]
                    if not getattr(model, "inputs", None) and (ids := with_ids(form, looked_up)) is not None:
                        form = ids
                        graph = _followed(model, form, tracing)
                    if len(model.weights) != before:
                        raise _unbuilt()
                    _require_same(model, graph, form)
                except InvalidInput:
                    raise
                # whatever the user's own code, Keras and TensorFlow raise on symbolic inputs
                except Exception as error:
                    failed = error if number == 0 else failed  # the likeliest form says why
                    continue
                yield graph, _found(model, graph, tracing)
                return
        graph = _closed(model, forms)
        if graph is None:
            raise _unopened(model, failed)
        yield graph, _found(model, graph, _Tracing(training=True))


def _ways(model: Any) -> list[tuple[bool, bool]]:
    """Ways to follow a model, the best first: as in training or not, and with stand-ins for layers."""
    trainings = (True, False) if _takes(model, "training") else (False,)
    based = any(is_own(type(layer)) for layer in model._flatten_layers(include_self=False))
    return [(training, some) for training in trainings for some in ((True, False) if based else (False,))]


def _unbuilt() -> InvalidInput:
    return InvalidInput(
        say("The model has no weights yet."),
        say("Train it, load its weights or call it once on a batch, then open it again."),
    )


def _would_get_weights(layer: Any) -> bool:
    return not layer.built and not getattr(layer.build, "_is_default", False)


def _unopened(model: Any, error: Exception | None) -> InvalidInput:
    return InvalidInput(
        say(
            "{name} could not be written out as a graph of layers: {reason}",
            name=type(model).__name__,
            reason=reason_of(error) if error is not None else "?",
        ),
        say("Use layers and keras.ops in call, with lengths that are known when it is built."),
    )


def _closed(model: Any, forms: Sequence[InputForm]) -> Any:
    """A graph of the model as one layer, where its own layers do not tell what it computes; None if not."""
    import keras

    for form in forms:
        inputs = symbolic_inputs(form)
        flat = keras.tree.flatten(inputs)
        try:
            graph = keras.Model(flat if len(flat) > 1 else flat[0], model(inputs))
            _require_same(model, graph, form)
        # whatever the user's own code, Keras and TensorFlow raise on symbolic inputs
        except Exception:  # noqa: S112  # the reason that counts is why it is not written out
            continue
        return graph
    return None


def _found(model: Any, graph: Any, tracing: _Tracing) -> OwnClass:
    import keras

    layers = [
        one
        for one in graph.operations
        if isinstance(one, keras.layers.Layer) and not isinstance(one, keras.layers.InputLayer)
    ]
    closed = sorted(f"{one.name} ({type(one).__name__})" for one in layers if _holds_own(one))
    return OwnClass(
        name=type(model).__name__ if is_own(type(model)) else str(model.name),
        layers=len(layers),
        closed=tuple(closed),
        training_left_out=_takes(model, "training") and not tracing.training,
    )


def _followed(model: Any, form: InputForm, tracing: _Tracing) -> Any:
    """The graph of a model, in which every composition is written out that can be."""
    import keras

    inputs = symbolic_inputs(form)
    outputs = _inside(model, (inputs,), {"training": tracing.training or None})
    if not getattr(model, "inputs", None):
        # names say which is which: a dict in is more than any runtime takes
        flat = keras.tree.flatten(inputs)
        inputs = flat if len(flat) > 1 else flat[0]
    graph = _graph(inputs, outputs, model.name)
    for _ in range(_ROUNDS):
        if not any(_can_open(one, tracing) for one in graph.operations):
            break
        graph = _replayed(graph, tracing)
    if tracing.training:  # the last word on it has whoever calls the graph
        graph = _replayed(graph, tracing)
    if any(isinstance(one, keras.Model) and one is model for one in graph.operations):
        raise ValueError("it calls itself")
    return graph


def _replayed(graph: Any, tracing: _Tracing) -> Any:
    """The graph again, one level of compositions written out."""
    import keras

    def operation(one: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            if kwargs.get("training"):
                kwargs.pop("training")
            instead = _substituted(one, args, kwargs, tracing)
            if instead is not None:
                return instead
            if _can_open(one, tracing):
                try:
                    return _inside(one, args, {"training": tracing.training or None} | kwargs)
                # whatever the user's own code, Keras and TensorFlow raise on symbolic inputs
                except Exception as error:
                    tracing.closed[id(one)] = reason_of(error)
            return one(*args, **kwargs)

        return run

    inputs = keras.tree.map_structure(
        lambda tensor: keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name),
        graph._inputs_struct,
    )
    outputs = graph._run_through_graph(keras.tree.flatten(inputs), operation_fn=operation)
    return _graph(inputs, outputs, graph.name)


def _substituted(one: Any, args: tuple[Any, ...], kwargs: dict[str, Any], tracing: _Tracing) -> Any:
    """What a layer of Keras' own gives in the place of another; None if there is none, or it cannot."""
    import keras

    if (
        tracing.substitutes is None
        or not isinstance(one, keras.layers.Layer)
        or isinstance(one, keras.Model)
        or not (is_own(type(one)) or type(one) is keras.layers.ReversibleEmbedding)
        or not one.built
    ):
        return None
    if id(one) not in tracing.substitutes:
        tracing.substitutes[id(one)] = substitute(one)
    made = tracing.substitutes[id(one)]
    try:
        return positions_looked_up(one, args, kwargs) if made is None else made(*args, **kwargs)
    # whatever Keras raises where it is called in a way that the other class has added
    except Exception:
        tracing.substitutes[id(one)] = None
        return None


def _inside(one: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a composition calls, in place of its own call.

    Raises:
        ValueError: If it computes with a weight by itself.
    """
    import keras
    from keras.src.backend import get_keras_mask
    from keras.src.models.functional import Functional

    if isinstance(one, keras.Sequential) and type(one).call is keras.Sequential.call:
        one = one._functional
    if isinstance(one, Functional) and type(one).call is Functional.call:
        # without the conversions that its call begins with
        return one._run_through_graph(keras.tree.flatten(args[0]))
    given = {name: value for name, value in kwargs.items() if _takes(one, name)}
    if _takes(one, "mask") and "mask" not in given:
        given["mask"] = keras.tree.map_structure(get_keras_mask, args[0])
        if not any(mask is not None for mask in keras.tree.flatten(given["mask"])):
            given["mask"] = None
    outputs = one.call(*args, **given)
    for node in _nodes(outputs):
        for value in keras.tree.flatten((node.arguments.args, node.arguments.kwargs)):
            if isinstance(value, keras.Variable):
                raise ValueError(f"{type(one).__name__} computes with {value.path} by itself")
    return outputs


def _graph(inputs: Any, outputs: Any, name: str) -> Any:
    import keras

    _name_apart(outputs)
    return keras.Model(inputs, outputs, name=name)


def _name_apart(outputs: Any) -> None:
    """Gives layers of one name others, by where they are in the model."""
    operations = {id(node.operation): node.operation for node in _nodes(outputs)}.values()
    taken: set[str] = set()
    names = [one.name for one in operations]
    for one in operations:
        wished = one.name
        if names.count(wished) > 1 and getattr(one, "path", None):
            wished = "_".join(str(one.path).split("/")[1:]) or wished
        name, number = wished, 1
        while name in taken or (name != one.name and name in names):
            number += 1
            name = f"{wished}_{number}"
        taken.add(name)
        one.name = name


def _nodes(outputs: Any) -> Iterator[Any]:
    """Every call that outputs come from, the first ones first."""
    import keras

    seen: set[int] = set()
    found: list[Any] = []
    pending = [tensor for tensor in keras.tree.flatten(outputs) if isinstance(tensor, keras.KerasTensor)]
    while pending:
        history = getattr(pending.pop(), "_keras_history", None)
        if history is None or history.operation is None:
            continue
        node = history.operation._inbound_nodes[history.node_index]
        if id(node) not in seen:
            seen.add(id(node))
            found.append(node)
            pending.extend(node.input_tensors)
    yield from reversed(found)


def _can_open(one: Any, tracing: _Tracing) -> bool:
    import keras

    return (
        isinstance(one, keras.layers.Layer)
        and id(one) not in tracing.closed
        and (is_own(type(one)) or (isinstance(one, keras.Model) and _holds_own(one)))
        and not has_own_weights(one)
    )


def _can_substitute(one: Any, tracing: _Tracing) -> bool:
    """Whether an own layer was not looked at yet for one that can stand for it."""
    import keras

    return (
        tracing.substitutes is not None
        and isinstance(one, keras.layers.Layer)
        and not isinstance(one, keras.Model)
        and (is_own(type(one)) or type(one) is keras.layers.ReversibleEmbedding)
        and id(one) not in tracing.substitutes
    )


def _holds_own(one: Any) -> bool:
    return any(is_own(type(layer)) for layer in one._flatten_layers())


def has_own_weights(layer: Any) -> bool:
    """Whether a layer has weights beside those of the layers in it."""
    inner = {id(weight) for child in layer._flatten_layers(include_self=False) for weight in child.variables}
    return any(id(weight) not in inner for weight in layer.weights)


def _takes(one: Any, name: str) -> bool:
    parameters = inspect.signature(one.call).parameters
    return name in parameters or any(value.kind is value.VAR_KEYWORD for value in parameters.values())


def _require_same(model: Any, graph: Any, form: InputForm) -> None:
    """Proves that both compute the same to the last bit, also with other weights: the graph holds no copy.

    Nothing is assigned: the other weights hold within a scope only, and so does what a call would write.

    Raises:
        ValueError: If they differ.
    """
    import keras

    weights = [*model.trainable_variables, *model.non_trainable_variables]
    changed = [
        (weight, weight.value * 1.25 + 0.0625)
        for weight in weights
        if keras.backend.is_float_dtype(weight.dtype)
    ]
    given = form.samples
    if not keras.tree.is_nested(graph._inputs_struct) or isinstance(graph._inputs_struct, list):
        flat = keras.tree.flatten(given)
        given = flat if len(flat) > 1 else flat[0]
    for mapping in ([], changed):
        with keras.StatelessScope(state_mapping=mapping), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the user has heard them where the model was called
            expected = keras.tree.flatten(model(form.samples, training=False))
            computed = keras.tree.flatten(graph(given, training=False))
        pairs = zip(expected, computed, strict=True)
        if not all(_equal(keras, one, other) for one, other in pairs):
            raise ValueError("its graph does not compute the same")


def _equal(keras: Any, one: Any, other: Any) -> bool:
    first, second = (np.asarray(keras.ops.convert_to_numpy(value)) for value in (one, other))
    return first.shape == second.shape and np.array_equal(first, second, equal_nan=first.dtype.kind == "f")


@contextlib.contextmanager
def _as_it_was(model: Any) -> Iterator[None]:
    """Puts back what symbolic calls leave in a model: calls, and names. Within, it is not compiled."""
    layers = list(model._flatten_layers())
    operations = {id(one): one for layer in layers for one in (layer, *getattr(layer, "_operations", ()))}
    kept = [
        (one, list(one._inbound_nodes), list(one._outbound_nodes), one.name) for one in operations.values()
    ]
    compiled = [one for one in layers if getattr(one, "compiled", False)]
    try:
        for one in compiled:  # its optimizer would be written down with it
            one.compiled = False
        yield
    finally:
        for one in compiled:
            one.compiled = True
        for one, inbound, outbound, name in kept:
            one._inbound_nodes[:] = inbound
            one._outbound_nodes[:] = outbound
            if one.name != name:
                one.name = name
