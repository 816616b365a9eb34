"""What a model does first with the values of each input, read from its graph."""

import numpy as np
import pytest

from workbench.models.reading.description import describe_keras

keras = pytest.importorskip("keras")
L, ops = keras.layers, keras.ops


def roles(model):
    return [spec.role for spec in describe_keras(model).inputs]


def sequential(*layers, shape=(4,), dtype=None):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def functional(make, shape=(4,), dtype=None):
    inputs = keras.Input(shape, dtype=dtype)
    return keras.Model(inputs, make(inputs))


def augmented_and_scaled():
    inner = keras.Sequential([L.RandomFlip(), L.Rescaling(1 / 255)])
    return functional(lambda x: L.Conv2D(2, 3)(inner(x)), (8, 8, 3))


def augmented_then_scaled():
    inner = keras.Sequential([L.RandomFlip(), L.RandomRotation(0.1)])
    return functional(lambda x: L.Conv2D(2, 3)(L.Rescaling(1 / 255)(inner(x))), (8, 8, 3))


def preprocessed(family):
    return functional(lambda x: L.Conv2D(2, 3)(family.preprocess_input(x)), (8, 8, 3))


def wrapped_lookup():
    return functional(lambda x: L.TimeDistributed(L.Embedding(9, 2))(x), (3, 5))


class Tokens(L.Layer):
    """As many tutorials write it."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions = L.Embedding(9, 2), L.Embedding(4, 2)

    def call(self, x):
        return self.tokens(x) + self.positions(ops.arange(4))


CASES = {
    "plain": (lambda: sequential(L.Dense(2)), "numbers"),
    "batch normalization learns from what it gets": (
        lambda: sequential(L.BatchNormalization(), L.Dense(2)),
        "numbers",
    ),
    "rescaling": (lambda: sequential(L.Rescaling(1 / 255), L.Dense(2)), "raw numbers"),
    "normalization": (lambda: sequential(L.Normalization(mean=3.0, variance=2.0), L.Dense(2)), "raw numbers"),
    "discretization": (lambda: sequential(L.Discretization([1.0, 2.0])), "raw numbers"),
    "behind an augmentation": (augmented_and_scaled, "raw numbers"),
    "behind an augmentation that is a model": (augmented_then_scaled, "raw numbers"),
    "preprocess_input to -1..1": (
        lambda: preprocessed(keras.applications.mobilenet_v2),
        "raw numbers",
    ),
    "preprocess_input with means": (
        lambda: preprocessed(keras.applications.vgg16),
        "raw numbers",
    ),
    "from 0..1 to -1..1": (lambda: functional(lambda x: L.Dense(2)((x - 0.5) * 2)), "numbers"),
    "embedding": (lambda: sequential(L.Embedding(9, 2)), "ids"),
    "embedding in a wrapper": (wrapped_lookup, "ids"),
    "embedding in a layer of one's own": (lambda: sequential(Tokens()), "ids"),
    "category encoding": (lambda: sequential(L.CategoryEncoding(9), shape=(1,)), "ids"),
    "hashing": (lambda: sequential(L.Hashing(9), dtype="int64"), "ids"),
    "one hot": (lambda: functional(lambda x: ops.one_hot(ops.cast(x, "int32"), 5)), "ids"),
    "taken from a table": (
        lambda: functional(lambda x: ops.take(np.ones((9, 2), "float32"), ops.cast(x, "int32"), axis=0)),
        "ids",
    ),
    "values picked from the input": (
        lambda: functional(lambda x: L.Dense(2)(ops.take(x, [0, 2], axis=1))),
        "numbers",
    ),
    "whole numbers by type": (
        lambda: functional(lambda x: L.Dense(2)(ops.cast(x, "float32")), dtype="int32"),
        "raw numbers",
    ),
    "text": (lambda: sequential(L.StringLookup(vocabulary=["a"]), shape=(1,), dtype="string"), "text"),
}


@pytest.mark.parametrize("case", CASES)
def test_role_of_a_single_input(case):
    make, role = CASES[case]
    assert roles(make()) == [role]


def test_each_input_has_its_own_and_a_lookup_tells_most():
    ids, table, mixed = keras.Input((3,)), keras.Input((2,)), keras.Input((3,))
    embedding = L.Embedding(9, 2)
    parts = [
        L.Flatten()(embedding(L.Concatenate()([ids, mixed]))),
        L.Dense(2)(L.Normalization(mean=1.0, variance=1.0)(table)),
        L.Dense(2)(mixed),
    ]
    assert roles(keras.Model([ids, table, mixed], L.Concatenate()(parts))) == ["ids", "raw numbers", "ids"]
