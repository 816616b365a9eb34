"""Weight clustering: few shared values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field
from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.technique import (
    Aim,
    Applied,
    CodePaths,
    Context,
    Effect,
    Estimate,
    Parameters,
    Shortfall,
    Technique,
)
from workbench.api.text import Text, say
from workbench.api.variant import Format, Report, Table, Variant
from workbench.plain.keras.clusters import Initialization
from workbench.plain.keras.kernels import Kernel
from workbench.techniques.structure.clustering_code import clustering_code
from workbench.training.fine_tuning import (
    fine_tune,
    fine_tuning_obstacle,
    fine_tuning_seconds,
    finish,
    load_parent,
    packed,
    removed_too_much,
)
from workbench.training.kernel_choice import (
    KernelParameters,
    choose,
    described,
    distinct,
    part_changed,
    size,
    values,
    zeros,
)
from workbench.training.parameter_types import FineTuningEpochs
from workbench.training.self_distillation import TaughtParameters, parent_as_teacher

_BITS_PACKED = 0.05
"""What gzip makes of a float32 weight, for each bit that the number of its cluster has."""


class _Clustering(Parameters):
    clusters: int = Field(
        16,
        ge=2,
        le=256,
        title="Clusters",
        description="How many distinct values each layer may have. 16 are enough for many models.",
    )
    initialization: Initialization = Field(
        "linear",
        title="First centroids",
        description="linear: evenly from the smallest weight to the largest, which keeps the few large "
        "weights apart. density: evenly over the sorted weights. k-means++: at random, far from each other.",
        json_schema_extra={"advanced": True},
    )
    moving: bool = Field(
        True,
        title="Weights may change their cluster",
        description="While training, each weight also has a value of its own, which decides on its cluster "
        "after every step. Off: each stays in its first cluster, and only the shared values are trained.",
        json_schema_extra={"advanced": True},
    )


class ClusteringParameters(TaughtParameters, KernelParameters, _Clustering):
    """How many values each layer keeps, and how they are trained."""

    epochs: FineTuningEpochs = 5


class Clustering(Technique[ClusteringParameters]):
    """Gives the weights of each layer a few shared values, found by k-means, and trains those values.

    With 16 clusters a weight holds 4 bits of information. While fine-tuning, each weight also has a value of
    its own, which decides after every step on the cluster that it belongs to; or it stays in the first one,
    and each shared value is trained as one weight, with the sum of the gradients of all that share it. Zeros
    of a sparse parent stay zero.

    The result is a file that gzip makes much smaller, even more so on top of sparsity. It is neither
    faster nor smaller when unpacked: Keras, LiteRT, ONNX Runtime and OpenVINO store and multiply every
    weight. Turning it into float16 afterwards keeps the clusters; a converter that folds normalizations
    into the weights multiplies their number.

    Source: Han et al., Deep Compression, 2016 (arXiv:1510.00149).
    """

    name: ClassVar[str] = "structure.clustering"
    title: ClassVar[str] = "Weight clustering"
    aims: ClassVar[frozenset[Aim]] = frozenset({"smaller packed"})
    trains: ClassVar[bool] = True
    produces: ClassVar[Format | None] = "keras"
    brings: ClassVar[frozenset[Effect]] = frozenset({"clusters"})

    @override
    def obstacle(
        self, variant: Variant, dataset: DatasetInfo, parameters: ClusteringParameters
    ) -> Text | None:
        reason = fine_tuning_obstacle(variant, dataset, parameters.epochs, taught=parameters.distill)
        if reason is not None:
            return reason
        if not described(variant.description, parameters):
            return say(
                "{name} has no layer of this kind whose weights could share values: no Dense, convolution, "
                "recurrent, attention or embedding layer.",
                name=variant.name,
            )
        return None

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: ClusteringParameters) -> Estimate:
        part = part_changed(variant.description, parameters)
        bits = math.log2(parameters.clusters)
        return Estimate(
            seconds=fine_tuning_seconds(parameters, variant, dataset),
            size_ratio=1.0,
            weights_ratio=1.0,
            operations_ratio=1.0,
            counted=True,
            expectation=say(
                "The file stays as large and as slow: every weight is stored and multiplied as before. "
                "Packed with gzip it is about {percent}% of what it was, less on top of sparsity. "
                "16 clusters usually cost little quality after fine-tuning.",
                percent=round(100 * (1 - part + part * min(1.0, _BITS_PACKED * bits / 0.93))),
            ),
        )

    @override
    def apply(self, context: Context, parameters: ClusteringParameters) -> Applied:
        from workbench.plain.keras.clustering import share_values

        model = load_parent(context)
        choice = choose(model, parameters, lambda kernel: _obstacle(kernel, parameters))
        context.report.stage(say("Finding clusters"))
        before = [distinct(kernel) for kernel in choice.chosen]
        errors, moving = [], []
        for done, kernel in enumerate(choice.chosen):
            context.report.check()
            weights = values(kernel)
            mover = share_values(
                kernel,
                parameters.clusters,
                parameters.initialization,
                parameters.seed,
                moving=parameters.moving,
            )
            if mover is not None:
                moving.append(mover)
            apart = float(np.linalg.norm(values(kernel) - weights))
            errors.append(apart / (float(np.linalg.norm(weights)) or 1.0))
            context.report.progress(0.1 * done / len(choice.chosen))
        # Those that may not move are found and kept by the fine-tuning itself, as after any other step.
        tuned = fine_tune(model, context, parameters, teacher=parent_as_teacher(context, parameters))
        for one in moving:
            one.release()
        touched = tuple(
            say(
                "{layer}: {before} distinct values became {after}, for {weights} weights.",
                layer=kernel.name,
                before=f"{was:,}",
                after=distinct(kernel),
                weights=f"{size(kernel):,}",
            )
            for kernel, was in zip(choice.chosen, before, strict=True)
        )
        table = _table(choice.chosen, errors)
        applied = finish(model, context, Report())
        clusters = Report(touched=touched, skipped=tuple(choice.skipped), tables=(table,))
        file = Report(notes=packed(context.parent, applied))
        return replace(applied, report=clusters.followed_by(tuned).followed_by(file))

    @override
    def code(self, variant: Variant, parameters: ClusteringParameters, paths: CodePaths) -> str:
        return clustering_code(
            variant,
            parameters,
            paths,
            kernels=parameters,
            clusters=parameters.clusters,
            initialization=parameters.initialization,
            moving=parameters.moving,
        )

    @override
    def advice(self, shortfall: Shortfall, variant: Variant) -> Text | None:
        if shortfall == "not faster":
            return say(
                "Shared values are stored and multiplied like any others: they make the compressed file "
                "smaller, not the inference faster."
            )
        return removed_too_much() if shortfall == "lost F1" else None

    @override
    def variant_name(self, parameters: ClusteringParameters) -> str:
        return f"{parameters.clusters} clusters"


def _obstacle(kernel: Kernel, parameters: ClusteringParameters) -> Text | None:
    from workbench.plain.keras.clustering import can_share_values, cluster_count

    if can_share_values(kernel, parameters.clusters):
        return None
    if cluster_count(kernel, parameters.clusters) < 2:
        return say("It has only {weights} weights.", weights=size(kernel))
    return say(
        "It has only {count} distinct value already.",
        "It has only {count} distinct values already.",
        count=distinct(kernel),
    )


def _table(chosen: Sequence[Kernel], errors: Sequence[float]) -> Table:
    return Table(
        title=say("Clusters of each layer"),
        columns=(
            say("Layer"),
            say("Change of the weights by clustering, %"),
            say("Distinct values"),
            say("Zeros, %"),
            say("Weights"),
        ),
        rows=tuple(
            (
                kernel.name,
                round(100 * error, 2),
                distinct(kernel),
                round(100 * zeros(kernel), 2),
                size(kernel),
            )
            for kernel, error in zip(chosen, errors, strict=True)
        ),
        picture="bars",
        note=say(
            "The change is the length of the difference over the length of the weights, before training."
        ),
    )
