"""Training and fine-tuning, shared by every technique that trains."""

from workbench.training.loop import TrainingParameters, TrainingPoint, TrainingResult, obstacle, train

__all__ = ["TrainingParameters", "TrainingPoint", "TrainingResult", "obstacle", "train"]
