"""A model whose class no file can describe: only the graph that it runs is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.kinds.brought import Brought, patterns, taught


def graph_only(folder: Path) -> Brought:
    import keras
    import tensorflow as tf

    class Table:
        """Nothing that Keras could write into a configuration."""

        def __init__(self, steps: int) -> None:
            self.steps = steps

    class Repeated(keras.Model):  # type: ignore[misc, name-defined]
        """Calls TensorFlow, and is built from an object that its file cannot hold."""

        def __init__(self, table: Table) -> None:
            super().__init__()
            self.table = table
            self.front = keras.layers.Dense(32, activation="relu")
            self.again = keras.layers.Dense(32, activation="tanh")
            self.out = keras.layers.Dense(3, activation="softmax")

        def call(self, inputs: Any) -> Any:
            x = self.front(inputs)
            for _ in range(self.table.steps):
                x = self.again(tf.nn.l2_normalize(x, axis=-1))
            return self.out(x)

    x, y = patterns(20)
    return Brought(taught(Repeated(Table(3)), x, y), (x, y))
