"""What Find tries for a goal: techniques with their parameters, those that promise most first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from workbench.advisor.demands import Want
from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.records import Record
from workbench.api.technique import AnyTechnique, Parameters
from workbench.api.text import Text
from workbench.api.variant import Variant
from workbench.engine.compatibility import parse_parameters, same_variant, technique_obstacle
from workbench.engine.goal import Goal
from workbench.runtimes import runtime, runtimes
from workbench.techniques import technique as find_technique

CHOOSE_RUNTIME = "inference.runtime"
_ANY = ("litert", "onnxruntime", "openvino")
"""The runtimes that are tried where any will do: those made for inference on this machine."""


class Trial(Record):
    """A technique that may serve a goal.

    Attributes:
        technique: Its name.
        parameters: Those that differ from its defaults.
        runtime: What its result runs in.
    """

    technique: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    runtime: str

    @property
    def made_by(self) -> AnyTechnique:
        """The technique."""
        return find_technique(self.technique)

    @property
    def values(self) -> Parameters:
        """All its parameters."""
        return parse_parameters(self.made_by, self.parameters)

    @property
    def title(self) -> Text:
        """What it is called, the runtime included where it is a choice of one."""
        if self.technique == CHOOSE_RUNTIME:
            return Text(template=runtime(self.runtime).title)
        return Text(template=self.made_by.title)

    def made(self, parent: Variant, variants: Sequence[Variant]) -> Variant | None:
        """The variant that it has made of a parent already; None if there is none."""
        return same_variant(self.made_by, parent, self.values, variants)


class PassedOver(Record):
    """A trial that cannot be made here, and why."""

    trial: Trial
    reason: Text


class Plan(Record):
    """What Find does for a goal without training.

    Attributes:
        references: The baseline in each runtime, unchanged: what speeds in that runtime are told from.
        trials: In the order in which they are made, runtime by runtime.
        fallbacks: Tried only where none of those keeps the quality.
        passed_over: What cannot be tried, and why.
    """

    references: tuple[Trial, ...]
    trials: tuple[Trial, ...]
    fallbacks: tuple[Trial, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def runtimes(self) -> tuple[str, ...]:
        """The runtimes of its trials, in their order."""
        return tuple(dict.fromkeys(trial.runtime for trial in (*self.references, *self.trials)))


def plan_of(goal: Goal, baseline: Variant, info: DatasetInfo, variants: Sequence[Variant]) -> Plan:
    """The techniques that fit a model, its data and this machine, of those that serve a goal untrained.

    Args:
        goal: What is wanted.
        baseline: What they start from.
        info: The data.
        variants: All variants.
    """
    names = _ANY if goal.runtime is None else (goal.runtime,)
    passed_over: list[PassedOver] = []

    def possible(trials: Sequence[Trial]) -> tuple[Trial, ...]:
        found = []
        for trial in trials:
            reason = trial_obstacle(trial, baseline, info, variants)
            if reason is None:
                found.append(trial)
            else:
                passed_over.append(PassedOver(trial=trial, reason=reason))
        return tuple(found)

    return Plan(
        references=possible([_reference(name) for name in names if name != baseline.runtime]),
        trials=possible([trial for name in names for trial in _quick(name, goal.want)]),
        fallbacks=possible([trial for name in names for trial in _fallbacks(name, goal.want)]),
        passed_over=tuple(passed_over),
    )


def trial_obstacle(
    trial: Trial, parent: Variant, info: DatasetInfo, variants: Sequence[Variant]
) -> Text | None:
    """Why a trial cannot be made of a parent, or None."""
    try:
        return technique_obstacle(trial.made_by, parent, info, trial.values, variants)
    except InvalidInput as error:  # the technique is not installed here
        return error.text


def trainings(goal: Goal) -> tuple[Trial, ...]:
    """The short trainings that make a smaller network for a goal; a quick technique follows each."""
    home = "keras.function"
    pruning = Trial(technique="structure.pruning", parameters={"remove": 0.5, "epochs": 5}, runtime=home)
    student = Trial(
        technique="distillation.distill", parameters={"compare_seeds": 1, "epochs": 10}, runtime=home
    )
    # A student of half the width has a quarter of the weights: first where size is what counts.
    return (student, pruning) if goal.want == "smaller" else (pruning, student)


def training_for_rounding() -> Trial:
    """Trains the network for int8, where int8 alone lost too much."""
    return Trial(technique="quantization.qat", parameters={"epochs": 3}, runtime="litert")


def _reference(name: str) -> Trial:
    return Trial(technique=CHOOSE_RUNTIME, parameters={"runtime": name}, runtime=name)


def _quick(name: str, want: Want) -> tuple[Trial, ...]:
    match name:
        case "litert":
            # Weights alone in fewer bits are computed with in float32: smaller, hardly faster.
            techniques = ["quantization.int8", "quantization.dynamic_range"]
            if want != "faster":
                techniques.append("quantization.int8_weights")
            if want == "smaller":
                techniques.append("quantization.int4_weights")
        case "onnxruntime":
            techniques = ["quantization.onnx_int8"]
        case "openvino":
            techniques = ["quantization.openvino_int8"]
        case "tensorrt":
            techniques = ["inference.tensorrt"]
        case "keras.function":
            techniques = ["inference.fold"] if want == "faster" else ["quantization.keras", "inference.fold"]
        case _:
            techniques = []
    return tuple(Trial(technique=technique, runtime=name) for technique in techniques)


def _fallbacks(name: str, want: Want) -> tuple[Trial, ...]:
    """Half the size at hardly any loss, for models that do not bear 8 bits."""
    if name != "litert" or want == "faster":
        return ()
    return (Trial(technique="quantization.float16", runtime=name),)


def all_runtimes() -> tuple[str, ...]:
    """The runtimes that a goal may name: those that this machine has."""
    return tuple(name for name, one in runtimes().items() if one.unavailable() is None)
