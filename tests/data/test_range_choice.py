"""A model is run on samples of the data before it is stored; which range of values it wants is tried."""

import numpy as np
import pytest

from workbench.api.errors import InvalidInput
from workbench.api.variant import RuntimeSettings
from workbench.data.prepare import prepare
from workbench.measure.range_choice import try_on_samples
from workbench.models.reading.description import describe_keras

keras = pytest.importorskip("keras")
L = keras.layers
Y = np.arange(200) % 2


class Quiet:
    def stage(self, text):
        pass


def tried(model, data, folder, **options):
    """What running a model on prepared data shows, and the data."""
    path = folder / "model.keras"
    model.save(path)
    # all the tests' scores are raw ones, which only their own layer tells
    description = describe_keras(model).model_copy(update={"from_logits": True})
    dataset = prepare(data, folder / "data", model=description, **options)
    found = try_on_samples(Quiet(), path, "keras.eager", RuntimeSettings(), description, dataset.folder)
    return found, dataset


def summing(shape, weights, threshold, first=()):
    """Says 1 where a weighted sum, or the mean of a picture, is above a threshold."""
    out = L.Dense(1)
    pooled = [L.GlobalAveragePooling2D()] if len(shape) == 3 else []
    model = keras.Sequential([keras.Input(shape), *first, *pooled, out])
    out.set_weights([np.reshape(weights, (-1, 1)), np.full(1, -threshold)])
    return model


def pictures():
    """Bright and dark ones, in bytes."""
    rng = np.random.default_rng(0)
    return (rng.integers(0, 100, (200, 6, 6, 1)) + 150 * Y[:, None, None, None]).astype(np.uint8)


def columns(dtype=np.float32):
    """The label is in the first column alone, whose values are small against the second's."""
    rng = np.random.default_rng(0)
    return np.stack([10 + 4 * Y + rng.random(200), 1000 + 100 * rng.random(200)], axis=1).astype(dtype)


@pytest.mark.parametrize(("threshold", "scaling"), [(125, "none"), (0.5, None)])
def test_pixels_in_the_range_that_the_model_was_trained_on(threshold, scaling, tmp_path):
    found, dataset = tried(summing((6, 6, 1), [1], threshold), (pictures(), Y), tmp_path)
    assert dataset.info.scalings == {"": "divide by 255"}
    assert found.scalings == (scaling and {"": scaling})
    assert found.better_than_guessing
    if scaling:
        assert "is right on 50% of 140 training samples" in str(found.note)
        assert 'with "none" on 100%' in str(found.note)


def test_float_pixels_are_divided_for_a_model_that_was_trained_on_0_to_1(tmp_path):
    found, dataset = tried(summing((6, 6, 1), [1], 0.5), (pictures().astype(np.float32), Y), tmp_path)
    assert dataset.info.scalings == {"": "none"}
    assert found.scalings == {"": "divide by 255"}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_pixels_of_a_model_that_was_trained_on_minus_1_to_1(dtype, tmp_path):
    # half of the pictures are darker than the middle: from 0 to 1 all are on one side
    found, _ = tried(summing((6, 6, 1), [1], 0), (pictures().astype(dtype), Y), tmp_path)
    assert found.scalings == {"": "pixels to -1..1"}
    dataset = prepare((pictures(), Y), tmp_path / "again", scaling="pixels to -1..1")
    assert str(dataset.info.scaling) == "values / 127.5 - 1"
    given = {tuple(picture.ravel().tolist()) for picture in (pictures() / 127.5 - 1).astype(np.float32)}
    assert all(tuple(picture.ravel().tolist()) in given for picture in np.asarray(dataset.x("test")))


@pytest.mark.parametrize(("bits", "scaling"), [(12, "divide by 4095"), (16, "divide by 65535")])
def test_pixels_of_more_than_8_bits(bits, scaling, tmp_path):
    deep = pictures().astype(np.uint16) << (bits - 8)
    found, dataset = tried(summing((6, 6, 1), [1], 0.5), (deep, Y), tmp_path)
    assert dataset.info.scalings == {"": "none"}
    assert found.scalings == {"": scaling}


def test_a_model_that_knows_nothing_decides_nothing(tmp_path):
    found, _ = tried(summing((6, 6, 1), [1], 1e6), (pictures(), Y), tmp_path)
    assert (found.scalings, found.note, found.better_than_guessing) == (None, None, False)


def test_columns_of_a_model_that_was_trained_on_standardized_ones(tmp_path):
    found, _ = tried(summing((2,), [1, 0.01], 0), (columns(), Y), tmp_path)
    assert found.scalings == {"": "standardize"}
    assert found.better_than_guessing


def test_columns_that_are_right_as_they_came_stay_so(tmp_path):
    found, _ = tried(summing((2,), [1, 0], 12.5), (columns(), Y), tmp_path)
    assert (found.scalings, found.better_than_guessing) == (None, True)


def test_few_bytes_in_a_row_are_no_pixels(tmp_path):
    data = (columns() / [1, 5]).astype(np.uint8)
    found, dataset = tried(summing((2,), [1, 0], 12.5), (data, Y), tmp_path)
    assert dataset.info.scalings == {"": "none"}
    assert found.scalings is None


def test_one_of_two_inputs_is_scaled(tmp_path):
    image, table = keras.Input((6, 6, 1), name="image"), keras.Input((2,), name="table")
    ids = keras.Input((1,), name="ids", dtype="int64")
    out = L.Dense(1)
    looked_up = L.Flatten()(L.Embedding(3, 2)(ids))
    model = keras.Model(
        [image, table, ids], out(L.Concatenate()([L.GlobalAveragePooling2D()(image), table, looked_up]))
    )
    out.set_weights([np.array([[1.0], [0], [0], [0], [0]]), np.full(1, -125.0)])
    x = {"image": pictures(), "table": columns(), "ids": (np.arange(200) % 3)[:, None]}
    found, dataset = tried(model, {**{f"x.{name}": array for name, array in x.items()}, "y": Y}, tmp_path)
    assert dataset.info.scalings == {"image": "divide by 255", "table": "none", "ids": "none"}
    assert dataset.x("test")["ids"].dtype == np.int64
    assert found.scalings == {"image": "none", "table": "none", "ids": "none"}
    assert 'With scaling "image: divide by 255"' in str(found.note)


def test_samples_that_the_model_cannot_take_are_refused_with_their_shape(tmp_path):
    inputs = keras.Input((None, 1))
    model = keras.Model(inputs, L.Dense(1)(L.GlobalAveragePooling1D()(L.Conv1D(2, 30)(inputs))))
    with pytest.raises(InvalidInput) as caught:
        tried(model, (np.zeros((200, 20, 1), np.float32), Y), tmp_path)
    assert str(caught.value).startswith("The model cannot be run on the samples of the data: ")
    assert str(caught.value).endswith(
        "The samples are (20, 1) float32: compare that with what the model was trained on."
    )
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_what_comes_out_as_no_number_is_refused(tmp_path):
    model = summing((2,), [np.nan, 0], 0)
    with pytest.raises(InvalidInput, match="NaN or infinity for 140 of 140 samples"):
        tried(model, (columns(), Y), tmp_path)
