"""TensorFlow without its messages, for notebooks that make a model themselves."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


def quiet_tensorflow() -> None:
    """Imports and starts TensorFlow in this process without its messages about GPUs that are not there.

    Errors are raised as always. Call it before anything else imports TensorFlow or Keras.

    Example:
        >>> quiet_tensorflow()
        >>> import keras
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # The variable is not heeded while the libraries are loaded and look for devices.
    with _native_silence():
        import tensorflow as tf

        tf.zeros(())


@contextlib.contextmanager
def _native_silence() -> Iterator[None]:
    """Nothing is written to the process's standard error; Python's own is another one in a notebook."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
