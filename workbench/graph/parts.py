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


@dataclass(frozen=True)
class Maker:
    """A layer that makes channels, or one of several axes that it makes.

    Attributes:
        path: Where the layer is.
        label: Which axis, such as ``heads``; empty where there is only one.
    """

    path: Path
    label: str = ""

    def __str__(self) -> str:
        name = "/".join(self.path)
        return f"{name}: {self.label}" if self.label else name


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
        inputs: What it is first called with, by the number of the positional argument or the name.
    """

    path: Path
    kind: str
    weights: list[Weight] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    made: dict[str, Axis] = field(default_factory=dict)
    rescaled: list[tuple[int, Axis]] = field(default_factory=list)
    inputs: list[tuple[int | str, Flow]] = field(default_factory=list)

    @property
    def makers(self) -> list[tuple[Maker, Axis]]:
        """What it makes, with the axis."""
        return [(Maker(self.path, label), axis) for label, axis in self.made.items()]

    @property
    def name(self) -> str:
        """Its name, after those of the models around it."""
        return "/".join(self.path)
