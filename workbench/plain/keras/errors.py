"""What can go wrong when a model is built again."""

from __future__ import annotations


class NotRebuilt(ValueError):
    """A layer that Keras cannot build again from its configuration; the cause says why.

    Args:
        layer: Its name, after those of the models around it.
    """

    def __init__(self, layer: str) -> None:
        super().__init__(f"layer {layer} cannot be built again from its configuration")
        self.layer = layer
