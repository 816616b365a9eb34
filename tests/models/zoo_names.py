"""Names of the models that tests/models/keras_2_zoo.py makes; imports nothing."""

NAMES = (
    *("recurrent", "convolutional_lstm", "volumes", "pictures", "words"),
    *("operations", "attention", "translation", "transfer", "shared"),
)
ARCHIVES = {"words", "attention", "shared", "operations"}
"""Saved as ``.keras``, the others as ``.h5``."""
