from __future__ import annotations

import numpy as np
import pytest

from workbench.training import TrainingSettings

tf = pytest.importorskip("tensorflow")

from workbench.training.input_pipeline import Feed, batches

PIPELINES = ("from file", "cache", "prefetch", "parallel map")


@pytest.fixture
def arrays(tmp_path):
    x = np.arange(300, dtype=np.float32).reshape(100, 3)
    np.save(tmp_path / "x.npy", x)
    return np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(100)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_sample_once_in_an_epoch_and_another_order_in_the_next(arrays, pipeline):
    dataset = batches(*arrays, pipeline, batch_size=32, seed=3)
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
    again = np.concatenate(
        [y for _, y in batches(*arrays, "cache", batch_size=32, seed=3).as_numpy_iterator()]
    )
    assert list(again) == epochs[0]


def test_several_inputs_and_a_change_on_the_way(arrays):
    features = {"a": arrays[0], "b": 2 * arrays[0][:, :1]}
    dataset = batches(
        features,
        arrays[1],
        "prefetch",
        batch_size=50,
        seed=0,
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
