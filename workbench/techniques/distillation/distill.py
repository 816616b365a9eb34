"""Distillation: a student learns from teachers besides the labels."""

from __future__ import annotations

from typing import Any, ClassVar

from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput, Refused
from workbench.api.technique import Aim, Applied, CodePaths, Context, Estimate, Technique
from workbench.api.text import Text, say
from workbench.api.variant import Format, Report, Skip, Table, Variant
from workbench.graph.remaining import Left, left_by_width
from workbench.graph.widths import WIDTH_PARAMETER, WidthPlan, plan_widths
from workbench.techniques.distillation.code import distillation_code
from workbench.techniques.distillation.parameters import DistillationParameters
from workbench.techniques.distillation.runs import Runs
from workbench.techniques.distillation.teachers import baseline_teaches_itself, hints_of, load_teachers
from workbench.techniques.distillation.verdict import comparison_table, verdict
from workbench.training import training_obstacle, training_seconds, without_optimizer
from workbench.training.distilling import Teacher, meanings, teaching
from workbench.training.hints import parse_hints
from workbench.training.kept_layers import kept_layers
from workbench.training.rebuilding import touched


class Distillation(Technique[DistillationParameters]):
    """Trains a student on what a teacher says of each sample, besides the labels.

    A trained model knows more than its answer: that this 4 looks a little like a 9. A student that learns
    these softened scores too often becomes better than one that sees labels alone; sometimes it does not.
    So the same student is trained without its teacher as well, with the same seeds, epochs and starting
    weights, and the report says which one won.

    The student is a narrower copy of the variant, its same architecture from new weights (born again, where
    the variant teaches itself), or the variant as it is: one that was pruned, or a file of your own that
    was added. The teacher is the model as it came, or other variants by name. Hidden layers can be compared
    too, as hints. The student is a plain Keras model: what helps it to learn is not saved.

    Sources: Hinton et al. 2015 (arXiv:1503.02531); FitNets, Romero et al. 2015 (arXiv:1412.6550);
    attention transfer, Zagoruyko & Komodakis 2017 (arXiv:1612.03928); born-again networks, Furlanello et
    al. 2018 (arXiv:1805.04770); several teachers, You et al. 2017 (doi:10.1145/3097983.3098135).
    """

    name: ClassVar[str] = "distillation.distill"
    title: ClassVar[str] = "Distillation"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = True
    produces: ClassVar[Format | None] = "keras"

    @override
    def others(self, parameters: DistillationParameters) -> tuple[str, ...]:
        return parameters.teachers

    @override
    def obstacle(
        self, variant: Variant, dataset: DatasetInfo, parameters: DistillationParameters
    ) -> Text | None:
        reason = training_obstacle(variant, dataset, parameters, taught=parameters.weight)
        if reason is not None:
            return reason
        try:
            parse_hints(parameters.layers)
        except InvalidInput as error:
            return error.problem
        if baseline_teaches_itself(variant, parameters):
            return say(
                "{name} would be its own teacher, with nothing to learn from it. Choose a narrower copy or "
                "the same architecture as the student.",
                name=variant.name,
            )
        widths = [layer for layer in variant.description.layers if layer.kind in WIDTH_PARAMETER]
        if parameters.student == "narrower copy" and parameters.factor < 1 and len(widths) < 2:
            return say(
                "{name} has no hidden layer that could be narrower. Choose the same architecture, or add a "
                "smaller model of your own and distil into that.",
                name=variant.name,
            )
        return None

    @override
    def estimate(
        self, variant: Variant, dataset: DatasetInfo, parameters: DistillationParameters
    ) -> Estimate:
        narrower = parameters.student == "narrower copy"
        left: Left | None = Left(1.0, 1.0)
        if narrower:
            left = left_by_width(
                variant.path, parameters.factor, parameters.round_to, variant.description.parameters
            )
        # Most layers become narrower on both sides.
        ratio = min(1.0, parameters.factor**2 * 1.1) if left is None else left.parameters
        macs = variant.description.macs
        samples = dataset.counts["train"] + dataset.counts["validation"] / 3
        once = training_seconds(
            parameters,
            samples,
            None if macs is None else int(macs * ratio),
            len(variant.description.layers),
        )
        return Estimate(
            seconds=parameters.runs * once,
            size_ratio=ratio,
            weights_ratio=ratio,
            operations_ratio=ratio if left is None else left.operations,
            counted=left is not None,
            expectation=say(
                "Size and speed are those of the student, however it learns. Its quality usually rises by "
                "a little, most for small students, few samples and long training; where it has learned all "
                "it can from the labels, or the teacher is no better, it can fall. Trainings: {runs}.",
                runs=parameters.runs,
            ),
        )

    @override
    def settings_to_try(self, variant: Variant, dataset: DatasetInfo) -> tuple[DistillationParameters, ...]:
        return tuple(DistillationParameters(factor=factor, compare_seeds=1) for factor in (0.5, 0.25))

    @override
    def apply(self, context: Context, parameters: DistillationParameters) -> Applied:
        from workbench.models.converting.conversion import import_keras, load_keras
        from workbench.models.reading.description import describe_keras
        from workbench.training.rehearsal import require_storable

        context.report.stage(say("Loading student and teacher"))
        context.report.check()
        keras = import_keras()
        parent = load_keras(context.parent.path, trust=context.parent.settings.trusted)
        teachers = [context.others[name] for name in parameters.teachers]
        models = load_teachers(teachers, context)
        require_storable(parent, context)
        plan = self._plan(parent, parameters)
        hints = hints_of(context.parent, teachers[0], parameters)
        teacher = Teacher(
            [
                teaching(model, one.description, context.parent.description)
                for model, one in zip(models, teachers, strict=True)
            ],
            [meanings(one.description, context.parent.description) for one in teachers],
            temperature=parameters.temperature,
            weight=parameters.weight,
            hints=hints,
            hint_weight=parameters.hint_weight,
            hint_loss="attention" if parameters.hints == "attention" else "features",
        )
        runs = Runs(keras, parent, plan, context, parameters, teacher)
        student = runs.run()
        context.report.stage(say("Saving"))
        path = context.folder / "model.keras"
        finished = without_optimizer(student)
        finished.save(path)
        context.report.progress(1.0)
        return Applied(
            path=path,
            format="keras",
            runtime=context.parent.runtime,
            settings=context.parent.settings,
            description=describe_keras(finished),
            report=self._report(parameters, plan, teachers, teacher, runs, (parent, finished)),
        )

    @staticmethod
    def _plan(parent: Any, parameters: DistillationParameters) -> WidthPlan:
        if parameters.student == "this variant":
            return WidthPlan()
        if parameters.student == "same architecture":
            return WidthPlan(keep=kept_layers(parent.get_config()))
        plan = plan_widths(parent.get_config(), parameters.factor, parameters.round_to)
        if not plan.changes and parameters.factor < 1:
            raise Refused(
                say(
                    "No width of this model can be scaled. {reasons}",
                    reasons=" ".join(f"{skip.name}: {skip.reason}" for skip in plan.skipped[:5]),
                ),
                say("Choose the same architecture, or a smaller model of your own as the student."),
            )
        return plan

    @staticmethod
    def _report(
        parameters: DistillationParameters,
        plan: WidthPlan,
        teachers: list[Variant],
        teacher: Teacher,
        runs: Runs,
        models: tuple[Any, Any],
    ) -> Report:
        new = parameters.student != "this variant"
        names = ", ".join(one.name for one in teachers)
        notes: list[Text] = []
        tables: list[Table] = []
        if runs.alone:
            notes.append(verdict(runs.taught, runs.alone, new=new))
            tables.append(comparison_table(runs.seeds, runs.taught, runs.alone))
        else:
            notes.append(
                say("Not compared with the same student without a teacher: it may have been of no use.")
            )
        notes += runs.about_teachers([one.name for one in teachers])
        notes.append(
            say(
                "{before} weights of the variant, {after} of the student.",
                before=f"{models[0].count_params():,}",
                after=f"{models[1].count_params():,}",
            )
        )
        kept = plan.keep if parameters.student == "same architecture" else []
        frozen = say("It is frozen, or adapted to the data: it keeps the parent's weights.")
        return Report(
            touched=(
                *(touched(plan) if parameters.student == "narrower copy" else ()),
                say("All trainable weights, from new values.")
                if new
                else say("All trainable weights, trained on."),
                say(
                    "Trained on the scores of {teachers}, softened by {temperature}, with weight {weight}.",
                    teachers=names,
                    temperature=f"{parameters.temperature:g}",
                    weight=f"{parameters.weight:g}",
                ),
                *(
                    say("Hint: {own} learned from {theirs}.", own=hint.student, theirs=hint.teacher)
                    for hint in teacher.hints
                ),
            ),
            skipped=(
                *plan.skipped,
                *(Skip(name="/".join(path), reason=frozen) for path in kept),
                *runs.taught[0].skipped,
            ),
            notes=(*notes, *runs.taught[0].notes(), *runs.notes),
            tables=(*tables, *runs.taught[0].tables()),
        )

    @override
    def code(self, variant: Variant, parameters: DistillationParameters, paths: CodePaths) -> str:
        return distillation_code(variant, parameters, paths)

    @override
    def variant_name(self, parameters: DistillationParameters) -> str:
        if parameters.student == "narrower copy":
            return f"distilled {parameters.factor:g}"
        return "distilled"
