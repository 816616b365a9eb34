import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local_reporter import LocalReporter
from workbench.api.errors import Cancelled, InvalidInput
from workbench.measure import latency
from workbench.measure.block_plan import LEAST_ROUNDS, SHORT_VARIABLE, BlockPlan, plan_blocks
from workbench.measure.latency import input_batches, time_interleaved
from workbench.measure.timing import measure_latency

speeds = st.lists(st.floats(1e-4, 1.5), min_size=1, max_size=8)


@given(speeds, st.sampled_from(["quick", "final"]))
def test_usual_files_get_all_that_the_protocol_asks_for(call_ms, protocol):
    plan = plan_blocks(call_ms, protocol)
    assert not plan.shortened
    assert plan.rounds >= 30
    assert plan.discard == 3
    timed_ms = 0
    for ms, runs, repeats in zip(call_ms, plan.runs, plan.repeats, strict=True):
        sample_ms = ms * repeats
        assert runs >= 10
        assert sample_ms >= 1
        assert runs * sample_ms >= 20
        timed_ms += plan.rounds * runs * sample_ms
    assert timed_ms >= (1000 if protocol == "quick" else 10_000)


@given(speeds)
def test_quick_is_quick(call_ms):
    plan = plan_blocks(call_ms, "quick")
    total_ms = plan.rounds * sum(
        (plan.discard + runs) * ms * repeats
        for ms, runs, repeats in zip(call_ms, plan.runs, plan.repeats, strict=True)
    )
    assert total_ms <= 16_000


@given(st.lists(st.floats(1e-3, 400), min_size=1, max_size=6), st.sampled_from(["quick", "final"]))
def test_slow_files_do_not_explode_and_keep_enough_rounds(call_ms, protocol):
    plan = plan_blocks(call_ms, protocol)
    total_ms = plan.rounds * sum(
        (plan.discard + runs) * ms * repeats
        for ms, runs, repeats in zip(call_ms, plan.runs, plan.repeats, strict=True)
    )
    least_possible = 8 * sum(2 * max(ms, 25) for ms in call_ms)
    assert total_ms <= max({"quick": 16_000, "final": 60_000}[protocol], least_possible)
    assert plan.rounds >= 8
    assert plan.shortened or (plan.rounds >= 30 and min(plan.runs) >= 10)


def test_a_slow_file_loses_runs_before_rounds():
    plan = plan_blocks([20.0, 20.0], "quick")
    assert plan.shortened
    assert plan.rounds == 30
    assert 1 <= min(plan.runs) < 10
    slower = plan_blocks([500.0, 500.0], "quick")
    assert (slower.rounds, slower.discard, slower.runs) == (8, 1, (1, 1))


def test_batches_rotate_through_real_samples():
    features = np.arange(40, dtype=np.float32).reshape(20, 2)
    batches = input_batches(features, 3, np.random.default_rng(0))
    assert len(batches) >= 5
    for batch in batches:
        assert batch.shape == (3, 2)
        assert {tuple(row) for row in batch} <= {tuple(row) for row in features}
    assert len({tuple(batch.ravel()) for batch in batches}) >= 5


@pytest.mark.parametrize("batch", [1, 64])
def test_few_samples_repeat(batch):
    features = {"image": np.ones((2, 4), np.float32), "text": np.zeros((2, 3), np.float32)}
    batches = input_batches(features, batch, np.random.default_rng(0))
    assert len(batches) >= 5
    assert {name: array.shape for name, array in batches[-1].items()} == {
        "image": (batch, 4),
        "text": (batch, 3),
    }


def test_no_sample_is_refused():
    with pytest.raises(InvalidInput, match="no samples"):
        input_batches(np.zeros((0, 3), np.float32), 1, np.random.default_rng(0))


SHORT = BlockPlan(rounds=4, discard=1, runs=(3, 5, 3), repeats=(2, 1, 2))


def test_samples_of_a_plan(report, tiny, blobs):
    candidates = [tiny("a"), tiny("b", sleep_s=0.001)]
    working_on = []
    timed = time_interleaved(
        candidates, blobs[0], "quick", 0, report, plan=SHORT, working_on=working_on.append
    )
    assert [samples.shape for samples in timed.samples] == [(4, 3), (4, 5)]
    assert timed.control.shape == (4, 3)
    assert len(timed.load_ms) == len(timed.first_ms) == 2
    assert all((samples > 0).all() for samples in timed.samples)
    assert (timed.samples[1] >= 1).all()  # it sleeps 1 ms
    assert timed.plan == SHORT
    # Import, load (the reference again as the control), warm-up, then none of them alone.
    assert working_on == ["a", "a", "b", "a", "a", "b", "a", None]


def test_cancel_between_rounds(report, tiny, blobs):
    def cancel_in_second_round(event):
        if event.get("fraction", 0) > 0:
            report.cancel()

    report._on_event = cancel_in_second_round
    with pytest.raises(Cancelled):
        time_interleaved([tiny("a"), tiny("b")], blobs[0], "quick", 0, report, plan=SHORT)


def test_garbage_collection_is_off_only_while_timing(report, tiny, blobs, monkeypatch):
    import gc

    import tiny_runtime

    seen = []
    monkeypatch.setattr(tiny_runtime.TinySession, "infer", lambda self, prepared: seen.append(gc.isenabled()))
    time_interleaved(
        [tiny("a")],
        blobs[0],
        "quick",
        0,
        report,
        plan=BlockPlan(rounds=2, discard=1, runs=(3,), repeats=(2,)),
    )
    assert gc.isenabled()
    assert seen[-16:] == [False] * 16
    assert seen[0] is True


def test_a_timing_can_be_as_short_as_an_interval_needs_and_says_so(report, tiny, dataset_folder, monkeypatch):
    monkeypatch.setenv(SHORT_VARIABLE, "1")
    measurement, _ = measure_latency(report, [tiny("reference"), tiny("same")], dataset_folder, "quick", 0)
    assert measurement.rounds == LEAST_ROUNDS
    assert "WORKBENCH_SHORT_TIMING is set" in " ".join(map(str, measurement.warnings))
    assert all(one.p50_ms.low <= one.p50_ms.value <= one.p50_ms.high for one in measurement.summaries)


def test_a_call_that_only_waits_keeps_no_processor_busy():
    plan = BlockPlan(rounds=8, discard=1, runs=(3, 3), repeats=(1, 1), shortened=True)
    calls = [lambda: time.sleep(0.005), lambda: sum(range(100_000))]
    samples, busy = latency._run_blocks(calls, plan, np.random.default_rng(0), LocalReporter(), None)
    assert [one.shape for one in samples] == [(8, 3), (8, 3)]
    assert [one.shape for one in busy] == [(8,), (8,)]
    waiting, computing = (float(np.median(one)) for one in busy)
    assert waiting < 0.3 * computing
    assert computing <= 1.1


def test_processors_are_counted_only_where_no_other_file_has_threads(tiny):
    one = tiny("model")
    two = one.model_copy(update={"settings": one.settings.model_copy(update={"threads": 2})})
    assert not latency._others_have_threads([one, one, one], 0)
    assert latency._others_have_threads([one, two, one], 0)
    assert not latency._others_have_threads([one, two, one], 1)
    assert latency._others_have_threads([two, one, two], 0)  # its second load
