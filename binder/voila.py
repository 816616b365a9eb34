"""Voila's settings that hold the project's own texts; the others are in ``voila.json``."""

from workbench.serving.start import start_words

c = get_config()  # noqa: F821  # Voila brings it
c.VoilaConfiguration.resources = {"neural_workbench": {"language": "en", "words": start_words()}}
