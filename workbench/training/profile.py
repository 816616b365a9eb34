"""Whether the input or the model is the bottleneck of a training."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any

from workbench.api.records import Record
from workbench.api.text import Text, say
from workbench.api.variant import Table

if TYPE_CHECKING:
    import keras

ROUNDS = 5
SECONDS = 0.2
"""Of steps in each round, with each of the two inputs."""
DISCARDED = 3
"""Steps at the beginning of a round that are not timed: buffers are filled in them."""
MOST_EPOCHS = 1000
NOTICEABLE = 0.1
"""Part of a step from which on waiting for input is worth something to do about."""


class InputProfile(Record):
    """Times of a training step with the real input, and on one batch that is ready.

    Attributes:
        real_ms: Milliseconds of a step that gets its batch from the input pipeline.
        ready_ms: Milliseconds of the same step on one batch again and again.
        pipeline: The input pipeline that was timed.
        steps: Steps that were timed with the real input.
    """

    real_ms: float
    ready_ms: float
    pipeline: str
    steps: int

    @property
    def waiting(self) -> float:
        """The part of a step that is spent on input, 0 to 1."""
        return max(0.0, 1 - self.ready_ms / self.real_ms)

    def note(self) -> Text:
        """Which of the two it is, and what to do."""
        if self.waiting == 0:
            return say(
                "The model is the bottleneck: a training step with the real input takes {real} ms, no more "
                "than on a batch that is ready. A faster input pipeline would not help.",
                real=f"{self.real_ms:.2f}",
            )
        values: dict[str, int | str] = {
            "percent": round(100 * self.waiting),
            "real": f"{self.real_ms:.2f}",
            "ready": f"{self.ready_ms:.2f}",
        }
        if self.waiting < NOTICEABLE:
            return say(
                "The model is the bottleneck: a training step takes {real} ms with the real input and "
                "{ready} ms on a batch that is ready. A faster input pipeline would not help.",
                **values,
            )
        if self.waiting < 0.5:
            return say(
                "The input costs {percent}% of a training step: {real} ms with the real input, {ready} ms "
                "on a batch that is ready. Try prefetch or parallel map.",
                **values,
            )
        return say(
            "The input is the bottleneck: {percent}% of a training step, {real} ms with the real input "
            "and {ready} ms on a batch that is ready. Try prefetch or parallel map, or larger batches.",
            **values,
        )

    def table(self) -> Table:
        """The two times and their difference."""
        return Table(
            title=say("Where a training step goes"),
            columns=(say("Part"), say("ms")),
            rows=(
                (say("step with the real input"), round(self.real_ms, 3)),
                (say("step on a batch that is ready: the model"), round(self.ready_ms, 3)),
                (say("difference: the input"), round(max(0.0, self.real_ms - self.ready_ms), 3)),
            ),
            picture="bars",
            note=self.note(),
        )


def profile_input(
    model: keras.Model,
    real: Callable[..., None],
    ready: Callable[..., None],
    *,
    pipeline: str,
    steps_per_call: int,
    check: Callable[[], None],
) -> InputProfile:
    """Times steps of a compiled model with both inputs in turn, and puts its weights back.

    Args:
        model: Compiled, and trained for at least a step.
        real: Fits it to the real input; called with ``epochs`` and ``callbacks``.
        ready: Fits it to one batch that is ready; called like it.
        pipeline: What to call the real input.
        steps_per_call: Steps that TensorFlow runs in one call.
        check: Raises if the job was cancelled.
    """
    import keras

    class Clock(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.begins: list[float] = []

        def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
            self.begins.append(perf_counter())
            if self.seconds > SECONDS:
                self.model.stop_training = True

        @property
        def seconds(self) -> float:
            return self.begins[-1] - self.begins[min(DISCARDED, len(self.begins) - 1)]

        @property
        def milliseconds(self) -> list[float]:
            return [1000 * (end - begin) for begin, end in pairwise(self.begins[DISCARDED:])]

    before = model.get_weights()
    optimizer = [variable.numpy() for variable in model.optimizer.variables]
    times: dict[str, list[float]] = {"real": [], "ready": []}
    for _ in range(ROUNDS):
        for name, fit in (("real", real), ("ready", ready)):
            check()
            clock = Clock()
            # As many epochs as it takes until the clock says stop. Rounds in turn: both see the same load.
            fit(epochs=MOST_EPOCHS, callbacks=[clock])
            times[name] += clock.milliseconds
    model.set_weights(before)
    for variable, value in zip(model.optimizer.variables, optimizer, strict=True):
        variable.assign(value)
    return InputProfile(
        real_ms=statistics.median(times["real"]) / steps_per_call,
        ready_ms=statistics.median(times["ready"]) / steps_per_call,
        pipeline=pipeline,
        steps=len(times["real"]) * steps_per_call,
    )
