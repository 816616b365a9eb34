"""Arguments and weights of Keras 2's layers as Keras 3 takes them."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from workbench.api.errors import InvalidInput
from workbench.api.text import say

_WITHOUT_EFFECT = frozenset(
    {"implementation", "unroll", "groups", "rng_type", "vocabulary_size", "input_length", "noise_shape"}
    | {"query_shape", "key_shape", "value_shape", "softmax_robust_masking", "fused", "virtual_batch_size"}
    | {"kernel_initializer", "kernel_regularizer", "kernel_constraint", "batch_input_shape", "trainable"}
)
"""Arguments that Keras 3 dropped, and that never changed what a layer predicts, or only said it twice."""
_NEUTRAL = (None, False, 0, "", "stateful")
_RENAMED = {("LeakyReLU", "alpha"): "negative_slope", ("ThresholdedReLU", "theta"): "threshold"}
STEEPER = 1.2
"""Keras 2 cuts x / 5 + 1/2 to a hard sigmoid, Keras 3 x / 6 + 1/2: equal for an x 1.2 times larger."""
_GATES = {"LSTM": (1, 1, 0, 1), "LSTMCell": (1, 1, 0, 1), "GRU": (1, 1, 0), "GRUCell": (1, 1, 0)}
_GATES |= {f"ConvLSTM{rank}D": (1, 1, 0, 1) for rank in (1, 2, 3)}
"""Which blocks of a recurrent layer's weights lead into its recurrent activation."""


def arguments_of(made: Any, kind: str, config: dict[str, Any], layer: str) -> dict[str, Any]:
    """The arguments that a layer of Keras 3 takes.

    Args:
        made: Its class.
        kind: Its class in Keras 2.
        config: Its configuration there.
        layer: Its name, for the error.

    Raises:
        workbench.api.errors.InvalidInput: If another one would change what the layer computes.
    """
    known: set[str] = set()
    for base in made.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(base.__init__).parameters
            known |= parameters.keys()
            if all(one.kind is not one.VAR_KEYWORD for one in parameters.values()):
                break
    given: dict[str, Any] = {}
    for key, value in config.items():
        name = _RENAMED.get((kind, key), key)
        if name in known:
            given[name] = value
        elif key not in _WITHOUT_EFFECT and not any(value is one or value == one for one in _NEUTRAL):
            raise InvalidInput(
                say(
                    "Layer {layer} ({kind}) has {argument} = {value}, which Keras 3 does not know.",
                    layer=layer,
                    kind=kind,
                    argument=key,
                    value=str(value)[:80],
                ),
                say("Build the layer without it, and save the model again."),
            )
    axis = given.get("axis")
    if kind.startswith("BatchNormalization") and isinstance(axis, list) and len(axis) == 1:
        given["axis"] = axis[0]
    if kind in _GATES and name_of(given.get("activation")) == "hard_sigmoid":
        raise InvalidInput(
            say("Layer {layer} has the hard sigmoid of Keras 2 for its states.", layer=layer),
            say("Keras 3 has another one: build the layer with sigmoid or tanh, and train the model again."),
        )
    return given


def weights_of(spec: dict[str, Any], values: list[Any]) -> list[Any]:
    """The weights with which a layer of Keras 3 computes the same.

    Args:
        spec: What :mod:`workbench.models.intake.legacy_graph` says of it.
        values: Its weights in Keras 2.
    """
    kind, config = spec["kind"], spec["config"]["dict"]
    if kind in _GATES:
        if name_of(config.get("recurrent_activation")) != "hard_sigmoid":
            return values
        leads = np.asarray(_GATES[kind], bool)
        factors = np.where(leads, STEEPER, 1.0)
        return [
            value * np.repeat(factors, value.shape[-1] // len(leads)).astype(value.dtype) for value in values
        ]
    if name_of(config.get("activation")) != "hard_sigmoid":
        return values
    kept = 1 if kind.startswith("SeparableConv") else 0  # the first one's result is multiplied by the second
    return [*values[:kept], *(value * value.dtype.type(STEEPER) for value in values[kept:])]


def name_of(activation: Any) -> str:
    """The name of an activation in a configuration; empty where it has none."""
    if isinstance(activation, dict):
        activation = activation.get("config") if activation.get("class_name") == "function" else None
    return activation if isinstance(activation, str) else ""
