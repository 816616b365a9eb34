"""Width scaling with retraining."""

from __future__ import annotations

import json
from typing import ClassVar

from pydantic import Field
from typing_extensions import override

from workbench.api.bundle import import_code
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
    Technique,
)
from workbench.api.text import Text, say
from workbench.api.variant import Format, ModelDescription, Report, Variant
from workbench.graph.remaining import left_by_width
from workbench.graph.widths import WIDTH_PARAMETER, plan_widths
from workbench.training import (
    TrainingParameters,
    train,
    training_code,
    training_obstacle,
    training_seconds,
    without_optimizer,
)
from workbench.training.fine_tuning import saving_code
from workbench.training.output_start import start_code, start_import, start_output
from workbench.training.parameter_types import RoundTo, Width
from workbench.training.rebuilding import (
    REBUILDING_IMPORT,
    plan_without_keras,
    rebuilding_code,
    rebuilt,
    touched,
)
from workbench.training.script import training_imports


class _Widths(Parameters):
    factor: Width = Field(
        0.5,
        description="New width of every hidden layer, as a part of the old one. Weights and operations "
        "fall with about its square. 1 trains the same architecture again.",
    )
    round_to: RoundTo = Field(
        4,
        description="New widths are rounded to multiples of this: processors work on several values at once.",
    )


class WidthParameters(TrainingParameters, _Widths):
    """How narrow, and how it is trained."""


class WidthScaling(Technique[WidthParameters]):
    """Makes every hidden layer narrower by one factor and trains the smaller model from new weights.

    A network of 128-64-10 becomes 64-32-10 at 0.5. The units of Dense and recurrent layers, the
    filters of convolutions and the size of embeddings are scaled; the output layer stays, and so
    does every width that is tied to an input, an output or a fixed shape. Layers that are added
    together stay equally wide. The parent's weights are not used, apart from layers that are frozen or
    adapted to data: this is the plain baseline that pruning and distillation have to beat at equal size.

    It is faster in every runtime, and needs the training data.

    Source: Howard et al., MobileNets, 2017 (arXiv:1704.04861), section 3.3, the width multiplier.
    """

    name: ClassVar[str] = "structure.width"
    title: ClassVar[str] = "Width scaling"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = True
    produces: ClassVar[Format | None] = "keras"
    loses: ClassVar[frozenset[Effect]] = frozenset({"sparsity", "clusters", "trained ranges"})

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: WidthParameters) -> Text | None:
        if (reason := training_obstacle(variant, dataset)) is not None:
            return reason
        if parameters.factor < 1 and len(_widths(variant.description)) < 2:
            return say(
                "{name} has no hidden layer whose width could be scaled: no Dense, convolution, recurrent or "
                "embedding layer besides its output layer.",
                name=variant.name,
            )
        return None

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: WidthParameters) -> Estimate:
        description = variant.description
        left = left_by_width(variant.path, parameters.factor, parameters.round_to, description.parameters)
        ratio = _parameter_ratio(description, parameters) if left is None else left.parameters
        macs = description.macs
        return Estimate(
            seconds=training_seconds(
                parameters,
                dataset.counts["train"] + dataset.counts["validation"] / 3,
                None if macs is None else int(macs * ratio),
                len(description.layers),
            ),
            size_ratio=ratio,
            weights_ratio=ratio,
            operations_ratio=ratio if left is None else left.operations,
            counted=left is not None,
            expectation=say(
                "About {percent}% of the weights and operations, in every runtime. The time falls less, the "
                "smaller the model. Quality depends on how much wider than needed the model was; "
                "a model that is trained too shortly loses for that reason alone.",
                percent=round(100 * ratio),
            ),
        )

    @override
    def settings_to_try(self, variant: Variant, dataset: DatasetInfo) -> tuple[WidthParameters, ...]:
        return ()  # a student of the same widths that learns from the model is as small, and usually better

    @override
    def apply(self, context: Context, parameters: WidthParameters) -> Applied:
        from workbench.models.converting.conversion import import_keras, load_keras
        from workbench.models.reading.description import describe_keras
        from workbench.training.rehearsal import require_storable

        context.report.stage(say("Loading the model"))
        context.report.check()
        keras = import_keras()
        parent = load_keras(context.parent.path, trust=context.parent.settings.trusted)
        plan = plan_widths(parent.get_config(), parameters.factor, parameters.round_to)
        if not plan.changes and parameters.factor < 1:
            raise Refused(
                say(
                    "No width of this model can be scaled. {reasons}",
                    reasons=" ".join(f"{skip.name}: {skip.reason}" for skip in plan.skipped[:5]),
                )
            )
        context.report.stage(say("Building the narrower model"))
        keras.utils.set_random_seed(parameters.seed)
        model = rebuilt(parent, plan)
        started = start_output(model, context)
        require_storable(model, context)
        result = train(
            model,
            context,
            parameters,
            from_logits=context.parent.description.from_logits,
            share=(0.05, 0.95),
        )
        context.report.stage(say("Saving"))
        path = context.folder / "model.keras"
        finished = without_optimizer(model)
        finished.save(path)
        context.report.progress(1.0)
        return Applied(
            path=path,
            format="keras",
            runtime=context.parent.runtime,
            settings=context.parent.settings,
            description=describe_keras(finished),
            report=Report(
                touched=touched(plan),
                skipped=tuple(plan.skipped),
                notes=(
                    say(
                        "{before} weights became {after}, trained from new values; those of the parent "
                        "were not used.",
                        before=f"{parent.count_params():,}",
                        after=f"{finished.count_params():,}",
                    ),
                    *started,
                ),
            ).followed_by(result.report()),
        )

    @override
    def code(self, variant: Variant, parameters: WidthParameters, paths: CodePaths) -> str:
        plan = plan_without_keras(variant, parameters.factor, parameters.round_to)
        imports = (REBUILDING_IMPORT, start_import(variant), *training_imports(variant))
        return f"""\
{import_code("import keras", "import numpy as np", *imports)}\
model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
data = np.load({json.dumps(paths.data)})

# The widths that become others; all weights are new.
{rebuilding_code("student", "model", plan, parameters.seed)}\
{start_code("student", variant)}
{training_code("student", variant, parameters)}
{saving_code("student", paths, parameters.epochs)}"""

    @override
    def variant_name(self, parameters: WidthParameters) -> str:
        return f"width {parameters.factor:g}"


def _widths(description: ModelDescription) -> list[str]:
    return [layer.name for layer in description.layers if layer.kind in WIDTH_PARAMETER]


def _parameter_ratio(description: ModelDescription, parameters: WidthParameters) -> float:
    """Weights after / before, as if every hidden width were scaled exactly."""
    own = _widths(description)
    before = after = 0.0
    for layer in description.layers:
        factor = parameters.factor
        if layer.name in own[1:-1]:
            factor *= parameters.factor  # both its input and its output become narrower
        before += layer.parameters
        after += layer.parameters * (factor if len(own) > 1 else 1.0)
    return after / before if before else 1.0
