"""TensorFlow is imported without what Keras takes along; afterwards that is imported as ever."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from workbench.jobs.lean_import import TAKEN_ALONG, without_what_is_taken_along

with without_what_is_taken_along():
    import keras, tensorflow
assert not set(TAKEN_ALONG) & set(sys.modules), "they were imported, or are still kept away"
import matplotlib, pandas, sklearn.metrics
import numpy as np

model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
model.compile("sgd", "mse")
x, y = np.ones((4, 3), "float32"), np.zeros((4, 2), "float32")
before = model.evaluate(x, y, verbose=0)
model.fit(x, y, verbose=0)
assert model.evaluate(x, y, verbose=0) < before
with without_what_is_taken_along():
    import sklearn.cluster  # what was there before is there inside
print("all well")
"""


@pytest.mark.slow
def test_tensorflow_is_imported_without_what_keras_takes_along():
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert ended.stdout.splitlines() == ["all well"], ended.stderr[-3000:]
