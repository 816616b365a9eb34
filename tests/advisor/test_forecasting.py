"""What a form says of a step before it is made, by what was measured of other variants and other models."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_estimates import INFO
from workbench.advisor.besides import IN_KERAS, shipped_besides
from workbench.advisor.forecasting import Step, forecast
from workbench.api.technique import Estimate
from workbench.api.text import say
from workbench.api.variant import Layer, ModelDescription, RuntimeSettings, TensorSpec, Variant
from workbench.engine.compatibility import parse_parameters
from workbench.measure.records import Interval, QualityVerdict, SizeMeasurement
from workbench.results.forecast import Forecast
from workbench.results.rows import ResultRow
from workbench.techniques import technique

WIDTHS = (64, 64, 32, 10)
LAYERS = tuple(
    Layer(
        name=f"dense_{n}",
        kind="Dense",
        parameters=before * after + after,
        size_bytes=4 * (before * after + after),
        output_shape=(after,),
        macs=before * after,
    )
    for n, (before, after) in enumerate(pairwise(WIDTHS))
)
PARAMETERS = sum(layer.parameters for layer in LAYERS)
WEIGHTS = "quantization.int8_weights"
FLOAT16, INT8, RUNTIME, PRUNING = (
    "quantization.float16",
    "quantization.int8",
    "inference.runtime",
    "structure.pruning",
)


def around(value: float, share: float = 0.02) -> Interval:
    return Interval(value=value, low=value * (1 - share), high=value * (1 + share))


def row(
    id_: str,
    file_bytes: int,
    ms: float,
    made_by: str | None = None,
    parent: str | None = None,
    *,
    layers: tuple[Layer, ...] = LAYERS,
    change: float | None = None,
    distrust: bool = False,
    **parameters: Any,
) -> ResultRow:
    lite = made_by not in (None, PRUNING)
    return ResultRow(
        variant=Variant(
            id=id_,
            name=id_,
            format="tflite" if lite else "keras",
            path=Path("model"),
            sha256="",
            runtime="litert" if lite else "keras.function",
            settings=RuntimeSettings(),
            description=ModelDescription(
                inputs=(TensorSpec(name="x", shape=(64,)),),
                outputs=(TensorSpec(name="y", shape=(10,)),),
                layers=() if lite else layers,
                parameters=sum(layer.parameters for layer in layers),
                precision="float16" if made_by == FLOAT16 else "float32",
            ),
            technique=made_by,
            parameters=parameters,
            parent=parent,
            is_reference=made_by in (None, RUNTIME),
            created=datetime.now(UTC),
        ),
        size=SizeMeasurement(parameters=PARAMETERS, file_bytes=file_bytes, gzip_bytes=file_bytes),
        paired_ms=around(ms),
        distrust=say("The machine was busy.") if distrust else None,
        quality_change=None
        if change is None
        else QualityVerdict(
            variant=id_,
            reference="b",
            change=Interval(value=change, low=change - 0.005, high=change + 0.005),
            tolerance=0.01,
            word="kept",
        ),
    )


BASELINE = row("b", 49_600, 3.0)
LITERT = row("lite", 28_848, 0.02, RUNTIME, "b", change=0.0)
PRUNED = row(
    "thin",
    35_000,
    2.9,
    PRUNING,
    "b",
    layers=tuple(layer.model_copy(update={"parameters": layer.parameters // 2}) for layer in LAYERS),
    change=-0.02,
)


def said(name: str, rows: list[ResultRow], parent: ResultRow = BASELINE, **parameters: Any) -> Forecast:
    chosen = technique(name)
    values = parse_parameters(chosen, parameters)
    estimate = chosen.estimate(parent.variant, INFO, values)
    return forecast(Step(chosen, parent.variant, values, estimate), rows, limit=0.01)


def spread(found: Interval | None) -> float:
    assert found is not None
    return found.high / found.low


def test_what_was_converted_here_makes_the_next_size_and_latency_surer() -> None:
    first, next_ = said(FLOAT16, [BASELINE]), said(FLOAT16, [BASELINE, LITERT])
    assert spread(next_.file_bytes) <= spread(first.file_bytes)
    assert next_.computed
    assert next_.file_bytes is not None
    # 15,328 bytes is what the same layers of a demo model take.
    assert next_.file_bytes.value == pytest.approx(15_328, rel=0.02)
    assert (first.informed, next_.informed) == (0, 1)
    assert next_.ms is not None
    assert next_.ms.low < 0.02 < next_.ms.high
    assert spread(next_.ms) < spread(first.ms)


def test_where_forms_of_a_model_were_alike_the_next_is_expected_to_be() -> None:
    alike = [BASELINE, LITERT, row("half", 15_328, 0.02, FLOAT16, "b"), row("w8", 10_208, 0.02, WEIGHTS, "b")]
    apart = [
        BASELINE,
        LITERT,
        row("half", 15_328, 0.06, FLOAT16, "b"),
        row("w8", 10_208, 0.007, WEIGHTS, "b"),
    ]
    one, other = said(INT8, alike), said(INT8, apart)
    assert one.informed == other.informed == 3
    assert spread(one.ms) < spread(other.ms)
    assert spread(one.ms) < spread(said(INT8, alike[:2]).ms)


def test_the_same_technique_by_other_parameters_tells_more_than_another_one() -> None:
    whole = row("int8", 9160, 0.05, INT8, "b", per_channel=False)
    other = row("half", 15_328, 0.05, FLOAT16, "b")
    by_itself, by_another = said(INT8, [BASELINE, whole]), said(INT8, [BASELINE, other])
    assert by_itself.computed
    assert spread(by_itself.ms) < spread(by_another.ms)


def test_a_form_of_a_smaller_model_is_known_by_that_model_and_by_the_same_form_of_another() -> None:
    half = row("half", 15_328, 0.02, FLOAT16, "b", change=-0.001)
    alone = said(FLOAT16, [BASELINE, PRUNED], PRUNED)
    assert alone.chance is None, "nobody has seen what float16 does to this model"
    known = said(FLOAT16, [BASELINE, PRUNED, half], PRUNED)
    assert known.chance is not None
    assert known.chance < 0.2, "what it is made of has lost two points"
    assert known.computed
    assert known.informed >= 1
    good = PRUNED.model_copy(update={"quality_change": LITERT.quality_change})
    sure = said(FLOAT16, [BASELINE, good, half], good)
    assert sure.chance is not None
    assert sure.chance > 0.8


def test_the_quality_of_the_same_weights_elsewhere_is_that_of_what_they_come_from() -> None:
    found = said(RUNTIME, [BASELINE, PRUNED], PRUNED)
    assert found.chance is not None
    assert found.chance < 0.1
    assert said(RUNTIME, [BASELINE]).chance is None


def test_what_nothing_is_known_of_is_not_said() -> None:
    found = said("structure.dead_units", [BASELINE])
    assert found.file_bytes is None
    assert not found.computed
    measures_only = said("inference.grid", [BASELINE])
    assert measures_only.file_bytes is measures_only.ms is None
    # Of a call of 32 samples nothing was measured.
    assert said(RUNTIME, [BASELINE, LITERT], batch=32).ms is None
    unmeasured = BASELINE.model_copy(update={"paired_ms": None})
    assert said(FLOAT16, [unmeasured]).ms is None


def test_the_same_operations_take_as_long_and_unknown_ones_are_not_guessed() -> None:
    same = said("structure.sparsity", [BASELINE])
    assert same.ms is not None
    assert same.ms.low < 3.0 < same.ms.high
    assert spread(same.ms) < 1.5
    assert same.file_bytes is not None
    assert same.file_bytes.value == pytest.approx(49_600)
    assert said("structure.dead_units", [BASELINE]).ms is None


def test_of_a_model_of_other_kinds_of_layers_the_first_file_of_a_runtime_is_awaited() -> None:
    layers = (*LAYERS, LAYERS[0].model_copy(update={"name": "own", "kind": "SomebodysLayer"}))
    other = row("b", 60_000, 3.0, layers=layers)
    assert said(FLOAT16, [other], other).file_bytes is None
    known = said(FLOAT16, [other, row("lite", 60_000, 0.02, RUNTIME, "b")], other)
    assert known.file_bytes is not None
    assert not known.computed


def test_a_timing_that_is_not_believed_makes_the_interval_wider() -> None:
    busy = BASELINE.model_copy(update={"distrust": say("The machine was busy.")})
    assert spread(said(FLOAT16, [busy]).ms) > spread(said(FLOAT16, [BASELINE]).ms)


def test_a_size_is_said_to_be_computed_only_where_it_was_counted() -> None:
    estimate = Estimate(
        seconds=1, weights_ratio=0.5, operations_ratio=0.5, counted=True, expectation=say("-")
    )
    chosen = technique(PRUNING)
    values = parse_parameters(chosen, {})
    counted = forecast(Step(chosen, BASELINE.variant, values, estimate), [BASELINE], 0.01)
    assert counted.computed
    assert counted.file_bytes is not None
    assert counted.file_bytes.value == pytest.approx(49_600 - 2 * PARAMETERS, rel=0.005)
    usual = estimate.model_copy(update={"counted": False})
    guessed = forecast(Step(chosen, BASELINE.variant, values, usual), [BASELINE], 0.01)
    assert not guessed.computed
    assert spread(guessed.file_bytes) > 1.2


def test_what_files_take_besides_weights_is_known_of_every_format() -> None:
    found = shipped_besides()
    for kind in (IN_KERAS, *(f"{RUNTIME} in {name}" for name in ("litert", "onnxruntime", "openvino"))):
        one, two = found.of(kind, LAYERS), found.of(kind, LAYERS + LAYERS)
        assert one is not None
        assert two is not None
        assert 500 < one < two
    assert found.of("nobody's technique in litert", LAYERS) is None
    models = {point.model for point in found.points}
    assert models - {point.model for point in found.without("dense-digits").points} == {"dense-digits"}
