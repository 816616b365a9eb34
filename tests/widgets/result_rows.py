"""Result rows as the engine makes them, for figures and words."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from workbench.api.variant import Layer, ModelDescription, RuntimeSettings, TensorSpec, Variant
from workbench.measure.records import (
    Details,
    Flip,
    Interval,
    LatencySummary,
    QualityMeasurement,
    QualityVerdict,
    SizeMeasurement,
    SizeVerdict,
    SpeedVerdict,
)
from workbench.results.rows import ResultRow

HOSTILE = '<script>alert(1)</script> <a href="javascript:x">y</a> %{x} \u202eevil\u0000 ' + "n" * 10_000


def interval(value: float, spread: float) -> Interval:
    return Interval(value=value, low=value - spread, high=value + spread)


def variant(id_: str, name: str, technique: str | None = None, parent: str | None = None) -> Variant:
    return Variant(
        id=id_,
        name=name,
        format="tflite",
        path=Path(f"{id_}.tflite"),
        sha256="0" * 64,
        runtime="litert",
        description=ModelDescription(
            inputs=(TensorSpec(name="x", shape=(8, 8, 1)),),
            outputs=(TensorSpec(name="y", shape=(3,)),),
            layers=(Layer(name="dense", kind="Dense", parameters=30, size_bytes=120, output_shape=(3,)),),
            parameters=30,
        ),
        technique=technique,
        parent=parent,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        seconds=2.0,
    )


def latency(id_: str, milliseconds: float) -> LatencySummary:
    return LatencySummary(
        variant=id_,
        runtime="litert",
        settings=RuntimeSettings(),
        load_ms=1,
        first_ms=1,
        p50_ms=interval(milliseconds, milliseconds / 10),
        iqr_ms=0.01,
        p90_ms=milliseconds,
        p95_ms=milliseconds,
        p99_ms=milliseconds,
        min_ms=milliseconds,
        samples=1000,
        outliers=3,
        throughput=1000 / milliseconds,
    )


def quality(id_: str, f1: float) -> QualityMeasurement:
    return QualityMeasurement(
        variant=id_,
        runtime="litert",
        samples=500,
        accuracy=interval(f1, 0.01),
        f1_macro=interval(f1, 0.02),
        f1_micro=f1,
        f1_weighted=f1,
        precision_macro=f1,
        recall_macro=f1,
        per_class=(),
        confusion=(),
        calibration_error=0.01,
        near_chance=False,
        dataset="d",
        environment="p",
    )


def row(
    one: Variant, file_bytes: int, milliseconds: float, f1: float, *, on_front: bool = False
) -> ResultRow:
    return ResultRow(
        variant=one,
        size=SizeMeasurement(parameters=30, file_bytes=file_bytes, gzip_bytes=file_bytes // 2),
        latency=latency(one.id, milliseconds),
        speed=SpeedVerdict(
            variant=one.id, reference="b", speedup=interval(2, 0.1), floor=0.01, word="faster"
        ),
        total_speedup=Interval(value=0.9 / milliseconds, low=0.8 / milliseconds, high=1 / milliseconds),
        size_change=None if one.parent is None else SizeVerdict(ratio=4000 / file_bytes, word="smaller"),
        paired_ms=interval(milliseconds, milliseconds / 8),
        quality=quality(one.id, f1),
        quality_change=None
        if one.parent is None
        else QualityVerdict(
            variant=one.id,
            reference="b",
            change=interval(-0.002, 0.004),
            only_reference_right=3,
            only_variant_right=2,
            mcnemar_p=1.0,
            tolerance=0.01,
            word="kept",
        ),
        on_front=on_front,
    )


ROWS = (
    row(variant("b", "baseline"), 4000, 0.9, 0.95),
    row(variant("q", "int8", "quantization.int8", "b"), 1100, 0.05, 0.94, on_front=True),
    row(variant("w", HOSTILE, "structure.width", "b"), 2000, 0.4, 0.96, on_front=True),
    ResultRow(variant=variant("u", "not measured yet", "quantization.float16", "b")),
)
DETAILS = Details(
    variant="q",
    reference="b",
    classes=("cat", HOSTILE, "dog"),
    f1_before=(0.9, 0.8, 0.95),
    f1_after=(0.91, 0.7, 0.95),
    confusion_change=((0, 0, 0), (2, -3, 1), (0, 0, 0)),
    flips=(Flip(index=4, label=1, before=1, after=0),),
)
