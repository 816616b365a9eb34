"""One family of techniques as a panel of its own, for a cell of a notebook."""

from __future__ import annotations

from widgets.panels.techniques import TechniquesPanel
from widgets.session import Session
from workbench.api.technique import Family
from workbench.workbench import Workbench


class FamilyPanel(TechniquesPanel):
    """All techniques of one family.

    Args:
        workbench: A workbench, or the session of one.
        family: Name of the family.

    Example:
        >>> panel = FamilyPanel(workbench, "structure")
    """

    def __init__(self, workbench: Workbench | Session, family: Family) -> None:
        self.panel = family  # type: ignore[misc]  # of this one, not of all
        super().__init__(workbench, (family,))


class QuantizationPanel(FamilyPanel):
    """Fewer bits for each number: ``QuantizationPanel(workbench)`` in a cell is a full panel.

    Example:
        >>> panel = QuantizationPanel(workbench)
    """

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench, "quantization")


class StructurePanel(FamilyPanel):
    """Fewer numbers: scaling, pruning, factorization.

    Example:
        >>> panel = StructurePanel(workbench)
    """

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench, "structure")


class InferencePanel(FamilyPanel):
    """The same numbers in another runtime.

    Example:
        >>> panel = InferencePanel(workbench)
    """

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench, "inference")


class TrainingPanel(FamilyPanel):
    """The same network, trained otherwise.

    Example:
        >>> panel = TrainingPanel(workbench)
    """

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench, "training")


class DistillationPanel(FamilyPanel):
    """A small network that learns from a large one.

    Example:
        >>> panel = DistillationPanel(workbench)
    """

    def __init__(self, workbench: Workbench | Session) -> None:
        super().__init__(workbench, "distillation")
