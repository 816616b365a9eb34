"""A recipe: the steps from the baseline to a variant, as a file that people read and share.

::

    workbench: 1
    model: cnn-mnist-5k
    data: mnist-5k
    seed: 0
    steps:
    - technique: structure.width
      parameters: {factor: 0.5}
    - technique: quantization.int8

Instead of steps it may hold what is demanded, and the advisor finds the steps::

    advise:
      size_kb: 100
      loss_points: 1
      minutes: 5
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from workbench.api.errors import InvalidInput
from workbench.api.records import Record
from workbench.api.text import say, verbatim
from workbench.api.variant import Variant

_MOST_BYTES = 1 << 20


class Step(Record):
    """One technique with its parameters; parameters left out take their defaults.

    Example:
        >>> Step(technique="quantization.int8", parameters={"samples": 100}).parameters
        {'samples': 100}
    """

    technique: str
    parameters: dict[str, Any] = Field(default_factory=dict)


class Recipe(Record):
    """The steps from a baseline to a variant.

    Attributes:
        workbench: Version of the recipe's format.
        model: Name of the model that it was written for; information only.
        data: Name of the data set that it was written for; information only.
        seed: Seed of everything random.
        steps: In order.
        advise: Demands that take the place of steps, by the names of
            :class:`workbench.advisor.demands.Demands`.

    Example:
        >>> recipe = Recipe(steps=[{"technique": "structure.width", "parameters": {"factor": 0.5}}])
        >>> print(recipe.to_yaml())
        workbench: 1
        seed: 0
        steps:
        - technique: structure.width
          parameters:
            factor: 0.5
        <BLANKLINE>
        >>> Recipe.from_yaml(recipe.to_yaml()) == recipe
        True
    """

    workbench: Literal[1] = 1
    model: str | None = None
    data: str | None = None
    seed: int = Field(0, ge=0)
    steps: tuple[Step, ...] = Field((), min_length=1)
    advise: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.advise is None) == (not self.steps):
            raise ValueError("a recipe holds either 'steps' or 'advise'")
        return self

    def to_yaml(self) -> str:
        """The recipe as text; :meth:`from_yaml` reads it back equal."""
        document = self.model_dump(mode="json")
        for name in ("model", "data", "advise"):
            if document[name] is None:
                del document[name]
        if not self.steps:
            del document["steps"]
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        if yaml.safe_load(text) != document:
            # PyYAML writes a few control characters (U+0085) raw and reads them as line breaks.
            text = yaml.safe_dump(document, sort_keys=False)
        return text

    @classmethod
    def from_yaml(cls, text: str) -> Recipe:
        """Reads a recipe.

        Args:
            text: YAML, at most 1 MiB.

        Raises:
            InvalidInput: With the place and what is allowed there.
        """
        if len(text) > _MOST_BYTES:
            raise InvalidInput(
                say(
                    "The recipe has {count} characters; at most {most} are read.",
                    count=len(text),
                    most=_MOST_BYTES,
                )
            )
        try:
            document = yaml.load(text, Loader=_NoAliasLoader)  # noqa: S506  # a SafeLoader without aliases
        except (yaml.YAMLError, RecursionError) as error:
            raise InvalidInput(
                say("The recipe is not YAML: {error}", error=verbatim(" ".join(str(error).split())))
            ) from error
        if not isinstance(document, dict):
            raise InvalidInput(
                say("A recipe is a mapping with 'steps'. Received: {kind}.", kind=type(document).__name__),
                say("Start from the recipe that the page lets you download for any variant."),
            )
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "recipe"
            raise InvalidInput(
                say(
                    "The recipe is wrong at {place}: {problem}.", place=place, problem=verbatim(first["msg"])
                ),
                say(
                    "A recipe may hold workbench, model, data, seed, and steps with technique and "
                    "parameters, or advise with demands instead of steps."
                ),
            ) from error

    @classmethod
    def from_file(cls, path: Path) -> Recipe:
        """Reads a recipe from a UTF-8 file."""
        try:
            return cls.from_yaml(Path(path).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(
                say("The recipe {path} cannot be read: {error}", path=str(path), error=verbatim(str(error)))
            ) from error

    @classmethod
    def of(cls, lineage: Sequence[Variant], *, data: str | None = None, seed: int = 0) -> Recipe:
        """The recipe of a variant.

        Args:
            lineage: From the baseline to the variant, both included.
            data: Name of the data set.
            seed: The workbench's seed.

        Raises:
            InvalidInput: For the baseline, which has no steps.
        """
        steps = tuple(
            Step(technique=variant.technique, parameters=variant.parameters)
            for variant in lineage
            if variant.technique is not None
        )
        if not steps:
            raise InvalidInput(
                say("The baseline has no recipe: nothing was done to it."), say("Choose another variant.")
            )
        return cls(model=lineage[0].name, data=data, seed=seed, steps=steps)


class _NoAliasLoader(yaml.SafeLoader):
    """Refuses aliases: a few hundred bytes of nested ones unfold to gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's composer has no types
            raise yaml.composer.ComposerError(
                None, None, "aliases are not allowed in a recipe", event.start_mark
            )
        return super().compose_node(parent, index)
