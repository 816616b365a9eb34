import os
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from tests.data.sources import labelled, npy, npy_header, npz, npz_of_bytes
from workbench.api.errors import InvalidInput, Refused, WorkbenchError
from workbench.data import Dataset
from workbench.data.files import read_path
from workbench.data.mapping import plan
from workbench.data.npz import read_npz
from workbench.data.prepare import prepare
from workbench.data.where import where

LIMIT = 2**20


def read(path, limit_bytes=LIMIT):
    return read_path(path, label=None, limit_bytes=limit_bytes)


def error_of(path, limit_bytes=LIMIT) -> str:
    with pytest.raises(WorkbenchError) as caught:
        read(path, limit_bytes)
    return str(caught.value)


def test_three_splits_under_every_name_that_people_use(tmp_path):
    x, y = labelled(30)
    for validation in ("val", "valid", "validation"):
        path = npz(
            tmp_path / f"{validation}.npz",
            X_train=x, y_train=y, x_test=x + 1, y_test=y,
            **{f"x_{validation}": x + 2, f"y_{validation}": y},
        )  # fmt: skip
        splits = read(path).splits
        np.testing.assert_array_equal(splits["train"].x[""], x)
        np.testing.assert_array_equal(splits["test"].x[""], x + 1)
        np.testing.assert_array_equal(splits["validation"].x[""], x + 2)


def test_several_inputs_class_names_and_extra_arrays(tmp_path):
    image, y = labelled(shape=(5, 5, 1))
    size, _ = labelled(shape=(2,), seed=1)
    path = npz(
        tmp_path / "two.npz",
        **{"x.image": image, "x.size": size},
        y=y,
        classes=np.array(["a", "b", "c"]),
        author=np.array(3),
    )
    dataset = prepare(path, tmp_path / "out")
    assert dataset.info.input_shapes == {"image": (5, 5, 1), "size": (2,)}
    assert dataset.info.classes == ("a", "b", "c")
    assert "Ignored: author." in [str(note) for note in dataset.info.notes]
    features = dataset.x("test")
    assert isinstance(features, dict)
    # The inputs of one sample stay together.
    np.testing.assert_array_equal(features["image"].reshape(24, -1)[:, 0], features["size"][:, 0])


def test_arrays_without_a_role_are_never_read(tmp_path):
    x, y = labelled()
    path = npz_of_bytes(
        tmp_path / "extra.npz",
        {"x.npy": npy(x), "y.npy": npy(y), "junk.npy": npy_header((10**12,)), "readme.txt": b"hello"},
    )
    assert read(path).splits["train"].x[""].shape == x.shape


MISSING = [
    ({"a": 1, "b": 1}, "f.npz has no training samples with labels; it holds: a, b. It takes "
     "x_train and y_train, "
     "with x_test and y_test if there are any; or x and y."),
    ({}, "f.npz has no training samples with labels; it holds: nothing. It takes x_train and y_train, "
     "with x_test and y_test if there are any; or x and y."),
    ({"x_test": 1, "y_test": 1}, "f.npz has no training samples with labels; it holds: x_test, "
     "y_test. It takes "
     "x_train and y_train, with x_test and y_test if there are any; or x and y."),
    ({"x_train": 1, "y_train": 1, "x_test": 1},
     "f.npz lacks y_test. Give samples (x) and labels (y) for each split."),
    ({"x": 1, "y": 1, "y_val": 1}, "f.npz lacks x_val. Give samples (x) and labels (y) for each split."),
    ({"x_train": 1, "X_train": 1, "y_train": 1}, "f.npz has both x_train and X_train. Give each array once."),
    ({"x": 1, "x_train": 1, "y": 1}, "f.npz has both x and x_train. Give each array once."),
    ({"x": 1, "y_train": 1}, "f.npz names the train split in two ways. Use x_train and y_train, or x and y; "
     "x_val and y_val, or x_validation and y_validation."),
    ({"x": 1, "x.image": 1, "y": 1}, "f.npz has both a single input and named inputs. "
     "Name all inputs (x_train.image, x_train.size) or none (x_train)."),
]  # fmt: skip


@pytest.mark.parametrize(("arrays", "text"), MISSING)
def test_missing_and_doubled_arrays(tmp_path, arrays, text):
    assert error_of(npz(tmp_path / "f.npz", **arrays)) == text


def test_object_arrays_are_refused_without_unpickling(tmp_path):
    marker = tmp_path / "ran"

    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    x, y = labelled(20)
    evil = np.empty(20, object)
    evil[:] = [Payload() for _ in range(20)]
    for arrays in ({"x": evil, "y": y}, {"x": x, "y": evil}, {"x": x, "y": y, "classes": evil[:3]}):
        path = npz(tmp_path / "f.npz", **arrays)
        with pytest.raises(Refused, match=r"is an object array: it holds pickled Python objects"):
            read(path)
    assert not marker.exists()
    assert error_of(npz(tmp_path / "f.npz", x=evil, y=y)) == (
        "x in f.npz is an object array: it holds pickled Python objects, which can run code. "
        "Save it as numbers or strings, for instance with .astype('float32') or .astype(str)."
    )


def test_a_pickle_that_calls_itself_npz(tmp_path):
    path = tmp_path / "f.npz"
    np.array([object()], object).dump(path)
    assert error_of(path).startswith("f.npz is not an .npz file. Write it with numpy.savez(")


@pytest.mark.parametrize("shape", [(2**28,), (2**31,), (2**16, 2**16, 2**16)])
def test_shape_bombs_are_refused_by_their_headers(tmp_path, shape):
    """1 GiB, 8 GiB and 2**50 bytes declared in a file of a few hundred bytes."""
    path = npz_of_bytes(
        tmp_path / "f.npz", {"x.npy": npy_header(shape) + b"\0" * 64, "y.npy": npy(np.arange(9))}
    )
    declared = 4 * int(np.prod(shape, dtype=object))
    assert error_of(path) == (
        f"x in f.npz declares {declared:,} bytes of values, shape {shape}, and holds 64. "
        "The file is damaged; save it again."
    )


def test_a_compressed_bomb_is_refused_before_it_is_unpacked(tmp_path):
    zeros = npy(np.zeros((2**22,), np.uint8))
    path = npz_of_bytes(tmp_path / "f.npz", {"x.npy": zeros, "y.npy": zeros}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 20_000
    assert error_of(path) == (
        "f.npz would take 8.4 MB in memory; the limit is 1.0 MB. Use fewer or smaller samples, or "
        f"raise the limit: {where('limit_gib')}."
    )


def test_a_header_bomb_is_refused(tmp_path):
    """NumPy reads a header of any declared length before it looks at its limit."""
    header = b"\x93NUMPY\x02\0" + (200 * 2**20).to_bytes(4, "little") + b" " * 2**20
    path = npz_of_bytes(
        tmp_path / "f.npz", {"x.npy": header, "y.npy": npy(np.arange(9))}, zipfile.ZIP_DEFLATED
    )
    assert error_of(path) == "The header of x in f.npz is damaged. Save it again with numpy.savez."


@pytest.mark.parametrize(
    "header",
    [
        npy_header("(-3,)"),
        npy_header("'abc'"),
        npy_header("(" * 3000),
        npy_header("(3,)", "no such type"),
        npy_header("__import__('os').getcwd()"),
        npy_header((3,))[:9],
        npy_header((3,)).replace(b"\x93NUMPY\x01", b"\x93NUMPY\x09"),
    ],
)
def test_headers_that_lie(tmp_path, header):
    path = npz_of_bytes(tmp_path / "f.npz", {"x.npy": header + b"\0" * 12, "y.npy": npy(np.arange(3))})
    assert error_of(path) == "The header of x in f.npz is damaged. Save it again with numpy.savez."


def test_a_member_that_is_no_array(tmp_path):
    path = npz_of_bytes(tmp_path / "f.npz", {"x.npy": b"hello", "y.npy": npy(np.arange(3))})
    assert error_of(path) == "x in f.npz is not a NumPy array. Save it again with numpy.savez."


def test_two_members_of_one_name(tmp_path):
    path = tmp_path / "f.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(np.zeros((3, 2))))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.npy", npy(np.ones((3, 2))))
    assert error_of(path) == "f.npz holds two arrays called x. Save it again with numpy.savez."


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_unusual_packing(tmp_path, method):
    path = npz_of_bytes(
        tmp_path / "f.npz", {"x.npy": npy(np.zeros((3, 2))), "y.npy": npy(np.arange(3))}, method
    )
    assert error_of(path) == (
        "x in f.npz is encrypted or packed in an unusual way. "
        "Save it again with numpy.savez or numpy.savez_compressed."
    )


@pytest.mark.parametrize("name", ["../../up", "/etc/passwd", "a\\b", "x" * 101, "..", "<script>"])
def test_input_names_that_would_leave_the_folder(tmp_path, name):
    x, y = labelled()
    path = npz_of_bytes(tmp_path / "f.npz", {f"x.{name}.npy": npy(x), "x.b.npy": npy(x), "y.npy": npy(y)})
    with pytest.raises(InvalidInput):
        prepare(path, tmp_path / "work" / "out")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["f.npz"]


def test_empty_wrong_and_single_array_files(tmp_path):
    write = "Write it with numpy.savez(file, x_train=..., y_train=..., x_test=..., y_test=...)."
    path = tmp_path / "f.npz"
    path.write_bytes(b"")
    assert error_of(path) == f"f.npz is empty. {write}"
    path.write_bytes(b"hello, world")
    assert error_of(path) == f"f.npz is not an .npz file. {write}"
    path.write_bytes(npy(np.zeros(3)))
    assert error_of(path) == f"f.npz is a single array (.npy), without labels. {write}"


@pytest.mark.parametrize("compressed", [False, True])
def test_truncated_at_every_tenth(tmp_path, compressed):
    x, y = labelled(400)
    path = tmp_path / "whole.npz"
    (np.savez_compressed if compressed else np.savez)(path, x=x, y=y)
    content = path.read_bytes()
    for tenth in range(10):
        cut = tmp_path / "cut.npz"
        cut.write_bytes(content[: len(content) * tenth // 10])
        assert "cut.npz is" in error_of(cut)


def test_damaged_bytes_never_give_silently_wrong_arrays(tmp_path):
    x, y = labelled(50)
    content = npz(tmp_path / "f.npz", x=x, y=y).read_bytes()
    random = np.random.default_rng(0)
    damaged = tmp_path / "damaged.npz"
    for _ in range(300):
        changed = bytearray(content)
        for position in random.integers(0, len(content), 3):
            changed[position] = random.integers(256)
        damaged.write_bytes(changed)
        try:
            raw = read(damaged)
        except WorkbenchError:
            continue
        np.testing.assert_array_equal(raw.splits["train"].x[""], x)
        np.testing.assert_array_equal(raw.splits["train"].y, y)


def test_a_directory_and_a_pipe_that_call_themselves_npz(tmp_path):
    (tmp_path / "folder.npz").mkdir()
    assert error_of(tmp_path / "folder.npz").startswith("folder.npz holds no folders of pictures.")
    os.mkfifo(tmp_path / "pipe.npz")
    assert error_of(tmp_path / "pipe.npz") == (
        f"{tmp_path / 'pipe.npz'} is neither a file nor a folder. "
        "Use an .npz file, a .csv, .parquet or .arrow table, a folder that save_to_disk wrote, or a folder "
        "or .zip file with one folder of pictures for each class."
    )


def test_nothing_is_left_behind_by_a_failure(tmp_path):
    x, y = labelled()
    x[7, 2] = np.nan
    path = npz(tmp_path / "f.npz", x=x, y=y)
    with pytest.raises(InvalidInput, match="1 missing"):
        prepare(path, tmp_path / "out")
    # Found only while writing, when the folder is already half there.
    path = npz(tmp_path / "f.npz", x=np.full((120, 4), 1e300), y=y)
    with pytest.raises(InvalidInput, match="x_train holds values too large for float32"):
        prepare(path, tmp_path / "out")
    assert [entry.name for entry in tmp_path.iterdir()] == ["f.npz"]


_DTYPES = st.sampled_from(["bool", "u1", "i2", "i8", "f2", "f4", "f8"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    dtype=_DTYPES,
    shape=numpy_strategies.array_shapes(min_dims=1, max_dims=3, max_side=4),
    compressed=st.booleans(),
)
def test_any_numbers_come_back_as_they_were(tmp_path, data, dtype, shape, compressed):
    elements = None if dtype != "f8" else st.floats(-1e30, 1e30)
    if dtype in ("f2", "f4"):
        elements = st.floats(-6e4, 6e4, width=16)
    x = data.draw(numpy_strategies.arrays(dtype, (30, *shape), elements=elements))
    y = np.arange(30) % 2
    path = tmp_path / "any.npz"
    (np.savez_compressed if compressed else np.savez)(path, x_train=x, y_train=y, x_test=x, y_test=y)
    raw = read_npz(path, limit_bytes=LIMIT)
    np.testing.assert_array_equal(raw.splits["test"].x[""], x)
    assert raw.splits["test"].x[""].dtype == x.dtype


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400), magic=st.sampled_from([b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00"]))
def test_arbitrary_bytes_are_explained(tmp_path, content, magic):
    path = tmp_path / "f.npz"
    path.write_bytes(magic + content)
    assert "f.npz" in error_of(path)


def test_the_written_folder_is_what_dataset_reads(tmp_path):
    x, y = labelled(150, classes=2)
    path = npz(tmp_path / "f.npz", x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    dataset = prepare(path, tmp_path / "out")
    again = Dataset(tmp_path / "out")
    assert again.info == dataset.info
    assert again.info.counts == {"train": 134, "validation": 16, "test": 20}
    np.testing.assert_array_equal(again.x("test"), x[:20])


@pytest.mark.parametrize(
    ("keys", "splits"),
    [
        ("train_images train_labels val_images val_labels test_images test_labels", 3),
        ("train_data train_labels test_data test_labels", 2),
        ("data target", 1),
        ("images labels", 1),
    ],
)
def test_what_others_call_samples_and_labels(keys, splits):
    found = plan(keys.split(), "a.npz")
    assert len(found.x) == len(found.y) == splits
    assert found.keys == [*keys.split()[::2], *keys.split()[1::2]]
    assert plan(["x", "y", *keys.split()], "a.npz").keys == ["x", "y"]
