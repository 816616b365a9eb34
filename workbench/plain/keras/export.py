"""How a Keras model is exported: as it predicts, not as it trains, and with the batch that it takes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def predicting(model: Any) -> Iterator[None]:
    """Within it, a model that is called predicts unless it is told to train.

    Keras exports without saying which. A layer of preprocessing such as Resizing or RandomFlip then takes
    its own default, which is to train, and hands it on to every layer behind it: random numbers go into the
    file, and normalizations take their statistics from whatever samples are in the batch.

    Args:
        model: A built ``keras.Model``.
    """
    before = []
    for layer in model._flatten_layers():
        signature = layer._call_signature
        training = signature.parameters.get("training")
        if training is not None and training.default is not False:
            before.append((layer, signature))
    try:
        for layer, signature in before:
            # Past Keras' own __setattr__, which would keep track of it.
            object.__setattr__(layer, "_call_signature", _never_by_default(signature))
        yield
    finally:
        for layer, signature in before:
            object.__setattr__(layer, "_call_signature", signature)


def _never_by_default(signature: Any) -> Any:
    return signature.replace(
        parameters=[
            parameter.replace(default=False) if parameter.name == "training" else parameter
            for parameter in signature.parameters.values()
        ]
    )


def signature(model: Any) -> dict[str, Any]:
    """The batch of a model that takes no other; without a word Keras exports every batch as free.

    Args:
        model: A built ``keras.Model``.

    Returns:
        Arguments of ``model.export``; none where the batch is free.
    """
    import keras

    if all(not tensor.shape or tensor.shape[0] is None for tensor in model.inputs):
        return {}
    specs = [
        keras.InputSpec(shape=tuple(tensor.shape), dtype=tensor.dtype, name=tensor.name)
        for tensor in model.inputs
    ]
    return {
        "input_signature": [specs[0] if len(specs) == 1 else keras.tree.pack_sequence_as(model.input, specs)]
    }
