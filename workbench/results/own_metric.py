"""A metric of the user's own on the stored answers of each variant, paired with the baseline's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.lineage import Lineage
from workbench.api.number_format import digits
from workbench.api.records import Record
from workbench.api.text import Text, say, verbatim
from workbench.measure.records import Interval

if TYPE_CHECKING:
    import pandas as pd

    from workbench.store import Store

Metric = Callable[..., float]
"""Takes labels and answers of some test samples, both with the samples along axis 0, and gives one number.

One with a parameter ``weights`` also gets how much each sample counts, where the data say that."""

MetricWord = Literal["better", "worse", "no measurable change"]

DRAWS = 1_000
_FEWEST_DEFINED = 0.95
"""Where the metric has no value on more of the drawn samples than the rest, an interval would flatter."""
_WORDS: dict[MetricWord, Text] = {
    "better": say("better"),
    "worse": say("worse"),
    "no measurable change": say("no measurable change"),
}


class MetricRow(Record):
    """What an own metric says of a variant.

    Attributes:
        variant: Its identifier.
        name: Its name.
        value: The metric on the test split with its 95 % interval.
        change: Its value minus the baseline's, both on the same drawn samples; None of the baseline.
        word: Whether that is better or worse; None of the baseline.
    """

    variant: str
    name: str
    value: Interval
    change: Interval | None = None
    word: MetricWord | None = None


class MetricTable(tuple[MetricRow, ...]):
    """One row for each variant whose answers are stored; a notebook shows them as a table.

    Attributes:
        metric: Name of the metric.
        missing: Names of variants whose answers are not known, because nothing has judged them yet.
        unweighted: Whether the samples have weights, and the metric takes none.
        classes: Names of the classes whose labels alone it was given; all if empty.
    """

    metric: str
    missing: tuple[str, ...]
    unweighted: bool
    classes: tuple[str, ...]

    def __new__(
        cls,
        rows: Iterable[MetricRow],
        metric: str,
        missing: tuple[str, ...] = (),
        *,
        unweighted: bool = False,
        classes: tuple[str, ...] = (),
    ) -> MetricTable:
        """A table of rows."""
        made = super().__new__(cls, rows)
        made.metric, made.missing, made.unweighted, made.classes = metric, missing, unweighted, classes
        return made

    def to_frame(self) -> pd.DataFrame:
        """A pandas ``DataFrame``: name, value, change, their ends, and the verdict."""
        import pandas as pd

        records = [
            {
                "name": row.name,
                self.metric: row.value.value,
                "low": row.value.low,
                "high": row.value.high,
                "change": row.change and row.change.value,
                "change_low": row.change and row.change.low,
                "change_high": row.change and row.change.high,
                "verdict": row.word,
            }
            for row in self
        ]
        return pd.DataFrame(records)

    def __repr__(self) -> str:
        return f"{self._shown().to_string(index=False)}{self._left_out()}"

    def _repr_html_(self) -> str:
        from html import escape

        return f"{self._shown().to_html(index=False, border=0)}<p>{escape(self._left_out().strip())}</p>"

    def _shown(self) -> pd.DataFrame:
        import pandas as pd

        lines = [
            (
                row.name,
                _with_ends(row.value),
                "–" if row.change is None else _with_ends(row.change, sign="+"),
                "–" if row.word is None else str(_WORDS[row.word]),
            )
            for row in self
        ]
        heads = [say("Variant"), self.metric, say("Change against the baseline"), say("Verdict")]
        return pd.DataFrame(lines, columns=[str(head) for head in heads])

    def _left_out(self) -> str:
        said = []
        if self.classes:
            said.append(
                say(
                    "Quality is that of the classes {classes} alone: labels of others were left out.",
                    classes=tuple(verbatim(name) for name in self.classes[:20]),
                )
            )
        if self.missing:
            said.append(say("Not judged yet: {names}.", names=", ".join(self.missing)))
        if self.unweighted:
            said.append(
                say(
                    "The samples have weights, and the metric takes none: each counts once. Give it a "
                    "parameter called weights."
                )
            )
        return "".join(f"\n{one}" for one in said)


def _with_ends(interval: Interval, sign: str = "") -> str:
    def written(value: float) -> str:
        text = digits(value)
        return f"{sign}{text}" if sign and value > 0 else text

    return f"{written(interval.value)} [{written(interval.low)}, {written(interval.high)}]"


def measured_by(
    metric: Metric,
    labels: npt.NDArray[Any],
    answers: npt.NDArray[Any],
    before: npt.NDArray[Any] | None,
    *,
    higher_is_better: bool = True,
    draws: int = DRAWS,
    seed: int = 0,
    weights: npt.NDArray[Any] | None = None,
) -> tuple[Interval, Interval | None, MetricWord | None]:
    """A metric, its change against a reference, and whether that is a change at all.

    The samples are drawn with replacement, labels and both answers together, and the metric is computed on
    each draw (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13: percentiles). What a
    sample that nobody has seen might add, which the workbench's own measures reckon with, is not known of an
    own metric: with few samples these intervals are somewhat too narrow.

    Args:
        metric: The function.
        labels: Of the test split, samples along axis 0.
        answers: Of the variant.
        before: Of the reference, on the same samples; None where there is none.
        higher_is_better: Whether more of it is better.
        draws: How often samples are drawn.
        seed: Seeds the draws; the same seed draws the same samples for every variant.
        weights: How much each sample counts, handed to the metric as ``weights``; None if it takes none.

    Raises:
        InvalidInput: If the metric gives no single finite number.
    """

    def of(some: npt.NDArray[Any], rows: Any = slice(None)) -> object:
        counted = {} if weights is None else {"weights": weights[rows]}
        return metric(labels[rows], some[rows], **counted)

    value = _number(of(answers))
    reference = None if before is None else _number(of(before))
    rng = np.random.default_rng(seed)
    values: list[float] = []
    changes: list[float] = []
    for _ in range(draws):
        drawn = rng.integers(0, len(labels), len(labels))
        one = _or_none(of(answers, drawn))
        other = None if before is None else _or_none(of(before, drawn))
        if one is None or (before is not None and other is None):
            continue
        values.append(one)
        if other is not None:
            changes.append(one - other)
    if len(values) < _FEWEST_DEFINED * draws:
        raise InvalidInput(
            say(
                "The metric gives a number on all samples and none on {share}% of draws of them: an interval "
                "from the rest would be too narrow.",
                share=round(100 - 100 * len(values) / draws),
            ),
            say("Let it give a number also where a class has no sample, such as the value of the others."),
        )
    change = None if reference is None else _interval(value - reference, changes)
    return _interval(value, values), change, _word(change, higher_is_better=higher_is_better)


def _interval(value: float, drawn: list[float]) -> Interval:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(value=value, low=min(float(low), value), high=max(float(high), value))


def _word(change: Interval | None, *, higher_is_better: bool) -> MetricWord | None:
    if change is None:
        return None
    if change.low <= 0 <= change.high:
        return "no measurable change"
    return "better" if (change.value > 0) == higher_is_better else "worse"


def _or_none(given: object) -> float | None:
    number = _float(given)
    return number if number is not None and np.isfinite(number) else None


def _number(given: object) -> float:
    number = _or_none(given)
    if number is None:
        raise InvalidInput(
            say("A metric gives one finite number. This one gave {given}.", given=repr(given)[:80]),
            say(
                "It is called with labels and answers of the test samples, such as "
                "metric(labels, answers) -> float."
            ),
        )
    return number


def _float(given: object) -> float | None:
    array = np.asarray(given)
    return float(array.reshape(())) if array.size == 1 and array.dtype.kind in "biuf" else None


def metric_table(
    store: Store,
    labels: npt.NDArray[Any],
    metric: Metric,
    *,
    name: str | None = None,
    higher_is_better: bool = True,
    draws: int = DRAWS,
    seed: int = 0,
    weights: npt.NDArray[Any] | None = None,
    counted: npt.NDArray[np.bool_] | None = None,
    classes: tuple[str, ...] = (),
) -> MetricTable:
    """An own metric of every stored variant.

    Args:
        store: Where variants and their answers are kept.
        labels: Of the test split; where there are none, the baseline's answers stand for them.
        metric: Takes labels and answers.
        name: What it is called; by default the function's name.
        higher_is_better: Whether more of it is better.
        draws: How often the test samples are drawn for an interval.
        seed: Seeds the draws.
        weights: How much each test sample counts; once if None.
        counted: Which of them are measured; all if None.
        classes: Names of the classes that are measured; nothing where all are.

    Raises:
        InvalidInput: If it is no function, gives no single finite number, or nothing is judged yet.
    """
    if not callable(metric):
        raise InvalidInput(
            say("A metric is a function of labels and answers. Received: {given}.", given=repr(metric)[:80])
        )
    variants = store.variants()
    kept = {one.id: stored["scores"] for one in variants if (stored := store.arrays("quality", one.id))}
    baseline = Lineage(variants).baseline
    if baseline is None or baseline.id not in kept:
        raise InvalidInput(
            say("The baseline's answers are not known yet."),
            say("Open a model and its data, and wait until its quality is measured."),
        )
    if counted is not None:
        kept = {id_: answers[counted] for id_, answers in kept.items()}
        labels, weights = labels[counted], None if weights is None else weights[counted]
    before = kept[baseline.id]
    takes_weights = weights is not None and _takes_weights(metric)
    rows = []
    for one in variants:
        if one.id not in kept:
            continue
        value, change, word = measured_by(
            metric,
            before if one.description.task == "agreement" else labels,
            kept[one.id],
            None if one.is_baseline else before,
            higher_is_better=higher_is_better,
            draws=draws,
            seed=seed,
            weights=weights if takes_weights else None,
        )
        rows.append(MetricRow(variant=one.id, name=one.name, value=value, change=change, word=word))
    called = name or str(getattr(metric, "__name__", "metric"))
    missing = tuple(one.name for one in variants if one.id not in kept)
    unweighted = weights is not None and not takes_weights
    return MetricTable(rows, called, missing, unweighted=unweighted, classes=classes)


def _takes_weights(metric: Metric) -> bool:
    try:
        return "weights" in inspect.signature(metric).parameters
    except (TypeError, ValueError):  # some built-in functions have none
        return False
