"""Importing TensorFlow without what Keras takes along for its wrappers and pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TAKEN_ALONG = ("IPython", "matplotlib", "pandas", "sklearn")
"""What Keras imports where it is installed, and does without where it is not."""


@contextmanager
def without_what_is_taken_along() -> Iterator[None]:
    """Lets nothing import these packages inside, but for those that are imported already.

    They take a third of the time of TensorFlow's import. Afterwards they are imported as ever; what Keras
    offers for them stays away in this process (its wrappers of scikit-learn, data from pandas, its pictures).

    No other thread may need them meanwhile.
    """
    away = [name for name in TAKEN_ALONG if name not in sys.modules]
    sys.modules.update(dict.fromkeys(away))  # type: ignore[arg-type]  # None: importing it fails at once
    try:
        yield
    finally:
        for name in away:
            del sys.modules[name]


def import_tensorflow() -> None:
    """Imports Keras and TensorFlow, to be there when they are asked for; see above for what stays away."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's own settings say
    with without_what_is_taken_along():
        import keras  # noqa: F401  (to be there)
        import tensorflow  # noqa: F401  (to be there)
