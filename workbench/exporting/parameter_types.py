"""Parameters that several quantizations have in common: their limits, titles and descriptions, once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from workbench.training.parameter_types import Seed

SamplingSeed = Annotated[Seed, Field(description="Which samples are drawn.")]
ScalePerChannel = Annotated[
    bool,
    Field(
        title="One scale per channel",
        description="Each output channel of a layer gets its own scale: more exact, a little larger.",
        json_schema_extra={"advanced": True},
    ),
]
_IO = Field(
    title="Inputs and outputs",
    description="float32: the file converts by itself and is a drop-in replacement. Otherwise the caller "
    "converts, as microcontrollers and accelerators want it.",
)
Int8Io = Annotated[Literal["float32", "int8"], _IO]
Int16Io = Annotated[Literal["float32", "int16"], _IO]
WeightsRange = Annotated[Literal["minmax", "mse", "octav"], Field(title="Range of weights")]
