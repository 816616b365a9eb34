"""What the outputs of Keras models mean, told by their layers."""

import keras
import pytest
from keras import layers, ops

from workbench.models.reading.keras_layers import describe_model
from workbench.models.reading.keras_meaning import output_meanings


def vector():
    return keras.Input((8,))


def picture():
    return keras.Input((8, 8, 3))


def sigmoid(x, units=3):
    return layers.Dense(units, activation="sigmoid")(x)


def softmax(x):
    return layers.Dense(3, activation="softmax")(x)


def logits(x):
    return layers.Dense(3)(x)


def member():
    return keras.Sequential([keras.Input((8,)), layers.Dense(3), layers.Softmax()])


def steps(x, layer):
    return layers.GlobalMaxPooling1D()(layers.TimeDistributed(layer)(layers.Reshape((8, 1))(x)))


PROBABILITIES = {
    "a clip": lambda x: ops.clip(sigmoid(x), 1e-7, 1 - 1e-7),
    "an average layer": lambda x: layers.Average()([sigmoid(x), softmax(x)]),
    "an average of arithmetic": lambda x: (softmax(x) + softmax(x)) / 2,
    "an average by Rescaling": lambda x: layers.Rescaling(0.5)(layers.Add()([softmax(x), softmax(x)])),
    "a weighted ensemble": lambda x: 0.3 * softmax(x) + 0.7 * softmax(x),
    "a mean over a stack": lambda x: ops.mean(ops.stack([softmax(x), softmax(x)], axis=1), axis=1),
    "a geometric mean": lambda x: ops.sqrt(softmax(x) * softmax(x)),
    "a vote": lambda x: ops.mean(ops.cast(ops.stack([sigmoid(x) > 0.5, sigmoid(x) > 0.5], 1), "float32"), 1),
    "the complement": lambda x: 1 - sigmoid(x),
    "both classes from one": lambda x: ops.concatenate([1 - sigmoid(x, 1), sigmoid(x, 1)], axis=1),
    "heads side by side": lambda x: layers.Concatenate()([sigmoid(x, 1), sigmoid(x, 1), sigmoid(x, 1)]),
    "a largest": lambda x: layers.Maximum()([sigmoid(x), sigmoid(x)]),
    "a mask": lambda x: layers.Multiply()([softmax(x), sigmoid(x)]),
    "the rest of a softmax": lambda x: softmax(x)[:, 1:],
    "an exponential of log-probabilities": lambda x: ops.exp(ops.log_softmax(logits(x))),
    "each step, then the largest": lambda x: steps(x, layers.Dense(1, activation="sigmoid")),
    "a model at each step": lambda x: steps(
        x, keras.Sequential([keras.Input((1,)), layers.Dense(1, activation="sigmoid"), layers.Dropout(0.1)])
    ),
    "a nested model": lambda x: member()(x),
    "a nested model called twice": lambda x: (lambda model: layers.Average()([model(x), model(2 * x)]))(
        member()
    ),
    "a nested model that passes on": lambda x: keras.Sequential([keras.Input((3,)), layers.Dropout(0.1)])(
        softmax(x)
    ),
    "scores cut to 0..1": lambda x: ops.clip(logits(x), 0, 1),
    "noise and a cast": lambda x: ops.cast(layers.GaussianNoise(0.1)(softmax(x)), "float16"),
    "a hard sigmoid": lambda x: layers.Activation("hard_sigmoid")(logits(x)),
    "Rescaling by 1": lambda x: layers.Rescaling(1.0)(softmax(x)),
}
OF_PICTURES = {
    "global average": lambda x: layers.GlobalAveragePooling2D()(x),
    "global maximum": lambda x: layers.GlobalMaxPooling2D()(x),
    "average, then flat": lambda x: layers.Flatten()(layers.AveragePooling2D(8)(x)),
    "crop": lambda x: layers.Flatten()(layers.Cropping2D(3)(x)),
    "padding": lambda x: layers.GlobalAveragePooling2D()(layers.ZeroPadding2D()(x)),
    "upsampling": lambda x: layers.GlobalMaxPooling2D()(layers.UpSampling2D()(x)),
    "permuted": lambda x: layers.GlobalMaxPooling1D()(layers.Reshape((64, 3))(layers.Permute((2, 1, 3))(x))),
}
SCORES = {
    "a linear layer": logits,
    "an average": lambda x: layers.Average()([logits(x), logits(x)]),
    "a temperature": lambda x: logits(x) / 2,
    "an offset": lambda x: logits(x) + 1,
    "a difference": lambda x: layers.Subtract()([logits(x), logits(x)]),
    "a wide clip": lambda x: ops.clip(logits(x), -10, 10),
    "a linear activation": lambda x: layers.Activation("linear")(logits(x)),
    "a nested model": lambda x: keras.Sequential([keras.Input((8,)), layers.Dense(3)])(x),
}
LOGARITHMS = {
    "an operation": lambda x: ops.log_softmax(logits(x)),
    "an activation": lambda x: layers.Dense(3, activation="log_softmax")(x),
    "a logarithm": lambda x: ops.log(ops.clip(softmax(x), 1e-7, 1.0)),
}
UNKNOWN = {
    "a function of the user's": lambda x: layers.Lambda(lambda value: value)(sigmoid(x)),
    "a relu": lambda x: layers.Dense(3, activation="relu")(x),
    "a sum that leaves 0..1": lambda x: softmax(x) + softmax(x),
    "a hyperbolic tangent": lambda x: layers.Dense(1, activation="tanh")(x),
    "scores behind a gate": lambda x: layers.Multiply()([logits(x), sigmoid(x)]),
    "heads of two kinds": lambda x: layers.Concatenate()([sigmoid(x), logits(x)]),
    "a recurrent state": lambda x: layers.LSTM(1, activation="sigmoid")(layers.Reshape((8, 1))(x)),
    "a normalization": lambda x: layers.BatchNormalization()(logits(x)),
}


def meaning_of(build, x):
    (found,) = output_meanings(keras.Model(x, build(x)))
    return found


@pytest.mark.parametrize("name", PROBABILITIES)
def test_what_keeps_a_probability_a_probability(name):
    assert meaning_of(PROBABILITIES[name], vector()) == "probabilities"


@pytest.mark.parametrize("name", OF_PICTURES)
def test_a_pooled_map_means_what_the_map_means(name):
    x = picture()
    assert (
        meaning_of(lambda x: OF_PICTURES[name](layers.Conv2D(3, 1, activation="softmax")(x)), x)
        == "probabilities"
    )
    x = picture()
    pooled = meaning_of(lambda x: OF_PICTURES[name](layers.Conv2D(3, 1)(x)), x)
    assert pooled == ("unknown" if name == "padding" else "scores")


@pytest.mark.parametrize("name", SCORES)
def test_what_stays_a_raw_score(name):
    assert meaning_of(SCORES[name], vector()) == "scores"


@pytest.mark.parametrize("name", LOGARITHMS)
def test_logarithms_of_probabilities_are_neither(name):
    assert meaning_of(LOGARITHMS[name], vector()) == "log probabilities"


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_layers_do_not_tell_is_left_to_the_values(name):
    assert meaning_of(UNKNOWN[name], vector()) == "unknown"


def test_each_output_has_a_meaning_and_its_key_as_name():
    x = vector()
    model = keras.Model(x, {"main": softmax(x), "amount": layers.Dense(1)(x)})
    description = describe_model(model)
    assert [spec.name for spec in description.outputs] == ["amount", "main"]
    assert description.meanings == ("scores", "probabilities")
