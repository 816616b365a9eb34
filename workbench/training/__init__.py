"""Training and fine-tuning, shared by every technique that trains."""

from workbench.training.loop import (
    TrainingParameters,
    TrainingPoint,
    TrainingResult,
    obstacle,
    train,
    without_optimizer,
)
from workbench.training.script import training_code, training_seconds

__all__ = [
    "TrainingParameters",
    "TrainingPoint",
    "TrainingResult",
    "obstacle",
    "train",
    "training_code",
    "training_seconds",
    "without_optimizer",
]
