"""The parameters of channel pruning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.api.technique import Parameters
from workbench.techniques.structure.pruning.plan import Target
from workbench.training.parameter_types import RoundTo
from workbench.training.self_distillation import TaughtParameters

Importance = Literal["l1", "l2", "batchnorm", "taylor", "random"]


class _Channels(Parameters):
    target: Target = Field(
        "macs",
        title="Reduce",
        description="Channels, weights, bytes of the file, multiply-accumulates (MACs), or the latency in "
        "LiteRT, which is measured while channels are chosen.",
    )
    remove: float = Field(
        0.5,
        ge=0.01,
        le=0.99,
        title="Share to remove",
        description="0.5 halves it. Whether so much can be removed is checked before anything else.",
    )
    importance: Importance = Field(
        "l1",
        title="Importance",
        description="What a channel is judged by: the mean absolute (l1) or mean square (l2) weight that "
        "makes it, its scale in BatchNormalization, the change of the loss without it (taylor), or chance, "
        "as a control.",
        json_schema_extra={"advanced": True},
    )
    ranking: Literal["local", "global"] = Field(
        "local",
        title="Ranking",
        description="Local: every group of layers loses the same share. Global: the least important "
        "channels of the whole model go, wherever they are.",
        json_schema_extra={"advanced": True},
    )
    steps: int = Field(
        1,
        ge=1,
        le=20,
        title="Steps",
        description="Channels are removed in so many steps, with fine-tuning after each.",
        json_schema_extra={"advanced": True},
    )
    epochs_between: int = Field(
        2,
        ge=0,
        le=100,
        title="Epochs between steps",
        description="Fine-tuning after every step but the last.",
        json_schema_extra={"unit": "epochs", "advanced": True},
    )
    round_to: RoundTo = Field(
        8,
        description="Widths become multiples of this: processors work on 8 or 16 values at once. Halved for "
        "layers narrower than two multiples. Attention heads are not rounded.",
    )
    least: float = Field(
        0.1,
        ge=0.01,
        le=0.9,
        title="Keep at least",
        description="Part of every group of channels that stays in any case.",
        json_schema_extra={"advanced": True},
    )


class PruningParameters(TaughtParameters, _Channels):
    """What is removed, by what measure, and how it is trained afterwards."""
