"""What the values of a model's output can be, followed through the operations that make them.

Behind its last softmax or sigmoid a probability may still be averaged over an ensemble, pooled over an
image, clipped, reshaped or joined with those of other heads: it stays a probability. A weighted sum of
logits stays a logit. Interval arithmetic tells which, and where nothing can be told it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isinf
from typing import Literal

from workbench.api.variant import Meaning

_ROUNDING = 1e-3
"""Weights of an ensemble that are written with a few digits add up to a little more than 1."""


@dataclass(frozen=True)
class Values:
    """What is known of a tensor's values.

    Attributes:
        kind: ``scores`` for what comes out of a linear layer, ``logarithms`` of probabilities, or
            ``bounded``: numbers of which only the bounds are known.
        low: Smallest possible value.
        high: Largest possible value.
    """

    kind: Literal["bounded", "scores", "logarithms"] = "bounded"
    low: float = -inf
    high: float = inf

    @property
    def constant(self) -> float | None:
        """The one value that they all have; None if there are several."""
        return self.low if self.kind == "bounded" and self.low == self.high else None


UNKNOWN = Values()
SCORES = Values("scores")
LOGARITHMS = Values("logarithms", -inf, 0.0)
PROBABILITIES = Values("bounded", 0.0, 1.0)


def constant(low: float, high: float | None = None) -> Values:
    """Stored numbers, or a single one."""
    return Values("bounded", float(low), float(low if high is None else high))


def meaning(values: Values) -> Meaning:
    """What an output with these values is to its reader."""
    if values.kind == "scores":
        return "scores"
    if values.kind == "logarithms":
        return "log probabilities"
    if values.low >= -_ROUNDING and values.high <= 1 + _ROUNDING and values.low < values.high:
        return "probabilities"
    return "unknown"


def either(parts: Sequence[Values]) -> Values:
    """Of tensors that are joined, compared or averaged: the result lies among their values."""
    kinds = {part.kind for part in parts}
    if len(kinds) != 1:
        return UNKNOWN
    return Values(kinds.pop(), min(part.low for part in parts), max(part.high for part in parts))


def largest(parts: Sequence[Values]) -> Values:
    """The largest of each place; with a number, what lies below it is cut off."""
    bounds = [part for part in parts if part.constant is not None]
    others = [part for part in parts if part.constant is None]
    if len(others) == 1 and bounds:
        return clipped(others[0], max(part.low for part in bounds), inf)
    return either(parts)


def smallest(parts: Sequence[Values]) -> Values:
    """The smallest of each place; with a number, what lies above it is cut off."""
    bounds = [part for part in parts if part.constant is not None]
    others = [part for part in parts if part.constant is None]
    if len(others) == 1 and bounds:
        return clipped(others[0], -inf, min(part.low for part in bounds))
    return either(parts)


def added(parts: Sequence[Values]) -> Values:
    """The sum; numbers that are added to scores leave scores."""
    kinds = {part.kind for part in parts}
    if "logarithms" in kinds:
        return UNKNOWN
    if "scores" in kinds:
        free = [part for part in parts if part.kind != "scores" and isinf(part.low + part.high)]
        return UNKNOWN if free else SCORES
    return Values("bounded", sum(part.low for part in parts), sum(part.high for part in parts))


def negated(values: Values) -> Values:
    """The negative."""
    if values.kind == "logarithms":
        return UNKNOWN
    return replace(values, low=-values.high, high=-values.low)


def multiplied(parts: Sequence[Values]) -> Values:
    """The product; scores times a number above 0 are scores."""
    product = parts[0]
    for part in parts[1:]:
        product = _product(product, part)
    return product


def _product(first: Values, second: Values) -> Values:
    if first.kind == second.kind == "bounded":
        corners = [_times(a, b) for a in (first.low, first.high) for b in (second.low, second.high)]
        return Values("bounded", min(corners), max(corners))
    factor = next((part for part in (first, second) if part.kind == "bounded"), UNKNOWN)
    scores = next((part for part in (first, second) if part.kind == "scores"), None)
    # one factor for all of them: factors of their own would change which is the largest
    if scores is not None and (factor.constant or 0) > 0:
        return SCORES
    return UNKNOWN


def _times(first: float, second: float) -> float:
    return 0.0 if first == 0 or second == 0 else first * second


def divided(first: Values, second: Values) -> Values:
    """The quotient, where the divisor keeps away from 0."""
    if second.kind != "bounded" or second.low <= 0 or isinf(second.low):
        return UNKNOWN
    return _product(first, Values("bounded", 0.0 if isinf(second.high) else 1 / second.high, 1 / second.low))


def clipped(values: Values, low: float, high: float) -> Values:
    """Values cut off at bounds; scores that are cut far from 0 are no longer told apart."""
    if values.kind == "scores" and low < 0 < high:
        return values
    if values.kind == "logarithms" and high >= 0:
        return values  # a floor that keeps the logarithm finite
    if values.kind == "logarithms":
        return UNKNOWN
    return Values("bounded", min(max(values.low, low), high), max(min(values.high, high), low))


def raised(values: Values, exponent: float) -> Values:
    """A power of what is not negative."""
    if values.kind != "bounded" or values.low < 0 or exponent <= 0:
        return UNKNOWN
    return Values("bounded", values.low**exponent, values.high**exponent)


def exponential(values: Values) -> Values:
    """The exponential function of them; of log-probabilities, the probabilities."""
    return PROBABILITIES if values.kind == "logarithms" else Values("bounded", 0.0, inf)


def logarithm(values: Values) -> Values:
    """Their natural logarithm."""
    return LOGARITHMS if meaning(values) == "probabilities" else UNKNOWN


def activated(values: Values, activation: str) -> Values:
    """What an activation function makes of them, by its name in Keras.

    Args:
        values: What goes in.
        activation: Such as ``softmax``; an unknown one gives :data:`UNKNOWN`.
    """
    match activation.lower().replace("_", ""):
        case "softmax" | "sigmoid" | "hardsigmoid" | "sparsemax" | "sparsesigmoid" | "logistic":
            return PROBABILITIES
        case "logsoftmax" | "logsigmoid":
            return LOGARITHMS
        case "linear" | "none" | "identity":
            return values
        case "relu":
            return clipped(replace(values, kind="bounded"), 0.0, inf)
        case "relu6":
            return clipped(replace(values, kind="bounded"), 0.0, 6.0)
        case "relun1to1":
            return clipped(replace(values, kind="bounded"), -1.0, 1.0)
        case "relu0to1":
            return clipped(replace(values, kind="bounded"), 0.0, 1.0)
        case "exp" | "exponential":
            return exponential(values)
        case "tanh" | "hardtanh" | "softsign":
            return Values("bounded", -1.0, 1.0)
        case _:
            return UNKNOWN
