"""Low-rank factorization."""

from __future__ import annotations

from collections.abc import Iterator
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
from workbench.api.variant import Format, Report, Skip, Table, Variant
from workbench.plain.keras.factor_layers import (
    CONVOLUTIONS,
    DENSE,
    KINDS,
    ConvolutionMethod,
    Factorable,
    factorable,
    obstacle,
    split,
)
from workbench.plain.keras.kernels import leaves
from workbench.techniques.structure.low_rank.code import low_rank_code
from workbench.techniques.structure.low_rank.ranks import (
    RankChoice,
    by_energy,
    by_sensitivity,
    by_target,
    shown,
)
from workbench.training import training_obstacle
from workbench.training.fine_tuning import (
    FineTuningParameters,
    fine_tune,
    fine_tuning_obstacle,
    fine_tuning_seconds,
    finish,
    load_parent,
    require_rebuildable,
)
from workbench.training.kernel_choice import KernelParameters, described, names
from workbench.training.validation import validation_labels, validator

_WANTED = {"all": KINDS, "dense": DENSE, "convolutions": CONVOLUTIONS}


class _LowRank(Parameters):
    choose: Literal["spectrum", "weights", "sensitivity"] = Field(
        "spectrum",
        title="Rank by",
        description="spectrum: each layer keeps a share of its squared singular values. weights: the same "
        "share for all, so that the model reaches a number of weights. sensitivity: each layer and rank is "
        "tried on the validation split.",
    )
    energy: float = Field(
        0.9,
        ge=0.1,
        le=1,
        title="Energy kept",
        description="For the choice by spectrum: the part of its squared singular values that a layer keeps.",
        json_schema_extra={"only": {"choose": "spectrum"}},
    )
    weights: float = Field(
        0.5,
        ge=0.01,
        lt=1,
        title="Weights left",
        description="For the choice by weights: weights after / before, of the whole model.",
        json_schema_extra={"only": {"choose": "weights"}},
    )
    tolerance: float = Field(
        0.01,
        ge=0,
        le=0.5,
        title="F1 given up for a layer",
        description="For the choice by sensitivity: how much F1 may fall for one layer, before fine-tuning. "
        "0.01 is one point, or one per cent of the error where numbers are predicted.",
        json_schema_extra={"only": {"choose": "sensitivity"}},
    )
    convolutions: ConvolutionMethod = Field(
        "spatial",
        title="Convolutions become",
        description="spatial: a column and a row, 3x1 then 1x3. tucker: fewer channels before and after, "
        "1x1 then 3x3 then 1x1.",
        json_schema_extra={"advanced": True},
    )


class LowRankParameters(FineTuningParameters, KernelParameters, _LowRank):
    """How small the factors are, and how they are trained."""


class LowRank(Technique[LowRankParameters]):
    """Splits the weight matrix of a layer into a product of two small ones, by its singular values.

    A Dense layer of 512 to 512 at rank 64 becomes one of 512 to 64 and one of 64 to 512: a quarter of the
    weights and operations, in every runtime. A convolution becomes a column and a row, or three
    convolutions in fewer channels. A layer that would not shrink is left alone. The layers are ordinary
    ones, and the model converts like any other; small models can still become slower, since
    there are more layers.

    Sources: Jaderberg et al., 2014 (arXiv:1405.3866), columns and rows; Kim et al., 2016
    (arXiv:1511.06530), Tucker; Denton et al., 2014 (arXiv:1404.0736).
    """

    name: ClassVar[str] = "structure.low_rank"
    title: ClassVar[str] = "Low-rank factorization"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = True
    produces: ClassVar[Format | None] = "keras"
    # A product of factors has neither the zeros nor the shared values of the matrix.
    loses: ClassVar[frozenset[Effect]] = frozenset({"sparsity", "clusters"})

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: LowRankParameters) -> Text | None:
        if (reason := fine_tuning_obstacle(variant, dataset, parameters.epochs)) is not None:
            return reason
        if parameters.choose == "sensitivity":
            # Without labels, by how much the model answers otherwise.
            taught = None if parameters.epochs else 1.0
            if (reason := training_obstacle(variant, dataset, taught=taught)) is not None:
                return reason
        layers = [layer for layer in described(variant.description, parameters) if layer.kind in KINDS]
        if not layers:
            return say(
                "{name} has no Dense, EinsumDense, Conv1D or Conv2D layer of this kind to split.",
                name=variant.name,
            )
        return None

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: LowRankParameters) -> Estimate:
        ratio = parameters.weights if parameters.choose == "weights" else None
        seconds = fine_tuning_seconds(parameters, variant, dataset, ratio or 0.7)
        if parameters.choose == "sensitivity":
            layers = len(described(variant.description, parameters))
            macs = variant.description.macs or 1e6
            seconds += 9 * layers * (0.02 + dataset.counts["validation"] * macs / 2e10)
        return Estimate(
            seconds=seconds,
            size_ratio=ratio,
            weights_ratio=ratio,
            operations_ratio=ratio,
            expectation=say(
                "Weights and operations of wide layers fall in every runtime; how far depends on how quickly "
                "their singular values fall, which wide trained layers do and narrow ones do not. The time "
                "falls less: two small layers cost more than one of the same operations."
            ),
        )

    @override
    def settings_to_try(self, variant: Variant, dataset: DatasetInfo) -> tuple[LowRankParameters, ...]:
        return (LowRankParameters(choose="weights"),)

    @override
    def apply(self, context: Context, parameters: LowRankParameters) -> Applied:
        model = load_parent(context)
        require_rebuildable(model)
        found = _factorable(model, parameters)
        context.report.stage(say("Choosing ranks"))
        choice = _ranks(model, found, context, parameters)
        skipped = (*_left(model, found, parameters), *choice.skipped)
        if not choice.ranks:
            raise Refused(
                say(
                    "No layer of this model would become smaller. {reasons}",
                    reasons=" ".join(f"{skip.name}: {skip.reason}" for skip in skipped[:5]),
                ),
                say("Keep less energy, or choose another technique."),
            )
        context.report.stage(say("Splitting layers"))
        before = model.count_params()
        smaller = split(model, found, choice.ranks)
        # A layer that was split is gone as such: what was known of the old one stands in the report.
        tuned = fine_tune(
            smaller,
            context,
            parameters,
            share=(0.4 if parameters.choose == "sensitivity" else 0.1, 0.95),
        )
        chosen = [layer for layer in found if layer.name in choice.ranks]
        applied = finish(smaller, context, Report())
        report = Report(
            touched=tuple(_sentence(layer, choice) for layer in chosen),
            skipped=skipped,
            notes=(
                say(
                    "{before} weights became {after}.",
                    before=f"{before:,}",
                    after=f"{smaller.count_params():,}",
                ),
            ),
            tables=(_table(chosen, choice), *choice.tables),
        )
        return replace(applied, report=report.followed_by(tuned))

    @override
    def code(self, variant: Variant, parameters: LowRankParameters, paths: CodePaths) -> str:
        return low_rank_code(variant, parameters, paths)

    @override
    def advice(self, shortfall: Shortfall, variant: Variant) -> Text | None:
        if shortfall != "slower":
            return None
        return say(
            "Each factorized layer became two: fewer operations, but a second call and a second pass "
            "over memory, which cost more than the operations saved. Wider layers and lower ranks gain."
        )

    @override
    def variant_name(self, parameters: LowRankParameters) -> str:
        if parameters.choose == "spectrum":
            return f"low rank {100 * parameters.energy:g} %"
        if parameters.choose == "weights":
            return f"low rank, {100 * parameters.weights:g} % weights"
        return "low rank"


def _factorable(model: Any, parameters: LowRankParameters) -> list[Factorable]:
    return factorable(
        model,
        kinds=_WANTED[parameters.layers],
        leave=names(parameters.leave),
        convolutions=parameters.convolutions,
    )


def _left(model: Any, found: list[Factorable], parameters: LowRankParameters) -> Iterator[Skip]:
    """The other layers that have a matrix, each once, with the reason."""
    seen = {id(layer.layer) for layer in found}
    for name, layer in leaves(model):
        if id(layer) not in seen and any(len(weight.shape) > 1 for weight in layer.weights):
            seen.add(id(layer))
            yield Skip(name=name, reason=_reason(layer, parameters))


def _reason(layer: Any, parameters: LowRankParameters) -> Text:
    if layer.name in names(parameters.leave):
        return say("It was to be left alone.")
    match obstacle(layer):
        case "kind":
            return say("The matrices of a {kind} layer cannot be split.", kind=type(layer).__name__)
        case "frozen":
            return say("Its weights are frozen.")
        case "changed":
            return say("Its weights are quantized or have low-rank additions already.")
        case "groups":
            return say("It is a convolution in {groups} groups.", groups=layer.groups)
        case "equation":
            return say("Its equation {equation} is no product of matrices.", equation=layer.equation)
        case None:
            return say("Layers of this kind were not asked for.")


def _ranks(
    model: Any, found: list[Factorable], context: Context, parameters: LowRankParameters
) -> RankChoice:
    if parameters.choose == "spectrum":
        return by_energy(found, parameters.energy)
    if parameters.choose == "weights":
        return by_target(model, found, parameters.weights)
    return by_sensitivity(
        found,
        parameters.tolerance,
        validator(model, context, validation_labels(model, context)),
        None if context.parent.description.further else context.parent.description.task,
        lambda done: context.report.progress(0.4 * done),
    )


def _sentence(layer: Factorable, choice: RankChoice) -> Text:
    ranks = choice.ranks[layer.name]
    return say(
        "{layer}: {before} weights became {after}, at rank {rank} of {full}.",
        layer=layer.name,
        before=f"{layer.factors.kernel.size:,}",
        after=f"{layer.factors.parameters(ranks):,}",
        rank=shown(ranks),
        full=shown(layer.factors.full),
    )


def _table(chosen: list[Factorable], choice: RankChoice) -> Table:
    rows = []
    for layer in chosen:
        factors, ranks = layer.factors, choice.ranks[layer.name]
        rows.append(
            (
                layer.name,
                round(100 * factors.parameters(ranks) / factors.kernel.size, 1),
                shown(ranks),
                shown(factors.full),
                round(100 * factors.energy(ranks), 2),
            )
        )
    return Table(
        title=say("Ranks"),
        columns=(say("Layer"), say("Weights left, %"), say("Rank"), say("Full rank"), say("Energy kept, %")),
        rows=tuple(rows),
        picture="bars",
    )
