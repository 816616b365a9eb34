"""The doctor's reasons, from measurements and the machine's environment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from workbench import techniques
from workbench.api.technique import Parameters, Shortfall, Technique
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription, Precision, RuntimeSettings, Variant
from workbench.measure.records import (
    Environment,
    Interval,
    LatencySummary,
    QualityMeasurement,
    QualityVerdict,
    SizeMeasurement,
    SpeedVerdict,
    SpeedWord,
)
from workbench.results import doctor, doctor_quality, doctor_speed
from workbench.results.doctor import notes
from workbench.results.rows import ResultRow
from workbench.runtimes import runtimes


def machine(*features: str) -> dict[str, Environment]:
    environment = Environment(
        cpu="Some CPU", features=features, cores=2, memory_bytes=1 << 34, system="Linux", python="3.11"
    )
    return {environment.id: environment}


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
    machines = machine(*features)
    row = row.model_copy(update={"environment": next(iter(machines))})
    return " ".join(str(note) for note in notes(row, (baseline, row), machines))


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


@pytest.mark.parametrize(
    ("precision", "technique", "words"),
    [
        (
            "float16",
            "quantization.float16",
            "float16 halves the file; the CPU computes in float32 all the same, so the speed stays.",
        ),
        (
            "int8 weights",
            "quantization.int8_weights",
            "Weights of 8 bits are widened once, when the file is loaded, and computed with in float32, so "
            "the speed stays.",
        ),
    ],
)
def test_smaller_weights_that_are_computed_with_in_float32_are_not_faster(
    precision: Precision, technique: str, words: str
) -> None:
    row = ResultRow(
        variant=variant("new", precision, technique),
        size=size(500),
        speed=speed("no measurable change", 1.0),
    )
    assert said(row, "AVX2") == words


def test_other_threads_are_told_where_they_are() -> None:
    row = ResultRow(
        variant=variant("new", technique="inference.grid").model_copy(
            update={"settings": RuntimeSettings(threads=2)}
        ),
        size=size(300),
        speed=speed("faster", 1.7),
    )
    assert said(row) == (
        "Timed with 2 threads at batch 1, baseline with 1 at 1: the speed-up, per sample, is one of these "
        "settings too."
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
    assert said(row) == "The change is below what counts here: 3.0%, from timing the same file twice."


def test_a_file_that_is_not_smaller() -> None:
    row = ResultRow(
        variant=variant("new", "int8", "quantization.int8"), size=size(1200), speed=speed("faster", 2.0)
    )
    assert said(row) == "The file is not smaller than its parent's: 1,000 bytes before, 1,200 after."
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
    assert "IQR 40% of the median" in said(row)


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
        environment="p",
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
    endless = row.model_copy(update={"quality_change": change.model_copy(update={"samples_needed": None})})
    assert "no reasonable number would settle it" in said(endless)


def test_few_samples_without_a_change_prove_nothing():
    change = QualityVerdict(
        variant="new",
        reference="baseline",
        change=Interval(value=0.0, low=-0.13, high=0.13),
        only_reference_right=0,
        only_variant_right=0,
        mcnemar_p=1.0,
        tolerance=0.01,
        word="not proven",
        samples_needed=340,
    )
    row = ResultRow(
        variant=variant("new", "int8", "quantization.int8"), size=size(300), quality_change=change
    )
    assert "still allow a loss of 13.0 points of F1; about 340 more would settle" in said(row)


def lost(points: float, of: Variant) -> ResultRow:
    """A variant that has lost so many points of F1 against the baseline."""
    change = QualityVerdict(
        variant=of.id,
        reference="baseline",
        change=Interval(value=-points / 100, low=-points / 100 - 0.005, high=-points / 100 + 0.005),
        only_reference_right=50,
        only_variant_right=3,
        mcnemar_p=1e-6,
        tolerance=0.01,
        word="lost",
    )
    return ResultRow(variant=of, size=size(300), quality_change=change)


def made_by(technique: str, precision: Precision = "float32", **parameters: object) -> Variant:
    return variant("new", precision, technique).model_copy(update={"parameters": parameters})


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (made_by("quantization.int8", "int8"), "Rounding lost it"),
        (made_by("structure.pruning", epochs=0), "not fine-tuned"),
        (made_by("structure.sparsity", epochs=3), "learning from the parent"),
        (made_by("structure.width", epochs=20), "learned less in its 20 epochs"),
        (made_by("training.retrain", epochs=20), "lower the learning rate"),
    ],
)
def test_where_f1_is_lost_the_step_and_what_helps_are_named(made: Variant, words: str) -> None:
    assert words in said(lost(5, made))


def test_what_an_earlier_step_lost_is_not_blamed_on_this_one() -> None:
    pruned = lost(4, variant("pruned", technique="structure.pruning"))
    int8 = lost(5, made_by("quantization.int8", "int8").model_copy(update={"parent": "pruned"}))
    rows = (ResultRow(variant=variant("baseline"), size=size(1000)), pruned, int8)
    words = " ".join(map(str, notes(int8, rows, {})))
    assert "Most of the 5.0 points of F1 were lost before this step: pruned had already lost 4.0." in words
    assert "Rounding" not in words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": RuntimeSettings(threads=2)}, "2 threads wait for each other"),
        ({"runtime": "keras.eager"}, "called from Python"),
        ({"runtime": "keras.xla"}, "XLA gains little"),
        ({"technique": "structure.low_rank"}, "became two"),
    ],
)
def test_why_float32_is_slower(changes: dict[str, object], words: str) -> None:
    row = ResultRow(
        variant=variant("new", technique="inference.runtime").model_copy(update=changes),
        size=size(900),
        speed=speed("slower", 0.8),
    )
    assert words in said(row)


def test_what_computes_as_much_cannot_be_faster_and_what_holds_as_much_is_not_smaller() -> None:
    description = ModelDescription(inputs=(), outputs=(), macs=1000)
    baseline, trained = (
        variant(id_, technique=technique).model_copy(update={"description": description})
        for id_, technique in (("baseline", None), ("new", "training.retrain"))
    )
    row = ResultRow(variant=trained, size=size(1000), speed=speed("no measurable change", 1.01))
    words = " ".join(map(str, notes(row, (ResultRow(variant=baseline, size=size(1000)), row), {})))
    assert "It computes as much as baseline" in words
    assert "as many weights as its parent" in words


@pytest.mark.parametrize(
    ("technique", "word", "value", "gone"),
    [
        ("structure.pruning", "faster", 1.25, "60% of the operations are gone, but only 20% of the time"),
        ("structure.pruning", "slower", 0.9, "60% of the operations are gone, but only 0% of the time"),
        ("structure.pruning", "faster", 2.4, None),
        ("structure.low_rank", "slower", 0.9, None),
    ],
)
def test_how_much_of_the_operations_became_time(
    technique: str, word: SpeedWord, value: float, gone: str | None
) -> None:
    baseline, new = (
        variant(id_, technique=made).model_copy(
            update={"description": ModelDescription(inputs=(), outputs=(), macs=macs)}
        )
        for id_, made, macs in (("baseline", None, 1000), ("new", technique, 400))
    )
    row = ResultRow(variant=new, size=size(300), speed=speed(word, value))
    words = " ".join(map(str, notes(row, (ResultRow(variant=baseline, size=size(1000)), row), {})))
    assert ("operations are gone" in words) == (gone is not None)
    assert gone is None or gone in words
    # In Keras the saving is hidden: the reader is told where it shows.
    assert "under “Inference”" not in words
    in_keras = new.model_copy(update={"runtime": "keras.function"})
    row = row.model_copy(update={"variant": in_keras})
    words = " ".join(map(str, notes(row, (ResultRow(variant=baseline, size=size(1000)), row), {})))
    assert ("choose one for this variant, under “Inference”" in words) == (gone is not None)


def test_what_is_to_be_said_of_the_timing_is_said() -> None:
    busy = say("The processor was busy with other work.")
    row = ResultRow(variant=variant("new", technique="structure.width"), size=size(300), timing=(busy,))
    assert said(row) == str(busy)


def compared(precision: Precision, word: SpeedWord, macs: int, parameters: int, **settings: int) -> str:
    """What is said of a variant beside a baseline of 1,000 weights and 1,000 multiplications."""
    made = variant("new", precision, "quantization.int8")
    baseline = variant("baseline")
    rows = [
        ResultRow(
            variant=one.model_copy(
                update={
                    "description": one.description.model_copy(update={"macs": work, "parameters": weights}),
                    "settings": RuntimeSettings(**options),
                }
            ),
            size=size(1000 if one is baseline else 300),
            speed=None if one is baseline else speed(word, 0.7),
        )
        for one, work, weights, options in (
            (baseline, 1000, 1000, {}),
            (made, macs, parameters, settings),
        )
    ]
    return " ".join(str(note) for note in notes(rows[1], rows, {}))


@pytest.mark.parametrize("precision", ["int8", "dynamic int8", "int4", "float16", "int8 weights"])
def test_precision_is_not_blamed_for_a_larger_model(precision: Precision) -> None:
    words = compared(precision, "slower", macs=6000, parameters=6000)
    assert words == (
        "It multiplies 6.00 times as often as baseline, which it is compared with. Its own float32 form in "
        "this runtime would show what else makes a difference."
    )


@pytest.mark.parametrize(
    ("macs", "parameters", "settings"),
    [(400, 400, {}), (1000, 6000, {}), (1000, 1000, {"batch": 8})],
)
def test_nothing_is_said_of_precision_between_unlike_files(
    macs: int, parameters: int, settings: dict[str, int]
) -> None:
    words = compared("int8", "slower", macs, parameters, **settings)
    assert "int8 is slower" not in words
    assert "int8 is slower" in compared("int8", "slower", 1000, 1000)
    assert "int8 is slower" in compared("int8", "slower", 1050, 990)


class Weaving(Technique[Parameters]):
    """A technique of somebody else's that knows why its numbers are what they are."""

    name = "structure.weaving"
    title = "Weaving"
    produces = None

    def advice(self, shortfall: Shortfall, variant: Variant) -> Text | None:
        answered = variant.parameters.get("answered", get_args(Shortfall))
        return Text(template=f"woven: {shortfall}") if shortfall in answered else None

    def obstacle(self, *_: Any) -> None: ...

    def estimate(self, *_: Any) -> Any: ...

    def apply(self, *_: Any) -> Any: ...

    def code(self, *_: Any) -> str:
        return ""


@pytest.fixture
def weaving() -> Iterator[type[Weaving]]:
    techniques.register(Weaving)
    yield Weaving
    techniques.unregister(Weaving.name)


def test_a_technique_that_is_registered_while_running_explains_its_own_numbers(
    weaving: type[Weaving],
) -> None:
    woven = made_by(weaving.name, epochs=3)
    assert "woven: lost F1" in said(lost(5, woven))
    row = ResultRow(variant=woven, size=size(300), speed=speed("no measurable change", 1.0))
    assert said(row) == "woven: not faster"
    silent = made_by(weaving.name, answered=("slower",))
    row = ResultRow(variant=silent, size=size(300), speed=speed("slower", 0.7))
    assert said(row) == "woven: slower"
    # a technique that has nothing to say gets what holds for any
    silent = made_by(weaving.name, answered=(), epochs=3)
    assert "learned less in its 3 epochs" in said(lost(5, silent))
    row = ResultRow(variant=silent, size=size(1000))
    assert "not smaller" in said(row)
    weaving.repacks = True
    assert said(row) == ""
    # and so does one that is no longer installed
    techniques.unregister(weaving.name)
    assert "not smaller" in said(row)


def test_the_doctor_knows_no_technique_and_no_runtime_by_name() -> None:
    names = [*techniques.techniques(), *runtimes()]
    for module in (doctor, doctor_speed, doctor_quality):
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        assert not [name for name in names if f'"{name}"' in source]
