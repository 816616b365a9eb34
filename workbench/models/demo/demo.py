"""The demo models: trained, shipped inside the package, ready within seconds.

``python -m workbench.models.demo.train`` made them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.api.text import Text, say

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class DemoModel:
    """A trained model that comes with the workbench.

    Attributes:
        name: What the user types.
        title: Shown to the user.
        dataset: Name of the built-in data set that it was trained on, prepared with seed 0 and its own
            scaling; the test split of that preparation was never used.
    """

    name: str
    title: Text
    dataset: str

    @property
    def path(self) -> Path:
        """Its ``.keras`` file, without optimizer state."""
        return FOLDER / f"{self.name}.keras"


DEMO_MODELS: dict[str, DemoModel] = {
    model.name: model
    for model in (
        DemoModel("cnn-mnist-5k", say("Small residual CNN on MNIST-5k"), "mnist-5k"),
        DemoModel("dense-mnist-5k", say("Dense network 128-64-10 on MNIST-5k"), "mnist-5k"),
        DemoModel("dense-digits", say("Dense network 64-32-10 on 8x8 digits"), "digits"),
        DemoModel("dense-breast-cancer", say("Dense network 32-16-2 on breast cancer"), "breast-cancer"),
    )
}
"""The demo models in the order in which they are offered."""
