"""What follows a training is tried before it: epochs must not end in a file that cannot be written."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.api.errors import Cancelled, InvalidInput, WorkbenchError
from workbench.api.library_errors import reason_of
from workbench.api.technique import Context, Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Table
from workbench.training.loop import without_optimizer

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Unheard:
    """A reporter of a rehearsal: what it does is told when it is done in earnest.

    Attributes:
        report: Still hears whether the job was cancelled.
    """

    report: Reporter

    def stage(self, text: Text) -> None:
        """Not told."""

    def progress(self, fraction: float) -> None:
        """Not told."""

    def metric(
        self, name: str, step: float, value: float, interval: tuple[float, float] | None = None
    ) -> None:
        """Not told."""

    def table(self, table: Table) -> None:
        """Not told."""

    def log(self, text: Text) -> None:
        """Not told."""

    def check(self) -> None:
        """Raises if the job was cancelled."""
        self.report.check()


def require_storable(model: keras.Model, context: Context) -> None:
    """Rebuilds, saves, reads back and describes a copy of a model, as is done when it was trained.

    Nothing that is random later changes by it.

    Args:
        model: What will be trained.
        context: The job's; the copy is written into its folder, and removed.

    Raises:
        workbench.api.errors.InvalidInput: If one of these fails, with the reason.
    """
    from workbench.models.converting.conversion import load_keras
    from workbench.models.reading.description import describe_keras

    # Keras takes the seeds of new layers from here.
    state = random.getstate()
    try:
        with tempfile.TemporaryDirectory(dir=context.folder, prefix=".rehearsal-") as folder:
            copy = Path(folder) / "model.keras"
            without_optimizer(model).save(copy)
            describe_keras(load_keras(copy))
    except (Cancelled, WorkbenchError):
        raise
    # Layers raise whatever they like when they are rebuilt
    except Exception as error:
        reason = reason_of(error)
        raise InvalidInput(
            say("The trained model could not be stored, so it is not trained: {reason}", reason=reason),
            say("Replace the layer that it names by a built-in one."),
        ) from error
    finally:
        random.setstate(state)
