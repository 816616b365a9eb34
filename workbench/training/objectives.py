"""What a model is trained for: the loss of its output, or those of several, each of its own task, added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset, SplitName
from workbench.api.task import Task
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.plain.class_weights import balanced_weights
from workbench.plain.outputs import plain_name
from workbench.plain.targets import spread_of
from workbench.training.losses import Objective
from workbench.training.optimizers import Call, Expression
from workbench.training.parameters import TrainingSettings

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
ByOutput = Array | dict[str, Array]
"""Labels or weights of samples; of several outputs by name."""


@dataclass(frozen=True)
class TrainedOutput:
    """An output of a model, and what it is trained for.

    Attributes:
        name: Its name; empty where the model has no other.
        objective: What it is trained for.
        further: Its name among the further outputs of the data; None for the first one.
        key: What the names of its labels in files end with.
        weighted: The splits whose samples have weights for it.
    """

    name: str
    objective: Objective
    further: str | None = None
    key: str = ""
    weighted: tuple[str, ...] = ()

    def of(self, values: Any) -> Any:
        """Its own of what there is for each output."""
        return values[self.name] if self.name else values


def trained_positions(description: ModelDescription) -> dict[int, str | None]:
    """The outputs that data have labels for, by position: the name of a further one, None for the first."""
    return {description.output or 0: None, **{one.position: one.name for one in description.further}}


def output_names(description: ModelDescription, first: str | None = None) -> tuple[str, ...]:
    """What the outputs of a model that are trained are called, in their order; nothing if it has only one.

    Args:
        description: Of a model all of whose outputs have labels.
        first: What the first output is called; None takes its name in the file.
    """
    if not description.further:
        return ()
    found = trained_positions(description)
    return tuple(
        found[position] or first or plain_name(description.judged.name) for position in sorted(found)
    )


@dataclass(frozen=True)
class Objectives:
    """What a model is trained for.

    Attributes:
        outputs: Those that are trained, in the order of the model's.
        counts: How much the loss of each counts, by name, as the user said it.
    """

    outputs: tuple[TrainedOutput, ...]
    counts: Mapping[str, float]

    @staticmethod
    def of(
        description: ModelDescription,
        settings: TrainingSettings | None = None,
        *,
        model: keras.Model | None = None,
        from_logits: bool | None = None,
    ) -> Objectives:
        """The objectives of a model.

        Args:
            description: What is known of its file, or of that which it was made of.
            settings: How it is trained; None for the plain labels.
            model: The model itself, which tells how many values its outputs have.
            from_logits: Whether the first output is raw scores, where the caller tells.
        """
        names, found = output_names(description), []
        positions = trained_positions(description)
        for number, position in enumerate(sorted(positions) if names else [description.output or 0]):
            further = positions[position]
            one = description.of(further)
            objective = Objective.of(
                one,
                settings,
                units=None if model is None else int(model.outputs[position if names else 0].shape[-1]),
                from_logits=from_logits if further is None else None,
            )
            key = next((f".{each.key}" for each in description.further if each.name == further), "")
            found.append(TrainedOutput(names[number] if names else "", objective, further, key, one.weighted))
        counts = {} if settings is None else settings.counts_of_outputs
        return Objectives(tuple(found), {one.name: counts.get(one.name, 1.0) for one in found})

    @property
    def first(self) -> TrainedOutput:
        """The output that stands for all in tables."""
        return next(one for one in self.outputs if one.further is None)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the outputs in the model's order; nothing if it has only one."""
        return tuple(one.name for one in self.outputs if one.name)

    @property
    def task(self) -> Task:
        """That of the first output."""
        return self.first.objective.task

    def fitted(self, model: keras.Model) -> keras.Model:
        """The model to compile and fit in place of a model, whose weights it shares."""
        if not self.names:
            return model
        from workbench.plain.keras.several_outputs import by_name

        return by_name(model, self.names)

    def labels(self, dataset: Dataset, split: SplitName) -> ByOutput:
        """The labels of a split."""
        found = {one.name: np.asarray(dataset.of(one.further).y(split)) for one in self.outputs}
        return found if self.names else found[""]

    def targets(self, labels: ByOutput) -> ByOutput:
        """What the losses compare the outputs with; see :meth:`Objective.targets`."""
        found: ByOutput = self._each(lambda one: one.objective.targets(one.of(labels)))
        return found

    def weights(self, dataset: Dataset, split: SplitName, labels: ByOutput) -> ByOutput | None:
        """How much each sample of a split counts; None where all count once."""
        found: dict[str, Array | None] = {}
        for one in self.outputs:
            own = one.of(labels)
            found[one.name] = one.objective.weights(dataset.of(one.further).weights(split), own)
        if all(weights is None for weights in found.values()):
            return None
        if not self.names:
            (only,) = found.values()
            return only
        # Keras wants them for every output or for none
        return {
            name: np.ones(len(one.of(labels)), np.float32) if (own := found[name]) is None else own
            for name, one in zip(found, self.outputs, strict=True)
        }

    def class_weights(self, labels: ByOutput) -> dict[int, float]:
        """How much each class of a single output counts, such that all count the same.

        Args:
            labels: Of the training split.
        """
        return balanced_weights(self.first.of(labels), self.first.objective.units)

    def compiled(self, labels: ByOutput, loss: Any = None) -> dict[str, Any]:
        """What Keras's ``compile`` is told of it.

        Args:
            labels: Of the training split.
            loss: In place of its own.
        """
        given = {
            "loss": self._each(lambda one: one.objective.loss()) if loss is None else loss,
            "metrics": self._each(lambda one: [one.objective.metric()]),
        }
        return {**given, "loss_weights": self.loss_weights(labels)} if self.names else given

    def loss(self, labels: ByOutput) -> Any:
        """One loss of all outputs; arguments as of :meth:`compiled`."""
        from workbench.plain.keras.several_outputs import SummedLoss

        own = self._each(lambda one: one.objective.loss())
        return SummedLoss(own, self.loss_weights(labels)) if self.names else own

    def loss_weights(self, labels: ByOutput) -> dict[str, float]:
        """What the loss of each output is multiplied with before they are added.

        Args:
            labels: Of the training split, which tell how far apart numbers are.
        """
        return {one.name: self.counts[one.name] / self._unit(one, labels) for one in self.outputs}

    def loss_of_guessing(self, labels: ByOutput, weights: ByOutput | None = None) -> float:
        """The loss of a model that gives every sample the same, such as the mean.

        Args:
            labels: Of the training split.
            weights: How much each sample counts; once if None.
        """
        factors = self.loss_weights(labels) if self.names else {"": 1.0}
        return sum(
            factors[one.name]
            * one.objective.loss_of_guessing(one.of(labels), None if weights is None else one.of(weights))
            for one in self.outputs
        )

    def notes(self, labels: ByOutput) -> tuple[Text, ...]:
        """How the losses of several outputs were added; nothing of one.

        Args:
            labels: Of the training split.
        """
        if not self.names:
            return ()
        return (
            say(
                "Each output had the loss of its own task, and they were added with the weights {weights}. "
                "Losses of numbers are counted in units of the spread of their training targets.",
                weights=tuple(f"{one.name} {self.counts[one.name]:g}" for one in self.outputs),
            ),
        )

    # -- as plain code --------------------------------------------------------------------

    def compiled_code(self) -> str:
        """The arguments of ``compile`` as plain code, a line or more each."""
        if not self.names:
            objective = self.first.objective
            return f"""\
    loss={objective.loss_call().code("    ")},
    metrics=[{objective.metric_code("    ")}],
"""
        losses = {one.name: one.objective.loss_call() for one in self.outputs}
        metrics = {one.name: Expression(None, one.objective.metric_code("        ")) for one in self.outputs}
        return f"""\
    loss={_dict_code(losses)},
    loss_weights={self.loss_weights_code()},
    metrics={_dict_code(metrics)},
"""

    def loss_code(self) -> str:
        """The loss as plain code: an expression."""
        if not self.names:
            return self.first.objective.loss_call().code("    ")
        losses = _dict_code({one.name: one.objective.loss_call() for one in self.outputs})
        return f"SummedLoss(\n        {_deeper(losses)},\n        {_deeper(self.loss_weights_code())},\n    )"

    def loss_weights_code(self) -> str:
        """As :meth:`loss_weights` in plain code."""
        parts = {}
        for one in self.outputs:
            count = self.counts[one.name]
            unit = f"spread_of({_labels_code(one)}{'' if self._squared(one) else ', squared=False'})"
            source = f"{count:g} / {unit}" if one.objective.of_numbers else f"{count:g}"
            parts[one.name] = Expression(None, source)
        return _dict_code(parts)

    def targets_code(self, split: str) -> str:
        """As :meth:`targets` in plain code."""
        return self._each_code(lambda one: one.objective.targets_code(f"{split}{one.key}"))

    def weights_code(self, split: str) -> str:
        """As :meth:`weights` in plain code; empty where all samples count once."""
        if not any(split in one.weighted for one in self.outputs):
            return ""

        def own(one: TrainedOutput) -> str:
            if split in one.weighted:
                return one.objective.weights_code(f"{split}{one.key}")
            return f'np.ones(len({_labels_code(one, split)}), "float32")'

        return self._each_code(own)

    def imports(self, *, trained: bool = True) -> tuple[str, ...]:
        """What plain code imports for losses, targets and weights; empty ones among them.

        Args:
            trained: Whether the model is compiled for it; else the loss alone is computed.
        """
        several = bool(self.names)
        spread = several and any(one.objective.of_numbers for one in self.outputs)
        return (
            *(
                statement
                for one in self.outputs
                for statement in one.objective.imports(weighted=bool(one.weighted), trained=trained)
            ),
            "from plain.targets import spread_of" if spread else "",
            "from plain.keras.several_outputs import by_name" if several and trained else "",
            "from plain.keras.several_outputs import SummedLoss" if several and not trained else "",
        )

    def _each(self, made: Any) -> Any:
        return {one.name: made(one) for one in self.outputs} if self.names else made(self.first)

    def _each_code(self, made: Any) -> str:
        if not self.names:
            return str(made(self.first))
        return "{\n" + "".join(f"    {json.dumps(one.name)}: {made(one)},\n" for one in self.outputs) + "}"

    def _unit(self, one: TrainedOutput, labels: ByOutput) -> float:
        return spread_of(one.of(labels), squared=self._squared(one)) if one.objective.of_numbers else 1.0

    @staticmethod
    def _squared(one: TrainedOutput) -> bool:
        return one.objective.regression == "squared error"


def _labels_code(one: TrainedOutput, split: str = "train") -> str:
    return f"data[{json.dumps(f'y_{split}{one.key}')}]"


def _dict_code(parts: Mapping[str, Call | Expression]) -> str:
    lines = ""
    for name, value in parts.items():
        source = value.source if isinstance(value, Expression) else value.code("        ")
        lines += f"        {json.dumps(name)}: {source},\n"
    return "{\n" + lines + "    }"


def _deeper(code: str) -> str:
    return code.replace("\n", "\n    ")
