"""Real ``.tflite`` files through every measurement."""

import random

import numpy as np
import pytest

from tests.measure.conftest import write_dataset
from workbench.api.errors import WorkbenchError
from workbench.measure.child_process import run_in_child
from workbench.measure.latency import Candidate
from workbench.measure.quality import compare_quality
from workbench.measure.tasks import measure_quality, measure_size_task
from workbench.measure.timing import measure_latency

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(tmp_path_factory, blobs):
    """A linear classifier as ``.tflite`` with softmax, and a far larger one without meaning."""
    tf = pytest.importorskip("tensorflow")
    folder = tmp_path_factory.mktemp("tflite")
    weights = {"linear": (blobs[2], blobs[3])}
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(6, 2000)).astype(np.float32)
    out = rng.normal(size=(2000, 2000)).astype(np.float32) / 45

    def linear(x):
        return tf.nn.softmax(
            x @ tf.constant(weights["linear"][0], tf.float32) + weights["linear"][1].astype("f4")
        )

    def large(x):
        return tf.nn.softmax((tf.nn.relu(x @ tf.constant(hidden)) @ tf.constant(out))[:, :3])

    paths = {}
    for function in (linear, large):
        # A free batch size, and a signature with named inputs, as the converters of Keras write it.
        module = tf.Module()
        module.f = tf.function(function, input_signature=[tf.TensorSpec([None, 6], tf.float32, name="x")])
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [module.f.get_concrete_function()], module
        )
        paths[function.__name__] = folder / f"{function.__name__}.tflite"
        paths[function.__name__].write_bytes(converter.convert())
    return paths


@pytest.fixture
def candidates(files):
    return {name: Candidate(variant=name, path=path, runtime="litert") for name, path in files.items()}


def test_latency(report, candidates, dataset_folder):
    same = candidates["linear"].model_copy(update={"variant": "same"})
    words = []
    for seed in range(3):
        measurement, _ = measure_latency(
            report, [candidates["linear"], same, candidates["large"]], dataset_folder, "quick", seed
        )
        same_verdict, large_verdict = measurement.verdicts
        assert large_verdict.word == "slower"
        assert [summary.runtime for summary in measurement.summaries] == ["litert"] * 3
        words.append(same_verdict.word)
        # 95 % intervals err, and more so on a machine with much other work.
        if words[-1] == "no measurable change":
            break
    assert "no measurable change" in words


def test_quality_and_size(report, candidates, dataset_folder, blobs):
    features, labels, weights, bias = blobs
    quality, scores = measure_quality(report, candidates["linear"], dataset_folder, from_logits=False)
    logits = features @ weights + bias
    assert quality.accuracy.value == np.mean(logits.argmax(axis=1) == labels)
    _, bad_scores = measure_quality(report, candidates["large"], dataset_folder, from_logits=False)
    assert compare_quality("large", "linear", bad_scores, scores, labels).word == "lost"

    size = measure_size_task(report, candidates["large"], 4_012_000, dataset_folder)
    assert size.file_bytes > 4 * 4_000_000
    assert size.gzip_bytes < size.file_bytes
    assert size.peak_memory_bytes > 4 * 4_000_000


def test_damaged_files_give_a_reason(report, files, tmp_path, blobs):
    """Bytes changed at random (fixed seed): a result or a plain reason, and this process lives."""
    data = write_dataset(tmp_path / "few", blobs[0][:8], blobs[1][:8], 3)
    rng, content = random.Random(5), bytearray(files["linear"].read_bytes())
    reasons = {}
    for number in range(8):
        damaged = bytearray(content)
        for _ in range(6):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(damaged[: rng.choice([len(damaged), len(damaged) // 2])])
        try:
            candidate = Candidate(variant="v", path=path, runtime="litert")
            run_in_child(report, "predict", [candidate], tmp_path, dataset=str(data))
        except WorkbenchError as error:
            reasons[path.name] = str(error)
    assert reasons
    assert all(name in reason and "Traceback" not in reason for name, reason in reasons.items())
