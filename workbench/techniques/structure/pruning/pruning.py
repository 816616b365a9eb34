"""Channel pruning: removes filters, units and attention heads, and fine-tunes what is left."""

from __future__ import annotations

from typing import Any, ClassVar

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
    Shortfall,
    Technique,
)
from workbench.api.text import Text, say
from workbench.api.variant import Format, Report, Skip, Variant
from workbench.graph.channel_removal import without_channels
from workbench.graph.units import UNREADABLE, Removed
from workbench.plain.keras import channel_importance as importance
from workbench.plain.keras.channel_search import Counts, Wanted
from workbench.plain.keras.channels import Scores
from workbench.techniques.structure.pruning.code import pruning_code
from workbench.techniques.structure.pruning.parameters import PruningParameters
from workbench.techniques.structure.pruning.plan import PruningPlan, Target, plan_of
from workbench.training import TrainingSettings, training_obstacle
from workbench.training.fine_tuning import (
    fine_tune,
    fine_tuning_obstacle,
    fine_tuning_seconds,
    finish,
    load_parent,
    removed_too_much,
)
from workbench.training.objectives import Objectives
from workbench.training.self_distillation import parent_as_teacher


class ChannelPruning(Technique[PruningParameters]):
    """Removes the least important channels: filters, units, attention heads and their widths.

    The layers become narrower and stay dense, so the model is smaller and faster in every runtime. Layers
    whose outputs meet in an addition, a multiplication or a shared kernel lose the same channels; these
    groups are found from the model's graph and shown. Where a channel cannot go without changing others,
    as in front of a LayerNormalization over channels, it stays, and the report says so.

    Unlike width scaling it keeps the trained weights of what stays. It needs a few epochs of fine-tuning;
    several steps with training in between lose less when much is removed.

    Sources: Li et al., Pruning Filters for Efficient ConvNets, 2017 (arXiv:1608.08710); Fang et al.,
    DepGraph, 2023 (arXiv:2301.12900).
    """

    name: ClassVar[str] = "structure.pruning"
    title: ClassVar[str] = "Channel pruning"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = True
    produces: ClassVar[Format | None] = "keras"
    loses: ClassVar[frozenset[Effect]] = frozenset({"trained ranges"})

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: PruningParameters) -> Text | None:
        trains = parameters.epochs + (parameters.epochs_between if parameters.steps > 1 else 0)
        reason = fine_tuning_obstacle(variant, dataset, trains, taught=parameters.distill)
        if reason is None and parameters.importance == "taylor":
            reason = _gradients_obstacle(variant, dataset)
        if reason is not None:
            return reason
        try:
            plan = plan_of(variant, parameters.round_to, parameters.least)
            return plan.obstacle(parameters.target, 1 - parameters.remove)
        except Refused as refused:
            return refused.text
        except UNREADABLE:
            return None  # told when it is applied, by what reads the file in full

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: PruningParameters) -> Estimate:
        try:
            plan = plan_of(variant, parameters.round_to, parameters.least)
            counts = plan.meeting(parameters.target, 1 - parameters.remove, plan.evenly, plan.all)
        except UNREADABLE:
            return Estimate(
                seconds=fine_tuning_seconds(parameters, variant, dataset),
                expectation=say("What can be removed is known when the model's graph is read."),
            )
        remains = plan.remains(counts)
        macs = remains.parameters if remains.macs is None else remains.macs
        between = parameters.model_copy(update={"epochs": parameters.epochs_between})
        seconds = fine_tuning_seconds(parameters, variant, dataset, macs)
        seconds += (parameters.steps - 1) * fine_tuning_seconds(between, variant, dataset, (1 + macs) / 2)
        if parameters.target == "latency":
            seconds += 40
        return Estimate(
            seconds=seconds,
            size_ratio=remains.bytes,
            weights_ratio=remains.parameters,
            operations_ratio=remains.macs,
            # Which channels of all matter least, and what a latency needs, is found out on the way.
            counted=parameters.ranking == "local" and parameters.target != "latency",
            expectation=say(
                "About {parameters}% of the weights and {macs}% of the operations stay, in every runtime; "
                "at most {reachable}× fewer operations are possible. Time falls less than operations. "
                "Quality falls with what is removed and comes back with fine-tuning.",
                parameters=round(100 * remains.parameters),
                macs=round(100 * macs),
                reachable=f"{1 / max(plan.part(plan.fewest, 'latency'), 1e-3):.1f}",
            ),
        )

    @override
    def settings_to_try(self, variant: Variant, dataset: DatasetInfo) -> tuple[PruningParameters, ...]:
        return tuple(PruningParameters(remove=share) for share in (0.3, 0.5, 0.7))

    @override
    def apply(self, context: Context, parameters: PruningParameters) -> Applied:
        from workbench.models.converting.conversion import import_keras

        plan = plan_of(context.parent, parameters.round_to, parameters.least)
        part, target = 1 - parameters.remove, parameters.target
        if (reason := plan.obstacle(target, part)) is not None:
            raise Refused(reason)
        keras = import_keras()
        model = parent = load_parent(context)
        before, counts = plan.units.nothing(), plan.all
        notes: list[Text] = []
        for step in range(1, parameters.steps + 1):
            start = round(0.05 + 0.9 * (step - 1) / parameters.steps, 4)
            end = round(0.05 + 0.9 * step / parameters.steps, 4)
            context.report.progress(start)
            context.report.stage(say("Choosing channels"))
            scores = _scores(model, plan, before, context, parameters)
            wanted: Wanted = plan.evenly if parameters.ranking == "local" else plan.ranked(scores, before)
            if target == "latency":
                counts, note = _measured(context, parent, plan, wanted, scores, part)
                notes.append(note)
                # Operations stand for the time from here on: they need not be measured at every step.
                part, target = plan.part(counts, "latency"), _countable(plan)
                counts = plan.all
            counts = plan.meeting(target, part ** (step / parameters.steps), wanted, counts)
            removed = plan.removed(counts, scores, before)
            context.report.stage(say("Removing channels"))
            context.report.check()
            keras.utils.set_random_seed(parameters.seed)
            model = without_channels(
                model, plan.channels, removed, before, trust=context.parent.settings.trusted
            )
            before = removed
            last = step == parameters.steps
            epochs = parameters.epochs if last else parameters.epochs_between
            if epochs or last:
                now = parameters.model_copy(update={"epochs": epochs})
                tuned = fine_tune(
                    model,
                    context,
                    now,
                    share=(round(start + 0.02, 4), end),
                    teacher=parent_as_teacher(context, now, parent),
                )
                notes += () if last else tuned.notes[:1]
        if (left := plan.part(counts, target)) < 0.9 * part:
            notes.append(
                say(
                    "Multiples of {number} come no closer to the target: {left}% are left where {wanted}% "
                    "were asked for.",
                    number=parameters.round_to,
                    left=f"{100 * left:.0f}",
                    wanted=f"{100 * part:.0f}",
                )
            )
        return finish(model, context, _report(plan, counts, before, parent, model, notes).followed_by(tuned))

    @override
    def code(self, variant: Variant, parameters: PruningParameters, paths: CodePaths) -> str:
        return pruning_code(variant, parameters, paths)

    @override
    def advice(self, shortfall: Shortfall, variant: Variant) -> Text | None:
        return removed_too_much() if shortfall == "lost F1" else None

    @override
    def variant_name(self, parameters: PruningParameters) -> str:
        share = f"pruned {round(100 * parameters.remove)} %"
        return share if parameters.target == "macs" else f"{share} {parameters.target}"


def _gradients_obstacle(variant: Variant, dataset: DatasetInfo) -> Text | None:
    if dataset.task == "agreement":
        return say(
            "Importance by taylor is the effect on the loss, which needs labels, and the data have none. "
            "Choose l1, l2 or batchnorm."
        )
    return training_obstacle(variant, dataset)


def _scores(
    model: Any, plan: PruningPlan, before: Removed, context: Context, parameters: PruningParameters
) -> Scores:
    match parameters.importance:
        case "l1":
            return importance.magnitude(model, plan.channels, before, 1)
        case "l2":
            return importance.magnitude(model, plan.channels, before, 2)
        case "batchnorm":
            return importance.batchnorm_scale(model, plan.channels, before)
        case "taylor":

            def judging(number: int) -> None:
                context.report.check()
                context.report.stage(
                    say(
                        "Judging channels: batch {number} of {all}",
                        number=number + 1,
                        all=importance.TAYLOR_BATCHES,
                    )
                )

            objectives = Objectives.of(
                context.parent.description, TrainingSettings.of(parameters), model=model
            )
            labels = objectives.labels(context.dataset, "train")
            return importance.taylor(
                model,
                plan.channels,
                before,
                context.dataset.x("train"),
                labels,
                objectives.loss(labels),
                batch_size=parameters.batch_size,
                seed=parameters.seed,
                judging=judging,
                weights=objectives.weights(context.dataset, "train", labels),
                outputs=objectives.names,
            )
        case "random":
            return importance.random(plan.channels, parameters.seed)


def _measured(
    context: Context, parent: Any, plan: PruningPlan, wanted: Wanted, scores: Scores, part: float
) -> tuple[Counts, Text]:
    from workbench.techniques.structure.pruning.latency import counts_for_latency

    def without(removed: Removed) -> Any:
        return without_channels(parent, plan.channels, removed, trust=context.parent.settings.trusted)

    counts, ratio = counts_for_latency(context, parent, plan, wanted, scores, part, without)
    return counts, say(
        "While channels were chosen, LiteRT took {ratio} of the parent's time with these widths. That was a "
        "short look; the measurement of the variant is what counts.",
        ratio=f"{ratio:.2f}",
    )


def _countable(plan: PruningPlan) -> Target:
    return "parameters" if plan.remains(plan.all).macs is None else "macs"


def _report(
    plan: PruningPlan, counts: Counts, removed: Removed, parent: Any, model: Any, notes: list[Text]
) -> Report:
    remains = plan.remains(counts)
    kept = [
        Skip(name=group.name, reason=say("All {count} channels were kept.", count=len(group.units)))
        for group, count in zip(plan.groups, counts, strict=True)
        if count == len(group.units)
    ]
    numbers = say(
        "{before} weights became {after}; {macs}% of the operations stay.",
        before=f"{parent.count_params():,}",
        after=f"{model.count_params():,}",
        macs="?" if remains.macs is None else f"{100 * remains.macs:.1f}",
    )
    return Report(
        touched=plan.units.touched(removed),
        skipped=(*plan.units.fixed, *kept),
        notes=(numbers, *notes),
        tables=(plan.units.table(removed),),
    )
