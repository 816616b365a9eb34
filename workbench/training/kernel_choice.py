"""Which weight matrices of a model a technique changes: chosen by kind and by name."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from workbench.api.errors import InvalidInput, Refused
from workbench.api.technique import Parameters
from workbench.api.text import Text, say
from workbench.api.variant import Layer, ModelDescription, Skip
from workbench.plain.keras.kernels import Kernel, kernels

_KINDS = frozenset(
    {"Dense", "EinsumDense", "Embedding", "LSTM", "GRU", "SimpleRNN", "Bidirectional", "TimeDistributed"}
)


class KernelParameters(Parameters):
    """Which layers are changed."""

    layers: Literal["all", "dense", "convolutions"] = Field(
        "all",
        title="Layers",
        description="Which layers are changed. Biases, normalizations and depthwise kernels never are.",
        json_schema_extra={"advanced": True},
    )
    leave: str = Field(
        "",
        max_length=2000,
        title="Leave alone",
        description="Names of layers that stay as they are, separated by commas.",
        json_schema_extra={"advanced": True},
    )


@dataclass
class KernelChoice:
    """The weight matrices that are changed, and those that are not with the reason."""

    chosen: list[Kernel] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)


def choose(
    model: Any, parameters: KernelParameters, obstacle: Callable[[Kernel], Text | None] = lambda _: None
) -> KernelChoice:
    """Chooses the weight matrices of a Keras model.

    Args:
        model: The model.
        parameters: Which are wanted.
        obstacle: Why one cannot be changed, or None.

    Raises:
        workbench.api.errors.InvalidInput: If a layer is named that there is not.
        workbench.api.errors.Refused: If none is left.
    """
    found = kernels(model)
    left = names(parameters.leave)
    missing = set(left) - {kernel.layer for kernel in found}
    if missing:
        raise InvalidInput(
            say(
                "The model has no layer {missing} that could be left alone. It has: {known}.",
                missing=tuple(sorted(missing)),
                known=tuple(kernel.layer for kernel in found),
            )
        )
    choice = KernelChoice()
    for kernel in found:
        reason = _kernel_obstacle(kernel, parameters, left) or obstacle(kernel)
        if reason is None:
            choice.chosen.append(kernel)
        else:
            choice.skipped.append(Skip(name=kernel.name, reason=reason))
    if not choice.chosen:
        raise Refused(
            say(
                "No layer of this model can be changed in this way. {reasons}",
                reasons=" ".join(f"{skip.name}: {skip.reason}" for skip in choice.skipped[:5]),
            )
        )
    return choice


def _kernel_obstacle(kernel: Kernel, parameters: KernelParameters, left: tuple[str, ...]) -> Text | None:
    if kernel.layer in left:
        return say("It was to be left alone.")
    if kernel.frozen:
        return say("Its weights are frozen.")
    if parameters.layers == "dense" and kernel.convolution:
        return say("Only dense layers were asked for.")
    if parameters.layers == "convolutions" and not kernel.convolution:
        return say("Only convolutions were asked for.")
    return None


def described(description: ModelDescription, parameters: KernelParameters) -> list[Layer]:
    """The layers that are changed, as far as a description tells."""
    left = names(parameters.leave)
    return [
        layer
        for layer in description.layers
        if _has_matrix(layer.kind)
        and layer.name.rpartition("/")[2] not in left
        and (parameters.layers == "all" or ("Conv" in layer.kind) == (parameters.layers == "convolutions"))
    ]


def part_changed(description: ModelDescription, parameters: KernelParameters) -> float:
    """The part of a model's weights that lies in the layers that are changed, 0 to 1."""
    held = sum(layer.parameters for layer in description.layers)
    return sum(layer.parameters for layer in described(description, parameters)) / (held or 1)


def _has_matrix(kind: str) -> bool:
    return kind in _KINDS or "Attention" in kind or ("Conv" in kind and not kind.startswith("Depthwise"))


def names(listed: str) -> tuple[str, ...]:
    """The names in a text that separates them by commas."""
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def values(kernel: Kernel) -> npt.NDArray[np.float32]:
    """Its weights."""
    return np.asarray(kernel.variable.numpy())


def size(kernel: Kernel) -> int:
    """Number of its weights."""
    return math.prod(kernel.variable.shape)


def zeros(kernel: Kernel) -> float:
    """Share of its weights that are zero."""
    return float(np.mean(values(kernel) == 0))


def distinct(kernel: Kernel) -> int:
    """Number of its distinct values."""
    return len(np.unique(values(kernel)))


def chosen_code(parameters: KernelParameters, *further: str) -> str:
    """Plain code of the list ``chosen``: the weight matrices of ``model`` that are changed.

    Needs ``kernels`` of ``plain.keras.kernels``.

    Args:
        parameters: Which are wanted.
        *further: Further conditions on a ``kernel``.
    """
    conditions = ["not kernel.frozen", *further]
    if parameters.layers != "all":
        conditions.append(
            "kernel.convolution" if parameters.layers == "convolutions" else "not kernel.convolution"
        )
    if left := names(parameters.leave):
        conditions.append(f"kernel.layer not in {json.dumps(left)}")
    condition = " and ".join(conditions)
    line = f"chosen = [kernel for kernel in kernels(model) if {condition}]\n"
    if len(line) < 100:
        return line
    return f"chosen = [\n    kernel\n    for kernel in kernels(model)\n    if {condition}\n]\n"
