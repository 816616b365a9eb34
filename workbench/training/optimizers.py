"""Optimizers, learning-rate schedules and callbacks: calls of Keras that are made, or written out as code.

One description serves both, so that the plain code of a technique trains with what the workbench
trains with. Importing this file does not import Keras.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.training.parameters import TrainingSettings

if TYPE_CHECKING:
    import keras

ONE_CYCLE_RISE = 0.3
ONE_CYCLE_START = 25
STEP_AFTER = (0.5, 0.75)


@dataclass(frozen=True)
class Call:
    """A call of something in Keras.

    Attributes:
        name: Dotted, below ``keras`` or the module.
        arguments: By keyword: numbers, names, further calls, and :class:`Expression`.
        module: One of ``plain``, from which plain code imports the name; empty for Keras.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    module: str = ""

    def make(self, keras: Any) -> Any:
        """Calls it."""
        target: Any = importlib.import_module(f"workbench.{self.module}") if self.module else keras
        for part in self.name.split("."):
            target = getattr(target, part)
        return target(**{key: _made(value, keras) for key, value in self.arguments.items()})

    def code(self, indent: str = "") -> str:
        """The call as Python, with Black's line breaks where it is long."""
        short = ", ".join(f"{key}={_written(value)}" for key, value in self.arguments.items())
        name = self.name if self.module else f"keras.{self.name}"
        line = f"{name}({short})"
        if len(indent) + len(line) < 90 and "\n" not in line:
            return line
        inner = indent + "    "
        parts = "".join(f"{inner}{key}={_written(value, inner)},\n" for key, value in self.arguments.items())
        return f"{name}(\n{parts}{indent})"


@dataclass(frozen=True)
class Expression:
    """A value that the plain code works out itself.

    Attributes:
        value: What it is here.
        source: How the plain code says it.
    """

    value: Any
    source: str


def total_steps(settings: TrainingSettings, samples: int) -> int:
    """Steps of all epochs; one takes one batch."""
    return settings.epochs * math.ceil(samples / settings.batch_size)


def learning_rate(settings: TrainingSettings, steps: int) -> Call | Expression | float:
    """The learning rate, or its schedule over the steps of the whole training.

    Args:
        settings: Schedule, learning rate and warm-up. A learning rate that is looked for first is
            ``learning_rate`` in the plain code.
        steps: As :func:`total_steps` gives them; ``steps`` in the plain code.
    """
    peak, name = _divided(settings, 1), "optimizers.schedules.CosineDecay"
    if settings.schedule == "cosine":
        return Call(name, {"initial_learning_rate": peak, "decay_steps": Expression(steps, "steps")})
    if settings.schedule == "warm-up and cosine":
        return _rise_and_fall(0.0, peak, settings.warm_up, steps)
    if settings.schedule == "one-cycle":
        # Smith & Topin 2017 (arXiv:1708.07120); only the learning rate has a cycle here, not momentum.
        return _rise_and_fall(_divided(settings, ONE_CYCLE_START), peak, ONE_CYCLE_RISE, steps)
    if settings.schedule == "step":
        at = [Expression(int(part * steps), f"int({part} * steps)") for part in STEP_AFTER]
        values = [_divided(settings, by) for by in (1, 10, 100)]
        return Call("optimizers.schedules.PiecewiseConstantDecay", {"boundaries": at, "values": values})
    return peak


def optimizer(settings: TrainingSettings, steps: int, last: Sequence[str] | Expression = ()) -> Call:
    """The optimizer with all its settings.

    Args:
        settings: Which, and how.
        steps: As :func:`total_steps` gives them.
        last: Names of the layers that give the outputs: Muon leaves them to AdamW.
    """
    arguments: dict[str, Any] = {"learning_rate": learning_rate(settings, steps)}
    if settings.optimizer == "SGD":
        arguments |= {"momentum": settings.momentum, "nesterov": settings.momentum > 0}
    if settings.optimizer == "Muon":
        names = last.value if isinstance(last, Expression) else last
        left: Any = [f"(^|/){name}/" for name in names]
        if isinstance(last, Expression):
            left = Expression(left, f'[f"(^|/){{name}}/" for name in {last.source}]')
        arguments["exclude_layers"] = left
    if settings.weight_decay is not None:
        arguments["weight_decay"] = settings.weight_decay
        if settings.optimizer == "Muon":
            arguments["adam_weight_decay"] = settings.weight_decay
    if settings.clip_norm:
        arguments["global_clipnorm"] = settings.clip_norm
    if settings.accumulation > 1:
        arguments["gradient_accumulation_steps"] = settings.accumulation
    if settings.ema:
        arguments |= {"use_ema": True, "ema_momentum": settings.ema}
    made = Call(f"optimizers.{settings.optimizer}", arguments)
    if settings.precision == "mixed_float16":
        return Call("optimizers.LossScaleOptimizer", {"inner_optimizer": made})
    return made


def compile_options(settings: TrainingSettings) -> dict[str, int]:
    """What ``compile`` is told besides optimizer, loss and metrics."""
    options: dict[str, int] = {"jit_compile": True} if settings.xla else {}
    if settings.steps_per_call > 1:
        options["steps_per_execution"] = settings.steps_per_call
    return options


def averaging(settings: TrainingSettings) -> tuple[Call, ...]:
    """The callback that puts the average of the weights in place of the last ones; none without one."""
    return (Call("callbacks.SwapEMAWeights", {"swap_on_epoch": True}),) if settings.ema else ()


def stopping(settings: TrainingSettings, judged_from: int = 0) -> Call:
    """The callback that ends a training early and keeps the weights of its best epoch.

    Args:
        settings: For how many epochs it waits.
        judged_from: How many epochs come first that can neither be kept nor end the training.
    """
    arguments: dict[str, Any] = {
        "monitor": "val_loss",
        "patience": settings.patience or settings.epochs,
        "restore_best_weights": True,
    }
    if judged_from:
        arguments["start_from_epoch"] = judged_from
    return Call("callbacks.EarlyStopping", arguments)


def output_layers(model: keras.Model) -> tuple[str, ...]:
    """Names of the last layers with weights, one for each output."""
    return tuple(layer.name for layer in model.layers if layer.weights)[-len(model.outputs) :]


def _divided(settings: TrainingSettings, by: int) -> float | Expression:
    value = settings.learning_rate / by
    if not settings.find_learning_rate:
        return value
    return Expression(value, f"learning_rate / {by}" if by > 1 else "learning_rate")


def _rise_and_fall(start: float | Expression, peak: float | Expression, part: float, steps: int) -> Call:
    rise = max(1, round(part * steps))
    return Call(
        "optimizers.schedules.CosineDecay",
        {
            "initial_learning_rate": start,
            "warmup_target": peak,
            "warmup_steps": Expression(rise, f"max(1, round({part} * steps))"),
            "decay_steps": Expression(max(1, steps - rise), f"max(1, steps - max(1, round({part} * steps)))"),
        },
    )


def _made(value: Any, keras: Any) -> Any:
    if isinstance(value, Call):
        return value.make(keras)
    if isinstance(value, Expression):
        return value.value
    return [_made(item, keras) for item in value] if isinstance(value, list) else value


def _written(value: Any, indent: str = "") -> str:
    if isinstance(value, Call):
        return value.code(indent)
    if isinstance(value, Expression):
        return value.source
    if isinstance(value, list):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    return json.dumps(value) if isinstance(value, str) else repr(value)
