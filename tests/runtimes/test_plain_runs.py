"""What plain code runs files with, where a file is unlike those that this project makes."""

import numpy as np
import pytest

from workbench.plain.batches import in_batches

tf = pytest.importorskip("tensorflow")


def test_a_file_without_a_signature_and_with_a_batch_of_its_own(tmp_path):
    pytest.importorskip("ai_edge_litert")
    from workbench.plain.litert.run import load

    function = tf.function(lambda x: tf.nn.softmax(x * 2.0)).get_concrete_function(tf.TensorSpec([2, 3]))
    path = tmp_path / "model.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([function]).convert())
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    found = load(path)({"whatever": x})
    np.testing.assert_allclose(found, tf.nn.softmax(2 * x), rtol=1e-5)


def test_the_last_batch_is_filled_up():
    sizes = []

    def run(samples):
        sizes.append(len(samples["x"]))
        return samples["x"] * 2

    x = np.arange(5)
    np.testing.assert_array_equal(in_batches(run, {"x": x}, 2), x * 2)
    np.testing.assert_array_equal(in_batches(run, {"x": x}, None), x * 2)
    assert sizes == [2, 2, 2, 5]
