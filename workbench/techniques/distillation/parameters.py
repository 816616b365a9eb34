"""The parameters of distillation, and what they say of students, teachers and layers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from workbench.api.technique import Parameters
from workbench.training import TrainingParameters
from workbench.training.parameter_types import RoundTo, Temperature, Width

_ADVANCED: dict[str, Any] = {"advanced": True}

StudentKind = Literal["narrower copy", "same architecture", "this variant"]


class _Distilling(Parameters):
    student: StudentKind = Field(
        "narrower copy",
        title="Student",
        description="A narrower copy of this variant or its same architecture starts from new weights; this "
        "variant, such as a pruned one, is trained on from the weights that it has. A model of your own "
        "becomes a student when it is added as a variant.",
    )
    factor: Width = Field(
        0.5,
        description="Of a narrower copy: new width of every hidden layer, as a part of the old one.",
        json_schema_extra={"only": {"student": "narrower copy"}},
    )
    teacher: str = Field(
        "",
        max_length=500,
        title="Teacher",
        description="Name of the Keras variant that teaches; several with commas count by the mean of their "
        "probabilities. Empty: the model as it came.",
        json_schema_extra={"advanced": True},
    )
    temperature: Temperature = Field(
        4.0,
        description="Softens the scores of both: the higher it is, the more the small ones count, which tell "
        "what a class looks like.",
    )
    weight: float = Field(
        0.9,
        ge=0,
        le=1,
        title="Weight of the teacher",
        description="Part of the loss that comes from the teacher's scores; the rest comes from the labels.",
        json_schema_extra={"advanced": True},
    )
    compare_seeds: int = Field(
        3,
        ge=0,
        le=20,
        title="Compare over",
        description="Trains the same student with and without its teacher, with so many seeds, and says "
        "which is better. The student of the first seed is kept. 0 compares nothing, and cannot tell whether "
        "the teacher was of any use.",
        json_schema_extra={"unit": "seeds", "advanced": True},
    )
    hints: Literal["none", "features", "attention"] = Field(
        "none",
        title="Hints",
        description="Features: hidden layers of the student also learn to give those of the teacher, through "
        "a learned projection. Attention: they learn to look at the same places of a picture.",
        json_schema_extra=_ADVANCED,
    )
    hint_weight: float = Field(
        1.0,
        ge=0,
        le=10_000,
        title="Weight of the hints",
        description="Beside the loss of labels and scores. A features loss is 1 for a student that knows "
        "only the mean; attention losses are small and want a weight of 10 to 1000.",
        json_schema_extra=_ADVANCED,
    )
    layers: str = Field(
        "",
        max_length=2000,
        title="Layers of the hints",
        description="Pairs such as: conv2 = block3, dense. The student's layer comes first; one name stands "
        "for both. Empty: the last layers of each resolution that both have.",
        json_schema_extra=_ADVANCED,
    )
    round_to: RoundTo = Field(
        4, description="The widths of a narrower copy are rounded to multiples of this."
    )


class DistillationParameters(TrainingParameters, _Distilling):
    """Who learns what from whom, and how it is trained."""

    @property
    def teachers(self) -> tuple[str, ...]:
        """Names of the variants that teach; ``""`` is the baseline."""
        names = [name.strip() for name in self.teacher.split(",")]
        return tuple(dict.fromkeys(name for name in names if name)) or ("",)

    @property
    def runs(self) -> int:
        """Trainings in all."""
        return 2 * self.compare_seeds or 1
