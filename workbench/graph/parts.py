"""What the dependency graph knows of a layer: which axes of its weights carry which channels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from workbench.graph.channels import Axis

Path = tuple[str, ...]
"""Names of the models around a layer from the outermost inwards, then its own."""

Flow = tuple[Axis, ...]
"""A tensor: its axes, the batch axis first."""


@dataclass
class Weight:
    """One weight of a layer.

    Attributes:
        axes: Its axes.
        made: Numbers of the axes whose channels this layer makes: slices along them are the filters
            that importance is judged by.
        positions: Multiply-accumulates of each element in one inference of one sample; None where a
            length is free.
        role: A ``kernel`` multiplies what comes in; ``scale`` and ``shift`` are gamma and beta of a
            BatchNormalization.
    """

    axes: tuple[Axis, ...]
    made: tuple[int, ...] = ()
    positions: int | None = 0
    role: Literal["kernel", "bias", "scale", "shift", "other"] = "other"


@dataclass(frozen=True)
class Setting:
    """A value in a layer's configuration that says how long an axis is.

    Attributes:
        keys: Where it stands.
        axis: The axis.
        divide: How many positions of the axis one unit of the value stands for.
    """

    keys: tuple[str | int, ...]
    axis: Axis
    divide: int = 1


@dataclass
class LayerParts:
    """A layer whose weights or configuration can follow a change of channels.

    Attributes:
        path: Where it is.
        kind: Its class.
        weights: In the order of ``layer.weights``.
        settings: What to write into its configuration.
        made: The axes that it makes, by a label such as ``heads``; the label of the only one is empty.
        rescaled: Weights (by number) that are multiplied by the square root of new / old length of an
            axis, since the layer itself divides by that root.
    """

    path: Path
    kind: str
    weights: list[Weight] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    made: dict[str, Axis] = field(default_factory=dict)
    rescaled: list[tuple[int, Axis]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name, after those of the models around it."""
        return "/".join(self.path)
