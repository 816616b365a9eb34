"""How a training gets its samples. Importing this file does not import Keras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.api.dataset import Features, is_large
from workbench.training.objectives import ByOutput
from workbench.training.parameters import PipelineName, TrainingSettings

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

PIPELINE_STEPS: dict[PipelineName, dict[str, bool]] = {
    "arrays": {},
    "from file": {"held": False},
    "cache": {},
    "prefetch": {"prefetch": True},
    "parallel map": {"prefetch": True, "parallel": True},
}
"""What each pipeline says to ``shuffled_batches`` of ``plain.keras.input_pipeline``."""


@dataclass(frozen=True)
class Feed:
    """What a model is fitted to, and how it gets there.

    Attributes:
        features: The samples, as arrays or memory maps.
        targets: What the loss compares the output with; of several outputs by name.
        settings: Pipeline, batch size, seed.
        change: Changes a batch, its features and its targets; None leaves it.
        class_weight: Weight of each class; None is 1.
        sample_weight: Weight of each sample, with an axis for each axis of the loss; None is 1.
    """

    features: Features
    targets: ByOutput
    settings: TrainingSettings
    change: Callable[[Any, Any], tuple[Any, Any]] | None = None
    class_weight: dict[int, float] | None = None
    sample_weight: ByOutput | None = None

    def fit(self, model: keras.Model, *, epochs: int, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Fits a compiled model."""
        from workbench.plain.keras.input_pipeline import as_keras_does

        settings = self.settings
        data: dict[str, Any]
        if settings.pipeline == "arrays" and is_large(self.features):
            data = {
                "x": as_keras_does(self.features, self.targets, settings.batch_size, self.sample_weight),
                "shuffle": False,
            }
        elif settings.pipeline == "arrays":
            data = {
                "x": self.features,
                "y": self.targets,
                "batch_size": settings.batch_size,
                "sample_weight": self.sample_weight,
            }
        else:
            data = {"x": self._batches(), "shuffle": False}  # it is shuffled already
        model.fit(**data, epochs=epochs, callbacks=list(callbacks), class_weight=self.class_weight, verbose=0)

    def fit_ready(
        self, model: keras.Model, *, epochs: int, callbacks: Sequence[keras.callbacks.Callback]
    ) -> None:
        """Fits it to one batch again and again, as often in an epoch as there are batches."""
        from workbench.plain.keras.input_pipeline import one_batch_again

        model.fit(
            one_batch_again(self._batches()),
            epochs=epochs,
            callbacks=list(callbacks),
            class_weight=self.class_weight,
            shuffle=False,
            verbose=0,
        )

    def _batches(self) -> tf.data.Dataset:
        from workbench.plain.keras.input_pipeline import shuffled_batches

        steps = PIPELINE_STEPS[self.settings.pipeline]
        if is_large(self.features):
            steps = {**steps, "held": False}
        return shuffled_batches(
            self.features,
            self.targets,
            batch_size=self.settings.batch_size,
            seed=self.settings.seed,
            weights=self.sample_weight,
            change=self.change,
            **steps,
        )
