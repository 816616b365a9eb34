"""Which range of pixels a model wants is found by trying both."""

import numpy as np
import pytest

from workbench.data.prepare import prepare
from workbench.data.range_choice import better_range
from workbench.variant import Layer, ModelDescription, RuntimeSettings

keras = pytest.importorskip("keras")
L = keras.layers
LOGITS = ModelDescription(inputs=(), outputs=(), from_logits=True)


class Quiet:
    def stage(self, text):
        pass


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Bright and dark pictures; /255 in the prepared data."""
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    x = (rng.integers(0, 100, (200, 6, 6, 1)) + 150 * y[:, None, None, None]).astype(np.uint8)
    return prepare({"x": x, "y": y}, tmp_path_factory.mktemp("data") / "pictures")


def brightness(threshold, path):
    """Says 1 where the mean is above a threshold."""
    out = L.Dense(1)
    model = keras.Sequential([keras.Input((6, 6, 1)), L.GlobalAveragePooling2D(), out])
    out.set_weights([np.ones((1, 1)), np.full(1, -threshold)])
    model.save(path)
    return path


@pytest.mark.parametrize(("threshold", "scaling"), [(125, "none"), (0.5, None)])
def test_the_range_that_the_model_was_trained_on(threshold, scaling, pictures, tmp_path):
    path = brightness(threshold, tmp_path / "model.keras")
    found = better_range(Quiet(), path, "keras.eager", RuntimeSettings(), LOGITS, pictures.folder)
    assert (found and found[0]) == scaling
    if found:
        assert "is right on 50 % of 140 training samples" in str(found[1])
        assert 'with "none" on 100 %' in str(found[1])


def test_a_model_that_knows_nothing_decides_nothing(pictures, tmp_path):
    path = brightness(1e6, tmp_path / "model.keras")
    assert better_range(Quiet(), path, "keras.eager", RuntimeSettings(), LOGITS, pictures.folder) is None


def test_a_layer_that_scales_decides_where_samples_do_not(pictures, tmp_path):
    path = brightness(1e6, tmp_path / "model.keras")
    layer = Layer(name="scale", kind="Rescaling", parameters=0, size_bytes=0)
    scaling, reason = better_range(
        Quiet(),
        path,
        "keras.eager",
        RuntimeSettings(),
        LOGITS.model_copy(update={"layers": (layer,)}),
        pictures.folder,
    )
    assert scaling == "none"
    assert str(reason).startswith("The model scales its own input")
