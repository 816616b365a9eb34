"""The space that is searched: structures, and forms to deploy them in, as techniques declare them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from workbench.advisor.demands import Demands
from workbench.api.dataset import DatasetInfo
from workbench.api.file_format import file_format
from workbench.api.records import Record
from workbench.api.technique import AnyTechnique, Parameters
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import Variant
from workbench.results.step_order import order_obstacle
from workbench.techniques import technique as find_technique
from workbench.techniques import techniques

_USEFUL = frozenset({"smaller", "faster"})
_STRUCTURES = frozenset({"structure", "distillation"})
"""Families whose results are models that are deployed in any form."""


class Action(Record):
    """A technique with the parameters that differ from its defaults.

    Example:
        >>> Action(technique="quantization.int8").key
        'quantization.int8'
    """

    technique: str
    parameters: dict[str, Any] = Field(default_factory=dict)

    @property
    def made_by(self) -> AnyTechnique:
        """The technique."""
        return find_technique(self.technique)

    @property
    def values(self) -> Parameters:
        """All its parameters."""
        return self.made_by.parameters_type.model_validate(self.parameters)

    @property
    def key(self) -> str:
        """Names it and its parameters."""
        if not self.parameters:
            return self.technique
        return f"{self.technique} {json.dumps(self.parameters, sort_keys=True)}"

    @property
    def title(self) -> Text:
        """What it is called, in the words that a variant of it has for a name."""
        return verbatim(self.made_by.variant_name(self.values))


class Cell(Record):
    """One stack of steps that could be made, and where it would run.

    Attributes:
        structure: Changes the model; None leaves it as it is.
        form: Writes the file that is deployed; None leaves the Keras model.
        threads: Threads inside one inference.
        runtime: What runs it.
        trains: Whether making it needs a training.
        before: What had changed the model before its structure did.
    """

    before: tuple[Action, ...] = ()
    structure: Action | None = None
    form: Action | None = None
    threads: int = 1
    runtime: str
    trains: bool = False

    @property
    def key(self) -> str:
        """Names it among all cells."""
        return f"{self.structure_key} | {self.form_key}" + ("" if self.threads == 1 else f" | {self.threads}")

    @property
    def structure_key(self) -> str:
        """Names its structure; ``-`` where the model stays as it is."""
        return " > ".join(one.key for one in (*self.before, self.structure) if one is not None) or "-"

    @property
    def form_key(self) -> str:
        """Names its form; ``-`` where it stays in Keras."""
        return "-" if self.form is None else self.form.key

    @property
    def form_kind(self) -> str | None:
        """What it has in common with the same form by other parameters; None where it stays in Keras."""
        return None if self.form is None else f"{self.form.technique} in {self.runtime}"

    @property
    def structure_kind(self) -> str | None:
        """The same of its structure; None where the model stays as it is."""
        if self.structure is None:
            return None
        return " > ".join(one.technique for one in (*self.before, self.structure))

    @property
    def steps(self) -> tuple[Action, ...]:
        """What is applied to the model as it came, in order."""
        made = tuple(one for one in (*self.before, self.structure, self.form) if one is not None)
        if self.threads == 1:
            return made
        chooser = runtime_chooser()
        again = Action(technique=chooser.name, parameters={"runtime": self.runtime, "threads": self.threads})
        # Where the form is a choice of a runtime, its threads are chosen with it.
        if self.form is not None and self.form.technique == chooser.name:
            return (*made[:-1], again)
        return (*made, again)

    @property
    def title(self) -> Text:
        """What it is called."""
        parts = tuple(step.title for step in self.steps)
        return say("{steps}", steps=parts) if parts else say("the model as it came")


class RuledOut(Record):
    """A stack that cannot be made here, and why."""

    structure: Action | None
    form: Action | None
    reason: Text

    @property
    def parts(self) -> tuple[Action, ...]:
        """Those of the two that there are."""
        return tuple(one for one in (self.structure, self.form) if one is not None)


class Space(Record):
    """Everything that could be made of a model here.

    Attributes:
        cells: What is searched.
        ruled_out: What is not, with the reason.
    """

    cells: tuple[Cell, ...]
    ruled_out: tuple[RuledOut, ...] = ()


def runtime_chooser() -> AnyTechnique:
    """The technique that runs the same weights elsewhere, with another number of threads."""
    return next(
        one
        for one in techniques().values()
        if one.repacks and {"runtime", "threads"} <= one.parameters_type.model_fields.keys()
    )


def space_of(baseline: Variant, info: DatasetInfo, demands: Demands) -> Space:
    """All stacks that fit a model, its data, this machine and what is demanded.

    A structure comes before a form. What a technique may do to a model that is not there yet is asked of the
    model as it came: both are float32 models of Keras.

    Args:
        baseline: The model as it came.
        info: The data.
        demands: Those of runtime, threads and training bound the space.
    """
    cells: list[Cell] = []
    ruled_out: list[RuledOut] = []
    structures: list[Action | None] = [None]
    for one in techniques().values():
        if not is_structure(one) or (one.trains and not demands.training):
            continue
        for action in _actions(one, baseline, info):
            reason = _obstacle(action, None, baseline, info)
            if reason is None:
                structures.append(action)
            else:
                ruled_out.append(RuledOut(structure=action, form=None, reason=reason))
    forms: list[Action | None] = [None]
    for one in techniques().values():
        if not is_form(one) or (one.trains and not demands.training):
            continue
        for action in _actions(one, baseline, info):
            reason = _obstacle(action, None, baseline, info)
            if reason is None:
                forms.append(action)
            else:  # a smaller model of the same kind would not fit either
                ruled_out.append(RuledOut(structure=None, form=action, reason=reason))
    for structure in structures:
        for form in forms:
            name = runtime_of(form, baseline)
            if demands.runtime not in (None, name):
                continue
            reason = None if form is None or structure is None else _obstacle(form, structure, baseline, info)
            if reason is not None:
                ruled_out.append(RuledOut(structure=structure, form=form, reason=reason))
                continue
            trains = any(one is not None and one.made_by.trains for one in (structure, form))
            cells.append(
                Cell(
                    structure=structure,
                    form=form,
                    threads=demands.threads or 1,
                    runtime=name,
                    trains=trains,
                )
            )
    return Space(cells=tuple(cells), ruled_out=tuple(ruled_out))


def is_structure(technique: AnyTechnique) -> bool:
    """Whether a technique makes a smaller or faster model that is deployed in any form."""
    return technique.family in _STRUCTURES and bool(technique.aims & _USEFUL) and not technique.measures


def is_form(technique: AnyTechnique) -> bool:
    """Whether a technique writes a model in the form in which it is deployed."""
    return technique.family not in _STRUCTURES and bool(technique.aims & _USEFUL) and not technique.measures


def runtime_of(form: Action | None, parent: Variant | None) -> str:
    """What runs what a form makes of a variant; None is a model of Keras.

    Args:
        form: What is made; None leaves it as it is.
        parent: Of what.
    """
    runtime, kind = (
        (file_format("keras").home_runtime, "keras") if parent is None else (parent.runtime, parent.format)
    )
    if form is None:
        return runtime
    chosen = getattr(form.values, "runtime", None)
    if isinstance(chosen, str):
        return chosen
    produces = form.made_by.produces
    return runtime if produces in (None, kind) else file_format(produces).home_runtime


def _actions(technique: AnyTechnique, baseline: Variant, info: DatasetInfo) -> list[Action]:
    """A technique with each of the settings that it is to be tried with."""
    return [
        Action(technique=technique.name, parameters=differing(values))
        for values in technique.settings_to_try(baseline, info)
    ]


def differing(values: Parameters) -> dict[str, Any]:
    """The parameters that are not the defaults."""
    usual = type(values)().model_dump(mode="json")
    return {name: value for name, value in values.model_dump(mode="json").items() if value != usual[name]}


def _obstacle(action: Action, after: Action | None, baseline: Variant, info: DatasetInfo) -> Text | None:
    """Why a technique cannot come after another one, or None."""
    technique, values = action.made_by, action.values
    earlier: Sequence[tuple[str, str]] = () if after is None else ((after.technique, baseline.name),)
    return (
        technique.lacks(baseline, values)
        or order_obstacle(technique, earlier)
        or technique.obstacle(baseline, info, values)
    )
