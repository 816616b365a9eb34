"""What a grid is asked for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from workbench.api.technique import Parameters
from workbench.runtimes import runtimes
from workbench.techniques.inference.grid.cells import PRECISIONS, Cell, cells_of


class GridParameters(Parameters):
    """Which cells are measured, and which one is the best."""

    goal: Literal["latency", "throughput"] = Field(
        "latency",
        title="Best is",
        description="latency: the least time of one call. throughput: the most samples a second.",
    )
    limit_ms: float = Field(
        0.0,
        ge=0,
        le=60_000,
        title="Longest time of a call",
        description="Combinations whose call takes longer are not chosen. 0: no limit.",
        json_schema_extra={"unit": "ms", "advanced": True},
    )
    limit_mb: float = Field(
        0.0,
        ge=0,
        le=1_000_000,
        title="Most memory",
        description="Combinations whose process needs more to load the file and infer are not chosen. "
        "0: no limit.",
        json_schema_extra={"unit": "MB", "advanced": True},
    )
    tolerance: float = Field(
        1.0,
        ge=0,
        le=100,
        title="F1 that may be lost",
        description="Files that lose more on the validation split are not chosen. Where another task is "
        "judged, points of its measure, or per cent of the error.",
        json_schema_extra={"unit": "points", "advanced": True},
    )
    runtimes: str = Field(
        "litert, onnxruntime, openvino, keras.function",
        title="Runtimes",
        description="Names of runtimes with commas between them, or all.",
    )
    precisions: str = Field(
        "float32, float16, dynamic int8, int8",
        title="Precisions",
        description="float32, float16, bfloat16, dynamic int8, int8, with commas between them, or all.",
    )
    threads: str = Field(
        "1, 2",
        title="Threads",
        description="Numbers of threads with commas between them.",
        json_schema_extra={"advanced": True},
    )
    batches: str = Field(
        "1, 8, 32",
        title="Batches",
        description="Samples in one call, with commas between them.",
        json_schema_extra={"advanced": True},
    )

    @field_validator("runtimes")
    @classmethod
    def _runtimes(cls, value: str) -> str:
        return _chosen(value, list(runtimes()), "runtimes")

    @field_validator("precisions")
    @classmethod
    def _precisions(cls, value: str) -> str:
        return _chosen(value, list(PRECISIONS), "precisions")

    @field_validator("threads")
    @classmethod
    def _threads(cls, value: str) -> str:
        return _numbers(value, 256, "threads")

    @field_validator("batches")
    @classmethod
    def _batches(cls, value: str) -> str:
        return _numbers(value, 4096, "batches")

    def cells(self) -> list[Cell]:
        """Every combination that was asked for."""
        return cells_of(
            _split(self.runtimes),
            _split(self.precisions),
            tuple(map(int, _split(self.threads))),
            tuple(map(int, _split(self.batches))),
        )


def _split(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


def _chosen(value: str, known: list[str], field: str) -> str:
    names = tuple(known) if value.strip() == "all" else _split(value)
    if not names or set(names) - set(known):
        raise ValueError(
            f"{field} must be among {known}, with commas between them, or 'all'. Received: {value!r}"
        )
    return ", ".join(names)


def _numbers(value: str, most: int, field: str) -> str:
    parts = _split(value)
    if not parts or not all(part.isdecimal() and 1 <= int(part) <= most for part in parts):
        raise ValueError(
            f"{field} must be whole numbers from 1 to {most} with commas between them. Received: {value!r}"
        )
    return ", ".join(dict.fromkeys(str(int(part)) for part in parts))
