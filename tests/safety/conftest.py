"""Good model files, made once, from which the hostile ones are built."""

import numpy as np
import pytest

from tests.safety.hostile import Quiet
from workbench.api.errors import WorkbenchError
from workbench.models.intake.intake import open_model


@pytest.fixture(scope="session")
def keras():
    from workbench.models.converting.conversion import import_keras

    return import_keras()


@pytest.fixture(scope="session")
def good(keras, tmp_path_factory):
    """A folder with good.keras and good.h5: a trained dense model with optimizer state."""
    import warnings

    folder = tmp_path_factory.mktemp("good")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6,), name="numbers"),
            keras.layers.Dense(8, activation="relu", name="hidden"),
            keras.layers.Dense(3, activation="softmax", name="classes"),
        ],
        name="small",
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's and h5's own, while the good file is made
        model.fit(np.zeros((4, 6), "float32"), np.zeros(4), verbose=0)
        model.save(folder / "good.keras")
        model.save(folder / "good.h5")
    return folder


@pytest.fixture
def said(tmp_path):
    """Opens a file that must not open; what the user reads, with the kind of error in front."""

    def open_badly(path, **how):
        folder = tmp_path / "store"
        folder.mkdir(exist_ok=True)
        with pytest.raises(WorkbenchError) as caught:
            open_model(Quiet(), path, folder, **how)
        assert list(folder.rglob("*")) == [], "something was stored half"
        return f"{type(caught.value).__name__}: {caught.value}"

    return open_badly
