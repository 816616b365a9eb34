"""Runs a model on the data's own samples before it is stored, and finds which range of values it expects.

Where the type of the data leaves the range open, the ranges are tried, instead of guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset, DatasetInfo, Features, sample_count, select
from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.library_errors import reason_of
from workbench.api.runtime import Session
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription, RuntimeSettings
from workbench.data.model_inputs import specs_of
from workbench.data.raw import SCALINGS, Array, Scaling
from workbench.data.scaling import (
    LARGEST_OF_DEEP_PIXELS,
    LARGEST_PIXEL_FOR_UNIT_MODELS,
    LEAST_FLAT_PIXELS,
    fit_scaler,
)
from workbench.measure.order_reading import labels_in_other_order
from workbench.measure.prediction import predict_in_batches
from workbench.measure.scores import to_predictions, to_scores
from workbench.runtimes import runtime

TRIED = 256
"""Samples that the ranges are tried on."""
TRIED_ONCE = 64
"""Samples that a model is run on where there is nothing to choose."""

_LARGEST_BYTE = 255.0
_SIGMAS = 3.0
_MOST_INPUTS = 8
_ROWS_FOR_STATISTICS = 100_000

Scalings = dict[str, Scaling]
Right = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TrialOutcome:
    """What running a model on samples of the training split showed.

    Attributes:
        scalings: The scaling of each input to prepare the data with instead; None if they are right, or
            nothing shows.
        note: Why.
        better_than_guessing: Whether the model, as the data are in the end, is right more often than
            always the most frequent class: then the range is no question.
    """

    scalings: Scalings | None = None
    note: Text | None = None
    better_than_guessing: bool = False


def try_on_samples(
    report: Reporter,
    path: Path,
    home: str,
    settings: RuntimeSettings,
    description: ModelDescription,
    folder: Path,
    ranges: bool = True,
) -> TrialOutcome:
    """Runs a model on samples of the data's own shape, and looks for the range of values that it expects.

    A model that scales its own input, with a layer or with ``preprocess_input``, wants bytes; most others
    want pixels from 0 to 1, and columns as they were scaled for the training. The wrong range gives an
    accuracy near chance and no error. Another range than the prepared one is taken only where it is right
    far more often; one that changes values which came as they are, only where these are no better than
    guessing.

    Args:
        report: Says what is being done.
        path: The model's file.
        home: The runtime that it runs in.
        settings: How.
        description: What it holds.
        folder: The prepared data; samples of the training split are tried.
        ranges: Whether other ranges may be tried; False where the user chose one.

    Raises:
        InvalidInput: If the model cannot be run on these samples, with their shapes and the reason.
    """
    dataset = Dataset(folder)
    report.stage(say("Running the model on samples of the data"))
    features, labels = dataset.x("train"), np.asarray(dataset.y("train"))
    before = cast(Scalings, dict(dataset.info.scalings))
    step = max(1, sample_count(features) // TRIED)
    part, labels = select(features, slice(0, step * TRIED, step)), labels[: step * TRIED : step]
    allowed = _open_ranges(description, part, before) if ranges else {}
    if not allowed:  # a large model takes seconds for each of them
        every = slice(None, None, max(1, TRIED // TRIED_ONCE))
        part, labels = select(part, every), labels[every]
    session = _loaded(home, path, settings, part)
    try:
        judge = _Judge(description.from_logits, labels, dataset.info)
        outputs = _first_outputs(session, part)
        if not allowed:
            return TrialOutcome(better_than_guessing=_is_informed(judge(outputs), judge.guess))
        report.stage(say("Trying which range of values the model expects"))
        given = judge.or_none(outputs)
        raw = _Raw(features, part, before)
        best, right = before, given
        for choice in _choices(before, allowed):
            other = judge.or_none(_outputs_or_none(session, raw.scaled(choice)))
            if int(other.sum()) > int(right.sum()) and _is_better(
                given, other, strict=_changes_what_came(before, choice, description), guess=judge.guess
            ):
                best, right = choice, other
    finally:
        session.close()
    if best == before:
        judge(outputs)  # raises what is wrong with them
        return TrialOutcome(better_than_guessing=_is_informed(given, judge.guess))
    holes: dict[str, str | int] = {
        "before": _named(before, best),
        "after": _named(best, before),
        "share": f"{100 * given.mean():.0f}",
        "other": f"{100 * right.mean():.0f}",
        "count": len(labels),
    }
    if dataset.info.task == "regression":
        note = say(
            'With scaling "{before}" the model is closer than the median to {share}% of {count} training '
            'samples, with "{after}" to {other}%: the data were prepared with "{after}".',
            **holes,
        )
    else:
        note = say(
            'With scaling "{before}" the model is right on {share}% of {count} training samples, with '
            '"{after}" on {other}%: the data were prepared with "{after}".',
            **holes,
        )
    return TrialOutcome(best, note, better_than_guessing=_is_informed(right, judge.guess))


@dataclass(frozen=True)
class _Judge:
    """Says which samples a model's outputs are right on."""

    from_logits: bool
    labels: npt.NDArray[Any]
    info: DatasetInfo

    def __call__(self, outputs: npt.NDArray[np.float32]) -> Right:
        if self.info.task == "regression":
            # as a coin is: closer than the best constant on half of the samples
            middle = np.median(self.labels, axis=0)
            wrong = np.abs(outputs.reshape(self.labels.shape) - self.labels).mean(axis=1)
            nearer: Right = wrong < np.abs(self.labels - middle).mean(axis=1)
            return nearer
        if self.info.task != "classification":
            return np.ones(len(self.labels), bool)
        scores = to_scores(outputs, len(self.info.classes), from_logits=self.from_logits)[0]
        predictions = to_predictions(scores)
        # which order of the classes is meant may only show in the right range
        orders = [self.labels, labels_in_other_order(self.labels, self.info)]
        return max((predictions == labels for labels in orders), key=lambda right: int(right.sum()))

    @property
    def guess(self) -> float:
        """How often always the same answer is right: the most frequent class, or the median."""
        if self.info.task != "classification":
            return 0.5
        return float(np.bincount(self.labels).max()) / len(self.labels) if len(self.labels) else 0.0

    def or_none(self, outputs: npt.NDArray[np.float32] | None) -> Right:
        """No sample, where there is no output or one that is no number."""
        if outputs is None or not np.isfinite(outputs).all():
            return np.zeros(len(self.labels), bool)
        return self(outputs)


class _Raw:
    """Samples as they came, of prepared ones, and scaled in another way."""

    def __init__(self, features: Features, part: Features, before: Mapping[str, Scaling]) -> None:
        self._whole, self._part = _by_name(features), _by_name(part)
        self._single = not isinstance(part, dict)
        self._before = before

    def scaled(self, choice: Mapping[str, Scaling]) -> Features:
        made = {}
        for name, values in self._part.items():
            if choice[name] == self._before[name]:
                made[name] = values
                continue
            factor = np.float32(_LARGEST_BYTE if self._before[name] == "divide by 255" else 1)
            whole = self._whole[name]
            rows = np.arange(0, len(whole), max(1, len(whole) // _ROWS_FOR_STATISTICS))
            needed = choice[name] in ("standardize", "range 0..1")
            known = np.asarray(whole[rows]) * factor if needed else values * factor
            made[name] = fit_scaler(known, np.arange(len(known)), choice[name])(values * factor)
        return made[""] if self._single and "" in made else made


def _loaded(home: str, path: Path, settings: RuntimeSettings, part: Features) -> Session:
    try:
        return runtime(home).load(path, settings)
    except WorkbenchError:
        raise
    # a runtime raises whatever its kernels raise
    except Exception as error:
        raise cannot_run(error, part) from error


def _first_outputs(session: Session, part: Features) -> npt.NDArray[np.float32]:
    try:
        return _outputs(session, part)
    except WorkbenchError:
        raise
    # a runtime raises whatever its kernels raise
    except Exception as error:
        raise cannot_run(error, part) from error


def _outputs(session: Session, part: Features) -> npt.NDArray[np.float32]:
    return np.concatenate([outputs for _, _, outputs in predict_in_batches(session, part)])


def _outputs_or_none(session: Session, part: Features) -> npt.NDArray[np.float32] | None:
    try:
        return _outputs(session, part)
    # values of another range that a lookup or a check inside of the model does not take
    except Exception:
        return None


def cannot_run(error: Exception, part: Features) -> InvalidInput:
    """The refusal of a model that fails on samples of the data.

    Args:
        error: What its runtime raised.
        part: The samples.
    """
    shapes = tuple(
        f"{name} {array.shape[1:]} {array.dtype.name}".strip() for name, array in _by_name(part).items()
    )
    return InvalidInput(
        say("The model cannot be run on the samples of the data: {reason}", reason=reason_of(error)),
        say("The samples are {shapes}: compare that with what the model was trained on.", shapes=shapes),
    )


def _open_ranges(
    description: ModelDescription, part: Features, before: Mapping[str, Scaling]
) -> dict[str, tuple[Scaling, ...]]:
    """The scalings that each input could have been trained with; inputs of which one is sure are left out."""
    specs = specs_of(list(_by_name(part)), description)
    found: dict[str, tuple[Scaling, ...]] = {}
    for name, values in _by_name(part).items():
        spec = specs[name]
        if values.dtype != np.float32 or (spec is not None and spec.role in ("ids", "text")):
            continue
        if before.get(name) not in ("none", "divide by 255"):
            continue
        factor = _LARGEST_BYTE if before[name] == "divide by 255" else 1.0
        low, high = float(values.min()) * factor, float(values.max()) * factor
        ranges: list[Scaling] = ["none"]
        if low >= 0 and LARGEST_PIXEL_FOR_UNIT_MODELS < high <= _LARGEST_BYTE * 1.001:
            ranges.append("divide by 255")
            # flat columns are pixels only where there are many
            if values.ndim > 2 or values.shape[1] >= LEAST_FLAT_PIXELS:
                ranges.append("pixels to -1..1")
        elif low >= 0 and values.ndim > 2 and high > _LARGEST_BYTE:
            ranges += [name for name, largest in LARGEST_OF_DEEP_PIXELS.items() if high <= largest]
        if values.ndim == 2:
            ranges += ["standardize", "range 0..1"]
        if len(ranges) > 1:
            found[name] = tuple(ranges)
    return dict(list(found.items())[:_MOST_INPUTS])


def _choices(before: Scalings, allowed: Mapping[str, tuple[Scaling, ...]]) -> Iterator[Scalings]:
    """All inputs in one scaling, then one input alone in another."""
    scalings = tuple(scaling for scaling in SCALINGS if scaling != "auto")
    seen = [before]
    for scaling in scalings:
        for names in [list(allowed), *([name] for name in allowed)]:
            choice = {**before, **{name: scaling for name in names if scaling in allowed[name]}}
            if choice not in seen:
                seen.append(choice)
                yield choice


def _changes_what_came(before: Scalings, after: Scalings, description: ModelDescription) -> bool:
    """Whether values that are the model's own affair, or no pixels, would become others."""
    roles = specs_of(list(before), description)
    return any(
        new != before[name]
        and (
            new in ("standardize", "range 0..1")
            or (new != "none" and roles[name] is not None and roles[name].role != "numbers")  # type: ignore[union-attr]  # None is ruled out before
        )
        for name, new in after.items()
    )


def _is_better(given: Right, other: Right, *, strict: bool, guess: float) -> bool:
    gained, lost = int((other & ~given).sum()), int((given & ~other).sum())
    if gained - lost <= _SIGMAS * np.sqrt(gained + lost):
        return False
    return not strict or (not _is_informed(given, guess) and _is_informed(other, guess))


def _is_informed(right: Right, guess: float) -> bool:
    """Whether a model is right more often than one that always says the same."""
    if not len(right):
        return False
    return bool(right.mean() > guess + _SIGMAS * np.sqrt(guess * (1 - guess) / len(right)))


def _by_name(features: Features) -> dict[str, Array]:
    return dict(features) if isinstance(features, dict) else {"": features}


def _named(choice: Mapping[str, Scaling], other: Mapping[str, Scaling]) -> str:
    if len(choice) == 1:
        return next(iter(choice.values()))
    return ", ".join(f"{name}: {scaling}" for name, scaling in choice.items() if scaling != other[name])
