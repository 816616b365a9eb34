import json
import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from tests.data.sources import labelled
from workbench.api.errors import InvalidInput, Refused
from workbench.data import Dataset
from workbench.data.prepare import prepare
from workbench.data.where import where


def test_the_folder_is_described_completely(tmp_path):
    x, y = labelled(200, classes=4, shape=(6, 5, 3))
    dataset = prepare((x, y), tmp_path / "deep" / "out", name="mine", seed=5)
    info = dataset.info
    assert info.name == "mine"
    assert info.input_shapes == {"": (6, 5, 3)}
    assert info.counts == {"train": 140, "validation": 20, "test": 40}
    assert info.class_counts == {"train": (35,) * 4, "validation": (5,) * 4, "test": (10,) * 4}
    assert info.seed == 5
    assert info.is_image
    everything = np.concatenate([dataset.x(split) for split in ("train", "validation", "test")])
    assert everything.dtype == np.float32
    assert (info.minimum, info.maximum) == (everything.min(), everything.max())
    assert dataset.y("train").dtype == np.int64
    assert sorted(path.name for path in dataset.folder.iterdir()) == [
        "dataset.json",
        "x_test.npy", "x_train.npy", "x_validation.npy",
        "y_test.npy", "y_train.npy", "y_validation.npy",
    ]  # fmt: skip
    # Nothing temporary stays beside it.
    assert [path.name for path in dataset.folder.parent.iterdir()] == ["out"]


def test_the_digest_names_the_data_not_the_way_they_were_read(tmp_path):
    x, y = labelled()
    first = prepare((x, y), tmp_path / "1").info.sha256
    assert prepare({"x": x.astype(np.float64), "y": y}, tmp_path / "2", name="other").info.sha256 == first
    assert prepare((x, y), tmp_path / "3", seed=1).info.sha256 != first
    changed = x.copy()
    changed[5, 1] += 1
    assert prepare((changed, y), tmp_path / "4").info.sha256 != first
    assert prepare((x, y), tmp_path / "5", scaling="standardize").info.sha256 != first


def test_an_existing_folder_is_never_overwritten(tmp_path):
    x, y = labelled()
    prepare((x, y), tmp_path / "out")
    before = (tmp_path / "out" / "dataset.json").read_bytes()
    with pytest.raises(InvalidInput) as caught:
        prepare((x + 1, y), tmp_path / "out")
    assert str(caught.value) == (
        f"The folder {tmp_path / 'out'} exists and is not empty. Choose another folder for the prepared data."
    )
    assert (tmp_path / "out" / "dataset.json").read_bytes() == before
    (tmp_path / "empty").mkdir()
    assert prepare((x, y), tmp_path / "empty").info.counts["train"] == 84


def test_killed_while_writing_leaves_no_half_folder(tmp_path):
    """kill -9 between two arrays: the folder is not there, and preparing again works."""
    script = """
import os, signal, sys
import numpy as np
import workbench.data.prepare as preparing
import workbench.data.writing as writing
written = []
sync = writing.sync_file
def sync_and_die(file):
    sync(file)
    written.append(file)
    if len(written) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
writing.sync_file = sync_and_die
preparing.prepare((np.zeros((100, 2)), np.arange(100) % 2), sys.argv[1])
"""
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", script, str(out)], check=False)
    assert done.returncode == -9
    assert not out.exists()
    assert prepare(labelled(), out).info.counts["test"] == 24


def test_the_folder_can_be_read_by_others(tmp_path):
    dataset = prepare(labelled(), tmp_path / "out")
    assert stat.S_IMODE(dataset.folder.stat().st_mode) == 0o755


def test_the_description_is_plain_json(tmp_path):
    x, y = labelled()
    dataset = prepare((x, np.array(["猫", "<b>", "c"])[y]), tmp_path / "out")
    stored = json.loads((tmp_path / "out" / "dataset.json").read_text("utf-8"))
    assert stored["classes"] == ["<b>", "c", "猫"]
    assert Dataset(tmp_path / "out").info == dataset.info


WRONG = [
    ({"x": np.full((120, 2), np.nan), "y": np.arange(120) % 2},
     "x holds 240 missing (NaN) and 0 infinite values, in 120 of 120 samples. Fill or drop those "
     "samples first."),
    ({"x": np.where(np.arange(240).reshape(120, 2) < 3, -np.inf, 1), "y": np.arange(120) % 2},
     "x holds 0 missing (NaN) and 3 infinite values, in 2 of 120 samples. Fill or drop those samples first."),
    ({"x": np.zeros(120), "y": np.arange(120) % 2},
     "x has the shape (120,). The first axis counts samples and at least one more is needed; one "
     "column is (n, 1)."),
    ({"x": np.array(1.0), "y": np.array(1)},
     "x has the shape (). The first axis counts samples and at least one more is needed; one column "
     "is (n, 1)."),
    ({"x_train": np.zeros((120, 2)), "y_train": np.arange(119) % 2},
     "x_train has 120 samples and y_train has 119 labels. Give one label for each sample."),
    ({"x_train": np.zeros((120, 2)), "y_train": np.arange(120) % 2,
      "x_test": np.zeros((20, 3)), "y_test": np.arange(20) % 2},
     "Samples in x_test have the shape (3,), those in x_train (2,). Give every split the same sample shape."),
    ({"x_train": np.zeros((120, 2)), "y_train": np.arange(120) % 2,
      "x_test": np.zeros((0, 2)), "y_test": np.zeros(0)},
     "x_test is empty: its shape is (0, 2). "
     "Give it at least one sample, or leave the split out to have it cut from the others."),
    ({"x": np.zeros((120, 0)), "y": np.arange(120) % 2},
     "x is empty: its shape is (120, 0). "
     "Give it at least one sample, or leave the split out to have it cut from the others."),
    ({"x": np.full((120, 2), "a"), "y": np.arange(120) % 2},
     "x holds texts, and numbers are needed. Give the numbers that the texts became in training, as "
     "TextVectorization or a tokenizer made them."),
    ({"x": np.zeros((120, 2), complex), "y": np.arange(120) % 2},
     "x holds complex128 values, and numbers are needed. Convert it first, for instance with "
     "x.astype('float32')."),
    ({"x_train.a": np.zeros((120, 2)), "y_train": np.arange(120) % 2,
      "x_test.b": np.zeros((20, 2)), "y_test": np.arange(20) % 2},
     "x_test has the inputs b, while x_train has a. Give every split the same inputs."),
    ({"x": np.full((120, 2), 1e39), "y": np.arange(120) % 2},
     "x_train holds values too large for float32. Scale or clip them below 3.4e38 first."),
    ({"x.a/../b": np.zeros((120, 2)), "y": np.arange(120) % 2},
     "a/../b is not a usable input name. "
     "Use up to 100 letters, digits, dots, dashes and underscores, such as x_train.image."),
]  # fmt: skip


@pytest.mark.parametrize(("arrays", "text"), WRONG, ids=[text[:40] for _, text in WRONG])
def test_wrong_values_are_explained_and_nothing_is_written(tmp_path, arrays, text):
    with pytest.raises(InvalidInput) as caught:
        prepare(arrays, tmp_path / "out")
    assert str(caught.value) == text
    assert not list(tmp_path.iterdir())


def test_too_much_for_memory_is_refused(tmp_path):
    x = np.zeros((1000, 100), np.uint8)
    with pytest.raises(Refused) as caught:
        prepare((x, np.arange(1000) % 2), tmp_path / "out", limit_bytes=90_000)
    assert str(caught.value) == (
        "arrays would take 0.1 MB in memory; the limit is 0.1 MB. Use fewer or smaller samples, or "
        f"raise the limit: {where('limit_gib')}."
    )


PATHS = [
    ("no such thing", "There is no file, folder or built-in data set called no such thing. Built-in "
     "data sets are "
     "mnist-5k, digits, breast-cancer, fashion-mnist, cifar-10, imdb, reuters."),
    ("zero\0byte", "zero�byte cannot be read: embedded null byte."),
    ("x" * 300, f"{'x' * 199}… cannot be read: File name too long."),
    ("/dev/null", "/dev/null is neither a file nor a folder. "
     "Use an .npz file, a .csv, .parquet or .arrow table, a folder that save_to_disk wrote, or a folder "
        "or .zip file with one folder of pictures for each class."),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text"), PATHS, ids=["missing", "zero", "long", "device"])
def test_paths_that_lead_nowhere(tmp_path, path, text):
    with pytest.raises(InvalidInput) as caught:
        prepare(path, tmp_path / "out")
    assert str(caught.value) == text


def test_an_unknown_kind_of_file(tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(b"\x89HDF")
    with pytest.raises(InvalidInput) as caught:
        prepare(path, tmp_path / "out")
    assert str(caught.value) == (
        f"{path} is not a kind of file that holds data here. "
        "Use an .npz file, a .csv, .parquet or .arrow table, a folder that save_to_disk wrote, or a folder "
        "or .zip file with one folder of pictures for each class."
    )


def test_a_pipe_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InvalidInput, match="is neither a file nor a folder"):
        prepare(tmp_path / "pipe.csv", tmp_path / "out")


def test_importing_the_package_imports_nothing_heavy():
    heavy = "tensorflow keras sklearn pandas mlxtend PIL"
    script = f"""
import sys
import workbench.data.prepare, workbench.data.files, workbench.data.arrays, workbench.data.pictures
import workbench.models.demo.demo, workbench.models.demo.train
print([name for name in {heavy.split()!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
