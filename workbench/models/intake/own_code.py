"""Classes of the user's own that lie beside a model file, since the file keeps their names only.

They come from the user: by value from a notebook, or as a Python file that was named with the model. Nothing
is ever taken from a model's file or from beside it where it was found: what is opened is copied into a folder
of the workbench first, and only what the user gave is put there. They run in worker processes.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from workbench.api.errors import InvalidInput, Refused
from workbench.api.library_errors import reason_of
from workbench.api.text import say

WRITTEN = "own_classes.py"
BY_VALUE = "own_classes.pkl"

_read: dict[str, dict[str, Any]] = {}
"""What was run in this process, by digest: a class that is made twice is another class."""


def code_beside(model: Path) -> Path | None:
    """The code that a stored model file needs; None if it needs none."""
    return next((file for name in (WRITTEN, BY_VALUE) if (file := model.with_name(name)).is_file()), None)


def keep_code(code: Path | None, folder: Path) -> None:
    """Puts code beside the model in a folder.

    Args:
        code: As :func:`checked_code` or :func:`save_by_value` gave it; None for none.
        folder: Of the workbench.
    """
    if code is not None and code.parent != folder:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(code, folder / (BY_VALUE if code.suffix == ".pkl" else WRITTEN))


def checked_code(code: str | Path, shared: bool) -> Path:
    """The file that a user named.

    Raises:
        Refused: On a shared page.
        InvalidInput: If it is no Python file.
    """
    if shared:
        raise Refused(
            say("On a shared page no code can be given with a model."),
            say("Open a model of built-in layers, or run a workbench of your own."),
        )
    path = Path(code).expanduser()
    if path.suffix != ".py" or not path.is_file():
        raise InvalidInput(
            say("{path} is no Python file with classes.", path=str(code)),
            say("Name the .py file in which the model's classes are defined."),
        )
    return path.resolve()


def save_by_value(kinds: Iterable[Any], path: Path) -> None:
    """Writes classes of this process so that another one on this machine can have them.

    Args:
        kinds: The classes.
        path: The file to write.

    Raises:
        InvalidInput: If one holds what cannot be carried.
    """
    import cloudpickle

    classes = {kind.__name__: kind for kind in kinds}
    modules = {sys.modules[kind.__module__] for kind in classes.values() if kind.__module__ in sys.modules}
    own = [module for module in modules if module.__name__ != "__main__" and not _is_installed(module)]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        path.write_bytes(cloudpickle.dumps(classes))
    # pickling raises whatever the objects around the class raise
    except Exception as error:
        raise InvalidInput(
            say(
                "The classes {classes} cannot be carried to a worker: {reason}",
                classes=tuple(classes),
                reason=reason_of(error),
            ),
            say("Define them in a file, save the model and open it with code='layers.py'."),
        ) from error
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def classes_in(code: Path) -> dict[str, Any]:
    """Runs code that the user gave, and what it defines by all names that a model's file may have for it.

    Raises:
        InvalidInput: If it cannot be run.
    """
    from workbench.models.converting.conversion import import_keras

    keras = import_keras()
    from workbench.plain.keras.own_classes import PREFIX, classes_of

    digest = hashlib.sha256(code.read_bytes()).hexdigest()
    if digest not in _read:
        try:
            _read[digest] = classes_of(code)
        # the user's own code raises whatever it raises
        except Exception as error:
            raise InvalidInput(
                say("The code of the model's classes cannot be run: {reason}", reason=reason_of(error)),
                say("What it needs must be in the same file, or installed."),
            ) from error
        # a class that registers itself would be known to every file that this process reads
        known = keras.saving.get_custom_objects()
        for name in [name for name, kind in known.items() if str(kind.__module__).startswith(PREFIX)]:
            del known[name]
    return _read[digest]


@contextlib.contextmanager
def own_classes(model: Path) -> Iterator[dict[str, Any]]:
    """Within it, Keras knows the classes that lie beside a stored model file."""
    code = code_beside(model)
    if code is None:
        yield {}
        return
    import keras

    classes = classes_in(code)
    with keras.saving.custom_object_scope(classes):
        yield classes


def _is_installed(module: ModuleType) -> bool:
    if module.__name__.split(".")[0] == "workbench":
        return False  # a layer of its plain code goes with the code that is taken home
    file = getattr(module, "__file__", None) or ""
    return any(part in {"site-packages", "dist-packages"} for part in Path(file).parts)
