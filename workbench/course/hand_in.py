"""What a learner hands in: predictions beside what came out, checks, variants, decisions of one lesson.

It holds numbers and words and nothing that is read as a program: no file of a model, no template of a text.
Whoever reads one has not made it, so every field is bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from workbench.api.lineage import Lineage
from workbench.api.records import Record
from workbench.api.task import Task
from workbench.course.keeping import CourseWork
from workbench.course.names import LONGEST_NAME, clean_name
from workbench.course.records import Checked, Decision, Prediction
from workbench.measure.records import QualityWord
from workbench.results.rows import ResultRow, collect
from workbench.store import Store

_MOST = 400
_Words = Annotated[str, Field(max_length=400)]
_Key = Annotated[str, Field(max_length=120)]


class _Handed(Record):
    """A record of somebody else's making."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Ends(_Handed):
    """A value with its 95 % interval.

    Attributes:
        value: The estimate.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


class Predicted(_Handed):
    """A prediction, and what came out.

    Attributes:
        key: Which one, without its lesson.
        question: As it was asked.
        said: The answer in words.
        measured: What came out, a number or the key of a choice; None while it is not known.
        low: Lower end of its interval, if it has one.
        high: Upper end of it.
        doubted: Whether what came out is not believed.
        right: Whether it came out so; None where that cannot be told.
    """

    key: _Key
    question: _Words
    said: _Words
    measured: float | _Words | None = None
    low: float | None = None
    high: float | None = None
    doubted: bool = False
    right: bool | None = None


class Tried(_Handed):
    """How far a check is.

    Attributes:
        key: Which one, without its lesson.
        passed: Whether the newest answer is right.
        tries: How many answers were given: every wrong one, and the right one.
        wrong: The newest wrong answers.
    """

    key: _Key
    passed: bool
    tries: int = Field(ge=0)
    wrong: tuple[_Words, ...] = Field((), max_length=20)


class Made(_Handed):
    """A variant, measured on the learner's machine.

    Attributes:
        name: What it is called.
        baseline: Whether it is the model as it came.
        steps: The techniques that made it from the baseline.
        runtime: In which it was measured.
        automatic: Whether the workbench made it to compare with.
        file_bytes: Size of its file.
        times_smaller: Bytes of the learner's own baseline over its own.
        latency_ms: Its latency on that machine; of another machine it is another number.
        speedup: Against the learner's own baseline; None where it was not timed on the baseline's machine.
        speed: The verdict on it against float32 in the same runtime.
        doubt: Why its timing is not believed; empty where it is.
        measured: F1, or the measure of another task.
        change: Change of it against the baseline.
        kept: The verdict on that.
    """

    name: _Words
    baseline: bool = False
    steps: tuple[_Key, ...] = Field((), max_length=50)
    runtime: _Key
    automatic: bool = False
    file_bytes: int | None = Field(None, ge=0)
    times_smaller: float | None = Field(None, ge=0)
    latency_ms: float | None = Field(None, ge=0)
    speedup: Ends | None = None
    speed: _Key | None = None
    doubt: _Words = ""
    measured: float | None = None
    change: Ends | None = None
    kept: QualityWord | None = None


class Decided(_Handed):
    """What a learner would deploy, and why.

    Attributes:
        variant: Name of the variant; None for "none of them".
        text: The reasons.
        written: When, UTC.
    """

    variant: _Words | None = None
    text: str = Field(max_length=8000)
    written: datetime


class HandIn(_Handed):
    """What one learner has done in one lesson.

    Attributes:
        version: Of this form.
        learner: The name as the learner gave it.
        lesson: Name of the lesson; empty where no lesson was used, as on a shared dashboard.
        work: Tells this work from another one under the same name.
        machine: The processor that its numbers were taken on.
        cores: Of that, logical ones; None where nothing was measured.
        task: What its variants are judged as.
        written: When it was handed in, or last changed, UTC.
        predictions: In the order of their keys.
        checks: Likewise.
        variants: In the order of their making, the baseline first.
        decision: None where nothing was decided.
    """

    version: Literal[1] = 1
    learner: str = Field(min_length=1, max_length=LONGEST_NAME)
    lesson: _Key = ""
    work: _Key = ""
    machine: _Words = ""
    cores: int | None = Field(None, ge=1)
    task: Task = "classification"
    written: datetime
    predictions: tuple[Predicted, ...] = Field((), max_length=_MOST)
    checks: tuple[Tried, ...] = Field((), max_length=_MOST)
    variants: tuple[Made, ...] = Field((), max_length=_MOST)
    decision: Decided | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (self.predictions or self.checks or self.variants or self.decision)


def hand_in(store: Store, learner: str, lesson: str | None = None) -> HandIn:
    """What a learner has done, from the store of the lesson.

    Args:
        store: Of the lesson's workbench.
        learner: The learner's name.
        lesson: Name of the lesson; by default the one that most of what was kept belongs to.
    """
    work = CourseWork(store)
    predictions, checks, decisions = work.predictions, work.checks, work.decisions
    chosen = lesson if lesson is not None else _lesson_of((*predictions, *checks), decisions)
    rows = collect(store)
    environments = store.environments()
    lineage = Lineage(store.variants())
    baseline = lineage.baseline
    used = next((row.environment for row in rows if row.environment is not None), None)
    machine = environments.get(used or "")
    own = f"{chosen}/"
    names = {row.variant.id: row.variant.name for row in rows}
    decision = decisions.get(chosen)
    return HandIn(
        learner=clean_name(learner),
        lesson=chosen,
        work="" if baseline is None else baseline.id,
        machine="" if machine is None else machine.cpu[:400],
        cores=None if machine is None else machine.cores,
        task=rows[0].variant.description.task if rows else "classification",
        written=datetime.now(UTC),
        predictions=tuple(_predicted(one, own) for key, one in predictions.items() if key.startswith(own)),
        checks=tuple(_tried(one, own) for key, one in checks.items() if key.startswith(own)),
        variants=tuple(_made(row, lineage) for row in rows[:_MOST]),
        decision=None if decision is None else _decided(decision, names),
    )


def _lesson_of(keys: Iterable[str], decisions: Mapping[str, Decision]) -> str:
    counted = Counter([*(key.partition("/")[0] for key in keys), *decisions])
    return counted.most_common(1)[0][0] if counted else ""


def _predicted(one: Prediction, own: str) -> Predicted:
    found = one.measured
    return Predicted(
        key=one.key.removeprefix(own),
        question=one.question[:400],
        said=one.said[:400],
        measured=None if found is None else found.value,
        low=None if found is None else found.low,
        high=None if found is None else found.high,
        doubted=found is not None and found.doubt is not None,
        right=one.right,
    )


def _tried(one: Checked, own: str) -> Tried:
    return Tried(
        key=one.key.removeprefix(own),
        passed=one.passed,
        tries=one.wrong_answers + one.passed,
        wrong=tuple(answer[:400] for answer in one.wrong),
    )


def _made(row: ResultRow, lineage: Lineage) -> Made:
    variant = row.variant
    doubt = None if variant.is_baseline else row.distrust or row.total_distrust
    # Only what was timed on the machine of the baseline stands beside it.
    speedup = row.total_speedup if row.paired_ms is not None else None
    change = row.quality_change
    return Made(
        name=variant.name[:400],
        baseline=variant.is_baseline,
        steps=tuple(one.technique for one in lineage.of(variant) if one.technique is not None),
        runtime=variant.runtime,
        automatic=variant.automatic,
        file_bytes=None if row.size is None else row.size.file_bytes,
        times_smaller=None if row.size_change is None else row.size_change.ratio,
        latency_ms=None if row.shown_ms is None else row.shown_ms.value,
        speedup=None if speedup is None else Ends(**speedup.model_dump()),
        speed=None if row.speed is None or doubt is not None else row.speed.word,
        doubt="" if doubt is None else str(doubt)[:400],
        measured=None if row.quality is None else row.quality.measured.value,
        change=None if change is None else Ends(**change.change.model_dump()),
        kept=None if change is None else change.word,
    )


def _decided(decision: Decision, names: Mapping[str, str]) -> Decided:
    chosen = names.get(decision.variant or "")
    return Decided(
        variant=None if chosen is None else chosen[:400], text=decision.text, written=decision.written
    )
