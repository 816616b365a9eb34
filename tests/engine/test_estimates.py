from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from workbench.api.dataset import DatasetInfo
from workbench.api.text import say
from workbench.api.variant import Layer, ModelDescription, TensorSpec, Variant
from workbench.engine.compatibility import parse_parameters
from workbench.engine.estimates import estimate
from workbench.jobs.state import JobState
from workbench.measure.environment import environment
from workbench.store import Store
from workbench.techniques import technique

COUNTS = {"train": 600, "validation": 200, "test": 200}
INFO = DatasetInfo(
    name="d",
    input_shapes={"": (8,)},
    classes=("a", "b"),
    counts=COUNTS,
    class_counts={split: (count // 2, count // 2) for split, count in COUNTS.items()},
    scaling=say("none"),
    minimum=0,
    maximum=1,
    is_image=False,
    seed=0,
    sha256="d",
)


def description(layers: int = 2, parameters: int = 1000, macs: int = 1000) -> ModelDescription:
    return ModelDescription(
        inputs=(TensorSpec(name="x", shape=(None, 8)),),
        outputs=(TensorSpec(name="y", shape=(None, 2)),),
        layers=tuple(
            Layer(name=f"dense_{n}", kind="Dense", parameters=parameters // layers, size_bytes=1)
            for n in range(layers)
        ),
        parameters=parameters,
        macs=macs,
    )


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path)
    yield opened
    opened.close()


def add(store: Store, id_: str, runtime: str, **changes) -> Variant:
    file = store.staging() / ("model.keras" if runtime.startswith("keras") else "model.tflite")
    file.write_bytes(id_.encode())
    return store.add_variant(
        Variant(
            id=id_,
            name=id_,
            format="keras" if runtime.startswith("keras") else "tflite",
            path=Path(file.name),
            sha256="",
            runtime=runtime,
            description=description(),
            created=datetime.now(UTC),
            **changes,
        ),
        file,
    )


def seconds(store: Store, name: str, parent: Variant, **parameters) -> float:
    chosen = technique(name)
    return estimate(store, chosen, parent, parse_parameters(chosen, parameters), INFO, environment()).seconds


def test_the_first_file_of_a_runtime_waits_for_its_reference(store):
    baseline = add(store, "baseline", "keras.function", is_reference=True)
    own = technique("quantization.float16").estimate(
        baseline, INFO, parse_parameters(technique("quantization.float16"), {})
    )
    first = seconds(store, "quantization.float16", baseline)
    add(store, "LiteRT", "litert", parent="baseline", is_reference=True, technique="inference.runtime")
    second = seconds(store, "quantization.float16", baseline)
    assert first > second + 5
    assert second > own.seconds


def test_the_reference_itself_waits_for_no_other(store):
    baseline = add(store, "baseline", "keras.function", is_reference=True)
    runtime = seconds(store, "inference.runtime", baseline, runtime="litert")
    assert runtime < seconds(store, "quantization.float16", baseline)


def test_what_earlier_variants_took_here_counts(store):
    baseline = add(store, "baseline", "keras.function", is_reference=True)
    add(store, "LiteRT", "litert", parent="baseline", is_reference=True)
    before = seconds(store, "quantization.float16", baseline)
    said = technique("quantization.float16").estimate(
        baseline, INFO, parse_parameters(technique("quantization.float16"), {})
    )
    add(
        store,
        "float16",
        "litert",
        parent="baseline",
        technique="quantization.float16",
        seconds=3 * said.seconds,
    )
    after = seconds(store, "quantization.float16", baseline)
    assert after - before == pytest.approx(2 * said.seconds)
    # Of the same family, until there is one of its own.
    other = technique("quantization.dynamic_range").estimate(
        baseline, INFO, parse_parameters(technique("quantization.dynamic_range"), {})
    )
    measuring = before - said.seconds
    assert seconds(store, "quantization.dynamic_range", baseline) == pytest.approx(
        3 * other.seconds + measuring
    )


def test_what_measuring_took_in_earlier_jobs_counts(store):
    baseline = add(store, "baseline", "keras.function", is_reference=True)
    add(store, "LiteRT", "litert", parent="baseline", is_reference=True)
    made = add(store, "other", "litert", parent="baseline")
    now = datetime.now(UTC)
    for number, took in enumerate((90, 40)):
        store.save_job(
            JobState(
                id=str(number),
                kind="apply",
                title=say("A job"),
                status="done",
                variant=made.id,
                created=now,
                started=now,
                finished=now + timedelta(seconds=took),
            )
        )
    own = technique("quantization.float16").estimate(
        baseline, INFO, parse_parameters(technique("quantization.float16"), {})
    )
    assert seconds(store, "quantization.float16", baseline) == pytest.approx(own.seconds + 40)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("training.retrain", {"epochs": 1}),
        ("structure.width", {"epochs": 1}),
        ("structure.sparsity", {"epochs": 1}),
        ("distillation.distill", {"epochs": 1}),
        ("quantization.qat", {"epochs": 1}),
    ],
)
def test_a_short_training_of_many_layers_takes_the_time_to_trace_them(store, name, parameters):
    baseline = add(store, "baseline", "keras.function", is_reference=True)
    deep = baseline.model_copy(update={"description": description(layers=150)})
    chosen = technique(name)
    values = parse_parameters(chosen, parameters)
    shallow = chosen.estimate(baseline, INFO, values).seconds
    assert chosen.estimate(deep, INFO, values).seconds - shallow > 20


def test_a_grid_takes_longer_for_a_larger_model(store):
    baseline = add(store, "baseline", "keras.function", is_reference=True)
    large = baseline.model_copy(
        update={"description": description(parameters=85_000_000, macs=85_000_000 * 64)}
    )
    grid = technique("inference.grid")
    values = grid.parameters_type()
    small = grid.estimate(baseline, INFO, values).seconds
    assert 20 < small < 600
    assert grid.estimate(large, INFO, values).seconds > 5 * small
    few = grid.parameters_type.model_validate({"runtimes": "litert", "precisions": "float32"})
    assert grid.estimate(baseline, INFO, few).seconds < small / 3
