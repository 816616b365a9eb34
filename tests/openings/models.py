"""Random small Keras models whose right answers are known: the labels are what plain Keras predicts.

No model is trained. Weights are random, the labels are the model's own decisions with some of them changed,
so the right macro F1 is high and every other reading of the outputs or the inputs is far from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SAMPLES = 240
_WORDS = np.array(["sun", "rain", "wind", "snow", "fog", "hail", "storm", "cloud"])


@dataclass(frozen=True)
class Inputs:
    """What a model is fed.

    Attributes:
        arrays: Raw samples by input name, as they are handed to the workbench.
        fed: The same as the model was meant to get them, where that differs.
        tensors: The symbolic inputs.
        features: One symbolic vector for each sample, made from all inputs.
        sequence: A symbolic sequence, shape ``(batch, steps, width)``, where there is one.
        batch: The model's fixed batch; None where it is free.
    """

    arrays: dict[str, Array]
    tensors: list[Any]
    features: Any
    fed: dict[str, Array] = field(default_factory=dict)
    sequence: Any = None
    batch: int | None = None

    @property
    def meant(self) -> dict[str, Array]:
        """The samples as the model was meant to get them."""
        return {**self.arrays, **self.fed}


# -- inputs ---------------------------------------------------------------------------------------


def floats(rng: np.random.Generator) -> Inputs:
    import keras

    x = rng.normal(size=(SAMPLES, 6)).astype(np.float32)
    tensor = keras.Input((6,), name="measured")
    return Inputs({"measured": x}, [tensor], tensor)


def doubles(rng: np.random.Generator) -> Inputs:
    found = floats(rng)
    return Inputs({"measured": found.arrays["measured"].astype(np.float64)}, found.tensors, found.features)


def standardized_bytes(rng: np.random.Generator) -> Inputs:
    """Columns of small whole numbers that are no pixels, in front of a Normalization layer."""
    import keras

    x = rng.integers(0, 200, (SAMPLES, 5)).astype(np.uint8)
    tensor = keras.Input((5,), name="counts")
    normal = keras.layers.Normalization(mean=x.mean(axis=0), variance=x.var(axis=0))
    return Inputs({"counts": x}, [tensor], normal(tensor))


def pictures(rng: np.random.Generator) -> Inputs:
    import keras

    x = rng.random((SAMPLES, 8, 8, 3)).astype(np.float32)
    tensor = keras.Input((8, 8, 3), name="picture")
    return Inputs({"picture": x}, [tensor], _seen(tensor))


def byte_pictures_rescaled(rng: np.random.Generator) -> Inputs:
    """Bytes for a model that scales them itself."""
    import keras

    x = rng.integers(0, 256, (SAMPLES, 8, 8, 1)).astype(np.uint8)
    tensor = keras.Input((8, 8, 1), name="picture")
    return Inputs({"picture": x}, [tensor], _seen(keras.layers.Rescaling(1 / 127.5, offset=-1.0)(tensor)))


def byte_pictures_divided(rng: np.random.Generator) -> Inputs:
    """Bytes for a model that was made for values from 0 to 1."""
    import keras

    x = rng.integers(0, 256, (SAMPLES, 8, 8, 1)).astype(np.uint8)
    tensor = keras.Input((8, 8, 1), name="picture")
    fed = {"picture": (x / 255).astype(np.float32)}
    return Inputs({"picture": x}, [tensor], _seen(tensor), fed)


def any_size_pictures(rng: np.random.Generator) -> Inputs:
    """Height and width are free, and convolutions without padding need several pixels."""
    import keras

    # colors differ between the pictures: their average is all that the model sees of them
    x = (rng.random((SAMPLES, 12, 10, 3)) * rng.random((SAMPLES, 1, 1, 3))).astype(np.float32)
    tensor = keras.Input((None, None, 3), name="picture")
    seen = keras.layers.Conv2D(6, 3, activation="relu")(keras.layers.Conv2D(6, 3)(tensor))
    return Inputs({"picture": x}, [tensor], keras.layers.GlobalAveragePooling2D()(seen))


def free_length(rng: np.random.Generator) -> Inputs:
    """A series whose length is free, longer than one convolution of 80 steps."""
    import keras

    x = rng.normal(size=(SAMPLES, 100, 2)).astype(np.float32)
    tensor = keras.Input((None, 2), name="series")
    steps = keras.layers.Conv1D(6, 80)(tensor)
    return Inputs({"series": x}, [tensor], keras.layers.GlobalMaxPooling1D()(steps), sequence=steps)


def recurrent(rng: np.random.Generator) -> Inputs:
    import keras

    x = rng.normal(size=(SAMPLES, 9, 3)).astype(np.float32)
    tensor = keras.Input((9, 3), name="series")
    steps = keras.layers.GRU(6, return_sequences=True)(tensor)
    return Inputs({"series": x}, [tensor], keras.layers.GlobalAveragePooling1D()(steps), sequence=steps)


def token_ids(rng: np.random.Generator) -> Inputs:
    import keras

    x = rng.integers(0, 50, (SAMPLES, 7)).astype(np.int32)
    tensor = keras.Input((7,), dtype="int32", name="tokens")
    steps = keras.layers.Embedding(50, 6, embeddings_initializer="random_normal")(tensor)
    return Inputs({"tokens": x}, [tensor], keras.layers.Flatten()(steps), sequence=steps)


def byte_token_ids(rng: np.random.Generator) -> Inputs:
    """Characters as bytes in front of an Embedding, whose input Keras declares as float32."""
    import keras

    x = rng.integers(1, 200, (SAMPLES, 8)).astype(np.uint8)
    tensor = keras.Input((8,), name="characters")
    steps = keras.layers.Embedding(256, 6, embeddings_initializer="random_normal")(tensor)
    return Inputs({"characters": x}, [tensor], keras.layers.Flatten()(steps), sequence=steps)


def large_ids(rng: np.random.Generator) -> Inputs:
    """Identifiers that float32 cannot tell apart."""
    import keras

    known = 1_560_000_000 + np.arange(40, dtype=np.int64)
    x = rng.choice(known, (SAMPLES, 1))
    tensor = keras.Input((1,), dtype="int64", name="customer")
    found = keras.layers.IntegerLookup(vocabulary=known)(tensor)
    steps = keras.layers.Embedding(41, 6, embeddings_initializer="random_normal")(found)
    return Inputs({"customer": x}, [tensor], keras.layers.Flatten()(steps))


def words(rng: np.random.Generator) -> Inputs:
    import keras

    x = rng.choice(_WORDS, (SAMPLES, 2))
    tensor = keras.Input((2,), dtype="string", name="weather")
    found = keras.layers.StringLookup(vocabulary=list(_WORDS))(tensor)
    steps = keras.layers.Embedding(len(_WORDS) + 1, 6, embeddings_initializer="random_normal")(found)
    return Inputs({"weather": x}, [tensor], keras.layers.Flatten()(steps))


def sentences(rng: np.random.Generator) -> Inputs:
    import keras

    x = np.array([[" ".join(rng.choice(_WORDS, 5))] for _ in range(SAMPLES)])
    tensor = keras.Input((1,), dtype="string", name="text")
    split = keras.layers.TextVectorization(vocabulary=list(_WORDS), output_sequence_length=5)(tensor)
    steps = keras.layers.Embedding(len(_WORDS) + 2, 6, embeddings_initializer="random_normal")(split)
    return Inputs({"text": x}, [tensor], keras.layers.Flatten()(steps), sequence=steps)


def two_inputs(rng: np.random.Generator) -> Inputs:
    """Two inputs of one shape, whose order decides."""
    import keras

    left, right = (rng.normal(size=(SAMPLES, 4)).astype(np.float32) for _ in range(2))
    tensors = [keras.Input((4,), name="zeta"), keras.Input((4,), name="alpha")]
    joined = keras.layers.Concatenate()([tensors[0], keras.layers.Rescaling(-3.0)(tensors[1])])
    return Inputs({"zeta": left, "alpha": right}, tensors, joined)


def numbers_and_ids(rng: np.random.Generator) -> Inputs:
    import keras

    numbers = rng.normal(size=(SAMPLES, 4)).astype(np.float32)
    ids = rng.integers(0, 20, (SAMPLES, 1)).astype(np.int64)
    tensors = [keras.Input((4,), name="numbers"), keras.Input((1,), dtype="int64", name="shop")]
    looked_up = keras.layers.Embedding(20, 4, embeddings_initializer="random_normal")(tensors[1])
    joined = keras.layers.Concatenate()([tensors[0], keras.layers.Flatten()(looked_up)])
    return Inputs({"numbers": numbers, "shop": ids}, tensors, joined)


def fixed_batch(rng: np.random.Generator) -> Inputs:
    import keras

    x = rng.normal(size=(SAMPLES, 6)).astype(np.float32)
    tensor = keras.Input(batch_shape=(16, 6), name="measured")
    return Inputs({"measured": x}, [tensor], tensor, batch=16)


def _seen(tensor: Any) -> Any:
    import keras

    convolved = keras.layers.Conv2D(6, 3, strides=2, activation="tanh")(tensor)
    return keras.layers.Flatten()(convolved)


INPUTS: dict[str, Callable[[np.random.Generator], Inputs]] = {
    make.__name__.replace("_", " "): make
    for make in (
        floats, doubles, standardized_bytes, pictures, byte_pictures_rescaled, byte_pictures_divided,
        any_size_pictures, free_length, recurrent, token_ids, byte_token_ids, large_ids, words, sentences,
        two_inputs, numbers_and_ids, fixed_batch,
    )
}  # fmt: skip


# -- outputs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outputs:
    """What comes out of a model.

    Attributes:
        tensors: The symbolic outputs, a tensor or a dict of them.
        decide: From all that ``predict`` gives to class indices, shape ``(n,)``.
        classes: How many classes it tells apart.
        options: What the user has to say when opening.
        asked: Whether the workbench has to ask which output, or which border, is meant.
    """

    tensors: Any
    decide: Callable[[Any], Array]
    classes: int
    options: dict[str, Any] = field(default_factory=dict)
    asked: bool = False


def _largest(values: Any) -> Array:
    return np.asarray(values).argmax(axis=-1)


def _above(threshold: float) -> Callable[[Any], Array]:
    return lambda values: (np.asarray(values)[:, 0] > threshold).astype(int)


def _dense(units: int, activation: str | None, rng: np.random.Generator, name: str | None = None) -> Any:
    """A Dense layer whose outputs are spread widely, so that other readings of them differ."""
    import keras

    initializer = keras.initializers.RandomNormal(stddev=1.5, seed=int(rng.integers(1 << 30)))
    return keras.layers.Dense(units, activation, kernel_initializer=initializer, name=name)


def softmax(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    classes = int(rng.integers(2, 6))
    return Outputs(_dense(classes, "softmax", rng)(inputs.features), _largest, classes)


def softmax_layer(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    import keras

    classes = int(rng.integers(2, 6))
    raw = _dense(classes, None, rng)(inputs.features)
    return Outputs(keras.layers.Softmax()(raw), _largest, classes)


def raw_scores(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    classes = int(rng.integers(2, 6))
    return Outputs(_dense(classes, None, rng)(inputs.features), _largest, classes)


def logarithms(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    classes = int(rng.integers(2, 6))
    return Outputs(_dense(classes, "log_softmax", rng)(inputs.features), _largest, classes)


def one_sigmoid(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    return Outputs(_dense(1, "sigmoid", rng)(inputs.features), _above(0.5), 2)


def one_raw_score(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    return Outputs(_dense(1, None, rng)(inputs.features), _above(0.0), 2)


def one_exponential(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    """Odds: neither a probability nor a raw score."""
    return Outputs(_dense(1, "exponential", rng)(inputs.features), _above(1.0), 2, asked=True)


def many_exponentials(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    classes = int(rng.integers(2, 6))
    return Outputs(_dense(classes, "exponential", rng)(inputs.features), _largest, classes)


def many_sigmoids(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    """One class against the rest for each column; the largest decides."""
    classes = int(rng.integers(3, 6))
    return Outputs(_dense(classes, "sigmoid", rng)(inputs.features), _largest, classes)


def averaged_sigmoids(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    import keras

    members = [_dense(1, "sigmoid", rng)(inputs.features) for _ in range(2)]
    return Outputs(keras.layers.Average()(members), _above(0.5), 2)


def averaged_softmax(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    import keras

    classes = int(rng.integers(2, 6))
    members = [_dense(classes, "softmax", rng)(inputs.features) for _ in range(3)]
    return Outputs(keras.layers.Average()(members), _largest, classes)


def pooled_sigmoids(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    import keras

    steps = inputs.sequence
    if steps is None:
        steps = keras.layers.RepeatVector(3)(inputs.features)
    each = keras.layers.TimeDistributed(_dense(1, "sigmoid", rng))(steps)
    return Outputs(keras.layers.GlobalAveragePooling1D()(each), _above(0.5), 2)


def pooled_softmax(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    import keras

    classes = int(rng.integers(2, 6))
    steps = inputs.sequence
    if steps is None:
        steps = keras.layers.RepeatVector(2)(inputs.features)
    return Outputs(
        keras.layers.GlobalMaxPooling1D()(_dense(classes, "softmax", rng)(steps)), _largest, classes
    )


def clipped_sigmoid(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    import keras

    probability = _dense(1, "sigmoid", rng)(inputs.features)
    return Outputs(keras.ops.clip(probability, 0.01, 0.99), _above(0.5), 2)


def largest_sigmoid(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    import keras

    members = [_dense(1, "sigmoid", rng)(inputs.features) for _ in range(2)]
    return Outputs(keras.layers.Maximum()(members), _above(0.5), 2)


def concatenated_sigmoids(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    import keras

    members = [_dense(1, "sigmoid", rng)(inputs.features) for _ in range(4)]
    return Outputs(keras.layers.Concatenate()(members), _largest, 4)


def nested_sigmoid(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    import keras

    inner = keras.Sequential([_dense(5, "tanh", rng), _dense(1, "sigmoid", rng)])
    return Outputs(keras.layers.Reshape((1,))(inner(inputs.features)), _above(0.5), 2)


def heads_of_two_widths(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    """Only one of the outputs fits the labels."""
    classes = int(rng.integers(3, 6))
    heads = {
        "amount": _dense(1, None, rng, "amount")(inputs.features),
        "kind": _dense(classes, "softmax", rng, "kind")(inputs.features),
    }
    return Outputs(heads, lambda made: _largest(made["kind"]), classes)


def heads_of_one_width(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    """Two outputs fit, and nothing says which is meant."""
    classes = int(rng.integers(2, 6))
    heads = {name: _dense(classes, "softmax", rng, name)(inputs.features) for name in ("auxiliary", "main")}
    return Outputs(heads, lambda made: _largest(made["main"]), classes, asked=True)


def chosen_head(inputs: Inputs, rng: np.random.Generator) -> Outputs:
    """Two outputs fit, and the user says which is meant."""
    found = heads_of_one_width(inputs, rng)
    return Outputs(found.tensors, found.decide, found.classes, {"output": "main"})


OUTPUTS: dict[str, Callable[[Inputs, np.random.Generator], Outputs]] = {
    make.__name__.replace("_", " "): make
    for make in (
        softmax, softmax_layer, raw_scores, logarithms, one_sigmoid, one_raw_score, many_sigmoids,
        one_exponential, many_exponentials,
        averaged_sigmoids, averaged_softmax, pooled_sigmoids, pooled_softmax, clipped_sigmoid,
        largest_sigmoid, concatenated_sigmoids, nested_sigmoid, heads_of_two_widths, heads_of_one_width,
        chosen_head,
    )
}  # fmt: skip
