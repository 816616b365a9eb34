"""Plain Keras code that does what :mod:`workbench.training.preserving` does."""

from __future__ import annotations

from workbench.plain.keras.kernels import KERNEL_NAMES
from workbench.variant import Variant

WEIGHT_MATRICES = f"""\
def weight_matrices(model):
    # Biases, normalizations and depthwise kernels are none.
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from weight_matrices(layer)
        elif not type(layer).__name__.startswith("DepthwiseConv"):
            for variable in layer.variables:
                if variable.name in {tuple(sorted(KERNEL_NAMES))} and len(variable.shape) > 1:
                    yield layer, variable
"""
"""Needs ``keras``."""

KEPT = """\
class Kept:
    \"\"\"Zeros stay zero and shared values stay shared; the optimizer applies it after each step.\"\"\"

    def __init__(self, kernel):
        values = kernel.numpy()
        distinct = len(np.unique(values))
        self.kernel, self.before = kernel, kernel.constraint
        self.clusters = 1 < distinct <= min(257, values.size // 4)
        self.count = len(np.unique(values[values != 0])) + 1 if self.clusters else 1
        self.mask = keras.Variable(np.ones(values.shape, "float32"), trainable=False)
        self.number = keras.Variable(np.zeros(values.size, "int32"), dtype="int32", trainable=False)
        self.first = keras.Variable(np.zeros(self.count, "int32"), dtype="int32", trainable=False)
        self.refresh()
        kernel.constraint = self

    def refresh(self):
        values = self.kernel.numpy()
        self.mask.assign(values != 0)
        if self.clusters:
            centers = np.unique(values[values != 0])
            number = np.where(values == 0, 0, np.searchsorted(centers, values) + 1).ravel()
            first = np.zeros(self.count, "int32")
            numbers, places = np.unique(number, return_index=True)
            first[numbers] = places
            self.number.assign(number)
            self.first.assign(first)

    def __call__(self, weights):
        weights = weights if self.before is None else self.before(weights)
        if self.clusters:
            # The mean of a cluster, by the differences to one member: exact where all are equal.
            flat = keras.ops.reshape(weights, (-1,))
            centers = keras.ops.take(flat, self.first)
            apart = self.sums(flat - keras.ops.take(centers, self.number))
            centers = centers + apart / keras.ops.maximum(self.sums(keras.ops.ones_like(flat)), 1.0)
            weights = keras.ops.reshape(keras.ops.take(centers, self.number), self.mask.shape)
        return weights * self.mask

    def gradient(self, gradient):
        gradient = keras.ops.convert_to_tensor(gradient) * self.mask
        if self.clusters:
            sums = self.sums(keras.ops.reshape(gradient, (-1,)))
            gradient = keras.ops.reshape(keras.ops.take(sums, self.number), self.mask.shape)
        return gradient

    def sums(self, flat):
        return keras.ops.bincount(self.number, weights=flat, minlength=self.count)


class Preserving(keras.callbacks.Callback):
    \"\"\"Trains each shared value as one weight, with the sum of its gradients.\"\"\"

    def on_train_begin(self, logs=None):
        apply = self.model.optimizer.apply
        by_kernel = {id(one.kernel): one for one in kept}

        def apply_shared(gradients, variables):
            gradients = [
                by_kernel[id(variable)].gradient(gradient) if id(variable) in by_kernel else gradient
                for gradient, variable in zip(gradients, variables)
            ]
            return apply(gradients, variables)

        self.model.optimizer.apply = apply_shared
"""
"""Needs ``keras``, ``np`` and later a list ``kept``."""


def needs_preserving(variant: Variant) -> bool:
    """Whether there are zeros or shared values in a variant's weights, which training has to keep."""
    return variant.description.sparse or variant.description.clustered


def preserving_code(model: str) -> str:
    """Code that finds zeros and shared values in a model and keeps them in training.

    Args:
        model: The variable that holds the model.

    Returns:
        Lines that need ``keras`` and ``np``; training then gets the callback ``Preserving()``, as
        ``training_code(..., callbacks=["Preserving()"])`` gives it.
    """
    return f"{WEIGHT_MATRICES}\n\n{KEPT}\n\n{keeping_code(model)}"


def keeping_code(model: str, *, also: str = "", left_out: str = "") -> str:
    """Code of the list ``kept`` alone, after :data:`WEIGHT_MATRICES` and :data:`KEPT`.

    Args:
        model: The variable that holds the model.
        also: A list of weight matrices that are kept in any case.
        left_out: What is true of a ``kernel`` that something else keeps already.
    """
    chosen = f"any(kernel is other for other in {also}) or " if also else ""
    skip = f"    if {left_out}:\n        continue\n" if left_out else ""
    return f"""\
kept = []
for layer, kernel in weight_matrices({model}):
{skip}\
    zeros, distinct = np.mean(kernel.numpy() == 0), len(np.unique(kernel.numpy()))
    if {chosen}0.05 <= zeros < 1 or 1 < distinct <= min(257, kernel.numpy().size // 4):
        kept.append(Kept(kernel))
"""
