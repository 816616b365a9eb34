"""The families of techniques of a workbench; what each has is in ``families.pyi``, made from the registry."""

from __future__ import annotations

from typing import ClassVar

from workbench.api.technique import Family
from workbench.engine.technique_calls import FamilyCalls


class Structure(FamilyCalls):
    """Fewer numbers: smaller layers, fewer of them, zeros."""

    family: ClassVar[Family] = "structure"


class Training(FamilyCalls):
    """Training again, better."""

    family: ClassVar[Family] = "training"


class Inference(FamilyCalls):
    """Other runtimes, and how they run."""

    family: ClassVar[Family] = "inference"


class Quantization(FamilyCalls):
    """Coarser numbers."""

    family: ClassVar[Family] = "quantization"


class Distillation(FamilyCalls):
    """A small model that learns from a large one."""

    family: ClassVar[Family] = "distillation"
