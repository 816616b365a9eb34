import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.api.errors import Cancelled, InvalidInput
from workbench.measure.records import SizeMeasurement
from workbench.measure.size import gzip_bytes, measure_size


@given(st.binary(max_size=5000), st.integers(1, 400))
def test_gzip_size_is_that_of_gzip(tmp_path_factory, content, times):
    path = tmp_path_factory.mktemp("size") / "model.tflite"
    path.write_bytes(content * times)
    assert gzip_bytes(path) == len(gzip.compress(content * times, 9, mtime=0))


def test_larger_than_one_chunk(tmp_path):
    content = np.random.default_rng(0).integers(0, 60, 3_000_000).astype(np.uint8).tobytes()
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    assert measure_size(path, 7) == SizeMeasurement(
        parameters=7, file_bytes=3_000_000, gzip_bytes=len(gzip.compress(content, 9, mtime=0))
    )


def test_a_folder_counts_every_file(tmp_path):
    folder = tmp_path / "openvino"
    (folder / "deep").mkdir(parents=True)
    contents = {"model.xml": b"<net/>" * 50, "model.bin": bytes(1000), "deep/vocabulary.txt": b"abc"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    size = measure_size(folder, 3, peak_memory_bytes=12)
    assert size.file_bytes == 300 + 1000 + 3
    assert size.gzip_bytes == sum(len(gzip.compress(content, 9, mtime=0)) for content in contents.values())
    assert size.peak_memory_bytes == 12


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InvalidInput, match="There is no file"):
        measure_size(tmp_path / "none.tflite", 0)
    with pytest.raises(InvalidInput, match="There is no file"):
        measure_size(tmp_path, 0)


def test_cancel(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"x")

    def cancelled():
        raise Cancelled

    with pytest.raises(Cancelled):
        measure_size(path, 0, check=cancelled)
