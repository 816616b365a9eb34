"""What somebody thinks that a step will bring, said before it is known, and drawn beside the result."""

from __future__ import annotations

from pydantic import Field, ValidationError

from workbench.api.errors import InvalidInput
from workbench.api.records import Record
from workbench.api.text import say
from workbench.store import Store

_FACT = "guess "


class Guess(Record):
    """A guess of what a variant will be, against the baseline.

    Attributes:
        smaller: How many times smaller its file is; below 1 is larger. None where nothing was guessed.
        faster: How many times faster it is; below 1 is slower.
        points: Change of macro F1 in percentage points; of an error in per cent of what it was, above 0
            where it grows.
    """

    smaller: float | None = Field(None, ge=0.001, le=10_000)
    faster: float | None = Field(None, ge=0.001, le=10_000)
    points: float | None = Field(None, ge=-100, le=100)

    @property
    def empty(self) -> bool:
        """Whether nothing was guessed."""
        return self.smaller is None and self.faster is None and self.points is None


def parse_guess(smaller: object, faster: object, points: object) -> Guess:
    """A guess from what a form says; empty fields are no guess.

    Raises:
        InvalidInput: If a value is no number, or no sensible one.
    """
    values = {"smaller": smaller, "faster": faster, "points": points}
    try:
        guess = Guess.model_validate(
            {name: None if value == "" else value for name, value in values.items()}, strict=False
        )
    except ValidationError as error:
        raise InvalidInput(
            say(
                "A guess is a number: how many times smaller and faster (0.001 to 10000), and a change of "
                "quality in points or in per cent (-100 to 100)."
            )
        ) from error
    if guess.empty:
        raise InvalidInput(say("Nothing was guessed: fill in one of the fields."))
    return guess


def keep_guess(store: Store, job: str, guess: Guess) -> None:
    """Keeps what was guessed of the variant that a job will make."""
    store.set_fact(_FACT + job, guess.model_dump_json())


def guess_for(store: Store, job: str) -> Guess | None:
    """What was guessed of the variant that a job makes."""
    kept = store.fact(_FACT + job)
    return None if kept is None else Guess.model_validate_json(kept)


def guesses(store: Store) -> dict[str, Guess]:
    """What was guessed of each variant, by its identifier."""
    kept = store.facts_of_makers(_FACT)
    return {variant: Guess.model_validate_json(value) for variant, value in kept.items()}
