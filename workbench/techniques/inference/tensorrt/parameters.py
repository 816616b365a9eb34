"""What a TensorRT engine is asked for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.techniques.quantization.litert_files import CalibratedParameters

Precision = Literal["float32", "float16", "bfloat16", "int8"]


class TensorRtParameters(CalibratedParameters):
    """Which numbers the engine computes with, and for which batch it is tuned."""

    precision: Precision = Field(
        "float16",
        title="Precision",
        description="What the engine computes with. float16 is fast on every GPU of the last years; bfloat16 "
        "keeps the range of float32; int8 needs calibration samples.",
    )
    batch: int = Field(
        1,
        ge=1,
        le=4096,
        title="Batch",
        description="The batch that kernels are chosen for; other sizes run too.",
        json_schema_extra={"unit": "samples"},
    )
