"""Width scaling with retraining."""

from __future__ import annotations

import json
import zipfile
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from workbench.data.dataset import DatasetInfo
from workbench.errors import Refused
from workbench.technique import Applied, CodePaths, Context, Estimate, Family, Parameters, Technique
from workbench.techniques.structure.layer_calls import read_config
from workbench.techniques.structure.widths import WIDTH_PARAMETER, WidthPlan, plan_widths, scaled
from workbench.text import Text, say
from workbench.training import (
    TrainingParameters,
    obstacle,
    train,
    training_code,
    training_seconds,
    without_optimizer,
)
from workbench.variant import Format, ModelDescription, Report, Variant


class _Widths(Parameters):
    factor: float = Field(
        0.5,
        ge=0.1,
        le=1,
        title="Width",
        description="New width of every hidden layer, as a part of the old one. Weights and operations "
        "fall with about its square. 1 trains the same architecture again.",
    )
    round_to: int = Field(
        4,
        ge=1,
        le=64,
        title="Multiples of",
        description="New widths are rounded to multiples of this: processors work on several values at once.",
        json_schema_extra={"advanced": True},
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
    family: ClassVar[Family] = "structure"
    title: ClassVar[str] = "Width scaling"
    parameters_type: ClassVar[type[Parameters]] = WidthParameters
    produces: ClassVar[Format | None] = "keras"

    @override
    def fits(self, variant: Variant, dataset: DatasetInfo, parameters: WidthParameters) -> Text | None:
        if (reason := obstacle(variant, dataset)) is not None:
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
        ratio = _parameter_ratio(variant.description, parameters)
        macs = variant.description.macs
        return Estimate(
            seconds=training_seconds(
                parameters,
                dataset.counts["train"] + dataset.counts["validation"] / 3,
                None if macs is None else int(macs * ratio),
            ),
            size_ratio=ratio,
            expectation=say(
                "About {percent} % of the weights and operations, in every runtime. The time falls less, the "
                "smaller the model. Quality depends on how much wider than needed the model was; "
                "a model that is trained too shortly loses for that reason alone.",
                percent=round(100 * ratio),
            ),
        )

    @override
    def apply(self, context: Context, parameters: WidthParameters) -> Applied:
        from workbench.models.conversion import import_keras, load_keras
        from workbench.models.description import describe_keras

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
        model = _rebuilt(keras, parent, plan)
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
                touched=_touched(plan),
                skipped=tuple(plan.skipped),
                notes=(
                    say(
                        "{before} weights became {after}, trained from new values; those of the parent "
                        "were not used.",
                        before=f"{parent.count_params():,}",
                        after=f"{finished.count_params():,}",
                    ),
                    *result.notes(),
                ),
            ),
        )

    @override
    def code(self, variant: Variant, parameters: WidthParameters, paths: CodePaths) -> str:
        plan = _plan_without_keras(variant, parameters)
        changes = "".join(
            f"    {json.dumps(name)}: {json.dumps(new)},\n" for name, new in plan.changes.items()
        )
        kept = "".join(
            f"student{_get(path)}.set_weights(model{_get(path)}.get_weights())\n" for path in plan.keep
        )
        if kept:
            kept = "# Frozen, or adapted to the data: taken over as they are.\n" + kept
        return f"""\
import keras
import numpy as np

model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
data = np.load({json.dumps(paths.data)})
changes = {{
{changes}}}


def narrowed(layer):
    config = layer.get_config()
    config.update(changes.get(layer.name, {{}}))
    return layer.__class__.from_config(config)


keras.utils.set_random_seed({parameters.seed})
student = keras.models.clone_model(model, clone_function=narrowed, recursive=True)
{kept}\
{training_code("student", variant, parameters)}
# Saved again without the optimizer, whose state is twice the size of the weights.
student.save("{_output(paths)}")
keras.models.load_model("{_output(paths)}", compile=False).save("{_output(paths)}")
"""

    @override
    def variant_name(self, parameters: WidthParameters) -> str:
        return f"width {parameters.factor:g}"


def _rebuilt(keras: Any, parent: Any, plan: WidthPlan) -> Any:
    made: list[Any] = []

    def narrowed(layer: Any) -> Any:
        config = layer.get_config()
        config.update(plan.changes.get(layer.name, {}))
        try:
            made.append(layer.__class__.from_config(config))
        except (ValueError, TypeError) as error:
            raise _does_not_build(layer.name, error) from error
        return made[-1]

    try:
        model = keras.models.clone_model(parent, clone_function=narrowed, recursive=True)
    except (ValueError, TypeError, ArithmeticError, NotImplementedError) as error:
        raise _does_not_build(next((layer.name for layer in made if not layer.built), ""), error) from error
    for path in plan.keep:
        old, new = parent, model
        for name in path:
            old, new = old.get_layer(name), new.get_layer(name)
        new.set_weights(old.get_weights())
    return model


def _does_not_build(layer: str, error: Exception) -> Refused:
    # Keras puts the whole configuration before what is wrong with it.
    told = str(error).rpartition("Exception encountered: ")[2].strip() or type(error).__name__
    return Refused(
        say("The narrower model cannot be built at layer {layer}: {error}", layer=layer, error=told),
        say("Choose another width or another multiple."),
    )


def _touched(plan: WidthPlan) -> tuple[Text, ...]:
    if not plan.changes:
        return (say("Trained again from new weights; every width stayed."),)
    return tuple(
        say(
            "{layer}: {parameter} {before} became {after}.",
            layer=name,
            parameter=parameter,
            before=str(plan.before[name][parameter]),
            after=str(after),
        )
        for name, new in plan.changes.items()
        for parameter, after in new.items()
    )


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


def _plan_without_keras(variant: Variant, parameters: WidthParameters) -> WidthPlan:
    """The plan from the file's configuration; where that cannot be read, from the description."""
    try:
        return plan_widths(read_config(variant.path), parameters.factor, parameters.round_to)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, Refused):
        plan = WidthPlan()
    layers = [layer for layer in variant.description.layers if layer.kind in WIDTH_PARAMETER]
    for layer in layers[:-1]:
        if layer.output_shape and (width := layer.output_shape[-1]):
            new = scaled(width, parameters.factor, parameters.round_to)
            plan.changes[layer.name.rpartition("/")[2]] = {WIDTH_PARAMETER[layer.kind]: new}
    return plan


def _get(path: tuple[str, ...]) -> str:
    return "".join(f".get_layer({json.dumps(name)})" for name in path)


def _output(paths: CodePaths) -> str:
    return paths.output if paths.output.endswith(".keras") else paths.output + ".keras"
