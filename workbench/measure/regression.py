"""Judges predicted numbers: mean absolute error with RMSE and R2, paired by sample, worst samples first.

Several targets are averaged with equal weights, as scikit-learn's ``uniform_average``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.number_format import digits
from workbench.api.text import Text, say, verbatim
from workbench.jobs.curves import LiveCurve
from workbench.measure.quality import TOLERANCE, quality_verdict
from workbench.measure.records import (
    ChangedSample,
    Details,
    Figure,
    Interval,
    QualityMeasurement,
    QualityVerdict,
)
from workbench.measure.sample_intervals import FEWEST_DRAWS, sample_interval
from workbench.measure.scores import Floats

MOST_MOVED = 200
_MOST_TARGETS = 20
"""Of more targets than these, only the mean is given."""
_FARTHEST = 1e6


class Regression:
    """Judges numbers.

    Args:
        info: The data.
        labels: What is right, shape ``(n, targets)``.
        weights: How much each sample counts; once if None.
    """

    curve = LiveCurve.RUNNING_ERROR

    def __init__(
        self, info: DatasetInfo, labels: npt.NDArray[np.float32], weights: Floats | None = None
    ) -> None:
        self._info, self._weights = info, weights
        self._labels = np.asarray(labels, np.float64)

    def answers(self, outputs: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], tuple[Text, ...]]:
        """The numbers as they come."""
        flat = np.asarray(outputs, np.float32).reshape(len(outputs), -1)
        if flat.shape[1] != self._labels.shape[1]:
            raise InvalidInput(
                say(
                    "The model gives {columns} values per sample, but the data has {targets} targets.",
                    columns=flat.shape[1],
                    targets=self._labels.shape[1],
                ),
                say("Use a model with one value for each target."),
            )
        require_finite(flat)
        return flat, ()

    def running(self) -> RunningError:
        """The mean absolute error so far."""
        return RunningError(self._labels, self._weights)

    def measured(
        self,
        answers: Floats,
        *,
        variant: str,
        runtime: str,
        environment: str,
        seed: int = 0,
        warnings: tuple[Text, ...] = (),
    ) -> QualityMeasurement:
        """Mean absolute error, RMSE and R2, of all targets and of each."""
        errors = np.asarray(answers, np.float64) - self._labels
        mae = mean_interval(np.abs(errors).mean(axis=1), seed=seed, weights=self._weights)
        apart = np.abs(self._labels - _medians(self._labels, self._weights)).mean(axis=1)
        constant = float(np.average(apart, weights=self._weights))
        near_chance = mae.high >= constant
        if near_chance:
            warnings = (
                *warnings,
                say(
                    "The mean absolute error of {error} is not clearly below that of always answering the "
                    "median ({constant}): check that inputs and targets are scaled as in training.",
                    error=digits(mae.value),
                    constant=digits(constant),
                ),
            )
        return QualityMeasurement(
            variant=variant,
            runtime=runtime,
            samples=len(errors),
            near_chance=near_chance,
            dataset=self._info.sha256,
            environment=environment,
            warnings=warnings,
            task="regression",
            value=mae,
            figures=self._figures(errors, seed),
        )

    def _figures(self, errors: npt.NDArray[np.float64], seed: int) -> tuple[Figure, ...]:
        each = [self._target(errors, [column], seed) for column in self._shown()]
        every = self._target(errors, list(range(errors.shape[1])), seed)
        found = [
            Figure(key="rmse", name=say("RMSE"), value=every[1].value, interval=every[1]),
            Figure(key="r2", name=say("R²"), value=every[2].value, interval=every[2], share=True),
            Figure(
                key="largest error", name=say("Largest error"), value=float(np.abs(errors).max(initial=0))
            ),
        ]
        for column, (mae, rmse, r2) in zip(self._shown(), each, strict=True):
            called = self._info.targets[column]
            of = verbatim(called)
            found += [
                Figure(
                    key=f"mae {called}", name=say("MAE of {target}", target=of), value=mae.value, interval=mae
                ),
                Figure(
                    key=f"rmse {called}",
                    name=say("RMSE of {target}", target=of),
                    value=rmse.value,
                    interval=rmse,
                ),
                Figure(
                    key=f"r2 {called}",
                    name=say("R² of {target}", target=of),
                    value=r2.value,
                    interval=r2,
                    share=True,
                ),
            ]
        return tuple(found)

    def _shown(self) -> list[int]:
        """The targets that have numbers of their own: all but a single one, or a vector."""
        count = self._labels.shape[1]
        return list(range(count)) if 1 < count <= _MOST_TARGETS else []

    def _target(
        self, errors: npt.NDArray[np.float64], columns: list[int], seed: int
    ) -> tuple[Interval, Interval, Interval]:
        """MAE, RMSE and R2 of some targets, averaged over them."""
        wrong, right = errors[:, columns], self._labels[:, columns]
        middle = np.average(right, axis=0, weights=self._weights)
        # around the mean, for the sake of float64: the sums below would cancel out
        centred = right - middle
        width = len(columns)
        statistics = np.concatenate([wrong**2, centred, centred**2, np.ones((len(wrong), 1))], axis=1)

        def rmse(sums: Floats) -> Floats:
            found: Floats = np.sqrt(sums[..., :width] / sums[..., -1:]).mean(axis=-1)
            return found

        def r2(sums: Floats) -> Floats:
            squares, first, second = (sums[..., part * width : (part + 1) * width] for part in range(3))
            spread = np.maximum(second - first**2 / sums[..., -1:], 0)
            # as scikit-learn: a target that never differs is explained only without an error
            constant = spread <= 1e-12 * np.maximum(second, np.finfo(float).tiny)
            shares = np.where(
                constant, (squares == 0).astype(float), 1 - squares / np.where(constant, 1, spread)
            )
            found: Floats = shares.mean(axis=-1)
            return found

        draws = None if width <= _MOST_TARGETS else FEWEST_DRAWS
        return (
            mean_interval(np.abs(wrong).mean(axis=1), seed=seed, weights=self._weights),
            sample_interval(
                statistics, rmse, seed=seed, bounds=(0.0, np.inf), draws=draws, weights=self._weights
            ),
            sample_interval(
                statistics, r2, seed=seed, bounds=(-np.inf, 1.0), draws=draws, weights=self._weights
            ),
        )

    def compared(
        self,
        variant: str,
        reference: str,
        answers: Floats,
        before: Floats,
        tolerance: float = TOLERANCE,
        seed: int = 0,
    ) -> QualityVerdict:
        """How much smaller the mean absolute error has become, as a share of the reference's."""
        first, second = self._errors(before), self._errors(answers)
        change = error_change_interval(first, second, seed=seed, weights=self._weights)
        changed = int((first != second).sum())
        return quality_verdict(
            variant,
            reference,
            change,
            tolerance,
            samples=len(first),
            changed=changed if self._weights is None else None,
            task="regression",
            better=int((second < first).sum()),
            worse=int((second > first).sum()),
        )

    def details(self, variant: str, reference: str, answers: Floats, before: Floats) -> Details:
        """The samples whose error grew most."""
        grown = self._errors(answers) - self._errors(before)
        order = np.argsort(-grown, kind="stable")
        worst = [int(index) for index in order[:MOST_MOVED] if grown[index] > 0]
        shown = range(min(self._labels.shape[1], _MOST_TARGETS))
        return Details(
            variant=variant,
            reference=reference,
            task="regression",
            targets=self._info.targets[: len(shown)],
            moved=tuple(
                ChangedSample(
                    index=index,
                    truth=tuple(float(self._labels[index, target]) for target in shown),
                    before=tuple(float(before[index, target]) for target in shown),
                    after=tuple(float(answers[index, target]) for target in shown),
                    worse_by=float(grown[index]),
                )
                for index in worst
            ),
        )

    def _errors(self, answers: Floats) -> npt.NDArray[np.float64]:
        """The absolute error of each sample, over its targets."""
        found: npt.NDArray[np.float64] = np.abs(np.asarray(answers, np.float64) - self._labels).mean(axis=1)
        return found


class RunningError:
    """The mean absolute error of a growing number of samples.

    Args:
        labels: What is right for all samples, in the order in which they are predicted.
        weights: How much each sample counts; once if None.
    """

    def __init__(self, labels: npt.NDArray[np.float64], weights: Floats | None = None) -> None:
        self._labels = labels
        self._weights = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
        self._errors: list[npt.NDArray[np.float64]] = []
        self._count = 0

    def add(self, answers: Floats) -> tuple[float, tuple[float, float] | None]:
        """Adds a batch; gives the mean so far, and the ends of its interval."""
        batch = self._labels[self._count : self._count + len(answers)]
        self._count += len(answers)
        self._errors.append(np.abs(np.asarray(answers, np.float64) - batch).mean(axis=1))
        every = np.concatenate(self._errors)
        # by the normal distribution: it is drawn while samples are predicted, and must not hold that up
        weights = self._weights[: len(every)]
        if not weights.any():
            return float(every.mean()), None
        mean = float(np.average(every, weights=weights))
        half = 1.96 * float(np.sqrt(np.square(weights * (every - mean)).sum()) / weights.sum())
        return mean, (max(0.0, mean - half), mean + half)


def mean_interval(errors: Floats, *, seed: int = 0, weights: Floats | None = None) -> Interval:
    """The mean of errors with its 95 % interval; see :mod:`workbench.measure.sample_intervals`."""
    statistics = np.stack([errors, np.ones(len(errors))], axis=1)
    return sample_interval(
        statistics,
        lambda sums: sums[..., 0] / sums[..., 1],
        seed=seed,
        bounds=(0.0, np.inf),
        weights=weights,
    )


def _medians(values: npt.NDArray[np.float64], weights: Floats | None) -> npt.NDArray[np.float64]:
    """The middle of each column: as much lies below it as above."""
    if weights is None:
        found: npt.NDArray[np.float64] = np.median(values, axis=0)
        return found
    order = np.argsort(values, axis=0)
    below = np.cumsum(np.asarray(weights, np.float64)[order], axis=0)
    place = (below >= below[-1] / 2).argmax(axis=0)
    row = np.take_along_axis(order, place[None], axis=0)
    middle: npt.NDArray[np.float64] = np.take_along_axis(values, row, axis=0)[0]
    return middle


def error_change_interval(
    before: Floats, after: Floats, *, seed: int = 0, weights: Floats | None = None
) -> Interval:
    """How much smaller a mean error has become, as a share of what it was, with its 95 % interval.

    Args:
        before: The reference's error on each sample.
        after: The variant's on the same.
        seed: Seeds the weights.
        weights: How much each sample counts; once if None.
    """

    def shrunk(sums: Floats) -> Floats:
        whole = sums[..., 0]
        # of a reference without any error there is no share: whatever is lost is endless
        safe = np.where(whole > 0, whole, 1.0)
        endless = np.where(sums[..., 1] > 0, -_FARTHEST, 0.0)
        found: Floats = np.where(whole > 0, (whole - sums[..., 1]) / safe, endless)
        return np.clip(found, -_FARTHEST, 1.0)

    return sample_interval(
        np.stack([before, after], axis=1),
        shrunk,
        seed=seed,
        bounds=(-_FARTHEST, 1.0),
        weights=weights,
    )


def require_finite(outputs: Floats) -> None:
    """Checks that a model gives numbers.

    Raises:
        InvalidInput: If some are NaN or infinite.
    """
    broken = int((~np.isfinite(outputs)).any(axis=1).sum())
    if broken:
        raise InvalidInput(
            say(
                "The model gives NaN or infinity for {broken} of {samples} samples.",
                broken=broken,
                samples=len(outputs),
            ),
            say("The file is damaged, or its precision is too low for its weights."),
        )
