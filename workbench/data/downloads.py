"""The data sets of ``keras.datasets``, downloaded on first use, and Fashion-MNIST from Debian's files."""

from __future__ import annotations

import gzip
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from workbench.api.dataset import SplitName
from workbench.api.errors import InvalidInput, Unavailable
from workbench.api.text import Text, say
from workbench.data.named import BuiltIn
from workbench.data.raw import Array, RawData, Samples

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its files."""

_PROBE_SECONDS = 3.0


@dataclass(frozen=True)
class KerasDownload(BuiltIn):
    """A data set of ``keras.datasets``, downloaded on first use.

    Attributes:
        module: Its module in ``keras.datasets``.
        address: What it downloads.
        cached: The file that Keras keeps of it, under ``datasets`` in its own folder.
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
        """Whether reading it now would download something."""
        return not self._cache.exists()

    @property
    def _cache(self) -> Path:
        home = os.environ.get("KERAS_HOME")
        return (Path(home) if home else Path.home() / ".keras") / "datasets" / self.cached

    def obstacle(self) -> Text | None:
        """Why it cannot be read here and now, or None. May ask the server and wait up to three seconds."""
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
        """Reads it; raises :class:`workbench.api.errors.Unavailable` if it cannot be downloaded."""
        # Ask before TensorFlow is imported for nothing and Keras waits without a time limit.
        problem = self.obstacle()
        if problem is not None:
            raise self._unavailable(problem)
        import keras

        module = getattr(keras.datasets, self.module)
        try:
            if self.kind == "pictures":
                train, test = module.load_data()
            else:
                train, test = module.load_data(num_words=10_000)
            pairs: dict[SplitName, tuple[Any, Array]] = {"train": train, "test": test}
        except Exception as error:  # keras.utils.get_file raises a bare Exception
            raise self._unavailable(
                say("{title} could not be downloaded: {problem}", title=self.title, problem=str(error)[:300])
            ) from error
        return RawData(
            name=self.name,
            splits={split: self._samples(x, y, split) for split, (x, y) in pairs.items()},
            classes=self.classes or (tuple(module.get_label_names()) if self.module == "reuters" else None),
            scaling=None if self.kind == "pictures" else "none",
            is_image=self.kind == "pictures",
            notes=()
            if self.kind == "pictures"
            else (
                say(
                    "The 10,000 most frequent words; the last 200 words of each text, padded with 0 in front."
                ),
            ),
        )

    def _samples(self, x: Any, y: Array, suffix: str) -> Samples:
        if self.kind == "texts":
            from keras.utils import pad_sequences

            x = pad_sequences(x, maxlen=200)
        elif x.ndim == 3:
            x = x[..., None]
        return Samples({"": x}, y.ravel(), suffix)

    def _unavailable(self, problem: Text) -> Unavailable:
        from workbench.data.builtin import BUILTINS  # which lists this class

        return Unavailable(
            problem,
            say(
                "Use a data set that needs no internet ({offline}), or {other}.",
                offline=tuple(name for name, entry in BUILTINS.items() if not entry.needs_internet),
                other=self._other_way(),
            ),
        )

    def _other_way(self) -> Text:
        return say("save {address} as {file}", address=self.address, file=str(self._cache))


class FashionMnist(KerasDownload):
    """Fashion-MNIST: 70,000 pictures of 28x28 pixels, 10 classes; from Debian's files where installed."""

    @property
    def needs_internet(self) -> bool:
        """Whether reading it now would download something."""
        return not _has_debian_files() and super().needs_internet

    def read(self) -> RawData:
        """Reads it; raises :class:`workbench.api.errors.Unavailable` if it cannot be downloaded."""
        if not _has_debian_files():
            return super().read()
        return RawData(
            name=self.name,
            splits={
                "train": Samples(
                    {"": _idx("train-images-idx3")[..., None]}, _idx("train-labels-idx1"), "train"
                ),
                "test": Samples({"": _idx("t10k-images-idx3")[..., None]}, _idx("t10k-labels-idx1"), "test"),
            },
            classes=self.classes,
        )

    def _other_way(self) -> Text:
        return say("install Debian's package dataset-fashion-mnist")


def _has_debian_files() -> bool:
    return (DEBIAN_FASHION_MNIST / "train-images-idx3-ubyte.gz").is_file()


def _idx(stem: str) -> Array:
    """Reads an IDX file of unsigned bytes (format: http://yann.lecun.com/exdb/mnist/)."""
    path = DEBIAN_FASHION_MNIST / f"{stem}-ubyte.gz"
    with gzip.open(path) as file:
        content = file.read()
    # Two zero bytes, 8 for unsigned bytes, the number of axes; then the length of each axis.
    rank = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    start = 4 + 4 * rank
    shape = np.frombuffer(content[4:start], ">u4") if len(content) >= start else np.empty(0)
    if rank == 0 or len(shape) != rank or len(content) != start + int(np.prod(shape, dtype=np.int64)):
        raise InvalidInput(
            say("{path} is not a complete IDX file.", path=str(path)),
            say("Install Debian's package dataset-fashion-mnist again."),
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _unreachable(address: str) -> str | None:
    try:
        # The addresses are constants of this package, never a user's.
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310  (a known https address)
        with urllib.request.urlopen(request, timeout=_PROBE_SECONDS):  # noqa: S310  (as above)
            return None
    except urllib.error.HTTPError:
        return None  # A server answered, so the download itself will say what is wrong.
    except (urllib.error.URLError, OSError) as error:
        return str(getattr(error, "reason", error))
