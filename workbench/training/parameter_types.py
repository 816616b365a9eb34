"""Parameters that several things which train have in common: their limits, titles and descriptions, once.

A parameter model gives the default: ``epochs: FineTuningEpochs = 10``. Where a description of its own says
more, ``Field(10, description="...")`` takes the place of the shared one and keeps everything else.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Epochs = Annotated[
    int,
    Field(
        ge=1,
        le=1000,
        title="Epochs",
        description="How often the training split is gone through, at most.",
        json_schema_extra={"unit": "epochs"},
    ),
]
FineTuningEpochs = Annotated[
    int,
    Field(
        ge=0,
        le=1000,
        title="Fine-tuning",
        description="How often the training split is gone through afterwards, at most; 0 trains nothing.",
        json_schema_extra={"unit": "epochs"},
    ),
]
FineTuningRate = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        title="Learning rate",
        description="Step size of the optimizer. Fine-tuning wants less than what training from new "
        "weights does.",
        json_schema_extra={"advanced": True},
    ),
]
Seed = Annotated[
    int, Field(ge=0, le=2**31 - 1, title="Seed", json_schema_extra={"advanced": True}),
]  # fmt: skip
BatchSize = Annotated[
    int, Field(ge=1, le=4096, title="Batch", json_schema_extra={"unit": "samples"}),
]  # fmt: skip
"""Samples in one call."""
Temperature = Annotated[
    float, Field(ge=1, le=20, title="Temperature", json_schema_extra={"advanced": True}),
]  # fmt: skip
"""Softens what a teacher says."""
Width = Annotated[float, Field(ge=0.1, le=1, title="Width")]
"""Of hidden layers, as a part of the old one."""
RoundTo = Annotated[
    int, Field(ge=1, le=64, title="Multiples of", json_schema_extra={"advanced": True}),
]  # fmt: skip
"""What widths are multiples of."""
