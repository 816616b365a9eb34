"""What a TensorRT engine is asked for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.exporting.litert_files import CalibratedParameters
from workbench.training.parameter_types import BatchSize

Precision = Literal["float32", "float16", "bfloat16", "int8"]


class TensorRtParameters(CalibratedParameters):
    """Which numbers the engine computes with, and for which batch it is tuned."""

    precision: Precision = Field(
        "float16",
        title="Precision",
        description="What the engine computes with. float16 is fast on every GPU of the last years; bfloat16 "
        "keeps the range of float32; int8 needs calibration samples.",
    )
    batch: BatchSize = Field(1, description="The batch that kernels are chosen for; other sizes run too.")
