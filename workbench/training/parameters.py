"""The settings of a training: those that everything that trains has, and the full set."""

from __future__ import annotations

import math
from typing import Any, Literal, Self

from pydantic import Field, field_validator

from workbench.api.task import Task
from workbench.api.technique import Parameters
from workbench.api.text import say
from workbench.api.variant import Skip
from workbench.data.options import named_values
from workbench.training.parameter_types import BatchSize, Epochs, Seed

_ADVANCED: dict[str, Any] = {"advanced": True}

OptimizerName = Literal["Adam", "AdamW", "SGD", "Lion", "Muon"]
ScheduleName = Literal["constant", "cosine", "warm-up and cosine", "one-cycle", "step"]
RegressionLoss = Literal["squared error", "absolute error", "Huber"]
PipelineName = Literal["arrays", "from file", "cache", "prefetch", "parallel map"]


class TrainingParameters(Parameters):
    """The parameters of everything that trains; a technique's own parameters extend them."""

    epochs: Epochs = 20
    batch_size: BatchSize = Field(
        32,
        title="Batch size",
        description="Samples behind one step of the optimizer.",
        json_schema_extra={"unit": "samples", "advanced": True},
    )
    learning_rate: float = Field(
        1e-3,
        gt=0,
        le=10,
        title="Learning rate",
        description="Step size of the optimizer, at its highest where a schedule moves it. Adam, AdamW and "
        "Muon want about 0.001, SGD ten to a hundred times that, Lion a third to a tenth. Fine-tuning "
        "wants a tenth of what training from new weights does.",
        json_schema_extra={"advanced": True},
    )
    patience: int = Field(
        5,
        ge=0,
        le=1000,
        title="Early stopping after",
        description="Stop when the validation loss has not fallen for so many epochs; 0 never stops. "
        "The weights of the best epoch are kept either way.",
        json_schema_extra={"unit": "epochs", "advanced": True},
    )
    seed: Seed = Field(
        0,
        description="Seeds new weights, dropout and the order of the samples. Judge a technique on several.",
    )
    optimizer: OptimizerName = Field(
        "Adam",
        title="Optimizer",
        description="Adam adapts the step of each weight; AdamW also shrinks weights; SGD with Nesterov "
        "momentum needs a well chosen learning rate; Lion takes steps of one size; Muon makes the steps of "
        "Dense kernels orthogonal, and is AdamW for all other weights.",
        json_schema_extra=_ADVANCED,
    )
    schedule: ScheduleName = Field(
        "constant",
        title="Learning rate over time",
        description="Cosine falls to zero over all epochs. Warm-up rises to the learning rate first. "
        "One-cycle rises over 30% of the training from a 25th and then falls to zero. Step divides by ten "
        "after half and again after three quarters.",
        json_schema_extra=_ADVANCED,
    )

    output_weights: str = Field(
        "",
        max_length=1000,
        title="Weights of outputs",
        description="Of a model with several outputs, how much the loss of each counts, such as kind=1, "
        "size=0.5. Empty: all the same. Losses of numbers are counted in units of the spread of their "
        "targets.",
        json_schema_extra={**_ADVANCED, "several_outputs": True},
    )

    @field_validator("output_weights")
    @classmethod
    def _weights_of_outputs(cls, given: str) -> str:
        for name, value in named_values(given).items():
            if not name or not _is_weight(value):
                raise ValueError("must be like kind=1, size=0.5, with numbers from 0 on")
        return given


def _is_weight(value: str) -> bool:
    try:
        return 0 <= float(value) < math.inf
    except ValueError:
        return False


class TrainingSettings(TrainingParameters):
    """Everything that can be set of a training; what a short form leaves out has the defaults here."""

    find_learning_rate: bool = Field(
        False,
        title="Find the learning rate first",
        description="Tries rising learning rates for 100 steps, draws the loss over them, and trains with "
        "a tenth of the one where the loss is lowest, in place of the learning rate above.",
        json_schema_extra={"advanced": True},
    )
    momentum: float = Field(
        0.9,
        ge=0,
        lt=1,
        title="Momentum",
        description="How much of the last step SGD keeps. Other optimizers have their own.",
        json_schema_extra=_ADVANCED,
    )
    weight_decay: float | None = Field(
        None,
        ge=0,
        le=1,
        title="Weight decay",
        description="The part, times the learning rate, by which each step shrinks every weight. Empty: the "
        "optimizer's own, 0.004 for AdamW and Muon and none for the others.",
        json_schema_extra=_ADVANCED,
    )
    warm_up: float = Field(
        0.1,
        gt=0,
        lt=1,
        title="Warm-up",
        description="The part of the training over which the learning rate rises, with warm-up and cosine.",
        json_schema_extra=_ADVANCED,
    )
    clip_norm: float = Field(
        0.0,
        ge=0,
        le=1000,
        title="Clip gradients at",
        description="Longest norm of all gradients together; longer ones are shortened. 0 clips nothing.",
        json_schema_extra=_ADVANCED,
    )
    accumulation: int = Field(
        1,
        ge=1,
        le=1024,
        title="Accumulate gradients over",
        description="Batches whose gradients are averaged into one step of the optimizer: the effect of a "
        "larger batch, with the memory of a small one.",
        json_schema_extra={"unit": "batches", "advanced": True},
    )
    ema: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="Average of weights",
        description="Keep the moving average of the weights, with this momentum, such as 0.99, in place of "
        "the last weights. 0 keeps no average.",
        json_schema_extra=_ADVANCED,
    )
    regression_loss: RegressionLoss = Field(
        "squared error",
        title="Error that is made small",
        description="Where the model predicts numbers. Squared: large errors count most, the usual choice. "
        "Absolute: all errors count alike, so that outliers do not lead. Huber: squared up to 1, absolute "
        "above.",
        json_schema_extra=_ADVANCED,
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="Label smoothing",
        description="The part of each label that is spread over all classes, such as 0.1: predictions become "
        "less sure of themselves.",
        json_schema_extra=_ADVANCED,
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none",
        title="Weights of classes",
        description="Balanced: samples of rare classes count more, each class in all the same.",
        json_schema_extra=_ADVANCED,
    )
    flip: Literal["none", "horizontal", "vertical", "horizontal and vertical"] = Field(
        "none",
        title="Flip pictures",
        description="At random. Only where a mirrored picture still is of its class: not for digits or text.",
        json_schema_extra=_ADVANCED,
    )
    shift: float = Field(
        0.0,
        ge=0,
        le=0.5,
        title="Shift pictures by up to",
        description="At random in both directions, as a part of the picture.",
        json_schema_extra=_ADVANCED,
    )
    rotation: float = Field(
        0.0,
        ge=0,
        le=180,
        title="Rotate pictures by up to",
        description="At random in both directions.",
        json_schema_extra={"unit": "°", "advanced": True},
    )
    cutout: float = Field(
        0.0,
        ge=0,
        le=0.9,
        title="Cut out of pictures",
        description="A square at a random place is replaced by the mean of the data; its side as a part of "
        "the picture's.",
        json_schema_extra=_ADVANCED,
    )
    mixup: float = Field(
        0.0,
        ge=0,
        le=10,
        title="Mix samples",
        description="Mixup: each sample and its label are blended with another; parts are drawn from a beta "
        "distribution with this parameter, such as 0.2. 0 mixes nothing.",
        json_schema_extra=_ADVANCED,
    )
    noise: float = Field(
        0.0,
        ge=0,
        le=10,
        title="Noise on inputs",
        description="Standard deviation of normal noise that is added to every input value.",
        json_schema_extra=_ADVANCED,
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        "float32",
        title="Precision of the arithmetic",
        description="Mixed precision computes in 16 bits and keeps float32 weights: faster on GPUs with "
        "tensor cores, slower on most CPUs. The file that is saved is float32 either way.",
        json_schema_extra=_ADVANCED,
    )
    xla: bool = Field(
        False,
        title="Compile with XLA",
        description="Compiles the training step for this machine. On CPUs often slower; the first step takes "
        "seconds.",
        json_schema_extra=_ADVANCED,
    )
    steps_per_call: int = Field(
        1,
        ge=1,
        le=100,
        title="Steps in one call",
        description="Training steps that TensorFlow runs before Python is asked again: faster for small "
        "models, with the same result.",
        json_schema_extra={"unit": "steps", "advanced": True},
    )
    input_pipeline: PipelineName = Field(
        "arrays",
        title="Input pipeline",
        description="Arrays: what Keras does with arrays in memory. From file: batches are read when they "
        "are needed, for data larger than the memory. Cache: the split is kept in memory. Prefetch: that, "
        "and the next batches are prepared during a step. Parallel map: that, by several threads; where "
        "samples are changed at random, two runs of one seed then differ.",
        json_schema_extra=_ADVANCED,
    )
    profile: bool = Field(
        False,
        title="Profile the input",
        description="After the training, times steps with the real input against steps on one batch that "
        "is ready: is the input or the model the bottleneck? Takes about two seconds.",
        json_schema_extra=_ADVANCED,
    )

    @staticmethod
    def of(parameters: TrainingParameters) -> TrainingSettings:
        """The full set, with defaults for what a technique's short form leaves out."""
        if isinstance(parameters, TrainingSettings):
            return parameters
        given = {name: getattr(parameters, name) for name in TrainingParameters.model_fields}
        return TrainingSettings.model_construct(**given)  # a technique may have narrower or wider ranges

    def constant(self, learning_rate: float) -> Self:
        """The same with one learning rate for all steps, each of which is taken by itself."""
        plain = {"schedule": "constant", "accumulation": 1, "ema": 0.0, "steps_per_call": 1}
        return self.model_copy(update={"learning_rate": learning_rate, **plain})

    @property
    def counts_of_outputs(self) -> dict[str, float]:
        """How much the loss of each of several outputs counts, by name, where that was said."""
        return {name: float(value) for name, value in named_values(self.output_weights).items()}

    @property
    def changes_pictures(self) -> bool:
        """Whether it flips, shifts, rotates or cuts pictures."""
        return self.flip != "none" or any((self.shift, self.rotation, self.cutout))

    @property
    def augments(self) -> bool:
        """Whether samples change from epoch to epoch."""
        return self.changes_pictures or bool(self.mixup or self.noise)

    @property
    def softens_labels(self) -> bool:
        """Whether labels become numbers that can be blended: probabilities of all classes."""
        return bool(self.label_smoothing or self.mixup)

    @property
    def pipeline(self) -> PipelineName:
        """The input pipeline that is used: arrays cannot be changed on their way."""
        return "prefetch" if self.input_pipeline == "arrays" and self.augments else self.input_pipeline

    def unused(self, *tasks: Task) -> tuple[Skip, ...]:
        """Settings that were given and have no effect beside the others, or for these tasks.

        Args:
            *tasks: Of each output that is trained.
        """
        skips = []
        if self.regression_loss != "squared error" and "regression" not in tasks:
            reason = say("Only a model that predicts numbers is trained with it.")
            skips.append(Skip(name="regression_loss", reason=reason))
        if self.momentum != type(self).model_fields["momentum"].default and self.optimizer != "SGD":
            reason = say("{optimizer} has momentum of its own.", optimizer=self.optimizer)
            skips.append(Skip(name="momentum", reason=reason))
        if (
            self.warm_up != type(self).model_fields["warm_up"].default
            and self.schedule != "warm-up and cosine"
        ):
            reason = say("Only the schedule with warm-up and cosine uses it.")
            skips.append(Skip(name="warm_up", reason=reason))
        if self.pipeline != self.input_pipeline:
            reason = say(
                "Samples are changed on their way to the model, so they were prefetched batch by batch."
            )
            skips.append(Skip(name="input_pipeline", reason=reason))
        return tuple(skips)
