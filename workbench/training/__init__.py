"""Training and fine-tuning, shared by every technique that trains."""

from workbench.training.loop import train, training_obstacle, without_optimizer
from workbench.training.parameters import TrainingParameters, TrainingSettings
from workbench.training.results import TrainingPoint, TrainingResult
from workbench.training.script import training_code, training_seconds

__all__ = [
    "TrainingParameters",
    "TrainingPoint",
    "TrainingResult",
    "TrainingSettings",
    "train",
    "training_code",
    "training_obstacle",
    "training_seconds",
    "without_optimizer",
]
