from __future__ import annotations

import numpy as np
import pytest

from workbench.api import dataset as dataset_module
from workbench.api.row_array import mapped_rows
from workbench.training import TrainingSettings

tf = pytest.importorskip("tensorflow")

from workbench.plain.keras.input_pipeline import as_keras_does
from workbench.training.input_pipeline import Feed

PIPELINES = ("from file", "cache", "prefetch", "parallel map")


def batches(features, targets, pipeline, change=None):
    settings = TrainingSettings(input_pipeline=pipeline, batch_size=32, seed=3)
    return Feed(features, targets, settings, change)._batches()


@pytest.fixture
def arrays(tmp_path):
    x = np.arange(300, dtype=np.float32).reshape(100, 3)
    np.save(tmp_path / "x.npy", x)
    return np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(100)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_sample_once_in_an_epoch_and_another_order_in_the_next(arrays, pipeline):
    dataset = batches(*arrays, pipeline)
    assert int(dataset.cardinality()) == 4
    epochs = []
    for _ in range(2):
        got = list(dataset.as_numpy_iterator())
        assert [len(y) for _, y in got] == [32, 32, 32, 4]
        x, y = (np.concatenate(part) for part in zip(*got, strict=True))
        np.testing.assert_array_equal(x, arrays[0][y])
        assert sorted(y) == list(range(100))
        epochs.append(list(y))
    assert epochs[0] != epochs[1]
    again = np.concatenate([y for _, y in batches(*arrays, "cache").as_numpy_iterator()])
    assert list(again) == epochs[0]


def test_several_inputs_and_a_change_on_the_way(arrays):
    features = {"a": arrays[0], "b": 2 * arrays[0][:, :1]}
    dataset = batches(
        features,
        arrays[1],
        "prefetch",
        change=lambda x, y: ({**x, "b": x["b"] + 1}, y),
    )
    for x, y in dataset.as_numpy_iterator():
        np.testing.assert_array_equal(x["a"], features["a"][y])
        np.testing.assert_array_equal(x["b"], features["b"][y] + 1)


@pytest.mark.parametrize("pipeline", ["arrays", "prefetch"])
def test_the_ready_batch_does_not_compile_the_step_again(pipeline, arrays):
    import keras

    traces = []

    class Counted(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            traces.append(1)
            return self.dense(x)

    model = Counted()
    model.compile("sgd", "mse")
    feed = Feed(
        np.asarray(arrays[0]), np.zeros((100, 2), np.float32), TrainingSettings(input_pipeline=pipeline)
    )
    feed.fit(model, epochs=1, callbacks=[])
    known = len(traces)
    feed.fit_ready(model, epochs=1, callbacks=[])
    feed.fit(model, epochs=1, callbacks=[])
    assert len(traces) == known


@pytest.fixture
def large(monkeypatch):
    """Everything by rows is too much for memory."""
    monkeypatch.setattr(dataset_module, "LARGE_BYTES", 0)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_what_stays_on_the_disk_comes_in_the_order_of_what_is_held(large, arrays, pipeline):
    held = batches(*arrays, pipeline)
    rows = batches({"a": mapped_rows(arrays[0])}, arrays[1], pipeline)
    for (x, y), (others, labels) in zip(held.as_numpy_iterator(), rows.as_numpy_iterator(), strict=True):
        np.testing.assert_array_equal(x, others["a"])
        np.testing.assert_array_equal(y, labels)


@pytest.mark.parametrize("weights", [None, {0: 0.5, 1: 2.0}])
@pytest.mark.parametrize("count", [96, 100])
def test_batches_by_rows_are_those_of_keras_itself(large, arrays, count, weights):
    """With dropout, which draws from the same seed, over epochs, to the last bit."""
    import keras

    trained = []
    for features in (np.asarray(arrays[0][:count]), mapped_rows(arrays[0][:count])):
        keras.utils.set_random_seed(5)
        model = keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Dense(8, activation="tanh"),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(2),
            ]
        )
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        keras.utils.set_random_seed(7)
        settings = TrainingSettings(input_pipeline="arrays", batch_size=32)
        Feed(features, arrays[1][:count] % 2, settings, class_weight=weights).fit(
            model, epochs=3, callbacks=[]
        )
        trained.append(model.get_weights())
    for held, by_rows in zip(*trained, strict=True):
        np.testing.assert_array_equal(held, by_rows)
    assert int(as_keras_does(np.zeros((count, 1)), np.zeros(count), 32).cardinality()) == -(-count // 32)
