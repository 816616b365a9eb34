"""How a model and data reach the workers: whatever the user holds becomes a file or a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.errors import InvalidInput
from workbench.text import say

Data = Any
"""A built-in data set's name, a path, ``(x, y)`` arrays, a dict of arrays or a ``tf.data.Dataset``."""


def hand_over_model(model: Any, staging: Path, *, trust: bool = False) -> Path:
    """The file that a model is loaded from.

    Args:
        model: Name of a demo model, path of a model file, or a Keras model.
        staging: Where a Keras model of this process is saved.
        trust: Whether Python code inside it may run.

    Raises:
        InvalidInput: If it is none of these.
    """
    from workbench.models.demo import DEMO_MODELS

    if isinstance(model, str) and model in DEMO_MODELS:
        return DEMO_MODELS[model].path
    if isinstance(model, (str, Path)):
        path = Path(model).expanduser()
        if not path.exists():
            raise InvalidInput(
                say("There is no model {path}.", path=str(model)),
                say("Name a file, or one of the demo models: {names}.", names=", ".join(DEMO_MODELS)),
            )
        return path.resolve()
    if hasattr(model, "save") and hasattr(model, "layers"):
        from workbench.models.intake import save_from_notebook

        file = staging / "model.keras"
        save_from_notebook(model, file, trust=trust)
        return file
    raise InvalidInput(
        say("A model of type {kind} cannot be opened.", kind=type(model).__name__),
        say(
            "Give a Keras model, a path, or the name of a demo model: {names}.", names=", ".join(DEMO_MODELS)
        ),
    )


def model_name(model: Any, file: Path) -> str:
    """A short name for the baseline."""
    if isinstance(model, str) and not Path(model).exists():
        return model
    own = getattr(model, "name", None)
    return own if isinstance(own, str) and not isinstance(model, Path) else file.stem


def hand_over_data(data: Data, staging: Path, label: str | None = None) -> str | Path:
    """The name or file that a data set is prepared from.

    Args:
        data: See :data:`Data`.
        staging: Where arrays of this process are written.
        label: Label column of a ``DataFrame``.

    Raises:
        InvalidInput: If it is none of these.
    """
    from workbench.data.builtin import BUILTINS

    if isinstance(data, str) and data in BUILTINS:
        return data
    if isinstance(data, (str, Path)):
        path = Path(data).expanduser()
        if not path.exists():
            raise InvalidInput(
                say("There is no data {path}.", path=str(data)),
                say("Name a file or folder, or built-in data: {names}.", names=", ".join(BUILTINS)),
            )
        return path.resolve()
    file = staging / "arrays.npz"
    _save_arrays(data, file, label)
    return file


def _save_arrays(data: Data, file: Path, label: str | None) -> None:
    import numpy as np

    from workbench.data.arrays import read_arrays
    from workbench.data.raw import default_limit_bytes

    raw = read_arrays(data, label=label, limit_bytes=default_limit_bytes())
    arrays: dict[str, Any] = {} if raw.classes is None else {"classes": np.asarray(raw.classes, str)}
    for split, samples in raw.splits.items():
        # Without a suffix, the splits are cut from the one block that there is.
        suffix = f"_{split}" if len(raw.splits) > 1 else ""
        for name, values in samples.x.items():
            arrays[f"x{suffix}.{name}" if name else f"x{suffix}"] = values
        texts = samples.y.dtype == object and all(isinstance(label, str) for label in samples.y)
        arrays[f"y{suffix}"] = samples.y.astype(str) if texts else samples.y
    np.savez(file, **arrays)
