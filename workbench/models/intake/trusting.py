"""Trust in a model's code, as Keras hears it: where a file is read, and wherever layers are rebuilt."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

_IMPORT = re.compile(r"^import keras$", re.MULTILINE)


@contextlib.contextmanager
def trusting(trust: bool) -> Iterator[None]:
    """Within it, Keras rebuilds layers that carry Python code, or refuses to, whatever held before.

    ``clone_model``, ``from_config`` and ``deserialize_keras_object`` take no word of trust of their own, or
    not all of them do; each asks what holds in its thread.

    Args:
        trust: Whether the user said that code inside the model may run.
    """
    from workbench.models.converting.conversion import import_keras

    import_keras()
    from keras.src.saving.serialization_lib import SafeModeScope

    with SafeModeScope(safe_mode=not trust):
        yield


def trusting_code(code: str) -> str:
    """Plain code that may rebuild layers which carry Python code; unchanged where it uses no Keras.

    Args:
        code: A script.
    """
    said = (
        "import keras\n\n"
        "# The model carries Python code (Lambda layers), which you said that you trust.\n"
        "keras.config.enable_unsafe_deserialization()\n"
    )
    return _IMPORT.sub(lambda _: said, code, count=1)
