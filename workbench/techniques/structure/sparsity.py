"""Unstructured and N:M sparsity."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import Refused
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
from workbench.jobs.curves import LiveCurve
from workbench.plain.keras.kernels import Kernel
from workbench.plain.keras.masks import Ranking
from workbench.techniques.structure.sparsity_code import sparsity_code
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
    KernelChoice,
    KernelParameters,
    choose,
    described,
    distinct,
    part_changed,
    size,
    zeros,
)
from workbench.training.self_distillation import TaughtParameters, parent_as_teacher

PATTERNS: dict[str, tuple[int, int]] = {"2:4": (2, 4), "1:4": (1, 4)}


class _Sparsity(Parameters):
    pattern: Literal["unstructured", "2:4", "1:4"] = Field(
        "unstructured",
        title="Pattern",
        description="unstructured: any weight may go. 2:4 and 1:4: of four neighbours along the inputs of a "
        "layer, two or one stay, as the sparse units of some graphics processors want it.",
    )
    share: float = Field(
        0.8,
        ge=0.05,
        le=0.99,
        title="Zeros",
        description="The part of the weights that is set to zero. For the pattern unstructured; "
        "2:4 means 0.5 and 1:4 means 0.75.",
        json_schema_extra={"only": {"pattern": "unstructured"}},
    )
    ranking: Ranking = Field(
        "adaptive",
        title="Ranked over",
        description="all layers: the smallest weights of the whole model go; it can empty a layer whose "
        "weights are small. adaptive: the same with weights seen relative to those of their layer, which "
        "spares such layers. each layer: every layer loses the same part.",
        json_schema_extra={"advanced": True},
    )
    removal: Literal["gradual", "at once"] = Field(
        "gradual",
        title="Removed",
        description="gradual: more and more weights go during the first half of fine-tuning, quickly at "
        "first. at once: all go before it. Patterns, and fewer than 2 epochs, always go at once.",
        json_schema_extra={"advanced": True},
    )
    every: int = Field(
        20,
        ge=1,
        le=10_000,
        title="Steps between prunings",
        description="Steps of the optimizer between two rounds of gradual removal.",
        json_schema_extra={"unit": "steps", "advanced": True},
    )


class SparsityParameters(TaughtParameters, KernelParameters, _Sparsity):
    """How many weights go, which, and how the model recovers."""


class Sparsity(Technique[SparsityParameters]):
    """Sets the smallest weights to zero and keeps them there while the others learn to do without.

    A trained network has many weights near zero; often four of five can go. The gradual schedule
    removes them while the model trains, which costs less F1 than all at once.

    The result is a file that compresses well: zeros take next to nothing in gzip. It is neither faster
    nor smaller when unpacked: Keras, LiteRT, ONNX Runtime and OpenVINO store the zeros and multiply with
    them. For speed, take channel pruning, which removes them.

    Sources: Han et al., 2015 (arXiv:1506.02626); Zhu and Gupta, 2017 (arXiv:1710.01878), the schedule;
    Lee et al., 2021 (arXiv:2010.07611), the adaptive ranking; Mishra et al., 2021 (arXiv:2104.08378), 2:4.
    """

    name: ClassVar[str] = "structure.sparsity"
    title: ClassVar[str] = "Sparsity"
    aims: ClassVar[frozenset[Aim]] = frozenset({"smaller packed"})
    trains: ClassVar[bool] = True
    produces: ClassVar[Format | None] = "keras"
    brings: ClassVar[frozenset[Effect]] = frozenset({"sparsity"})

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: SparsityParameters) -> Text | None:
        reason = fine_tuning_obstacle(variant, dataset, parameters.epochs, taught=parameters.distill)
        if reason is not None:
            return reason
        if not described(variant.description, parameters):
            return say(
                "{name} has no layer of this kind whose weights could become zero: no Dense, convolution, "
                "recurrent, attention or embedding layer.",
                name=variant.name,
            )
        return None

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: SparsityParameters) -> Estimate:
        share = _share(parameters)
        part = part_changed(variant.description, parameters)
        return Estimate(
            seconds=fine_tuning_seconds(parameters, variant, dataset),
            size_ratio=1.0,
            weights_ratio=1.0,
            operations_ratio=1.0,
            counted=True,
            expectation=say(
                "The file stays as large and as slow: zeros are stored and multiplied like other numbers. "
                "Packed with gzip it is about {percent}% of what it was. Quality holds up to a share that "
                "depends on how much larger than needed the model is; fine-tuning moves it up.",
                percent=round(100 * (1 - part + part * min(1.0, 1.24 * (1 - share) + 0.01))),
            ),
        )

    @override
    def apply(self, context: Context, parameters: SparsityParameters) -> Applied:
        model = load_parent(context)
        choice = _choose(model, parameters)
        before = [zeros(kernel) for kernel in choice.chosen]
        context.report.stage(say("Removing weights"))
        tuned = (
            _prune_pattern(model, choice, context, parameters)
            if parameters.pattern in PATTERNS
            else _prune_smallest(model, choice, context, parameters)
        )
        touched = tuple(
            say(
                "{layer}: {share}% of {weights} weights are zero; {before}% were.",
                layer=kernel.name,
                share=f"{100 * zeros(kernel):.1f}",
                weights=f"{size(kernel):,}",
                before=f"{100 * was:.1f}",
            )
            for kernel, was in zip(choice.chosen, before, strict=True)
        )
        applied = finish(model, context, Report())
        own = Report(touched=touched, skipped=tuple(choice.skipped), tables=(_table(choice.chosen),))
        file = Report(notes=packed(context.parent, applied))
        return replace(applied, report=own.followed_by(tuned).followed_by(file))

    @override
    def code(self, variant: Variant, parameters: SparsityParameters, paths: CodePaths) -> str:
        return sparsity_code(
            variant,
            parameters,
            paths,
            kernels=parameters,
            share=_share(parameters),
            pattern=PATTERNS.get(parameters.pattern),
            ranking=parameters.ranking,
            every=parameters.every,
            ramp=ramp_epochs(parameters),
        )

    @override
    def advice(self, shortfall: Shortfall, variant: Variant) -> Text | None:
        return removed_too_much() if shortfall == "lost F1" else None

    @override
    def variant_name(self, parameters: SparsityParameters) -> str:
        if parameters.pattern in PATTERNS:
            return f"sparse {parameters.pattern}"
        return f"sparse {100 * parameters.share:g} %"


def ramp_epochs(parameters: SparsityParameters) -> int:
    """Epochs during which weights go; 0 if all go at once."""
    if parameters.removal == "at once" or parameters.pattern in PATTERNS or parameters.epochs < 2:
        return 0
    return parameters.epochs // 2


def _choose(model: Any, parameters: SparsityParameters) -> KernelChoice:
    """The weight matrices that lose weights.

    Raises:
        workbench.api.errors.Refused: If none does.
    """
    from workbench.plain.keras.sparsity import share_of_zeros

    choice = choose(model, parameters, lambda kernel: _group_obstacle(kernel, parameters))
    already = share_of_zeros(choice.chosen)
    if already >= _share(parameters) and parameters.pattern not in PATTERNS:
        raise Refused(
            say("{share}% of these weights are zero already.", share=f"{100 * already:.1f}"),
            say("Ask for more zeros."),
        )
    return choice


def _group_obstacle(kernel: Kernel, parameters: SparsityParameters) -> Text | None:
    """Why a weight matrix cannot take the pattern."""
    if parameters.pattern not in PATTERNS:
        return None
    of = PATTERNS[parameters.pattern][1]
    if not kernel.reduced:
        return say("A {kind} layer sums over no inputs that could be grouped.", kind=kernel.kind)
    inputs = math.prod(kernel.variable.shape[axis] for axis in kernel.reduced)
    if inputs % of:
        return say("Its {count} inputs are no multiple of {of}.", count=inputs, of=of)
    return None


def _prune_pattern(
    model: Any, choice: KernelChoice, context: Context, parameters: SparsityParameters
) -> Report:
    from workbench.plain.keras.sparsity import prune_pattern

    prune_pattern(choice.chosen, *PATTERNS[parameters.pattern])
    return fine_tune(model, context, parameters, teacher=parent_as_teacher(context, parameters))


def _prune_smallest(
    model: Any, choice: KernelChoice, context: Context, parameters: SparsityParameters
) -> Report:
    from workbench.plain.keras.preserving import preserve_kernels
    from workbench.plain.keras.sparsity import GradualPruning, prune

    ramp = ramp_epochs(parameters)
    if ramp == 0:
        prune(choice.chosen, parameters.share, parameters.ranking)
    # Made by name: before the first weight goes there are no zeros to be found.
    guarded = preserve_kernels(choice.chosen)
    callbacks: list[Any] = [guarded]
    said: tuple[Text, ...] = ()
    if ramp:
        gradual = GradualPruning(
            choice.chosen,
            guarded,
            share=parameters.share,
            ranking=parameters.ranking,
            steps=ramp * math.ceil(context.dataset.info.counts["train"] / parameters.batch_size),
            every=parameters.every,
            changed=lambda step, share: context.report.metric(LiveCurve.SPARSITY, step, share),
        )
        callbacks.append(gradual)
        said = (
            say(
                "Weights went during the first {ramp} of {epochs} epochs; in the others the model recovered.",
                ramp=ramp,
                epochs=parameters.epochs,
            ),
        )
    teacher = parent_as_teacher(context, parameters)
    tuned = fine_tune(model, context, parameters, callbacks=callbacks, judged_from=ramp, teacher=teacher)
    guarded.release()
    return Report(notes=said).followed_by(tuned)


def _table(pruned: list[Kernel]) -> Table:
    return Table(
        title=say("Zeros in each layer"),
        columns=(say("Layer"), say("Zeros, %"), say("Weights"), say("Distinct values")),
        rows=tuple(
            (kernel.name, round(100 * zeros(kernel), 2), size(kernel), distinct(kernel)) for kernel in pruned
        ),
        picture="bars",
        note=say("Layers with more zeros than others have more weights than they need."),
    )


def _share(parameters: SparsityParameters) -> float:
    if parameters.pattern in PATTERNS:
        keep, of = PATTERNS[parameters.pattern]
        return 1 - keep / of
    return parameters.share
