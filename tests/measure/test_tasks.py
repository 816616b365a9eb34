"""Measurements in fresh processes, of a small real runtime and of real LiteRT files."""

import gzip
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from sklearn.metrics import f1_score

from tests.local_reporter import LocalReporter
from workbench import runtimes
from workbench.api.errors import Cancelled, InvalidInput, JobFailed, TensorFlowCrashed
from workbench.api.runtime import Runtime
from workbench.engine.worker_functions import without_onednn
from workbench.jobs import onednn
from workbench.measure.child_process import run_in_child
from workbench.measure.child_tasks import peak_memory
from workbench.measure.environment import environment
from workbench.measure.grid import time_grid
from workbench.measure.latency_record import control_name
from workbench.measure.tasks import measure_quality, measure_size_task
from workbench.measure.timing import measure_latency


class Cancels(LocalReporter):
    """Cancels its job a moment after an event of a kind came."""

    def __init__(self, kind, after_s=0.0):
        super().__init__(self._seen)
        self.kind, self.after_s, self.asked = kind, after_s, False

    def _seen(self, event):
        if event["type"] == self.kind and not self.asked:
            self.asked = True
            threading.Timer(self.after_s, self.cancel).start()


@pytest.fixture
def children():
    """The processes below this one that were not there before the test."""
    before = psutil.Process().children()
    return lambda: [process for process in psutil.Process().children() if process not in before]


def test_a_slower_file_is_slower_and_the_same_file_is_not(report, tiny, dataset_folder):
    reference = tiny("reference", sleep_s=0.002)
    slow, same = tiny("slow", sleep_s=0.006), tiny("same", sleep_s=0.002)

    for seed in range(3):
        measurement, raw = measure_latency(report, [reference, slow, same], dataset_folder, "quick", seed)
        words = {verdict.variant: verdict.word for verdict in measurement.verdicts}
        assert words["slow"] == "slower"
        # 95 % intervals err, and more so on a machine with much other work.
        if words["same"] == "no measurable change":
            break
    assert words["same"] == "no measurable change"
    assert all(verdict.reference == "reference" for verdict in measurement.verdicts)
    assert [summary.variant for summary in measurement.summaries] == ["reference", "slow", "same"]
    assert set(raw) == {"reference", "slow", "same", control_name("reference")}
    assert {samples.shape[:2] for samples in raw.values()} == {(1, measurement.rounds)}
    assert measurement.rounds >= 30
    assert measurement.environment == environment().id
    for summary in measurement.summaries:
        assert summary.samples == raw[summary.variant].size
        assert summary.load_ms > 0
        assert summary.first_ms > 0
    assert report.fractions[-1] == 1.0


@pytest.mark.slow
def test_final_measures_in_five_fresh_processes(report, tiny, dataset_folder, monkeypatch):
    from workbench.measure import child_process, child_tasks

    plans = []

    def shorter(*arguments, **named):
        # The protocol's ten seconds in each process are not what is tested here.
        plans.append(named["plan"])
        named["plan"] = {"rounds": 8, "discard": 1, "runs": [2, 2, 2], "repeats": [1, 1, 1]}
        return child_process.run_in_child(*arguments, **named)

    monkeypatch.setattr(child_tasks, "run_in_child", shorter)
    measurement, raw = measure_latency(
        report, [tiny("a", sleep_s=0.001), tiny("b", sleep_s=0.004)], dataset_folder, "final", 1
    )

    assert measurement.processes == 5
    assert plans[0] is None
    assert all(plan["rounds"] == 8 for plan in plans[1:])
    assert raw["a"].shape == (5, 8, 2)
    assert measurement.verdicts[0].word == "slower"


def test_one_file_alone_has_no_verdict(report, tiny, dataset_folder):
    measurement, raw = measure_latency(report, [tiny("only", sleep_s=0.002)], dataset_folder, "quick", 0)

    assert measurement.verdicts == ()
    assert list(raw) == ["only"]


def test_the_same_variant_twice_is_refused(report, tiny, dataset_folder):
    only = tiny("only")
    with pytest.raises(InvalidInput, match="different variants"):
        measure_latency(report, [only, only], dataset_folder, "quick", 0)


@pytest.mark.parametrize("measure", ["latency", "quality", "size"])
def test_a_crash_ends_only_the_fresh_process_and_names_the_file(
    report, tiny, dataset_folder, measure, children
):
    good, bad = tiny("good"), tiny("hostile", fault="crash")

    calls = {
        "latency": lambda: measure_latency(report, [good, bad], dataset_folder, "quick", 0),
        "quality": lambda: measure_quality(report, bad, dataset_folder, from_logits=True),
        "size": lambda: measure_size_task(report, bad, 1, dataset_folder),
    }
    with pytest.raises(InvalidInput) as caught:
        calls[measure]()

    assert str(caught.value) == (
        "hostile.npz made tiny crash (SIGFPE). "
        "The file is damaged or not made for this runtime. Nothing else was affected."
    )
    assert not children()


@pytest.fixture
def in_tensorflow(tiny, monkeypatch):
    """Makes candidates of the small runtime that counts as one of TensorFlow."""
    tiny("first")
    import tiny_runtime

    monkeypatch.setitem(runtimes._registry.registered, "tiny.tensorflow", tiny_runtime.TinyTensorFlow())
    monkeypatch.delenv(onednn.VARIABLE, raising=False)
    return lambda name, fault: tiny(name, fault=fault).model_copy(update={"runtime": "tiny.tensorflow"})


def test_a_crash_in_tensorflow_names_the_switch(report, in_tensorflow, dataset_folder):
    bad = in_tensorflow("bad", "crash")
    with pytest.raises(TensorFlowCrashed) as caught:
        measure_latency(report, [bad], dataset_folder, "quick", 0)
    assert "bad.npz made tiny.tensorflow crash (SIGFPE)" in str(caught.value)
    assert "Set TF_ENABLE_ONEDNN_OPTS=0 in the environment" in str(caught.value)
    with onednn.switched_off(), pytest.raises(TensorFlowCrashed, match="were off already"):
        peak_memory(report, bad, dataset_folder)


def test_a_measurement_runs_without_the_kernels_that_crash_and_says_so(report, in_tensorflow, dataset_folder):
    good = in_tensorflow("good", "crash with oneDNN")
    measurement, _ = without_onednn(report, measure_latency, [good], dataset_folder, "quick", 0)
    assert measurement.onednn is False


def test_a_grid_is_given_up_only_where_other_kernels_can_help(report, in_tensorflow, dataset_folder):
    bad = in_tensorflow("bad", "crash")
    with pytest.raises(TensorFlowCrashed):
        time_grid(report, [bad], dataset_folder, seed=0)
    with onednn.switched_off():
        found = time_grid(report, [bad], dataset_folder, seed=0)
    assert list(found.failed) == ["bad"]


def test_a_file_that_cannot_be_loaded_keeps_the_runtime_s_own_words(report, tiny, dataset_folder):
    candidate = tiny("damaged")
    candidate.path.write_bytes(b"no archive")
    with pytest.raises(InvalidInput, match=r"^damaged.npz is no tiny model\.$"):
        measure_quality(report, candidate, dataset_folder, from_logits=True)


def test_any_other_error_of_a_runtime_is_told_with_its_kind(report, tiny, dataset_folder):
    with pytest.raises(InvalidInput, match=r"odd.npz could not be run: ValueError: Cannot set tensor"):
        measure_quality(report, tiny("odd", fault="error"), dataset_folder, from_logits=True)


def test_too_much_memory_is_told_as_such(report, tiny, dataset_folder):
    with pytest.raises(JobFailed, match=r"bomb.npz needs more memory"):
        peak_memory(report, tiny("bomb", fault="out of memory"), dataset_folder)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("killed", "victim.npz was ended by the system, most likely for lack of memory"),
        ("exit", r"victim.npz ended without a result \(exit code 3\)"),
    ],
)
def test_a_process_that_ends_early_is_told_as_such(report, tiny, dataset_folder, fault, words):
    with pytest.raises(JobFailed, match=words):
        peak_memory(report, tiny("victim", fault=fault), dataset_folder)


def test_the_fresh_process_does_not_outlive_the_one_that_started_it(tiny, dataset_folder, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys\n"
        f"sys.path.extend({sys.path!r})\n"
        "from pathlib import Path\n"
        "from tiny_runtime import TinyRuntime\n"
        "from workbench.jobs.reporter import SilentReporter\n"
        "from workbench.measure.latency import Candidate\n"
        "from workbench.measure.child_tasks import peak_memory\n"
        "from workbench.runtimes import register\n"
        "register(TinyRuntime)\n"
        "candidate = Candidate.model_validate_json(sys.argv[1])\n"
        "peak_memory(SilentReporter(), candidate, Path(sys.argv[2]))\n"
    )
    candidate = tiny("endless", fault="hang")
    parent = subprocess.Popen(
        [sys.executable, script, candidate.model_dump_json(), dataset_folder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (found := psutil.Process(parent.pid).children()):
        assert parent.poll() is None
        time.sleep(0.05)
    (child,) = found
    time.sleep(1)  # it may be anywhere on its way
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs([child], timeout=600)
    assert not alive


def test_a_process_that_hangs_is_ended(report, tiny, dataset_folder, tmp_path, children):
    with pytest.raises(JobFailed, match="said nothing for 2 s"):
        run_in_child(
            report,
            "predict",
            [tiny("endless", fault="hang")],
            tmp_path,
            silence_s=2,
            dataset=str(dataset_folder),
        )
    assert not children()


def test_cancel_ends_a_latency_measurement_before_its_end(tiny, dataset_folder, children):
    report = Cancels("progress")
    with pytest.raises(Cancelled):
        measure_latency(report, [tiny("a", sleep_s=0.05), tiny("b")], dataset_folder, "quick", 0)
    assert max(report.fractions) < 1
    assert not children()


def test_cancel_is_heard_while_a_single_batch_hangs(tiny, dataset_folder, children):
    report = Cancels("stage", after_s=1.5)
    with pytest.raises(Cancelled):
        measure_quality(report, tiny("endless", fault="hang"), dataset_folder, from_logits=True)
    assert not children()


def test_what_a_library_prints_does_not_disturb(report, tiny, dataset_folder):
    quality, _ = measure_quality(report, tiny("loud", fault="print"), dataset_folder, from_logits=True)
    assert quality.samples == 300


def test_quality_of_the_test_split_with_running_f1(report, tiny, dataset_folder, blobs):
    features, labels, weights, bias = blobs
    quality, scores = measure_quality(report, tiny("model"), dataset_folder, True, environment())

    logits = features @ weights + bias
    assert scores.shape == (300, 3)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    expected = f1_score(labels, logits.argmax(axis=1), average="macro")
    assert quality.f1_macro.value == pytest.approx(expected)
    assert quality.f1_macro.low < expected < quality.f1_macro.high
    assert not quality.near_chance
    assert (quality.dataset, quality.environment) == ("blobs", environment().id)

    curve = report.metrics["running F1"]
    assert [step for step, *_ in curve] == [*range(32, 300, 32), 300]
    assert curve[-1][2:] == (quality.f1_macro.low, quality.f1_macro.high)
    assert all(low <= value <= high for _, value, low, high in (point for point in curve if len(point) == 4))
    assert curve[-1][1] == pytest.approx(expected)
    first = f1_score(labels[:32], logits[:32].argmax(axis=1), average="macro")
    assert curve[0][1] == pytest.approx(first)


def test_outputs_that_do_not_fit_the_classes_are_refused(report, tiny, dataset_folder, children):
    five = tiny("five", weights=np.ones((6, 5)), bias=np.zeros(5))
    with pytest.raises(InvalidInput, match="gives 5 values per sample, but the data has 3 classes"):
        measure_quality(report, five, dataset_folder, from_logits=True)
    assert not children()


def test_outputs_that_are_no_numbers_are_refused(report, tiny, dataset_folder):
    with pytest.raises(InvalidInput, match="NaN or infinity for 32 of 32 samples"):
        measure_quality(report, tiny("broken", fault="nan"), dataset_folder, from_logits=True)


def test_the_fresh_process_imports_no_library_that_it_does_not_measure(report, tiny, dataset_folder):
    heavy = "tensorflow|keras|sklearn|scipy|pandas|dask|distributed|onnx|onnxruntime|openvino|ai_edge_litert"
    with pytest.raises(InvalidInput) as caught:
        measure_quality(report, tiny("nosy", fault="modules"), dataset_folder, from_logits=True)
    imported = set(str(caught.value).rpartition("modules: ")[2].split())
    assert "numpy" in imported
    assert not imported & set(heavy.split("|"))


def test_the_three_sizes_and_memory(report, tiny, dataset_folder):
    small, large = tiny("small"), tiny("large", fault="large")

    size = measure_size_task(report, small, 21, dataset_folder)

    content = small.path.read_bytes()
    assert size.parameters == 21
    assert size.file_bytes == len(content)
    assert size.gzip_bytes == len(gzip.compress(content, 9, mtime=0))
    if Path("/proc/self/status").exists():
        growth = peak_memory(report, large, dataset_folder) - size.peak_memory_bytes
        assert 30e6 < growth < 60e6  # it holds 40 MB


class Elsewhere(Runtime):
    """A runtime that imports TensorFlow, as far as the measurement knows."""

    name, title, formats, packages, imports_tensorflow = "elsewhere", "Elsewhere", frozenset(), (), True

    def unavailable(self):
        return None

    def load(self, path, settings):
        import tiny_runtime

        return tiny_runtime.TinySession(path)


def test_a_runtime_with_tensorflow_predicts_in_this_process(report, tiny, dataset_folder, monkeypatch, blobs):
    pytest.importorskip("tensorflow")
    monkeypatch.setitem(runtimes._registry.registered, "elsewhere", Elsewhere())
    candidate = tiny("model")
    here, scores_here = measure_quality(
        report, candidate.model_copy(update={"runtime": "elsewhere"}), dataset_folder, True
    )
    apart, scores_apart = measure_quality(LocalReporter(), candidate, dataset_folder, True)

    np.testing.assert_array_equal(scores_here, scores_apart)
    assert here.model_copy(update={"runtime": "tiny"}) == apart
    with pytest.raises(Cancelled):
        measure_quality(
            Cancels("progress"), candidate.model_copy(update={"runtime": "elsewhere"}), dataset_folder, True
        )
