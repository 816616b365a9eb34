"""Models with classes and functions of their author's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.kinds.brought import Brought, patterns, taught

CODE = '''
import keras


class SimpleModel(keras.Model):
    """As in the article."""

    def __init__(self):
        super().__init__()
        self.dense1 = keras.layers.Dense(64, activation="relu")
        self.dense2 = keras.layers.Dense(32, activation="relu")
        self.dense3 = keras.layers.Dense(3, activation="softmax")

    def call(self, inputs, training=None, mask=None):
        return self.dense3(self.dense2(self.dense1(inputs)))


class Block(keras.layers.Layer):
    """Composed of layers, without weights beside theirs."""

    def __init__(self, units):
        super().__init__()
        self.wide = keras.layers.Dense(2 * units, activation="relu")
        self.narrow = keras.layers.Dense(units)
        self.norm = keras.layers.LayerNormalization()

    def call(self, inputs):
        return self.norm(inputs + self.narrow(self.wide(inputs)))


class Composed(keras.Model):
    def __init__(self):
        super().__init__()
        self.front = keras.layers.Dense(32, activation="relu")
        self.blocks = [Block(32), Block(32)]
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, inputs):
        x = self.front(inputs)
        for block in self.blocks:
            x = block(x)
        return self.out(x)


class Mixing(keras.layers.Layer):
    """Has weights beside those of layers in it: it stays closed."""

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, shape):
        self.mix = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform")

    def call(self, inputs):
        return keras.ops.matmul(inputs, self.mix)

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.units)


class Mixed(keras.Model):
    def __init__(self):
        super().__init__()
        self.front = keras.layers.Dense(48, activation="relu")
        self.mixing = Mixing(24)
        self.behind = keras.layers.Dense(64, activation="relu")
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, inputs, training=None):
        return self.out(self.behind(self.mixing(self.front(inputs))))


class Gate(keras.layers.Layer):
    """Weighs two inputs against each other."""

    def build(self, shapes):
        self.weight = self.add_weight(shape=(shapes[0][-1],), initializer="uniform")

    def call(self, inputs):
        share = keras.ops.sigmoid(self.weight)
        return share * inputs[0] + (1 - share) * inputs[1]


class Gated(keras.Model):
    def __init__(self):
        super().__init__()
        self.left = keras.layers.Dense(32, activation="relu")
        self.right = keras.layers.Dense(32, activation="tanh")
        self.gate = Gate()
        self.behind = keras.layers.Dense(48, activation="relu")
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, inputs):
        return self.out(self.behind(self.gate([self.left(inputs), self.right(inputs)])))


class Two(keras.Model):
    """Computes with weights of its own: it is one layer to everybody else."""

    def __init__(self):
        super().__init__()
        self.left = keras.layers.Dense(32, activation="relu")
        self.right = keras.layers.Dense(32, activation="relu")
        self.out = keras.layers.Dense(3, activation="softmax")
        self.share = self.add_weight(shape=(32,), initializer="uniform", name="share")

    def call(self, inputs):
        return self.out(self.left(inputs["a"]) * self.share + self.right(inputs["b"]))


class Cell(keras.layers.Layer):
    """A recurrent cell with weights of its own."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}

    def build(self, shape):
        self.take = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform")
        self.keep = self.add_weight(shape=(self.units, self.units), initializer="orthogonal")
        self.built = True

    def call(self, inputs, states):
        state = keras.ops.tanh(inputs @ self.take + states[0] @ self.keep)
        return state, [state]


def ramp(x):
    return keras.ops.minimum(keras.ops.relu(x), 6.0) * 0.5


@keras.saving.register_keras_serializable("mine")
class Scaled(keras.layers.Layer):
    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform")
        self.scale = self.add_weight(shape=(self.units,), initializer="ones")

    def call(self, inputs):
        return keras.ops.matmul(inputs, self.kernel) * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}
'''


def defined() -> dict[str, Any]:
    """The classes as a notebook has them."""
    import keras

    names: dict[str, Any] = {"__name__": "__main__"}
    exec(CODE, names)  # as it is typed there
    for name in [name for name in keras.saving.get_custom_objects() if name.startswith("mine>")]:
        del keras.saving.get_custom_objects()[name]
    return names


def _code(folder: Path) -> Path:
    code = folder / "layers.py"
    code.write_text(CODE)
    return code


def _taught(name: str, *shape: int) -> tuple[Any, Any]:
    data = patterns(*shape)
    return taught(defined()[name](), *data), data


def from_a_notebook(folder: Path) -> Brought:
    return Brought(*_taught("SimpleModel", 20))


def from_its_file(folder: Path) -> Brought:
    model, data = _taught("SimpleModel", 20)
    model.save(folder / "own.keras")
    return Brought(folder / "own.keras", data, {"code": _code(folder)})


def from_hdf5(folder: Path) -> Brought:
    import keras

    own = defined()
    x, y = patterns(20)
    given = keras.Input((20,))
    hidden = own["Scaled"](48)(keras.layers.Dense(32, activation="relu")(given))
    model = keras.Model(given, keras.layers.Dense(3, activation="softmax")(hidden))
    taught(model, x, y).save(folder / "own.h5")
    return Brought(folder / "own.h5", (x, y), {"code": _code(folder)})


def composite(folder: Path) -> Brought:
    return Brought(*_taught("Composed", 20))


def closed(folder: Path) -> Brought:
    return Brought(*_taught("Mixed", 20))


def several_inputs(folder: Path) -> Brought:
    return Brought(*_taught("Gated", 20))


def closed_model(folder: Path) -> Brought:
    x, y = patterns(20)
    x = {"a": x[:, :12], "b": x[:, 12:]}
    return Brought(taught(defined()["Two"](), x, y), (x, y))


def wrapped(folder: Path) -> Brought:
    import keras

    own = defined()
    x, y = patterns(8, 6)
    given = keras.Input((8, 6))
    steps = keras.layers.TimeDistributed(own["Mixing"](16))(given)
    with keras.saving.custom_object_scope({"Cell": own["Cell"]}):
        both = keras.layers.Bidirectional(keras.layers.RNN(own["Cell"](12)))(steps)
    hidden = keras.layers.Dense(32, activation="relu")(both)
    model = keras.Model(given, keras.layers.Dense(3, activation="softmax")(hidden))
    return Brought(taught(model, x, y), (x, y))


def activation(folder: Path) -> Brought:
    import keras

    ramp = defined()["ramp"]
    x, y = patterns(20)
    layers = [
        keras.Input((20,)),
        keras.layers.Dense(64, activation=ramp),
        keras.layers.Dense(32),
        keras.layers.Activation(ramp),
        keras.layers.Dense(3, activation="softmax"),
    ]
    return Brought(taught(keras.Sequential(layers), x, y), (x, y))


def registered(folder: Path) -> Brought:
    import keras

    x, y = patterns(20)
    layers = [
        keras.Input((20,)),
        keras.layers.Dense(32, activation="relu"),
        defined()["Scaled"](48),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(3, activation="softmax"),
    ]
    taught(keras.Sequential(layers), x, y).save(folder / "registered.keras")
    return Brought(folder / "registered.keras", (x, y), {"code": _code(folder)})
