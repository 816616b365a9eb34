import io

import numpy as np
import pytest
from PIL import Image

from tests.data.sources import labelled
from workbench.api.errors import InvalidInput
from workbench.data.pictures import picture
from workbench.data.prepare import prepare


def opened(content):
    assert content is not None
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("shape", [(9, 12), (9, 12, 1), (9, 12, 3)])
@pytest.mark.parametrize("scaling", ["none", "divide by 255", "range 0..1"])
def test_a_sample_looks_as_it_came(tmp_path, shape, scaling):
    x = np.random.default_rng(0).integers(0, 256, (150, *shape)).astype(np.uint8)
    x[0].flat[:2] = 0, 255
    samples = (x, np.arange(150) % 2)
    dataset = prepare({"train": samples, "test": samples}, tmp_path / "out", scaling=scaling)
    image = opened(picture(dataset, 7))
    assert image.format == "PNG"
    assert image.size == (12, 9)
    np.testing.assert_array_equal(np.asarray(image).reshape(shape), x[7])


def test_large_pictures_are_made_smaller(tmp_path):
    x = np.zeros((60, 300, 600, 1), np.uint8)
    few = (x[:10], np.arange(10) % 2)
    dataset = prepare(((x, np.arange(60) % 2), few, few), tmp_path / "out")
    assert opened(picture(dataset, 0)).size == (256, 128)


def test_tables_have_no_pictures(tmp_path):
    assert picture(prepare(labelled(), tmp_path / "out"), 0) is None


@pytest.mark.parametrize("index", [-1, 24, 10**9])
def test_a_sample_that_does_not_exist(tmp_path, index):
    dataset = prepare(labelled(shape=(8, 8, 1)), tmp_path / "out")
    with pytest.raises(InvalidInput) as caught:
        picture(dataset, index)
    assert str(caught.value) == f"There is no sample {index}; there are 24, numbered from 0."
