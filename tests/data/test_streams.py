"""Generators, datasets and loaders: read to their end or to a bound, never without one."""

import asyncio
import subprocess
import sys
import threading
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.data.sources import described, labelled
from workbench.api.errors import InvalidInput, Refused
from workbench.api.text import say
from workbench.data import raw as raw_module
from workbench.data import spool, streams
from workbench.data.arrays import read_arrays, streams_in
from workbench.data.npz import read_npz
from workbench.data.streams import Bounds
from workbench.data.where import where
from workbench.engine.collecting import Collecting
from workbench.engine.sources import hand_over_data
from workbench.jobs.job import Job
from workbench.jobs.state import JobState

COUNT = 150
X, Y = labelled(COUNT)
LIMIT = 2**24
HOW_MANY = f"Say how many samples are read ({where('samples')}) or how many batches ({where('steps')})"


def read(source, model=None, limit_bytes=LIMIT, **bounds):
    return read_arrays(source, label=None, limit_bytes=limit_bytes, model=model, bounds=Bounds(**bounds))


def batches(size=32, *, weights=False):
    for start in range(0, COUNT, size):
        part = X[start : start + size], Y[start : start + size]
        yield (*part, np.ones(len(part[0]))) if weights else part


def endless(size=32):
    while True:
        yield from batches(size)


class Pages:
    """Batches by number, as a ``PyDataset`` of Keras gives them."""

    def __init__(self, size=32):
        self.size = size

    def __len__(self):
        return -(-COUNT // self.size)

    def __getitem__(self, number):
        part = slice(number * self.size, (number + 1) * self.size)
        return X[part], Y[part]


class Loader:
    """Gives batches when it is iterated over, as loaders of PyTorch do."""

    def __iter__(self):
        return ([x, y] for x, y in batches())

    def __len__(self):
        return 5


@pytest.mark.parametrize(
    "source",
    [
        batches,
        lambda: batches(weights=True),
        lambda: iter(list(batches())),
        lambda: (sample for sample in zip(X, Y, strict=True)),
        Pages,
        Loader,
        lambda: (([x, x], {"kind": y}) for x, y in batches()),
    ],
    ids=["batches", "weights", "iterator", "samples", "by number", "loader", "structures"],
)
def test_everything_that_gives_samples_is_read_to_its_end(source):
    samples = read(source()).splits["train"]
    for values in samples.x.values():
        np.testing.assert_array_equal(values, X)
    for labels in samples.targets.values() or [samples.y]:
        np.testing.assert_array_equal(labels, Y)


@pytest.mark.parametrize(
    ("bounds", "count"), [({"samples": 40}, 40), ({"steps": 2}, 64), ({"samples": 40, "steps": 1}, 32)]
)
def test_what_never_ends_is_read_to_a_bound(bounds, count):
    raw = read(endless(), **bounds)
    np.testing.assert_array_equal(raw.splits["train"].x[""], X[:count])
    assert [str(note) for note in raw.notes] == [f"Of the generator, {count} samples were read."]


def test_a_bound_is_for_each_split():
    raw = read({"train": endless(), "test": endless()}, samples=40)
    assert {split: len(samples.y) for split, samples in raw.splits.items()} == {"train": 40, "test": 40}


def test_without_a_bound_what_does_not_end_is_refused(monkeypatch):
    monkeypatch.setattr(streams, "MOST_ELEMENTS", 20)
    with pytest.raises(InvalidInput) as caught:
        read(endless(5))
    assert str(caught.value) == (
        "The generator does not say how much it gives, and had not ended after 100 samples. " + HOW_MANY + "."
    )
    assert len(read(Pages(1)).splits["train"].y) == COUNT  # says how much it gives


@pytest.mark.parametrize("most", [None, 33])
def test_many_samples_go_to_the_disk_and_come_from_there(tmp_path, monkeypatch, most):
    """As float32 and as pairs of inputs; what is prepared of them is the same."""
    held = hand_over_data(batches(), tmp_path / "held", None, None, Bounds(samples=most))
    monkeypatch.setattr(spool, "LARGE_BYTES", 100)
    kept = hand_over_data(batches(), tmp_path / "kept", None, None, Bounds(samples=most))
    files = []
    for collecting in (held, kept):
        collecting.file.parent.mkdir()
        files.append(asyncio.run(collecting.run(job(), described((4,)))))
        assert list(collecting.file.parent.iterdir()) == [collecting.file]
    with np.load(files[0]) as one, np.load(files[1]) as other:
        assert one.files == other.files
        for name in ("x", "y"):
            assert one[name].dtype == other[name].dtype
            np.testing.assert_array_equal(one[name], other[name])
            assert len(one[name]) == (most or COUNT)
    monkeypatch.setattr(raw_module, "default_kept_bytes", lambda folder: 500)
    with pytest.raises(Refused, match="on the disk"):
        asyncio.run(hand_over_data(batches(), tmp_path, None, None, Bounds()).run(job(), described((4,))))


def test_memory_bounds_what_does_not_end():
    with pytest.raises(Refused, match=r"generator would take .* in memory"):
        read(endless(), limit_bytes=100_000)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "10"])
def test_bounds_that_are_none(value):
    with pytest.raises(InvalidInput, match="It is a whole number above 0, or None to read everything"):
        Bounds(samples=value)


def failing():
    yield X[:3], Y[:3]
    raise OSError("the disk is gone")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            failing(),
            "The generator failed while it was read: OSError: the disk is gone "
            "Try it by itself first, for instance with a loop over it.",
        ),
        (iter([]), "The list_iterator is empty. Each element must be (x, y)."),
        (
            iter([{"image": X[0], "label": Y[0]}]),
            "The list_iterator gives elements of the form {image: array (4,), label: array ()}. "
            "Each element must be (x, y), or (x, y, sample_weight).",
        ),
        (
            iter([(X[:3], None)]),
            "The list_iterator gives elements of the form (array (3, 4), NoneType). "
            "Each element must be (x, y), or (x, y, sample_weight).",
        ),
    ],
)
def test_what_goes_wrong_is_said(source, text):
    with pytest.raises(InvalidInput) as caught:
        read(source)
    assert str(caught.value) == text


def test_the_model_tells_a_batch_from_a_sample_with_a_label_of_the_same_length():
    """A sample of three values with a one-hot label of three classes looks like a batch of three."""
    one_hot = np.eye(3)[Y]
    source = [(X[number, :3], one_hot[number]) for number in range(COUNT)]
    samples = read(iter(source), described((3,))).splits["train"]
    assert samples.x[""].shape == samples.y.shape == (COUNT, 3)
    pictures = read(iter([(np.zeros((32, 28, 28)), Y[:32])]), described((28, 28, 1))).splits["train"]
    assert pictures.x[""].shape == (32, 28, 28)


def test_keras_and_tensorflow_give_the_same(tmp_path):
    import keras
    import tensorflow as tf

    class Sequence(Pages, keras.utils.PyDataset):
        def __init__(self):
            keras.utils.PyDataset.__init__(self)
            Pages.__init__(self)

    class Endless(keras.utils.PyDataset):
        num_batches = None

        def __getitem__(self, number):
            return X[:10], Y[:10]

    both = tf.data.Dataset.from_tensor_slices(((X, X[:, :2]), {"kind": Y}))
    for source in (both, both.batch(32), both.batch(30, drop_remainder=True), both.batch(32).repeat()):
        samples = read(source, samples=COUNT).splits["train"]
        np.testing.assert_array_equal(samples.x["0"], X)
        np.testing.assert_array_equal(samples.x["1"], X[:, :2])
        np.testing.assert_array_equal(samples.targets["kind"], Y)
    np.testing.assert_array_equal(read(Sequence()).splits["train"].x[""], X)
    assert len(read(Endless(), steps=3).splits["train"].y) == 30
    for source in (Endless(), both.repeat(), {"train": both, "test": both.repeat()}):
        with pytest.raises(InvalidInput, match=r"never ends\. Say how many samples are read"):
            hand_over_data(source, tmp_path, None, None, Bounds())
    unknown = tf.data.Dataset.from_generator(
        endless, output_signature=(tf.TensorSpec((None, 4)), tf.TensorSpec((None,), tf.int64))
    )
    assert len(read(unknown, samples=100).splits["train"].y) == 100
    tensors = read((tf.constant(X), tf.constant(Y))).splits["train"]
    np.testing.assert_array_equal(tensors.x[""], X)


def job():
    state = JobState(id="1", kind="open", title=say("Open"), created=datetime.now(UTC))
    return Job(state, lambda id_: None, lambda state: None)


def test_a_stream_is_read_in_the_job_and_not_by_the_caller(tmp_path):
    asked = threading.Event()

    def slow():
        asked.set()
        yield from batches()

    collecting = hand_over_data(slow(), tmp_path, None, None, Bounds())
    assert isinstance(collecting, Collecting)
    assert not asked.is_set()
    raw = read_npz(asyncio.run(collecting.run(job(), described((4,)))), limit_bytes=LIMIT)
    np.testing.assert_array_equal(raw.splits["train"].x[""], X)


def test_cancelling_ends_the_reading_even_while_a_generator_waits(tmp_path):
    waits, go_on = threading.Event(), threading.Event()

    def stuck():
        yield X[:10], Y[:10]
        waits.set()
        go_on.wait()
        yield from endless()

    async def cancelled():
        task = asyncio.ensure_future(
            hand_over_data(stuck(), tmp_path, None, None, Bounds(samples=10**9)).run(job(), described((4,)))
        )
        await asyncio.to_thread(waits.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    go_on.set()
    reading = [thread for thread in threading.enumerate() if thread.name == "workbench-data"]
    for thread in reading:
        thread.join(60)
    assert not any(thread.is_alive() for thread in reading)
    assert not list(tmp_path.iterdir())


def test_cancelling_ends_a_generator_that_computes_and_gives_nothing(tmp_path):
    computes = threading.Event()

    def busy():
        yield X[:10], Y[:10]
        while True:
            computes.set()

    async def cancelled():
        task = asyncio.ensure_future(
            hand_over_data(busy(), tmp_path, None, None, Bounds(samples=10**9)).run(job(), described((4,)))
        )
        await asyncio.to_thread(computes.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    for thread in threading.enumerate():
        if thread.name == "workbench-data":
            thread.join(60)
            assert not thread.is_alive()


WAITING = """
import asyncio, os
from pathlib import Path
import numpy as np
from tests.data.sources import described
from tests.data.test_streams import job
from workbench.data.streams import Bounds
from workbench.engine import collecting
from workbench.engine.sources import hand_over_data

def stuck():
    yield np.ones((10, 4), np.float32), np.zeros(10, int)
    os.read(os.pipe()[0], 1)

collecting.STALLED_SECONDS = 5.0
data = hand_over_data(stuck(), Path({folder!r}), None, None, Bounds(samples=10**6))
asyncio.run(data.run(job(), described((4,))))
"""


def test_a_source_that_waits_for_ever_ends_the_opening_and_not_the_process(tmp_path):
    code = WAITING.format(folder=str(tmp_path))
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert ended.returncode == 1
    assert "InvalidInput: The data gave 10 samples, then nothing for 5 s. They wait for some" in ended.stderr
    assert "goes on until it is answered, or this Python process ends. Try them by" in ended.stderr


def test_notes_survive_the_way_into_the_workers_process(tmp_path):
    collecting = hand_over_data(batches(weights=True), tmp_path, None, None, Bounds(samples=50))
    raw = read_npz(asyncio.run(collecting.run(job(), described((4,)))), limit_bytes=LIMIT)
    assert [str(note) for note in raw.notes] == ["Of the generator, 50 samples were read."]
    assert raw.splits["train"].weights[""].shape == (50,)


def test_arrays_are_no_streams():
    for source in ((X, Y), {"x": X, "y": Y}, ((X, Y), (X, Y)), "digits", [X, X], 3, None, print):
        assert streams_in(source) == []
