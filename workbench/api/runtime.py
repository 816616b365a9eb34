"""What a runtime is: something that runs a model file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Features
from workbench.api.text import Text
from workbench.api.variant import Format, RuntimeSettings


class Session(ABC):
    """A model file loaded into a runtime, ready to infer. Not thread-safe."""

    @abstractmethod
    def prepare(self, features: Features) -> object:
        """Turns samples into what :meth:`infer` takes, outside any timed block.

        Args:
            features: float32 samples, shape ``(batch, ...)``, or a dict of them by input name.
        """

    @abstractmethod
    def infer(self, prepared: object) -> npt.NDArray[np.float32]:
        """Runs one batch and waits for its result.

        Args:
            prepared: What :meth:`prepare` returned.

        Returns:
            The output that the settings name, else the first, as float32, shape ``(batch, outputs)``;
            quantized outputs are dequantized.
        """

    def predict(self, features: Features) -> npt.NDArray[np.float32]:
        """Prepares and runs one batch of any size."""
        return self.infer(self.prepare(features))

    def close(self) -> None:  # noqa: B027  # most runtimes hold nothing that Python does not free
        """Gives back what the runtime holds."""


class Runtime(ABC):
    """One runtime. Subclasses live one to a file in ``workbench/runtimes/``.

    Importing such a file must not import the runtime's package: only :meth:`load` and
    :meth:`describe` do. The class docstring is shown to the user.

    Example:
        >>> from workbench.runtimes import runtime
        >>> litert = runtime("litert")
        >>> litert.title, sorted(litert.formats), litert.imports_tensorflow
        ('LiteRT', ['tflite'], False)
    """

    name: ClassVar[str]
    """Identifier, such as ``litert``."""
    title: ClassVar[str]
    """Shown to the user, such as ``LiteRT``."""
    formats: ClassVar[frozenset[Format]]
    """The file formats it reads."""
    packages: ClassVar[tuple[str, ...]]
    """Distributions that it needs: their versions are part of a measurement's environment."""
    imports_tensorflow: ClassVar[bool] = False
    """Whether a process that loads it must import TensorFlow."""
    supports_threads: ClassVar[bool] = True
    slower_because: ClassVar[Text | None] = None
    """Why a model can be slower in it than in another runtime, where that is known."""
    hides_savings: ClassVar[Text | None] = None
    """Why less work is hardly less time in it and where it shows more, where that is known."""
    needs_gpu: ClassVar[bool] = False
    """Whether it runs on a GPU: its files are run by the worker that has one."""

    @property
    def worker(self) -> Literal["tensorflow", "light", "gpu"]:
        """The kind of worker process that predicts with it."""
        if self.needs_gpu:
            return "gpu"
        return "tensorflow" if self.imports_tensorflow else "light"

    @abstractmethod
    def unavailable(self) -> Text | None:
        """Why it cannot run here, or None. Must not import the runtime's package."""

    @abstractmethod
    def load(self, path: Path, settings: RuntimeSettings) -> Session:
        """Loads a file, compiled and ready for its first inference.

        Args:
            path: A file in one of :attr:`formats`.
            settings: Threads and batch.

        Raises:
            workbench.api.errors.InvalidInput: If the file cannot be loaded.
        """
