"""What is written on variants and kept with them: names, notes, stars, guesses, goals; and what is hidden."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.engine.goal import GOAL, Goal
from workbench.engine.reading import USE, Reading
from workbench.jobs.state import JobState
from workbench.results.guess import Guess, guess_for, keep_guess
from workbench.results.savings import Use
from workbench.store.labels import checked_name, checked_note


class Labelling(Reading):
    """The part of :class:`workbench.Workbench` that changes what is written, and starts no job."""

    @property
    @abstractmethod
    def jobs(self) -> tuple[JobState, ...]:
        """All jobs, oldest first."""

    @abstractmethod
    def _stored(self, what: Literal["variants", "results", "closed"]) -> None:
        """Tells those who watch that something was stored."""

    def set_goal(self, goal: Goal) -> None:
        """Keeps what is wanted of this model, for :meth:`best` and the page."""
        if goal != self.goal:
            self._store.set_fact(GOAL, goal.model_dump_json())
            self._stored("results")

    def set_use(self, use: Use) -> None:
        """Keeps how the model is used, for :meth:`savings` and the page."""
        if use != self.use:
            self._store.set_fact(USE, use.model_dump_json())
            self._stored("results")

    def delete(self, variant: str) -> None:
        """Hides a variant and everything made from it; :meth:`undo` takes it back.

        Raises:
            InvalidInput: For the baseline.
        """
        ids = [one.id for one in self._queries.with_descendants(variant)]
        self._store.set_deleted(ids, True)
        self._stored("variants")

    def delete_made(self) -> None:
        """Hides all variants but the baseline; :meth:`undo` takes it back."""
        ids = [one.id for one in self._store.variants() if not one.is_baseline]
        if ids:
            self._store.set_deleted(ids, True)
            self._stored("variants")

    def undo(self) -> Text | None:
        """Takes the last deletion back, also one of an earlier session or of another page.

        Returns:
            What was done; None if there was nothing to undo.
        """
        gone = self.deleted
        if not gone:
            return None
        self._store.set_deleted([variant.id for variant in gone], False)
        self._stored("variants")
        if len(gone) == 1:
            return say("{name} is back.", name=gone[0].name)
        return say(
            "{name} and {count} variant made from it are back.",
            "{name} and {count} variants made from it are back.",
            name=gone[0].name,
            count=len(gone) - 1,
        )

    def rename(self, variant: str, name: str) -> None:
        """Gives a variant another name. What it was made with and made from stays.

        Args:
            variant: Identifier or name.
            name: Up to 80 characters on one line, that no other variant has.

        Raises:
            InvalidInput: If the name is of no use, or taken.
        """
        self._label(variant, name=checked_name(name))

    def annotate(self, variant: str, note: str) -> None:
        """Writes a note on a variant in place of the one that it had; an empty one takes it away.

        Args:
            variant: Identifier or name.
            note: Up to 2,000 characters.

        Raises:
            InvalidInput: If it is longer.
        """
        self._label(variant, note=checked_note(note))

    def guess(self, job: str, guess: Guess) -> None:
        """Keeps what somebody thinks that the variant will be which a job is making.

        Args:
            job: Identifier of a job that applies a technique.
            guess: Against the baseline.

        Raises:
            InvalidInput: If there is no such job, or it has ended.
        """
        state = next((state for state in self.jobs if state.id == job), None)
        if state is None or state.kind != "apply" or state.ended:
            raise InvalidInput(say("Nothing is being made there: guess while a technique is applied."))
        keep_guess(self._store, job, guess)
        self._stored("results")

    def guessed(self, job: str) -> Guess | None:
        """What was guessed of the variant that a job makes."""
        return guess_for(self._store, job)

    def star(self, variant: str, starred: bool = True) -> None:
        """Marks a variant, or takes the mark away.

        Args:
            variant: Identifier or name.
            starred: Whether it is marked from now on.
        """
        self._label(variant, starred=bool(starred))

    def _label(self, variant: str, **changes: object) -> None:
        self._store.set_label(self.variant(variant).id, **changes)
        self._stored("variants" if "name" in changes else "results")
