import numpy as np
import pytest

from tests.data.sources import labelled
from workbench.api.errors import InvalidInput
from workbench.api.variant import ModelDescription, TensorSpec
from workbench.data.prepare import prepare
from workbench.data.scaling import scaling_warning


def pixels(high=256, shape=(8, 8, 1), dtype=np.uint8, count=200):
    return np.random.default_rng(0).integers(0, high, (count, *shape)).astype(dtype), np.arange(count) % 2


def model(role):
    """A model whose warning only depends on what it does with its input."""
    return ModelDescription(inputs=(TensorSpec(name="x", shape=(), role=role),), outputs=())


def whole(dataset):
    return np.concatenate([dataset.x(split) for split in ("train", "validation", "test")])


AUTOMATIC = [
    (pixels(), "values / 255", 255),
    (pixels(17), "values / 255", 255),
    (pixels(2), "values as they came", 1),  # 8-bit masks of 0 and 1
    (pixels(shape=(64,)), "values / 255", 255),
    (pixels(20, shape=(6,)), "values as they came", 1),  # 8-bit counts in a table
    (pixels(dtype=np.int64), "values as they came", 1),
    (pixels(dtype=np.float64), "values as they came", 1),
]


@pytest.mark.parametrize(("data", "text", "divisor"), AUTOMATIC)
def test_automatic_scaling_divides_8_bit_pixels_and_nothing_else(tmp_path, data, text, divisor):
    dataset = prepare(data, tmp_path / "out")
    assert str(dataset.info.scaling) == text
    expected = np.sort((data[0] / divisor).astype(np.float32), axis=None)
    np.testing.assert_array_equal(np.sort(whole(dataset), axis=None), expected)


def test_standardize_uses_the_training_split_alone(tmp_path):
    x, y = labelled(200)
    x = x * [1, 10, 100, 0] + [0, 5, -7, 3]
    dataset = prepare((x, y), tmp_path / "out", scaling="standardize")
    plain = prepare((x, y), tmp_path / "plain", scaling="none")
    train = np.asarray(plain.x("train"), np.float64)
    spread = np.where(train.std(axis=0) > 0, train.std(axis=0), 1)
    for split in ("train", "validation", "test"):
        expected = (plain.x(split) - train.mean(axis=0)) / spread
        np.testing.assert_allclose(dataset.x(split), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(dataset.x("train").mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(dataset.x("train").std(axis=0), [1, 1, 1, 0], atol=1e-5)
    assert abs(np.asarray(dataset.x("test")).mean(axis=0)[:3]).max() > 1e-3
    assert str(dataset.info.scaling) == (
        "(value - mean) / standard deviation of each column, both from the training split"
    )


def test_the_test_split_cannot_change_what_the_training_split_becomes(tmp_path):
    x, y = labelled(200)
    for scaling in ("standardize", "range 0..1"):
        first = prepare(
            {"x_train": x, "y_train": y, "x_test": x, "y_test": y}, tmp_path / scaling, scaling=scaling
        )
        second = prepare(
            {"x_train": x, "y_train": y, "x_test": x * 1000, "y_test": y},
            tmp_path / f"{scaling} 2",
            scaling=scaling,
        )
        np.testing.assert_array_equal(first.x("train"), second.x("train"))


def test_range_by_column_and_over_pictures(tmp_path):
    x, y = labelled(200)
    dataset = prepare((x, y), tmp_path / "table", scaling="range 0..1")
    np.testing.assert_array_equal(dataset.x("train").min(axis=0), [0, 0, 0, 0])
    np.testing.assert_array_equal(dataset.x("train").max(axis=0), [1, 1, 1, 1])
    dataset = prepare(pixels(17), tmp_path / "pictures", scaling="range 0..1")
    assert str(dataset.info.scaling) == "range 0 to 16 of the training split to 0 to 1"
    assert (dataset.info.minimum, dataset.info.maximum) == (0, 1)


def test_standardized_pictures_share_one_mean(tmp_path):
    dataset = prepare(pixels(), tmp_path / "out", scaling="standardize")
    assert abs(float(np.asarray(dataset.x("train")).mean())) < 1e-6
    assert abs(float(np.asarray(dataset.x("train")).std()) - 1) < 1e-6
    assert str(dataset.info.scaling) == "(value - mean) / standard deviation, both from the training split"


def test_each_input_is_scaled_and_stated_by_itself(tmp_path):
    image, y = pixels()
    size, _ = labelled(200, shape=(2,))
    dataset = prepare({"x.image": image, "x.size": size, "y": y}, tmp_path / "out")
    assert str(dataset.info.scaling) == "image: values / 255; size: values as they came"


def test_unknown_scaling(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        prepare(labelled(), tmp_path / "out", scaling="divide by 256")
    assert str(caught.value) == (
        "Unknown scaling: divide by 256. Use one of: auto, none, divide by 255, pixels to -1..1, "
        "divide by 4095, divide by 65535, standardize, range 0..1."
    )
    assert not list(tmp_path.iterdir())


RAW_PIXELS = (
    "Pixels lie between 0 and 255 and the model has no Rescaling layer. Most models are trained on 0 to 1: "
    'if accuracy is low, prepare the data with scaling "divide by 255".'
)
TWICE = (
    "The model scales its own input, and the data are scaled already, to 0 to 1: "
    'prepare them with scaling "none".'
)


@pytest.mark.parametrize(
    ("scaling", "role", "text"),
    [
        ("none", "numbers", RAW_PIXELS),
        ("none", "raw numbers", None),
        ("auto", "numbers", None),
        ("auto", "raw numbers", TWICE),
    ],
)
def test_pixels_that_do_not_fit_the_model(tmp_path, scaling, role, text):
    info = prepare(pixels(), tmp_path / "out", scaling=scaling).info
    warning = scaling_warning(info, model(role))
    assert (None if warning is None else str(warning)) == text


def test_columns_that_do_not_fit_the_model(tmp_path):
    info = prepare("breast-cancer", tmp_path / "raw", scaling="none").info
    assert str(scaling_warning(info, model("numbers"))) == (
        "Values lie between 0 and 4254 and the model has no Normalization layer. Most models are trained on "
        'standardized columns: if accuracy is low, prepare the data with scaling "standardize".'
    )
    assert scaling_warning(info, model("raw numbers")) is None
    info = prepare("breast-cancer", tmp_path / "standardized").info
    assert scaling_warning(info, model("numbers")) is None


def test_word_numbers_are_not_pixels(tmp_path):
    words = np.random.default_rng(0).integers(0, 10_000, (200, 20))
    info = prepare((words, np.arange(200) % 2), tmp_path / "words").info
    assert scaling_warning(info, model("ids")) is None
    scaled = prepare((words / 10_000, np.arange(200) % 2), tmp_path / "scaled").info
    assert str(scaling_warning(scaled, model("ids"))) == (
        f"The model looks words up by number, and the data lie between {scaled.minimum:g} and "
        f"{scaled.maximum:g}: prepare them without scaling."
    )
