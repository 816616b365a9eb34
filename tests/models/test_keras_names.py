"""The list of built-in classes is the one of the Keras that is installed."""

import inspect

from workbench.models.intake.inspection import inspect as inspect_file
from workbench.models.intake.keras_config import _OTHER_CODE
from workbench.models.intake.keras_names import LAYERS, PARTS

# run code from the file, or are no layers to build from a file
LEFT_OUT = {"Lambda", "Layer", "Wrapper", "InputSpec"} | _OTHER_CODE


def test_every_layer_of_keras_is_known(keras):
    of_keras = {name for name, value in vars(keras.layers).items() if inspect.isclass(value)}
    assert of_keras - LAYERS <= LEFT_OUT
    assert not LAYERS & LEFT_OUT


def test_every_part_of_keras_is_known(keras):
    for module in (keras.initializers, keras.regularizers, keras.constraints, keras.dtype_policies):
        assert {name for name, value in vars(module).items() if inspect.isclass(value)} <= PARTS


def test_slices_are_plain_values(keras, tmp_path):
    series = keras.Input((9, 3))
    last = keras.layers.GRU(4, return_sequences=True)(series)[:, -1, :]
    keras.Model(series, keras.layers.Dense(2)(last[..., 1:])).save(tmp_path / "model.keras")
    assert inspect_file(tmp_path / "model.keras").problems == ()
