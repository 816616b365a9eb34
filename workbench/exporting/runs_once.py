"""Computes once with a file that a tool has written, before it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.api.errors import Refused
from workbench.api.library_errors import reason_of
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.runtimes import runtime


def require_that_it_runs(path: Path, runtime_name: str, parent: Variant) -> None:
    """Computes once with a written file: tools write operations that their runtime lacks kernels for.

    Args:
        path: The file.
        runtime_name: What is to run it.
        parent: The variant that it was made from.

    Raises:
        Refused: With what the runtime says, if it cannot.
        InvalidInput: If it cannot even be loaded.
    """
    inputs = parent.description.inputs
    batch = parent.description.batch or 1
    zeros = {spec.name: _zeros((batch, *[size or 1 for size in spec.shape]), spec.dtype) for spec in inputs}
    session = runtime(runtime_name).load(path, parent.settings)
    try:
        session.predict(zeros if len(zeros) > 1 else next(iter(zeros.values())))
    except RuntimeError as error:
        raise Refused(
            say(
                "{runtime} cannot compute with the file that was written for it: {error}",
                runtime=runtime(runtime_name).title,
                error=reason_of(error),
            ),
            say("Choose another technique of this family: it leaves such operations in float32."),
        ) from error
    finally:
        session.close()


def _zeros(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.zeros(shape, dtype if dtype.startswith(("int", "uint", "float", "bool")) else "float32")
