"""What can go wrong between an ONNX file and the answers of its engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal


class FileNotRead(ValueError):
    """TensorRT cannot read the file.

    Args:
        messages: What its parser says.
    """

    def __init__(self, messages: str) -> None:
        super().__init__(f"TensorRT cannot read this file: {messages}")
        self.messages = messages


class FreeAxis(ValueError):
    """An axis besides the batch is free; an engine is built for known shapes.

    Args:
        name: The input.
        shape: Its shape; -1 where it is free.
    """

    def __init__(self, name: str, shape: Sequence[int]) -> None:
        super().__init__(f"input {name} has a free axis besides the batch: {tuple(shape)}")
        self.name, self.shape = name, tuple(shape)


class EngineFailed(RuntimeError):
    """TensorRT gave up; its log on standard error says why.

    Args:
        step: What it could not do with the engine.
    """

    def __init__(self, step: Literal["build", "load", "run"]) -> None:
        super().__init__(f"TensorRT could not {step} the engine")
        self.step = step
