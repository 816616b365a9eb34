"""The doctor's reasons, from measurements and the machine's passport."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from workbench.doctor import notes
from workbench.measure.records import (
    Interval,
    LatencySummary,
    Passport,
    QualityMeasurement,
    QualityVerdict,
    SizeMeasurement,
    SpeedVerdict,
    SpeedWord,
)
from workbench.results import ResultRow
from workbench.variant import ModelDescription, Precision, RuntimeSettings, Variant


def machine(*features: str) -> dict[str, Passport]:
    passport = Passport(
        cpu="Some CPU", features=features, cores=2, memory_bytes=1 << 34, system="Linux", python="3.11"
    )
    return {passport.id: passport}


def variant(id_: str, precision: Precision = "float32", technique: str | None = None) -> Variant:
    return Variant(
        id=id_,
        name=id_,
        format="tflite",
        path=Path("model.tflite"),
        sha256="",
        runtime="litert",
        description=ModelDescription(inputs=(), outputs=(), precision=precision),
        technique=technique,
        parent=None if id_ == "baseline" else "baseline",
        created=datetime.now(UTC),
    )


def speed(word: SpeedWord, value: float) -> SpeedVerdict:
    return SpeedVerdict(
        variant="new",
        reference="baseline",
        speedup=Interval(value=value, low=value - 0.01, high=value + 0.01),
        floor=0.004,
        word=word,
    )


def size(file_bytes: int) -> SizeMeasurement:
    return SizeMeasurement(parameters=10, file_bytes=file_bytes, gzip_bytes=file_bytes)


def said(row: ResultRow, *features: str) -> str:
    baseline = ResultRow(variant=variant("baseline"), size=size(1000))
    rows = (baseline, row)
    return " ".join(str(note) for note in notes(row, rows, machine(*features)))


def int8(word: SpeedWord, value: float) -> ResultRow:
    return ResultRow(
        variant=variant("new", "int8", "quantization.int8"), size=size(300), speed=speed(word, value)
    )


def test_int8_is_slower_without_int8_instructions() -> None:
    words = said(int8("slower", 0.7), "AVX2")
    assert words.startswith(
        "int8 is slower here because this CPU (Some CPU) has no int8 dot-product instructions"
    )
    assert "VNNI" in words


def test_int8_is_slower_although_the_cpu_has_them() -> None:
    assert said(int8("slower", 0.7), "AVX2", "AVX-512", "VNNI").startswith(
        "int8 is slower here although this CPU has int8 instructions"
    )


def test_nothing_is_said_of_what_is_faster_and_smaller() -> None:
    assert said(int8("faster", 2.0), "AVX2") == ""


def test_float16_is_not_faster_on_a_cpu() -> None:
    row = ResultRow(
        variant=variant("new", "float16", "quantization.float16"),
        size=size(500),
        speed=speed("no measurable change", 1.0),
    )
    assert said(row, "AVX2") == (
        "float16 halves the file; the CPU computes in float32 all the same, so the speed stays."
    )


def test_int16x8_runs_reference_kernels() -> None:
    row = ResultRow(
        variant=variant("new", "int16x8", "quantization.int16x8"), size=size(300), speed=speed("slower", 0.01)
    )
    assert "reference kernels" in said(row, "VNNI")


def test_a_change_within_the_floor_is_called_that() -> None:
    row = ResultRow(
        variant=variant("new", "float32", "structure.width"),
        size=size(500),
        speed=speed("no measurable change", 1.01),
    )
    assert said(row) == "The change is below what counts here: 3.0 %, from timing the same file twice."


def test_a_file_that_is_not_smaller() -> None:
    row = ResultRow(
        variant=variant("new", "int8", "quantization.int8"), size=size(1200), speed=speed("faster", 2.0)
    )
    assert said(row) == "The file is not smaller than its parent's: 1000 bytes before, 1200 after."
    moved = ResultRow(variant=variant("new", "float32", "inference.runtime"), size=size(1200))
    assert said(moved) == ""


def test_an_unsteady_machine_is_told() -> None:
    summary = LatencySummary(
        variant="new",
        runtime="litert",
        settings=RuntimeSettings(),
        load_ms=1,
        first_ms=1,
        p50_ms=Interval(value=1.0, low=0.9, high=1.1),
        iqr_ms=0.4,
        p90_ms=2,
        p95_ms=2,
        p99_ms=3,
        min_ms=0.8,
        samples=300,
        outliers=3,
        throughput=1000,
    )
    row = ResultRow(variant=variant("new", "int8", "quantization.int8"), size=size(300), latency=summary)
    assert "IQR 40 % of the median" in said(row)


@pytest.mark.parametrize("near_chance", [True, False])
def test_quality_that_is_lost_or_not_proven(near_chance: bool) -> None:
    f1 = Interval(value=0.5, low=0.4, high=0.6)
    quality = QualityMeasurement(
        variant="new",
        runtime="litert",
        samples=200,
        accuracy=f1,
        f1_macro=f1,
        f1_micro=0.5,
        f1_weighted=0.5,
        precision_macro=0.5,
        recall_macro=0.5,
        per_class=(),
        confusion=(),
        calibration_error=0.1,
        near_chance=near_chance,
        dataset="d",
        passport="p",
    )
    change = QualityVerdict(
        variant="new",
        reference="baseline",
        change=Interval(value=-0.01, low=-0.024, high=0.004),
        only_reference_right=5,
        only_variant_right=3,
        mcnemar_p=0.7,
        tolerance=0.01,
        word="not proven",
        samples_needed=900,
    )
    row = ResultRow(
        variant=variant("new", "int8", "quantization.int8"),
        size=size(300),
        quality=quality,
        quality_change=change,
    )
    words = said(row)
    assert ("near chance" in words) is near_chance
    assert "not proven with 200 test samples; about 900 more would settle it" in words
