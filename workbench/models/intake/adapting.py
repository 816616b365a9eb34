"""Brings a model that was read to what everything here takes.

That is float32, names that files can have, a batch of any size, and no memory from call to call. The layers
and weights stay; what is changed is said, and proven by running both models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.api.text import Text, say
from workbench.data.input_names import safe_name
from workbench.models.intake.parity import TOLERANCE, largest_difference, outputs_of, tried_inputs
from workbench.models.reading.keras_layers import describe_model

_MIXED = ("mixed_float16", "mixed_bfloat16")
_WHOLE = ("float16", "bfloat16", "float64")
_SHAPES = frozenset({"batch_shape", "batch_input_shape", "shape", "input_shape", "build_input_shape"})


@dataclass(frozen=True)
class AdaptedModel:
    """A model that everything here takes.

    Attributes:
        model: The ``keras.Model``.
        notes: What was changed, in words, with the largest difference that this made.
        batch: Samples in a call that its author built it for; None if any number.
        exact_inputs: Names of the inputs that took float64.
    """

    model: Any
    notes: tuple[Text, ...] = ()
    batch: int | None = None
    exact_inputs: frozenset[str] = frozenset()


def adapted(model: Any) -> AdaptedModel:
    """Brings a model to what everything here takes, as far as that can be done without changing what it is.

    Args:
        model: A built ``keras.Model``; changed in place, or left behind.
    """
    notes = list(with_safe_names(model))
    keep_vocabularies(model)
    exact = frozenset(tensor.name for tensor in model.inputs if str(tensor.dtype) == "float64")
    model, said = to_float32(model)
    notes += said
    model, said = without_memory(model)
    notes += said
    batch = fixed_batch(model)
    if batch is not None:
        model, said = with_free_batch(model, batch)
        notes += said
    return AdaptedModel(model, tuple(notes), batch if batch != 1 else None, exact)


def keep_vocabularies(model: Any) -> None:
    """Lets lookups that learned their words from data (``adapt``) carry them in their configuration.

    They lie beside the weights otherwise, and every copy that is made of a configuration knows no word.

    Args:
        model: A ``keras.Model``, changed in place.
    """
    for layer in model._flatten_layers():
        # with TF-IDF the weights of words would be needed too
        if getattr(layer, "input_vocabulary", "none") is None and layer.output_mode != "tf_idf":
            words = layer.get_vocabulary(include_special_tokens=False)
            if len(words):
                layer.input_vocabulary = np.asarray(words).tolist()


def fixed_batch(model: Any) -> int | None:
    """The number of samples that every call must have; None where any number will do."""
    sizes = {tensor.shape[0] for tensor in model.inputs if len(tensor.shape)} - {None}
    return int(sizes.pop()) if sizes else None


def to_float32(model: Any) -> tuple[Any, tuple[Text, ...]]:
    """Lets a model compute in float32, whatever it was made in.

    No converter takes a graph in which TensorFlow casts to 16 bits and back at every layer, and few kernels
    of the runtimes take 64 bits.

    Args:
        model: A ``keras.Model``; of mixed precision it is changed in place, else another one is made.

    Returns:
        The model, and what was done, in words. A model that cannot be made anew stays as it is.
    """
    mixed = [layer for layer in model._flatten_layers() if layer.dtype_policy.name in _MIXED]
    policies = sorted({str(layer.dtype_policy.name) for layer in model._flatten_layers()} & {*_WHOLE})
    policies += sorted({str(tensor.dtype) for tensor in model.inputs} & {*_WHOLE} - {*policies})
    if policies:
        changed = _rebuilt(model, _in_float32)
        if changed is None:
            return model, ()
        difference = _difference(model, changed)
        return changed, (
            say(
                "The model was made in {policies}. It computes in float32 here, which every runtime takes: "
                "largest difference on random input {difference:.1e}.",
                policies=tuple(policies),
                difference=difference,
            )
            if difference is not None
            else say(
                "The model was made in {policies}. It computes in float32 here, which every runtime takes.",
                policies=tuple(policies),
            ),
        )
    if not mixed:
        return model, ()
    policy = mixed[0].dtype_policy.name
    for layer in mixed:
        layer.dtype_policy = "float32"
    return model, (
        say(
            "{count} layer computed in {policy}, with weights in float32. It computes in float32 here, "
            "which every runtime takes; outputs differ by what 16 bits had rounded.",
            "{count} layers computed in {policy}, with weights in float32. They compute in float32 here, "
            "which every runtime takes; outputs differ by what 16 bits had rounded.",
            count=len(mixed),
            policy=policy,
        ),
    )


def without_memory(model: Any) -> tuple[Any, tuple[Text, ...]]:
    """Recurrent layers that keep their state from call to call start each call anew.

    Otherwise every result would depend on the samples before it, and on how often the model was timed.
    """
    stateful = [layer.name for layer in _recurrent(model) if layer.stateful]
    if not stateful:
        return model, ()
    for layer in _recurrent(model):
        layer.stateful = False
    changed = _rebuilt(model, lambda value: value)
    return (model if changed is None else changed), (
        say(
            "{layers} kept their state from call to call (stateful). Here every sample starts from the "
            "initial state, so that no result depends on the samples before it.",
            layers=tuple(stateful),
        ),
    )


def with_free_batch(model: Any, batch: int) -> tuple[Any, tuple[Text, ...]]:
    """The same layers for any number of samples in a call, where each sample's output is its own affair.

    Args:
        model: A ``keras.Model``.
        batch: Its fixed batch.
    """
    changed = _rebuilt(model, lambda config: _with_batch(config, batch))
    free = changed is not None and fixed_batch(changed) is None and _is_same_alone(model, changed, batch)
    if batch == 1:
        return (changed if free else model), ()
    timed = say("It is timed with {batch} samples a call; times are compared per sample.", batch=batch)
    if free:
        return changed, (
            say(
                "The model was built for {batch} samples a call; stored with a free batch it computes the "
                "same. {timed}",
                batch=batch,
                timed=timed,
            ),
        )
    return model, (
        say(
            "The model takes {batch} samples a call and no other number; a last batch is filled up. {timed}",
            batch=batch,
            timed=timed,
        ),
        *(
            [
                say(
                    "The output of a sample changes with the samples beside it in a call: results depend on "
                    "their order."
                )
            ]
            if _mixes(model, batch)
            else []
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


def _recurrent(model: Any) -> Iterator[Any]:
    for layer in model._flatten_layers():
        if isinstance(getattr(layer, "stateful", None), bool) and hasattr(layer, "cell"):
            yield layer


def _rebuilt(model: Any, change: Callable[[Any], Any]) -> Any | None:
    """A model of a changed configuration with the same weights; None where it cannot be made."""
    states = {id(state) for layer in _recurrent(model) for state in _flat(getattr(layer, "states", None))}
    weights = [np.asarray(weight) for weight in model.weights if id(weight) not in states]
    try:
        made = type(model).from_config(change(model.get_config()))
        made.set_weights(
            [value.astype(_dtype(new)) for value, new in zip(weights, made.weights, strict=True)]
        )
    # classes of somebody's own raise whatever they raise
    except Exception:
        return None
    return made


def _dtype(weight: Any) -> str:
    dtype = str(weight.dtype)
    return "float32" if dtype == "bfloat16" else dtype


def _flat(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return [item for inner in value for item in _flat(inner)]
    return [] if value is None else [value]


def _in_float32(value: Any) -> Any:
    """A configuration in which every element type is float32 that was another float."""
    if isinstance(value, dict):
        if value.get("class_name") == "DTypePolicy" and value.get("config", {}).get("name") in _WHOLE:
            return {**value, "config": {**value["config"], "name": "float32"}}
        return {
            key: "float32" if key == "dtype" and inner in (*_WHOLE, *_MIXED) else _in_float32(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_in_float32(inner) for inner in value)
    return value


def _with_batch(value: Any, batch: int) -> Any:
    """A configuration in which shapes that began with the batch begin with None."""
    if isinstance(value, dict):
        return {
            key: _free(inner, batch) if key in _SHAPES else _with_batch(inner, batch)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_with_batch(inner, batch) for inner in value)
    return value


def _free(shape: Any, batch: int) -> Any:
    if isinstance(shape, list | tuple) and len(shape) and shape[0] == batch:
        return type(shape)((None, *shape[1:]))
    return _with_batch(shape, batch)


def _difference(before: Any, after: Any) -> float | None:
    """The largest difference of their outputs on random input; None where none can be made up."""
    try:
        inputs, outputs = tried_inputs(before, describe_model(before).inputs, batch=fixed_batch(before))
        return largest_difference(
            [array.astype(np.float32) for array in outputs],
            [array.astype(np.float32) for array in outputs_of(after, inputs)],
        )
    # whatever layers raise on input that does not fit
    except Exception:
        return None


def _is_same_alone(before: Any, after: Any, batch: int) -> bool:
    """Whether a sample gets the same output alone as in the batch that the model was built for."""
    try:
        inputs, outputs = tried_inputs(before, describe_model(before).inputs, batch=batch)
        together = outputs_of(after, inputs)
        alone = outputs_of(after, [array[-1:] for array in inputs])
    # whatever layers raise on input that does not fit
    except Exception:
        return False
    return (
        largest_difference(outputs, together) <= TOLERANCE
        and largest_difference([array[-1:] for array in outputs], alone) <= TOLERANCE
    )


def _mixes(model: Any, batch: int) -> bool:
    """Whether a sample's output changes with the others in its batch."""
    try:
        inputs, outputs = tried_inputs(model, describe_model(model).inputs, batch=batch)
        others = outputs_of(model, [np.concatenate([array[-1:]] * batch) for array in inputs])
    # whatever layers raise on input that does not fit
    except Exception:
        return False
    return largest_difference([one[-1:] for one in outputs], [one[-1:] for one in others]) > TOLERANCE
