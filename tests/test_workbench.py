"""The engine end to end, with real worker processes: open, apply, stack, measure, come back."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from queue import Queue
from typing import ClassVar

import numpy as np
import pytest

from tests.judging import judged
from tests.techniques.plain_process import run_scripts
from workbench.api.dataset import Dataset
from workbench.api.errors import Cancelled, InvalidInput, Refused, TensorFlowCrashed
from workbench.api.recipe import Recipe
from workbench.api.technique import Applied, CodePaths, Context, Estimate, Parameters, Technique
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.engine.measuring import Measuring
from workbench.jobs.executor import Executor
from workbench.jobs.reporter import SilentReporter
from workbench.jobs.slot import shared_slot
from workbench.jobs.state import JobState
from workbench.measure.narrowing import latency_curve, timed_variant
from workbench.measure.records import LatencyMeasurement
from workbench.results.rows import ResultRow
from workbench.runtimes import runtime
from workbench.techniques import register, unregister
from workbench.workbench import Event, Workbench

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def opened(
    opened_digits: Path, executor: Executor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workbench]:
    folder = shutil.copytree(opened_digits, tmp_path_factory.mktemp("workbench") / "digits")
    with Workbench(folder, executor=executor) as workbench:
        yield workbench
    for technique in (Noise, Crashing):
        unregister(technique.name)


def test_the_kernel_imports_nothing_heavy(opened: Workbench) -> None:
    script = (
        "import sys, workbench.workbench, workbench.techniques as all; all.techniques(); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "tensorflow",
        "keras",
        "dask",
        "distributed",
        "sklearn",
        "pandas",
        "onnx",
        "onnxruntime",
        "openvino",
    }
    assert not heavy & set(loaded)


def test_the_baseline_is_measured(opened: Workbench) -> None:
    (row,) = opened.results()[:1]
    assert row.variant.parent is None
    assert row.size is not None
    assert row.size.parameters == row.variant.description.parameters == 6_570
    assert row.size.file_bytes == row.variant.path.stat().st_size
    assert row.quality is not None
    assert row.quality.f1_macro.low < row.quality.f1_macro.value < row.quality.f1_macro.high
    assert row.quality.f1_macro.value > 0.9
    assert row.latency is not None
    assert row.latency.p50_ms.value > 0
    assert row.quality_change is None


def test_quantizing_makes_a_reference_and_stacks_on_width(opened: Workbench) -> None:
    narrow = opened.apply("structure.width", factor=0.5, epochs=5).wait()
    assert narrow is not None
    small = opened.quantization.int8(narrow).wait()
    assert small is not None
    rows = {row.variant.id: row for row in opened.results()}
    reference = next(
        row for row in rows.values() if row.variant.is_reference and row.variant.runtime == "litert"
    )
    assert reference.variant.automatic
    assert reference.total_speedup is not None
    row = rows[small.id]
    assert row.variant.name == "width 0.5 → int8"
    assert row.size_change is not None
    assert row.size_change.word == "smaller"
    assert row.speed is not None
    assert row.speed.reference == reference.variant.id
    assert row.total_speedup is not None
    product = reference.total_speedup.value * row.speed.speedup.value
    assert row.total_speedup.value == pytest.approx(product)
    assert row.quality_change is not None
    assert row.quality_change.reference == opened.baseline.id
    assert row.size is not None
    assert reference.size is not None
    assert row.size.file_bytes < reference.size.file_bytes / 3
    assert [step.technique for step in opened.recipe(small.id).steps] == [
        "structure.width",
        "quantization.int8",
    ]


def test_a_recipe_gives_what_the_clicks_gave(opened: Workbench) -> None:
    clicked = opened.apply("quantization.float16").wait()
    assert clicked is not None
    recipe = Recipe.from_yaml(opened.recipe(clicked.id).to_yaml())
    again = opened.run(recipe, again=True).wait()
    assert again is not None
    assert again.sha256 == clicked.sha256
    assert again.name == "float16 2"


def test_what_is_there_is_not_made_twice(opened: Workbench) -> None:
    before = opened.variants
    assert opened.existing("quantization.float16") == opened.variant("float16")
    assert opened.existing("structure.width", parameters={"factor": 0.25}) is None
    job = opened.apply("quantization.float16")
    assert job.state.status == "done"
    assert job.state.variant == opened.variant("float16").id
    assert job.wait() == opened.variant("float16")
    recipe = opened.recipe(opened.variant("int8").id)
    assert len(recipe.steps) == 2
    assert opened.run(recipe).wait() == opened.variant("int8")
    reference = next(one for one in before if one.automatic)
    assert opened.apply("inference.runtime", runtime="litert").wait() == reference
    assert opened.open("dense-digits", "digits").state.status == "done"
    assert opened.open("dense-digits", "digits").wait() == opened.baseline
    for other in (
        {"model": "dense-mnist-5k", "data": "digits"},
        {"scaling": "none"},
        {"data": "breast-cancer"},
    ):
        with pytest.raises(InvalidInput, match="already holds the model dense-digits"):
            opened.open(**{"model": "dense-digits", "data": "digits", **other})
    assert opened.variants == before


def test_names_notes_and_stars_are_seen_by_a_second_page(opened: Workbench, executor: Executor) -> None:
    small = opened.variant("int8")
    with Workbench(opened.folder, executor=executor) as beside:
        told = threading.Event()
        beside.observe(lambda event: told.set() if event == ("variants",) else None)
        opened.rename("int8", " for the phone ")
        opened.annotate(small.id, "ask Lin")
        opened.star(small.id)
        assert told.wait(60)
        row = next(row for row in beside.results() if row.variant.id == small.id)
        assert (row.variant.name, row.note, row.starred) == ("for the phone", "ask Lin", True)
        assert beside.variant("width 0.5 → int8").id == small.id  # by the name that it was made with
    for name in ("", "  ", "x" * 81, "two\nlines", "dense-digits", 7):
        with pytest.raises(InvalidInput):
            opened.rename(small.id, name)
    with pytest.raises(InvalidInput, match="up to 2,000 characters"):
        opened.annotate(small.id, "x" * 2001)
    opened.rename(small.id, "width 0.5 → int8")
    opened.star(small.id, False)
    assert not next(row for row in opened.results() if row.variant.id == small.id).starred


def test_a_last_step_is_a_name_as_long_as_only_one_variant_ends_with_it(opened: Workbench) -> None:
    narrow = opened.variant("width 0.5")
    half = judged(opened, opened.apply("quantization.float16", narrow.id))
    assert opened.variant("float16").parent == opened.baseline.id
    opened.rename("float16", "half")
    opened.rename("float16 2", "another → float16")
    with pytest.raises(InvalidInput, match="There are 2 variants 'float16'") as refused:
        opened.variant("float16")
    assert "another → float16, width 0.5 → float16" in str(refused.value)
    opened.rename("half", "float16")
    opened.rename("another → float16", "float16 2")
    opened.delete(half.id)


def test_a_measurement_that_was_cancelled_is_taken_up(
    opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(*_: object) -> None:
        raise Cancelled

    with monkeypatch.context() as patch:
        patch.setattr(Measuring, "weigh_and_judge", stop)
        job = opened.apply("quantization.int8_weights")
        with pytest.raises(Cancelled):
            job.wait()
    left = opened.variant("int8 weights")
    assert job.state.variant == left.id

    def row() -> ResultRow:
        return next(row for row in opened.results() if row.variant.id == left.id)

    assert (row().quality, row().latency) == (None, None)
    assert 1 < opened.estimate_measuring([left.id], "quick") < opened.estimate_measuring([left.id], "final")
    opened.measure([left.id], "quick").wait()
    measured = row()
    assert measured.size is not None
    assert measured.size.peak_memory_bytes is not None
    assert measured.quality_change is not None
    assert measured.speed is not None
    with monkeypatch.context() as patch:
        patch.setattr(Measuring, "missing", lambda *_: frozenset({"latency"}))
        before = opened._store.measurements("latency", left.id, LatencyMeasurement)
        completed = opened.apply("quantization.int8_weights")
        assert completed.wait() == left
    assert len(opened._store.measurements("latency", left.id, LatencyMeasurement)) == len(before) + 1
    opened.delete(left.id)


def test_events_are_told_in_order(opened: Workbench) -> None:
    events: list[Event] = []
    first: list[ResultRow] = []

    def look(event: Event) -> None:
        events.append(event)
        if event == ("variants",) and not first:
            first.append(opened.results()[-1])

    stop = opened.observe(look)
    job = opened.apply("quantization.dynamic_range")
    variant = job.wait()
    stop()
    statuses = [event[1].status for event in events if event[0] == "job"]
    assert statuses == sorted(statuses, key=["queued", "running", "done"].index)
    assert job.state.status == "done"
    assert job.state.variant == variant.id
    progress = [event[1].progress for event in events if event[0] == "job" and event[1].progress is not None]
    assert progress == sorted(progress)
    assert ("variants",) in events
    assert ("results",) in events
    assert opened.jobs[0] == job.state
    # The size is there with the file, before anything is run.
    (early,) = first
    assert early.variant.id == variant.id
    assert early.size is not None
    assert (early.size.peak_memory_bytes, early.quality, early.latency) == (None, None, None)
    row = next(row for row in opened.results() if row.variant.id == early.variant.id)
    assert row.size is not None
    assert row.size.peak_memory_bytes
    assert row.size == early.size.model_copy(update={"peak_memory_bytes": row.size.peak_memory_bytes})
    # What is drawn of latency and F1 ends in what is kept; how often it is drawn before, the clock decides.
    assert row.latency is not None
    assert row.quality is not None
    for name, kept in (
        (latency_curve(row.variant.id), row.latency.p50_ms),
        ("running F1", row.quality.f1_macro),
    ):
        points = job.state.metrics[name]
        assert points[-1][1:] == (kept.value, kept.low, kept.high)
    timed = [name for name in job.state.metrics if timed_variant(name) is not None]
    assert len(timed) == 2  # with the reference of its runtime; runs before it are gone


def test_cancelling_leaves_nothing_half(opened: Workbench) -> None:
    before = opened.variants
    job = opened.apply("structure.width", epochs=1000, patience=0)
    waiting = opened.apply("quantization.float16", again=True)
    assert waiting.state.queue_position == 1
    waiting.cancel()
    while not job.state.metrics:
        assert not job.state.ended
    job.cancel()
    with pytest.raises(Cancelled):
        job.wait()
    with pytest.raises(Cancelled):
        waiting.wait()
    assert opened.variants == before
    assert [state.status for state in opened.jobs[:2]] == ["cancelled", "cancelled"]
    again = opened.rerun(waiting.id)
    again.cancel()
    assert again.state.request == waiting.state.request
    with pytest.raises(Cancelled):
        again.wait()
    assert opened.variants == before


def test_another_process_cancels_a_job_through_the_folder(opened: Workbench, executor: Executor) -> None:
    with Workbench(opened.folder, executor=executor) as beside:
        seen: Queue[JobState] = Queue()
        beside.observe(lambda event: seen.put(event[1]) if event[0] == "job" else None)
        job = opened.apply("structure.width", epochs=1000, patience=0)
        # How far it is comes from the other process, too, with its curves.
        while not (state := seen.get(timeout=300)).metrics:
            assert state.id == job.id
            assert not state.ended
        assert state.progress is not None
        assert state.stage is not None
        beside.cancel(job.id)
        with pytest.raises(Cancelled):
            job.wait()
    assert job.state.status == "cancelled"
    assert list((opened.folder / "live").iterdir()) == []


def test_work_that_ends_with_its_workbench_is_interrupted_not_cancelled(
    opened: Workbench, executor: Executor, tmp_path: Path
) -> None:
    with Workbench(tmp_path / "left", executor=executor) as left:
        running = left.open("dense-digits", "digits")
        left.open("dense-digits", "digits")
        while running.state.status == "queued":
            assert not running.state.ended
    with Workbench(tmp_path / "left", executor=executor) as back:
        assert [state.status for state in back.jobs] == ["interrupted", "interrupted"]
        assert all("ended before it was finished" in str(state.error) for state in back.jobs)


def test_deleting_takes_descendants_and_undo_brings_them_back(opened: Workbench) -> None:
    before = opened.variants
    narrow = next(variant for variant in before if variant.technique == "structure.width")
    small = opened.variant("int8")
    opened.delete(narrow.id)
    assert len(opened.variants) == len(before) - 2
    with Workbench(opened.folder) as beside:  # another page, or the same one after a reload
        assert beside.deleted == (narrow, small)
        assert str(beside.undo()) == "width 0.5 and 1 variant made from it are back."
    assert opened.variants == before
    opened.delete(small.id)
    opened.delete(narrow.id)
    assert str(opened.undo()) == "width 0.5 is back."
    assert str(opened.undo()) == "width 0.5 → int8 is back."
    assert opened.variants == before
    with pytest.raises(InvalidInput, match="The baseline cannot be deleted"):
        opened.delete(before[0].id)


def test_details_show_what_flipped(opened: Workbench) -> None:
    narrow = next(variant for variant in opened.variants if variant.technique == "structure.width")
    details = opened.details(narrow.id)
    rows = {row.variant.id: row for row in opened.results()}
    change = rows[narrow.id].quality_change
    assert change is not None
    became_wrong = [flip for flip in details.flips if flip.before == flip.label]
    assert len(became_wrong) == change.only_reference_right
    assert sum(map(sum, details.confusion_change)) == 0
    picture = opened.picture(details.flips[0].index)
    assert picture is not None
    assert picture.startswith(b"\x89PNG")


def test_a_metric_of_ones_own_is_computed_on_the_stored_answers(opened: Workbench) -> None:
    def accuracy(labels, answers):
        return (answers.argmax(1) == labels).mean()

    measured = {row.variant: row for row in opened.metric(accuracy, draws=200)}
    rows = {row.variant.id: row for row in opened.results() if row.quality is not None}
    assert set(measured) == set(rows)
    for key, row in rows.items():
        assert measured[key].value.value == pytest.approx(row.quality.accuracy.value)
    assert [row.variant for row in measured.values() if row.change is None] == [opened.baseline.id]


def test_downloads_are_the_stored_files(opened: Workbench) -> None:
    small = next(variant for variant in opened.variants if variant.technique == "quantization.int8")
    name, content = opened.download(small.id)
    assert name.endswith(".tflite")
    assert content == small.path.read_bytes()
    folder = opened.apply("inference.runtime", runtime="openvino").wait()
    assert folder is not None
    name, content = opened.download(folder.id)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert {"model.xml", "model.bin"} <= set(archive.namelist())


def test_a_model_that_is_deployed_runs_by_the_code_beside_it(opened: Workbench, tmp_path: Path) -> None:
    small = next(variant for variant in opened.variants if variant.technique == "quantization.int8")
    name, content = opened.deploy(small.id)
    assert name == "width-0.5-int8-deploy.zip"
    with zipfile.ZipFile(BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    data = Dataset(next((opened.folder / "data").iterdir()))
    np.save(tmp_path / "samples.npy", data.x("test")[:20])
    done = subprocess.run(
        [sys.executable, "predict.py", "samples.npy"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    said = [line.split()[-1] for line in done.stdout.splitlines()]
    session = runtime(small.runtime).load(small.path, small.settings)
    labels = session.predict(data.x("test")[:20]).argmax(-1)
    session.close()
    assert said == [data.info.classes[label] for label in labels]
    assert len(set(said)) > 3


def test_the_code_taken_home_makes_the_same_file(opened: Workbench, tmp_path: Path) -> None:
    clicked = next(variant for variant in opened.variants if variant.technique == "quantization.float16")
    name, content = opened.take_home("quantization.float16")
    assert name == "quantization.float16.zip"
    with zipfile.ZipFile(BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    assert (tmp_path / "plain" / "litert" / "strip.py").is_file()
    done = run_scripts([tmp_path / "optimize.py"], tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    (made,) = tmp_path.glob("*.tflite")
    assert made.read_bytes() == clicked.path.read_bytes()


@pytest.mark.parametrize(
    ("technique", "parameters", "error", "message"),
    [
        ("quantization.int7", {}, InvalidInput, "quantization.int7"),
        (
            "structure.width",
            {"factor": 7},
            InvalidInput,
            "factor is wrong: it must be at most 1.0. Received: 7",
        ),
        ("structure.width", {"wdith": 1}, InvalidInput, "Its parameters are: .*factor"),
    ],
)
def test_wrong_requests_are_explained_at_once(
    opened: Workbench, technique: str, parameters: dict[str, float], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        opened.apply(technique, **parameters)


def test_what_does_not_fit_is_refused(opened: Workbench) -> None:
    small = next(variant for variant in opened.variants if variant.technique == "quantization.int8")
    with pytest.raises(Refused, match="does not fit"):
        opened.apply("quantization.float16", small.id)


def test_an_interrupted_folder_opens_again(opened: Workbench, executor: Executor) -> None:
    again = Workbench(opened.folder, executor=executor)
    assert again.variants == opened.variants
    assert again.results() == opened.results()
    assert again.seed == opened.seed
    again._store.close()


class NoiseParameters(Parameters):
    """Parameters of the technique below."""

    scale: float = 0.1


class Noise(Technique[NoiseParameters]):
    """Adds noise to every weight."""

    name: ClassVar[str] = "structure.noise"
    title = "Noise"
    produces = "keras"

    def obstacle(self, variant: Variant, dataset: object, parameters: NoiseParameters) -> Text | None:
        return None

    def estimate(self, variant: Variant, dataset: object, parameters: NoiseParameters) -> Estimate:
        return Estimate(seconds=1, expectation=say("Worse."))

    def apply(self, context: Context, parameters: NoiseParameters) -> Applied:
        import keras

        from workbench.api.variant import Report
        from workbench.models.reading.description import describe_keras

        model = keras.models.load_model(context.parent.path, compile=False)
        rng = np.random.default_rng(context.seed)
        model.set_weights(
            [weight + parameters.scale * rng.standard_normal(weight.shape) for weight in model.get_weights()]
        )
        path = context.folder / "model.keras"
        model.save(path)
        return Applied(
            path, "keras", context.parent.runtime, context.parent.settings, describe_keras(model), Report()
        )

    def code(self, variant: Variant, parameters: NoiseParameters, paths: CodePaths) -> str:
        return ""


def test_a_technique_added_at_run_time_works(opened: Workbench) -> None:
    register(Noise)
    assert "structure.noise" in opened.techniques()
    noisy = judged(opened, opened.apply("structure.noise", scale=10.0))
    row = next(row for row in opened.results() if row.variant.id == noisy.id)
    assert row.quality_change is not None
    assert row.quality_change.word == "lost"
    assert row.quality is not None
    assert row.quality.near_chance
    assert any("near chance" in str(note) for note in row.notes)


def test_of_two_pages_that_open_a_model_at_once_one_does(executor: Executor, tmp_path: Path) -> None:
    with Workbench(tmp_path, executor=executor) as one, Workbench(tmp_path, executor=executor) as other:
        first, second = one.open("dense-digits", "digits"), other.open("dense-digits", "digits")
        with pytest.raises(InvalidInput, match="opening a model in this folder"):
            second.wait()
        baseline = first.wait()
        assert other.variants == (baseline,)


def test_a_model_that_does_not_fit_the_data(executor: Executor, tmp_path: Path) -> None:
    workbench = Workbench(tmp_path, executor=executor)
    job = workbench.open("dense-digits", "breast-cancer")
    with pytest.raises(InvalidInput, match=r"takes samples of shape .* the data has \(30,\)"):
        job.wait()
    assert job.state.status == "failed"
    assert workbench.variants == ()
    workbench.close()


def kept(workbench: Workbench) -> tuple[object, ...]:
    """What is seen of a folder and what lies in it, apart from the list of its jobs."""
    files = [path for name in ("variants", "data") for path in (workbench.folder / name).rglob("*")]
    return workbench.variants, workbench.dataset_info, workbench.results(), files


def test_an_opening_that_fails_or_is_cancelled_leaves_nothing_and_arrays_of_a_notebook_are_opened(
    executor: Executor, tmp_path: Path
) -> None:
    from sklearn.datasets import load_digits

    x = np.random.default_rng(0).normal(size=(240, 8, 8, 1)).astype("float32")
    workbench = Workbench(tmp_path, executor=executor)
    empty = kept(workbench)
    # It is read, and the data are prepared, before it is seen that it gives ten classes and the data twelve.
    failed = workbench.open("dense-digits", (x, np.arange(240) % 12), name="mine")
    with pytest.raises(InvalidInput, match="12 classes"):
        failed.wait()
    assert kept(workbench) == empty

    with shared_slot(SilentReporter()):  # measuring latency has to wait
        job = workbench.open("dense-digits", "digits", name="mine")
        while workbench.baseline is None:
            assert not job.state.ended
        (row,) = workbench.results()
        assert row.quality is not None
        assert row.size is not None
        job.cancel()
        with pytest.raises(Cancelled):
            job.wait()
    assert (job.state.status, job.state.variant) == ("cancelled", None)
    assert kept(workbench) == empty

    images, y = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8, 1).astype("float32")
    baseline = workbench.open("dense-digits", (images / 16, y), name="mine").wait()
    assert baseline is not None
    assert baseline.name == "mine"
    for other in ("digits", (images / 15, y)):
        with pytest.raises(InvalidInput, match="already holds the model mine"):
            workbench.open("dense-digits", other)
    again = workbench.open("dense-digits", (images / 16, y))
    assert again.state.status == "done"
    assert again.wait() == baseline
    workbench.close()


class Crashing(Noise):
    """Adds noise where TensorFlow runs without its oneDNN kernels; a fault of native code otherwise."""

    name: ClassVar[str] = "structure.crashing"
    title = "Crashing"

    def apply(self, context: Context, parameters: NoiseParameters) -> Applied:
        import os
        import signal

        (context.folder / "half written").mkdir()
        if os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0" or parameters.scale > 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().apply(context, parameters)

    def code(self, variant: Variant, parameters: NoiseParameters, paths: CodePaths) -> str:
        return "import keras\n"


def test_a_crash_of_tensorflow_is_tried_once_more_with_other_kernels(opened: Workbench) -> None:
    register(Crashing)
    job = opened.apply("structure.crashing", scale=2.0)
    with pytest.raises(TensorFlowCrashed, match="with its oneDNN kernels and without them"):
        job.wait()
    assert "It is tried once more without TensorFlow's oneDNN kernels." in str(job.state.log[0])
    assert "os.environ" not in opened.code("structure.crashing").script  # nothing helped: nothing is kept

    made = opened.apply("structure.crashing", scale=0.001).wait()
    assert made is not None
    (note,) = made.report.notes
    assert "crashed on this model, so it was made without them (TF_ENABLE_ONEDNN_OPTS=0)" in str(note)
    rows = {row.variant.id: row for row in opened.results()}
    assert rows[made.id].onednn == (False,)
    assert any("without its oneDNN kernels when this was timed" in str(note) for note in rows[made.id].notes)
    assert 'os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"' in opened.code("structure.crashing").script
    with zipfile.ZipFile(BytesIO(opened.deploy(made.id)[1])) as archive:
        assert "TF_ENABLE_ONEDNN_OPTS" in archive.read("predict.py").decode()

    # Heard by the steps that follow: this one would crash otherwise, and does not even try.
    job = opened.apply("structure.crashing", scale=0.002)
    judged(opened, job)
    assert job.state.log == ()
