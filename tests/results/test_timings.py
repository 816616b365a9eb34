"""Speed-ups from stored runs: what making costs is saved again, and two machines are never mixed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.api.variant import Format, ModelDescription, RuntimeSettings, Variant
from workbench.measure.records import (
    Environment,
    Interval,
    LatencyMeasurement,
    LatencySummary,
    SizeMeasurement,
    SizeVerdict,
    SpeedVerdict,
)
from workbench.measure.trust import distrust
from workbench.results.rows import ResultRow, collect
from workbench.results.timings import break_even
from workbench.store import Store


def machine(cpu: str, **versions: str) -> Environment:
    return Environment(
        cpu=cpu, features=(), cores=2, memory_bytes=1, system="Linux", python="3.11", libraries=versions
    )


HERE, THERE = machine("Fast", keras="3.15.1"), machine("Slow", keras="3.15.1")


def interval(value: float) -> Interval:
    return Interval(value=value, low=0.99 * value, high=1.01 * value)


def run(environment: Environment, /, scatter: float = 0.0, **milliseconds: float) -> LatencyMeasurement:
    """An interleaved run; the first file is the reference."""
    reference, *others = milliseconds
    return LatencyMeasurement(
        protocol="quick",
        summaries=tuple(
            LatencySummary(
                variant=name,
                runtime="litert",
                settings=RuntimeSettings(),
                load_ms=1,
                first_ms=1,
                p50_ms=interval(time),
                iqr_ms=scatter * time,
                p90_ms=time,
                p95_ms=time,
                p99_ms=time,
                min_ms=time,
                samples=300,
                outliers=0,
                throughput=1000 / time,
            )
            for name, time in milliseconds.items()
        ),
        verdicts=tuple(
            SpeedVerdict(
                variant=name,
                reference=reference,
                speedup=interval(milliseconds[reference] / milliseconds[name]),
                floor=0.001,
                word="faster" if milliseconds[name] < milliseconds[reference] else "slower",
            )
            for name in others
        ),
        rounds=30,
        processes=1,
        load_average=0,
        seed=0,
        environment=environment.id,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A baseline, its float32 form in LiteRT, and an int8 file that took 3 s after 5 s of training."""
    opened = Store(tmp_path / "workbench")
    shapes: tuple[tuple[str, Format, str, str | None, str | None, float], ...] = (
        ("baseline", "keras", "keras.function", None, None, 60.0),
        ("lite", "tflite", "litert", "inference.runtime", "baseline", 2.0),
        ("trained", "keras", "keras.function", "training.retrain", "baseline", 5.0),
        ("int8", "tflite", "litert", "quantization.int8", "trained", 3.0),
    )
    for id_, format_, runtime, technique, parent, seconds in shapes:
        file = opened.staging() / "model.bin"
        file.write_bytes(b"weights")
        opened.add_variant(
            Variant(
                id=id_,
                name=id_,
                format=format_,
                path=file,
                sha256="",
                runtime=runtime,
                description=ModelDescription(inputs=(), outputs=()),
                technique=technique,
                parent=parent,
                is_reference=id_ in ("baseline", "lite"),
                created=datetime.now(UTC),
                seconds=seconds,
            ),
            file,
        )
    for environment in (HERE, THERE):
        opened.add_environment(environment)
    yield opened
    opened.close()


def add(store: Store, measured: LatencyMeasurement) -> None:
    names = [summary.variant for summary in measured.summaries]
    store.add_measurement("latency", names, measured, environment=measured.environment)


def rows(store: Store) -> dict[str, ResultRow]:
    return {row.variant.id: row for row in collect(store)}


def test_the_cost_of_all_steps_is_saved_against_float32_in_the_same_runtime(store: Store) -> None:
    add(store, run(HERE, baseline=8.0, lite=2.0))
    add(store, run(HERE, lite=2.0, int8=1.0))
    found = rows(store)
    assert found["int8"].made_in_s == 8  # training and quantizing; opening the model made nothing
    assert found["int8"].break_even == 8000  # 1 ms is saved by each sample
    assert found["int8"].total_speedup is not None
    assert found["int8"].total_speedup.value == pytest.approx(8)
    assert found["baseline"].break_even is None
    add(store, run(HERE, lite=1.0, int8=1.5))
    assert rows(store)["int8"].break_even is None  # it is slower


def test_busy_processors_are_those_of_another_run_where_the_last_one_could_not_tell(store: Store) -> None:
    known = run(HERE, baseline=8.0, lite=2.0)
    summaries = [one.model_copy(update={"cores_busy": interval(1.0)}) for one in known.summaries]
    add(store, known.model_copy(update={"summaries": tuple(summaries)}))
    add(store, run(HERE, baseline=8.0, lite=2.1))
    found = rows(store)["lite"].latency
    assert found is not None
    assert found.p50_ms.value == 2.1
    assert found.cores_busy == interval(1.0)


def test_a_file_that_was_added_cost_nothing_that_could_be_saved_again(store: Store) -> None:
    file = store.staging() / "model.bin"
    file.write_bytes(b"weights")
    baseline = store.variants()[0]
    added = baseline.model_copy(update={"id": "added", "name": "added", "parent": "baseline"})
    store.add_variant(added, file)
    add(store, run(HERE, baseline=8.0, added=2.0))
    found = rows(store)["added"]
    assert found.speed is not None
    assert found.speed.word == "faster"
    assert found.break_even is None


def test_times_of_two_machines_are_not_compared_and_it_is_said(store: Store) -> None:
    add(store, run(HERE, baseline=8.0, lite=2.0))
    add(store, run(THERE, lite=20.0, int8=10.0))
    int8 = rows(store)["int8"]
    assert int8.speed is not None
    assert int8.speed.speedup.value == 2
    assert int8.total_speedup is None
    assert int8.paired_ms is None
    (note,) = (str(note) for note in int8.notes if "another machine" in str(note))
    assert "cpu: Slow, not Fast" in note
    assert "keras" not in note
    # Where the change of runtime was timed there too, only that is used.
    add(store, run(THERE, baseline=60.0, lite=20.0))
    again = rows(store)
    assert again["int8"].total_speedup is not None
    assert again["int8"].total_speedup.value == pytest.approx(6)
    assert again["int8"].paired_ms is not None
    assert not [note for note in again["int8"].notes if "another machine" in str(note)]


def test_times_of_different_kernels_say_so(store: Store) -> None:
    usual = run(HERE, baseline=8.0, lite=2.0).model_copy(update={"onednn": True})
    add(store, usual)
    add(store, run(HERE, lite=2.0, int8=1.0))
    found = rows(store)
    assert {id_: row.onednn for id_, row in found.items() if id_ != "trained"} == {
        "baseline": (True,),
        "lite": (True,),
        "int8": (True,),  # through the change of runtime
    }
    assert not [note for row in found.values() for note in row.notes if "oneDNN" in str(note)]
    add(store, run(HERE, baseline=9.0, trained=9.0).model_copy(update={"onednn": False}))
    found = rows(store)
    assert found["trained"].onednn == found["baseline"].onednn == (False,)
    for id_, words in (
        ("trained", "without its oneDNN kernels when this was timed"),
        ("int8", "with its oneDNN kernels when this was timed"),
    ):
        (note,) = (str(note) for note in found[id_].notes if "oneDNN" in str(note))
        assert words in note


def quantized(store: Store, id_: str, runtime: str, technique: str, **changes: object) -> None:
    file = store.staging() / "model.bin"
    file.write_bytes(b"weights")
    like = store.variants()[0]
    made = {"id": id_, "name": id_, "runtime": runtime, "technique": technique, "parent": like.id}
    store.add_variant(like.model_copy(update={**made, "is_reference": False, **changes}), file)


def test_variants_keep_the_order_of_their_runtime_whatever_the_baseline_suffered(store: Store) -> None:
    quantized(store, "int4", "litert", "quantization.int4_weights")
    add(store, run(HERE, baseline=8.0, lite=2.0))
    add(store, run(HERE, lite=2.0, int8=1.0))
    # Later the baseline is slowed down by other work, and each of both is timed in a run of its own.
    add(store, run(HERE, baseline=40.0, lite=2.0, scatter=0.2))
    add(store, run(HERE, lite=2.0, int4=0.9, scatter=0.2))
    found = rows(store)
    assert found["int4"].speed is not None
    assert found["int8"].speed is not None
    for id_ in ("int8", "int4", "lite"):
        total, direct = found[id_].total_speedup, found[id_].speed
        assert total is not None
        assert direct is not None
        change = total.value / (1.0 if id_ == "lite" else direct.speedup.value)
        assert change == pytest.approx(20), "one number for the change of runtime"
    shown = {id_: found[id_].shown_ms.value for id_ in ("baseline", "lite", "int8", "int4")}
    assert sorted(shown, key=shown.__getitem__) == ["int4", "int8", "lite", "baseline"]


def test_runtimes_are_compared_in_one_run_not_each_with_a_baseline_of_its_own(store: Store) -> None:
    quantized(store, "onnx", "onnxruntime", "inference.runtime", is_reference=True)
    quantized(store, "onnx int8", "onnxruntime", "quantization.onnx_static")
    add(store, run(HERE, baseline=20.0, lite=1.0))  # the baseline was disturbed: 20 instead of 8
    add(store, run(HERE, lite=1.0, int8=0.5))
    add(store, run(HERE, baseline=8.0, lite=1.0, onnx=0.8))
    add(store, run(HERE, **{"onnx": 0.8, "onnx int8": 0.4}))
    add(store, run(HERE, baseline=20.0, lite=1.0))  # alone once more, later
    found = rows(store)
    assert found["onnx int8"].shown_ms.value == pytest.approx(0.8 * found["int8"].shown_ms.value)
    assert found["lite"].total_speedup is not None
    assert found["lite"].total_speedup.value == pytest.approx(8)


def test_what_is_not_believed_says_so_and_gives_way_to_what_is(store: Store) -> None:
    add(store, run(HERE, baseline=8.0, lite=2.0))
    busy = run(HERE, lite=2.0, int8=0.1).model_copy(update={"waited": 66.0, "pressure": 0.0})
    add(store, busy)
    int8 = rows(store)["int8"]
    assert int8.distrust is not None
    assert "waited for it 66% of its time" in str(int8.distrust)
    assert int8.distrust in int8.notes
    assert int8.break_even is None
    add(store, run(HERE, lite=2.0, int8=1.0))
    add(store, busy)
    add(store, run(HERE, lite=2.0, int8=0.2, scatter=0.6).model_copy(update={"protocol": "final"}))
    int8 = rows(store)["int8"]
    assert int8.distrust is None
    assert int8.speed is not None
    assert int8.speed.speedup.value == 2
    add(store, run(HERE, baseline=50.0, trained=1.0, scatter=0.6))
    assert "IQR 60% of the median" in str(rows(store)["trained"].distrust)
    assert int8.total_distrust is None


def test_a_change_of_runtime_that_is_not_believed_leaves_the_comparison_within_it(store: Store) -> None:
    add(store, run(HERE, baseline=8.0, lite=2.0).model_copy(update={"alone": False}))
    add(store, run(HERE, lite=2.0, int8=1.0))
    int8 = rows(store)["int8"]
    assert int8.distrust is None
    assert "other work of the workbench" in str(int8.total_distrust)
    assert rows(store)["lite"].distrust == int8.total_distrust


@pytest.mark.parametrize(
    ("waited", "pressure", "scatter", "believed"),
    [
        (0.0, 99.0, 0.0, True),  # what the workbench did until then is no other work
        (10.0, None, 0.5, True),
        (10.1, None, 0.0, False),
        (None, 10.1, 0.0, False),
        (None, None, 0.51, False),
        (None, None, 0.2, True),
    ],
)
def test_evidence(waited: float | None, pressure: float | None, scatter: float, believed: bool) -> None:
    timed = run(HERE, lite=2.0, int8=1.0, scatter=scatter)
    timed = timed.model_copy(update={"waited": waited, "pressure": pressure})
    assert (distrust(timed, ("int8",)) is None) == believed


def test_sizes_have_their_ratio_against_the_baseline_and_the_same_runtime(store: Store) -> None:
    for id_, file_bytes in (("baseline", 4000), ("lite", 3000), ("int8", 1000), ("trained", 3990)):
        size = SizeMeasurement(parameters=1, file_bytes=file_bytes, gzip_bytes=file_bytes)
        store.add_measurement("size", [id_], size)
    found = rows(store)
    assert found["baseline"].size_change is None
    assert found["int8"].size_change == SizeVerdict(ratio=4, word="smaller")
    assert found["int8"].size_change_alike == SizeVerdict(ratio=3, word="smaller")
    assert found["lite"].size_change == SizeVerdict(ratio=4 / 3, word="smaller")
    assert found["lite"].size_change_alike is None
    assert found["trained"].size_change == SizeVerdict(ratio=4000 / 3990, word="same size")
    assert found["trained"].size_change_alike is None


@pytest.mark.parametrize(
    ("cost", "before", "after", "expected"),
    [
        (10.0, 0.002, 0.001, 10_000),
        (10.0, 0.001, 0.002, None),
        (10.0, 0.001, 0.001, None),
        (0.0, 2.0, 1.0, 0),
    ],
)
def test_break_even(cost, before, after, expected):
    assert break_even(cost, before, after) == expected


@given(st.floats(0, 1e6), st.floats(1e-3, 10), st.floats(0.01, 0.99))
def test_break_even_is_the_first_inference_that_pays(cost, before, share):
    count = break_even(cost, before, before * share)
    assert count * (before - before * share) >= cost * (1 - 1e-9)
    assert (count - 1) * (before - before * share) <= cost * (1 + 1e-9)


def test_a_record_that_calls_the_environment_a_passport_is_read():
    measured = run(HERE, base=10.0, other=5.0)
    former = measured.model_dump_json().replace('"environment":', '"passport":')
    assert former != measured.model_dump_json()
    assert LatencyMeasurement.model_validate_json(former) == measured
