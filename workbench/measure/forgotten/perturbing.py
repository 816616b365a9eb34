"""Perturbed samples, the same in every process, and the maps that follow from the answers to them.

Every method puts something else in the place of a part of a sample and looks at what that does to one value
of the answer. Pictures: RISE (Petsiuk et al. 2018, arXiv:1806.07421). Tables: Shapley values by random orders
(Castro et al. 2009), from backgrounds of the validation split. Series, tokens and words: leaving out.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset, Features, sample_count, select
from workbench.api.row_array import RowArray
from workbench.measure.forgotten.records import Perturbations

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer]

_GRID = 7
"""Cells on the longer side of a picture."""
_SEEN = 200
"""Samples of the validation split that the usual values are taken from."""


class Perturbing(ABC):
    """One way to perturb samples.

    Attributes:
        per_sample: Perturbed samples for each sample.
    """

    per_sample: int

    @abstractmethod
    def perturbed(self, name: str, samples: npt.NDArray[Any], which: Integers) -> npt.NDArray[Any]:
        """Samples, each in one of its perturbed forms.

        Args:
            name: The input.
            samples: Shape ``(n, ...)``.
            which: The number of the form, for each.
        """

    @abstractmethod
    def maps(self, scores: Floats) -> Floats:
        """What each place of the samples brings the value that is explained.

        Args:
            scores: That value, shape ``(samples, per_sample)``.

        Returns:
            Shape ``(samples, ...)``; not a number where a sample has no such place.
        """


class Masks(Perturbing):
    """Random masks over pictures; what they cover gets the usual value of its channel."""

    def __init__(self, plan: Perturbations, usual: npt.NDArray[Any]) -> None:
        rng = np.random.default_rng(plan.seed)
        self.per_sample = plan.count
        self._usual = usual
        self._channels_first = channels_first(usual.shape)
        self._sides = usual.shape[1:3] if self._channels_first else usual.shape[:2]
        self._cell = max(1, math.ceil(max(self._sides) / _GRID))
        cells = [math.ceil(side / self._cell) + 1 for side in self._sides]
        self._coarse = rng.random((plan.count, *cells)) < 0.5
        self._shifts = rng.integers(0, self._cell, (plan.count, 2))

    def mask(self, number: int) -> npt.NDArray[np.bool_]:
        """True where the picture is seen."""
        fine = np.kron(self._coarse[number], np.ones((self._cell, self._cell), bool))
        down, right = self._shifts[number]
        return fine[down : down + self._sides[0], right : right + self._sides[1]]

    def perturbed(self, name: str, samples: npt.NDArray[Any], which: Integers) -> npt.NDArray[Any]:
        """Pictures behind masks."""
        masks = np.stack([self.mask(int(number)) for number in which])
        if self._channels_first:
            masks = masks[:, None]
        elif samples.ndim == 4:
            masks = masks[..., None]
        return np.where(masks, samples, self._usual)

    def maps(self, scores: Floats) -> Floats:
        """The mean value over the masks through which a pixel is seen."""
        sums, seen = np.zeros((len(scores), *self._sides)), np.zeros(self._sides)
        for number in range(self.per_sample):
            mask = self.mask(number)
            sums += scores[:, number, None, None] * mask
            seen += mask
        return np.where(seen > 0, sums / np.maximum(seen, 1), np.nan)


class Permutations(Perturbing):
    """Values of a table's row put one by one, in random orders, into the place of those of other rows."""

    def __init__(self, plan: Perturbations, background: dict[str, npt.NDArray[Any]]) -> None:
        rng = np.random.default_rng(plan.seed)
        widths = {name: math.prod(rows.shape[1:]) for name, rows in background.items()}
        self._starts = dict(zip(widths, np.cumsum([0, *widths.values()]), strict=False))
        self._columns = sum(widths.values())
        self._orders = np.stack([rng.permutation(self._columns) for _ in range(plan.count)])
        self._ranks = np.argsort(self._orders, axis=1)
        chosen = rng.integers(0, len(next(iter(background.values()))), plan.count)
        self._background = {name: np.asarray(rows[chosen]) for name, rows in background.items()}
        self.per_sample = plan.count * (self._columns + 1)

    def perturbed(self, name: str, samples: npt.NDArray[Any], which: Integers) -> npt.NDArray[Any]:
        """Rows of which the first values of an order are the sample's, and the others another row's."""
        order, step = np.divmod(which, self._columns + 1)
        start = self._starts[name]
        others = self._background[name][order]
        width = math.prod(samples.shape[1:])
        own = self._ranks[order, start : start + width] < step[:, None]
        return np.where(own.reshape(others.shape), samples, others)

    def maps(self, scores: Floats) -> Floats:
        """What each value adds when it is put in, on the mean."""
        added = np.diff(scores.reshape(len(scores), len(self._orders), self._columns + 1), axis=2)
        found = np.zeros((len(scores), self._columns))
        for number, order in enumerate(self._orders):
            found[:, order] += added[:, number]
        return found / len(self._orders)


class Windows(Perturbing):
    """Series with the usual values in random windows. The first is the series itself."""

    def __init__(self, plan: Perturbations, usual: npt.NDArray[Any]) -> None:
        rng = np.random.default_rng(plan.seed)
        self._usual = usual
        steps = len(usual)
        longest = max(1, steps // 4)
        lengths = rng.integers(max(1, longest // 4), longest + 1, plan.count)
        # Windows that begin before the series and end after it, so that its ends are covered as often.
        starts = rng.integers(1 - lengths, steps)
        places = np.arange(steps)
        inside = (places >= starts[:, None]) & (places < (starts + lengths)[:, None])
        self._covered = np.concatenate([np.zeros((1, steps), bool), inside])
        self.per_sample = plan.count + 1

    def perturbed(self, name: str, samples: npt.NDArray[Any], which: Integers) -> npt.NDArray[Any]:
        """Series without their windows."""
        covered = self._covered[which]
        return np.where(covered.reshape(*covered.shape, *(1,) * (samples.ndim - 2)), self._usual, samples)

    def maps(self, scores: Floats) -> Floats:
        """How much lower the value is on the mean over the windows that cover a step."""
        covered = self._covered[1:].astype(float)
        times = covered.sum(axis=0)
        lower = (scores[:, :1] - scores[:, 1:]) @ covered
        return np.where(times > 0, lower / np.maximum(times, 1), np.nan)


class Tokens(Perturbing):
    """One token after another replaced by padding, in every input. The first is the row itself."""

    def __init__(self, inputs: list[npt.NDArray[Any]]) -> None:
        self._there = np.any([values != 0 for values in inputs], axis=0)
        self.per_sample = self._there.shape[1] + 1

    def perturbed(self, name: str, samples: npt.NDArray[Any], which: Integers) -> npt.NDArray[Any]:
        """Rows without a token."""
        left_out = np.arange(samples.shape[1]) == (which - 1)[:, None]
        return np.where(left_out, np.zeros((), samples.dtype), samples)

    def maps(self, scores: Floats) -> Floats:
        """How much lower the value is without each token."""
        return np.where(self._there, scores[:, :1] - scores[:, 1:], np.nan)


class Words(Perturbing):
    """Texts without one word after another. The first is the text itself."""

    def __init__(self, texts: npt.NDArray[Any]) -> None:
        self._counts = np.array([len(str(text).split()) for text in texts.ravel()])
        self.per_sample = 1 + max(1, int(self._counts.max(initial=1)))

    def perturbed(self, name: str, samples: npt.NDArray[Any], which: Integers) -> npt.NDArray[Any]:
        """Texts without a word."""
        texts = [
            text if number == 0 else _without(text, int(number) - 1)
            for text, number in zip(samples.ravel(), which, strict=True)
        ]
        return np.array(texts, samples.dtype).reshape(samples.shape)

    def maps(self, scores: Floats) -> Floats:
        """How much lower the value is without each word."""
        there = np.arange(self.per_sample - 1) < self._counts[:, None]
        return np.where(there, scores[:, :1] - scores[:, 1:], np.nan)


def _without(text: Any, number: int) -> str:
    words = str(text).split()
    return " ".join((*words[:number], *words[number + 1 :])) if number < len(words) else str(text)


def channels_first(shape: tuple[int, ...]) -> bool:
    """Whether a picture has its channels before its rows, as models made in PyTorch take them."""
    return len(shape) == 3 and shape[0] in (1, 3, 4) and shape[-1] not in (1, 3, 4)


def perturbing(plan: Perturbations, dataset: Dataset) -> Perturbing:
    """What a plan says, with what it needs of the data.

    Args:
        plan: The perturbations.
        dataset: The prepared data.
    """
    if plan.method in ("tokens", "words"):
        asked = select(dataset.x("test"), np.asarray(plan.samples))
        if plan.method == "words":
            return Words(np.asarray(_only(asked)))
        return Tokens([np.asarray(one) for one in (asked.values() if isinstance(asked, dict) else [asked])])
    # Of a data set without a validation split, those that were trained on.
    features = dataset.x("validation")
    if not sample_count(features):
        features = dataset.x("train")
    drawn = np.random.default_rng(0).permutation(sample_count(features))[:_SEEN]
    seen = select(features, np.sort(drawn))
    if plan.method == "permutations":
        rows = seen if isinstance(seen, dict) else {"": seen}
        return Permutations(plan, {name: np.asarray(array) for name, array in rows.items()})
    values = np.asarray(_only(seen))
    if plan.method == "windows":
        return Windows(plan, _usual(values, tuple(range(values.ndim))[:2], values.shape[1:]))
    places: tuple[int, ...] = (2, 3) if channels_first(values.shape[1:]) else (1, 2)
    return Masks(plan, _usual(values, (0, *places), values.shape[1:]))


def perturbed_features(plan: Perturbations, dataset: Dataset) -> Features:
    """All perturbed samples, those of one sample after another, made when they are read.

    Args:
        plan: The perturbations.
        dataset: The prepared data.
    """
    way = perturbing(plan, dataset)
    chosen = select(dataset.x("test"), np.asarray(plan.samples))

    def of(name: str, array: npt.NDArray[Any]) -> RowArray:
        count = len(plan.samples) * way.per_sample
        return RowArray(partial(_read, way, name, array, count), (count, *array.shape[1:]), array.dtype)

    if isinstance(chosen, dict):
        return {name: of(name, array) for name, array in chosen.items()}  # type: ignore[misc]  # as in Features
    return of("", chosen)  # type: ignore[return-value]  # as in Features


def _read(way: Perturbing, name: str, array: npt.NDArray[Any], count: int, rows: Any) -> npt.NDArray[Any]:
    number, which = np.divmod(np.arange(count)[rows], way.per_sample)
    return way.perturbed(name, array[number], which).astype(array.dtype)


def _only(features: Features) -> npt.NDArray[Any]:
    return next(iter(features.values())) if isinstance(features, dict) else features


def _usual(values: npt.NDArray[Any], axes: tuple[int, ...], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The median of each channel: the ground of a drawing, and the middle of a photograph's values."""
    middle = np.median(values.astype(np.float64), axis=axes, keepdims=True)
    found: npt.NDArray[Any] = np.broadcast_to(middle[0], shape).astype(values.dtype)
    return found
