"""How a model and data reach the workers: whatever the user holds becomes a file or a name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.suggestions import with_suggestion
from workbench.api.text import say
from workbench.api.variant import OwnClass
from workbench.data.arrays import is_columns_and_labels, is_frame, streams_in
from workbench.data.arrow_files import is_arrow_folder
from workbench.data.streams import Bounds, require_end
from workbench.engine.collecting import Collecting
from workbench.engine.shared_mode import shared_mode
from workbench.models.intake.own_code import WRITTEN, checked_code, code_beside, keep_code

CODE = "code"
"""Folder of a workbench in which the code is remembered that models were opened with."""
Data = Any
"""A built-in data set's name, a path, or what :func:`workbench.data.arrays.read_arrays` reads."""


@dataclass(frozen=True)
class HandedModel:
    """A model on its way to the worker that reads it.

    Attributes:
        path: The file or folder.
        opened_up: What was found in an object of the user's own class, where it was written out.
        code: What defines its own classes.
        packages: Installed packages that may define them.
    """

    path: Path
    opened_up: OwnClass | None = None
    code: Path | None = None
    packages: tuple[str, ...] = ()

    def request(self) -> dict[str, Any]:
        """What is kept of it with the job."""
        kept: dict[str, Any] = {"model": str(self.path)}
        if self.opened_up is not None:
            kept["opened_up"] = self.opened_up.model_dump(mode="json")
        if self.code is not None:
            kept["code"] = str(self.code)
        if self.packages:
            kept["packages"] = list(self.packages)
        return kept

    @classmethod
    def again(cls, request: dict[str, Any]) -> Path | HandedModel:
        """What to open for a request that was kept: a path where that says it all."""
        path, found, code = Path(request["model"]), request.get("opened_up"), request.get("code")
        packages = tuple(request.get("packages") or ())
        if found is None and code is None and not packages:
            return path
        return cls(
            path,
            None if found is None else OwnClass.model_validate(found),
            None if code is None else Path(code),
            packages,
        )


def require_model(model: object) -> None:
    """Refuses at once a name or path that no model can be read from.

    Raises:
        InvalidInput: If there is nothing there, or no model.
        Refused: If what is there would not be read.
    """
    from workbench.models.demo.demo import DEMO_MODELS

    if isinstance(model, (str, Path)) and model not in DEMO_MODELS:
        _model_path(model)


def require_data(data: object) -> None:
    """Refuses at once a name or path that no data can be read from.

    Raises:
        InvalidInput: If there is nothing there, or no data.
        Refused: If what is there would not be read.
    """
    from workbench.data.builtin import BUILTINS

    if isinstance(data, (str, Path)) and data not in BUILTINS:
        _data_path(data)


def hand_over_model(
    model: Any,
    staging: Path,
    *,
    trust: bool = False,
    samples: Any = None,
    code: str | Path | None = None,
    remembered: Path | None = None,
    packages: tuple[str, ...] = (),
) -> HandedModel:
    """The file that a model is loaded from.

    Args:
        model: Name of a demo model, path of a model file, a Keras model, or what was handed over before.
        staging: Where a Keras model of this process is saved.
        trust: Whether Python code inside it may run.
        samples: A few inputs of it, if any are known.
        code: The Python file that defines the own classes of a file.
        remembered: A model of this workbench was opened with it, if it is there.
        packages: Installed packages that may define them, see
            :func:`workbench.models.intake.own_packages.checked_packages`.

    Raises:
        InvalidInput: If it is none of these.
        Refused: For code on a shared page.
    """
    from workbench.models.demo.demo import DEMO_MODELS

    given = None if code is None else checked_code(code, shared_mode())
    if isinstance(model, HandedModel):
        _model_path(model.path)
        return model
    if isinstance(model, str) and model in DEMO_MODELS:
        return HandedModel(DEMO_MODELS[model].path)
    if isinstance(model, (str, Path)):
        path = _model_path(model)
        if given is None and remembered is not None and not shared_mode() and remembered.is_file():
            given = remembered
        if given is not None:  # the job reads what it is now
            keep_code(given, staging)
            given = staging / WRITTEN
        return HandedModel(path, code=given, packages=packages)
    if hasattr(model, "save") and hasattr(model, "layers"):
        from workbench.models.intake.intake import save_from_notebook

        file = staging / "model.keras"
        found = save_from_notebook(model, file, trust=trust, samples=samples)
        return HandedModel(file, found, code_beside(file))
    raise InvalidInput(
        say("A model of type {kind} cannot be opened.", kind=type(model).__name__),
        say("Give a Keras model, a path, or the name of a demo model: {names}.", names=tuple(DEMO_MODELS)),
    )


def model_name(model: Any, file: Path) -> str:
    """A short name for the baseline."""
    if isinstance(model, str) and not Path(model).exists():
        return model
    own = getattr(model, "name", None)
    return own if isinstance(own, str) and not isinstance(model, Path) else file.stem


def hand_over_data(
    data: Data,
    staging: Path,
    label: str | None,
    limit_bytes: int | None,
    bounds: Bounds,
    weights: str | None = None,
) -> str | Path | Collecting:
    """The name or file that a data set is prepared from, or what writes that file in the job.

    Args:
        data: See :data:`Data`.
        staging: Where arrays of this process are written.
        label: Label column of a ``DataFrame``.
        limit_bytes: The most memory that the values may take; None for the usual limit.
        bounds: How much is read of what gives its samples one after the other.
        weights: Column of sample weights of a ``DataFrame``.

    Raises:
        InvalidInput: If it is none of these, or never ends.
    """
    from workbench.data.builtin import BUILTINS

    if isinstance(data, str) and data in BUILTINS:
        _require_no_column(label, weights, data)
        return data
    if isinstance(data, (str, Path)):
        path = _data_path(data)
        if (path.is_dir() and not is_arrow_folder(path)) or path.suffix.lower() in (".npz", ".zip"):
            _require_no_column(label, weights, path.name)
        return path
    if not is_frame(data):
        _require_no_column(label, weights, type(data).__name__)
    streams = streams_in(data)
    for stream in streams:
        require_end(stream, bounds)
    tables = is_frame(data) or is_columns_and_labels(data)
    collecting = Collecting(
        _copied(data) if tables else data, staging / "arrays.npz", label, limit_bytes, bounds, weights
    )
    if streams or tables:
        return collecting
    # Arrays are written now: the caller may change them as soon as this returns.
    return collecting.write()


def _model_path(model: str | Path) -> Path:
    from workbench.models.demo.demo import DEMO_MODELS
    from workbench.models.intake.inspection import glance

    path = existing(model)
    if path is None:
        raise InvalidInput(
            say("There is no model {path}.", path=str(model)),
            with_suggestion(
                model,
                DEMO_MODELS,
                say("Name a file, or one of the demo models: {names}.", names=tuple(DEMO_MODELS)),
            ),
        )
    problem = glance(path)
    if problem is not None and not problem.trust:
        raise problem.error()
    return path


def _data_path(data: str | Path) -> Path:
    from workbench.data.builtin import BUILTINS
    from workbench.data.files import require_plausible

    path = existing(data)
    if path is None:
        raise InvalidInput(
            say("There is no data {path}.", path=str(data)),
            with_suggestion(
                data,
                BUILTINS,
                say("Name a file or folder, or built-in data: {names}.", names=tuple(BUILTINS)),
            ),
        )
    require_plausible(path)
    return path


def existing(named: str | Path) -> Path | None:
    """What a name is the path of; None if there is nothing there."""
    try:
        path = Path(named).expanduser()
        return path.resolve() if path.exists() else None
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, a home of nobody
        return None


def _copied(data: Any) -> Any:
    """A table, or a table and its labels, that the caller may change while the job reads them."""
    if is_frame(data):
        return data.copy()
    return tuple(part.copy() if hasattr(part, "copy") else part for part in data)


def _require_no_column(label: str | None, weights: str | None, data: str) -> None:
    """Refuses the name of a column where there are none: it would be ignored in silence."""
    if weights is not None:
        raise InvalidInput(
            say(
                "weights={weights} names a column of a table, and {data} is none.",
                weights=repr(weights)[:60],
                data=data,
            ),
            say("Give weights as the third of (x, y, sample_weight), or as w_train, w_test in an .npz file."),
        )
    if label is None:
        return
    raise InvalidInput(
        say(
            "label={label} names a column of a table, and {data} is none.",
            label=repr(label)[:60],
            data=data,
        ),
        say("Leave label out: these data say themselves what their labels are."),
    )
