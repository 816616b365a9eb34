"""Keeps what a learner does in the folder of the workbench that the lesson is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from workbench.api.errors import InvalidInput, Refused
from workbench.api.text import Text, say
from workbench.course.names import clean_name
from workbench.course.records import MOST_WORDS, Checked, Decision, Measured, Prediction, words_in
from workbench.store import Store

_PREDICTION = "course prediction "
_MEASURED = "course measured "
_CHECK = "course check "
_DECISION = "course decision "
_LEARNER = "course learner"
_UNDO = "course undo"
_MOST_WRONG = 20
_MOST_UNDONE = 50
_LONGEST_ANSWER = 200


class NotPredicted(Refused):
    """A run that a prediction comes before. A notebook shows it in two lines: nothing is broken."""

    def _render_traceback_(self) -> list[str]:
        return [str(self.problem), str(self.action)]


class _Step(NamedTuple):
    """A fact that was changed, with what it was; None where it was not there."""

    fact: str
    before: str | None


class CourseWork:
    """Predictions, checks and decisions of one workbench. Each is on disk before the call returns.

    Args:
        store: Where they are kept.
        changed: Called after something was kept.

    Example:
        >>> workbench.course.lock("size", "How many times smaller?", 4.0, "4 times").answer
        4.0
        >>> workbench.course.lock("size", "How many times smaller?", 3.0, "3 times")
        Traceback (most recent call last):
        workbench.api.errors.Refused: This prediction is locked. It stays as it is, right or wrong.
    """

    def __init__(self, store: Store, changed: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._changed = changed

    # -- predictions ------------------------------------------------------------------------

    @property
    def predictions(self) -> dict[str, Prediction]:
        """What was predicted, by key, with what came out."""
        found = self._store.facts(_MEASURED)
        measured = {key: Measured.model_validate_json(value) for key, value in found.items()}
        kept = self._store.facts(_PREDICTION)
        return {
            key: Prediction.model_validate_json(value).model_copy(update={"measured": measured.get(key)})
            for key, value in kept.items()
        }

    def lock(self, key: str, question: str, answer: float | str, said: str) -> Prediction:
        """Keeps a prediction for good.

        Args:
            key: Which one it is.
            question: What was asked.
            answer: A number, or the key of a choice.
            said: The answer in words.

        Raises:
            Refused: If there is one already.
        """
        prediction = Prediction(
            key=key, question=question, answer=answer, said=said, locked=datetime.now(UTC)
        )
        # One statement: of two pages that lock at once, one is told that it is too late.
        if not self._store.add_fact(_PREDICTION + key, prediction.model_dump_json()):
            raise Refused(say("This prediction is locked. It stays as it is, right or wrong."))
        self._changed()
        return prediction

    def require_locked(self, key: str) -> None:
        """Does nothing where something was predicted.

        Raises:
            NotPredicted: If nothing was.
        """
        if self._store.fact(_PREDICTION + key) is None:
            raise NotPredicted(
                say("Nothing is predicted here yet."),
                say("Lock your prediction in the panel above, then run this cell again."),
            )

    def measured(
        self,
        key: str,
        value: float | str | None,
        low: float | None = None,
        high: float | None = None,
        doubt: Text | None = None,
    ) -> None:
        """Keeps what came out, to be shown beside what was predicted.

        Args:
            key: Of the prediction.
            value: A number, or the key of the choice that turned out right; None if it could not be told.
            low: Lower end of its 95 % interval, if it has one.
            high: Upper end of it.
            doubt: Why it is not believed, if it is not.

        Raises:
            NotPredicted: If nothing was predicted yet.
        """
        self.require_locked(key)
        found = Measured(value=value, low=low, high=high, doubt=doubt, when=datetime.now(UTC))
        self._store.set_fact(_MEASURED + key, found.model_dump_json())
        self._changed()

    # -- checks -----------------------------------------------------------------------------

    @property
    def checks(self) -> dict[str, Checked]:
        """How far each check is, by key."""
        kept = self._store.facts(_CHECK)
        return {key: Checked.model_validate_json(value) for key, value in kept.items()}

    def checked(self, key: str, *, passed: bool, answer: str = "") -> Checked:
        """Keeps how a check came out.

        Args:
            key: Which one it is.
            passed: Whether the answer is right.
            answer: The answer, which is kept where it is wrong; empty where none was given.
        """
        before = self._store.fact(_CHECK + key)
        known = None if before is None else Checked.model_validate_json(before)
        wrong = () if known is None else known.wrong
        count = 0 if known is None else known.wrong_answers
        answer = answer[:_LONGEST_ANSWER]
        # A cell that is run again gives the same answer again.
        if not passed and answer and (known is None or known.passed or known.answer != answer):
            wrong, count = (*wrong, answer)[-_MOST_WRONG:], count + 1
        result = Checked(
            key=key,
            passed=passed,
            answer=answer,
            wrong_answers=count,
            wrong=wrong,
            when=datetime.now(UTC),
        )
        self._replace(_CHECK + key, result.model_dump_json())
        return result

    # -- decisions --------------------------------------------------------------------------

    @property
    def decisions(self) -> dict[str, Decision]:
        """What was decided, by lesson."""
        kept = self._store.facts(_DECISION)
        return {key: Decision.model_validate_json(value) for key, value in kept.items()}

    def decide(self, lesson: str, text: object, variant: str | None = None) -> Decision:
        """Keeps a decision in place of the one that this lesson had.

        Args:
            lesson: Name of the lesson.
            text: Numbers, reason, trade-off; at most 200 words.
            variant: Identifier of the variant that is chosen.

        Raises:
            InvalidInput: If it is empty or too long.
        """
        if not isinstance(text, str) or not text.strip():
            raise InvalidInput(say("A decision says numbers, why, and what is given up for it."))
        if (many := words_in(text)) > MOST_WORDS or len(text) > 20 * MOST_WORDS:
            raise InvalidInput(
                say("A decision has at most {most} words. This one has {many}.", most=MOST_WORDS, many=many),
                say("Keep the numbers, and shorten the rest."),
            )
        decision = Decision(lesson=lesson, variant=variant, text=text.strip(), written=datetime.now(UTC))
        self._replace(_DECISION + lesson, decision.model_dump_json())
        return decision

    # -- taken back -------------------------------------------------------------------------

    @property
    def undoable(self) -> str | None:
        """Key of the check or the decision that :meth:`undo` takes back; None if there is none."""
        steps = self._steps()
        return steps[-1].fact.removeprefix(_CHECK).removeprefix(_DECISION) if steps else None

    def undo(self) -> str | None:
        """Takes back the last answer to a check, or the last decision. Predictions stay, right or wrong.

        Returns:
            Its key; None if there was nothing.
        """
        steps = self._steps()
        if not steps:
            return None
        last = steps.pop()
        if last.before is None:
            self._store.drop_fact(last.fact)
        else:
            self._store.set_fact(last.fact, last.before)
        self._keep_steps(steps)
        self._changed()
        return last.fact.removeprefix(_CHECK).removeprefix(_DECISION)

    def reset(self) -> None:
        """Forgets all answers to checks and all decisions. Predictions stay as evidence."""
        for beginning in (_CHECK, _DECISION):
            for key in self._store.facts(beginning):
                self._store.drop_fact(beginning + key)
        self._store.drop_fact(_UNDO)
        self._changed()

    def _replace(self, fact: str, value: str) -> None:
        before = self._store.fact(fact)
        if before != value:
            self._keep_steps([*self._steps(), _Step(fact, before)][-_MOST_UNDONE:])
        self._store.set_fact(fact, value)
        self._changed()

    def _steps(self) -> list[_Step]:
        return [_Step(*step) for step in json.loads(self._store.fact(_UNDO) or "[]")]

    def _keep_steps(self, steps: list[_Step]) -> None:
        self._store.set_fact(_UNDO, json.dumps(steps))

    # -- whose it is ------------------------------------------------------------------------

    @property
    def learner(self) -> str | None:
        """The name that the learner has given; None without."""
        return self._store.fact(_LEARNER)

    def call(self, learner: object) -> str:
        """Keeps the learner's name, as it is handed in.

        Raises:
            InvalidInput: If it is empty or too long.
        """
        name = clean_name(learner)
        self._store.set_fact(_LEARNER, name)
        self._changed()
        return name
