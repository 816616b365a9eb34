"""Folding of normalization into weights, and a clean graph."""

from __future__ import annotations

import zipfile
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import Refused
from workbench.api.file_format import file_format
from workbench.api.library_errors import reason_of
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
from workbench.api.variant import Format, Report, Table, Variant
from workbench.graph.calls import read_config
from workbench.models.rebuilding.folding import IDENTITIES, FoldingPlan, plan_folding
from workbench.plain.keras import folding
from workbench.plain.keras.channel_factors import AFFINE, affine
from workbench.plain.keras.errors import NotRebuilt
from workbench.runtimes import runtime
from workbench.techniques.inference.fold_code import fold_code
from workbench.training.fine_tuning import change_of_predictions

_CHECKED_SAMPLES = 32
_LARGEST_CHANGE = 1e-4
"""Of the largest output: more than the last digits of float32 is no folding."""


class FoldParameters(Parameters):
    """What is folded."""

    normalization: bool = Field(
        True,
        title="Fold BatchNormalization",
        description="Computes it into the weights of the layer before or behind it. Training the result "
        "further is training without BatchNormalization.",
    )
    inputs: bool = Field(
        True,
        title="Fold Rescaling and Normalization",
        description="Computes the scaling of the model's input into the weights of the first layer, where "
        "that is exact.",
    )
    identities: bool = Field(
        True,
        title="Leave out what does nothing",
        description="Dropout, noise, augmentation and linear activations do nothing when the model predicts.",
    )


class Fold(Technique[FoldParameters]):
    """Computes BatchNormalization into the weights beside it, and leaves out layers that do nothing.

    When a model predicts, BatchNormalization multiplies each channel by a fixed number and adds
    another; so do Rescaling and Normalization. Beside a Dense or convolution layer without an
    activation between them, both are part of its weights. Dropout and its kin do nothing. Predictions
    stay the same up to the last digits. It is faster in Keras; LiteRT, ONNX Runtime, OpenVINO and
    TensorRT fold by themselves when they convert or load a model, so there it changes nothing.

    Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference, CVPR 2018 (arXiv:1712.05877), section 3.2.
    """

    name: ClassVar[str] = "inference.fold"
    title: ClassVar[str] = "Fold BatchNormalization"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster"})
    trains: ClassVar[bool] = False
    produces: ClassVar[Format | None] = "keras"
    # One factor per channel takes values apart that were shared, and moves ranges that were trained.
    loses: ClassVar[frozenset[Effect]] = frozenset({"clusters", "trained ranges"})

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: FoldParameters) -> Text | None:
        if variant.format != "keras":
            return say(
                "{name} is {format}, and its runtime folds it when it loads it.",
                name=variant.name,
                format=file_format(variant.format).title,
            )
        kinds = {layer.kind for layer in variant.description.layers}
        if not kinds & (AFFINE | IDENTITIES | {"Activation"}):
            return say(
                "{name} has no layer that can be folded into its neighbors, and none that does nothing.",
                name=variant.name,
            )
        plan = _plan(variant, parameters)
        return None if plan is None or plan.gone else _nothing(plan)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: FoldParameters) -> Estimate:
        total = sum(layer.parameters for layer in variant.description.layers)
        plan = _plan(variant, parameters)
        gone = {"/".join(place) for place in plan.gone} if plan else set()
        left = sum(layer.parameters for layer in variant.description.layers if layer.name not in gone)
        return Estimate(
            seconds=2.0 + variant.description.parameters / 5e6,
            size_ratio=left / total if total else 1.0,
            weights_ratio=left / total if total else 1.0,
            expectation=_expectation(variant),
        )

    @override
    def apply(self, context: Context, parameters: FoldParameters) -> Applied:
        from workbench.models.converting.conversion import load_keras
        from workbench.models.reading.description import describe_keras

        context.report.stage(say("Loading the model"))
        context.report.check()
        model = load_keras(context.parent.path, trust=context.parent.settings.trusted)
        plan = plan_folding(model.get_config(), **parameters.model_dump())
        if not plan.gone:
            raise Refused(_nothing(plan))
        context.report.progress(0.3)
        context.report.stage(say("Folding"))
        try:
            folded = folding.fold(model, plan.folds, plan.removed)
        except NotRebuilt as error:
            raise Refused(
                say(
                    "Layer {name} cannot be built again: {error}",
                    name=error.layer,
                    error=reason_of(error.__cause__ or error),
                )
            ) from error
        context.report.progress(0.5)
        context.report.check()
        change = _change(model, folded, context)
        context.report.progress(0.8)
        context.report.check()
        path = context.folder / "model.keras"
        folded.save(path)
        context.report.progress(1.0)
        return Applied(
            path=path,
            format="keras",
            runtime=context.parent.runtime,
            settings=context.parent.settings,
            description=describe_keras(folded),
            report=Report(
                touched=_touched(plan),
                skipped=tuple(plan.skipped),
                notes=(
                    change,
                    say(
                        "{before} weights became {after}.",
                        before=f"{model.count_params():,}",
                        after=f"{folded.count_params():,}",
                    ),
                    _expectation(context.parent),
                ),
                tables=_tables(model, plan),
            ),
        )

    @override
    def code(self, variant: Variant, parameters: FoldParameters, paths: CodePaths) -> str:
        return fold_code(_plan(variant, parameters) or FoldingPlan(), paths)

    @override
    def variant_name(self, parameters: FoldParameters) -> str:
        return "folded"


def _plan(variant: Variant, parameters: FoldParameters) -> FoldingPlan | None:
    """The plan from the file's configuration; None where that cannot be read."""
    try:
        return plan_folding(read_config(variant.path), **parameters.model_dump())
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _nothing(plan: FoldingPlan) -> Text:
    if not plan.skipped:
        return say("This model has nothing that could be folded or left out.")
    return say(
        "Nothing can be folded. {reasons}",
        reasons=" ".join(f"{skip.name}: {skip.reason}" for skip in plan.skipped[:5]),
    )


def _expectation(variant: Variant) -> Text:
    if runtime(variant.runtime).imports_tensorflow:
        return say(
            "Fewer operations in Keras, eager, tf.function or XLA: faster the more small layers there are. "
            "LiteRT, ONNX Runtime, OpenVINO and TensorRT fold by themselves: there neither time nor size "
            "changes."
        )
    return say(
        "{runtime} folds by itself when a model is converted or loaded: neither time nor size changes there.",
        runtime=runtime(variant.runtime).title,
    )


def _touched(plan: FoldingPlan) -> tuple[Text, ...]:
    folded = tuple(
        say(
            "{layer} ({kind}): folded into {into}.",
            layer="/".join(x.layer),
            kind=x.kind,
            into="/".join(x.into),
        )
        for x in plan.folds
    )
    return folded + tuple(
        say(
            "{layer} ({kind}): left out, it does nothing when the model predicts.",
            layer="/".join(x),
            kind=kind,
        )
        for x, kind in plan.removed.items()
    )


def _tables(model: Any, plan: FoldingPlan) -> tuple[Table, ...]:
    if not plan.folds:
        return ()
    return (
        Table(
            title=say("Folded layers"),
            columns=(
                say("Layer"),
                say("Largest factor"),
                say("Smallest factor"),
                say("Largest offset"),
                say("Folded into"),
            ),
            rows=tuple(_row(model, fold) for fold in plan.folds),
            picture="bars",
            note=say(
                "Factors far apart within a layer give its channels very different ranges: quantize such a "
                "layer with one scale per channel."
            ),
        ),
    )


def _row(model: Any, fold: folding.Fold) -> tuple[str, float, float, float, str]:
    factor, offset = affine(folding.find(model, fold.layer))
    return (
        "/".join(fold.layer),
        float(abs(factor).max()),
        float(abs(factor).min()),
        float(abs(offset).max()),
        "/".join(fold.into),
    )


def _change(before: Any, after: Any, context: Context) -> Text:
    """How much predictions differ.

    Raises:
        Refused: If they do by more than rounding.
    """
    change, note = change_of_predictions(before, after, context, "validation", _CHECKED_SAMPLES)
    if not change <= _LARGEST_CHANGE:
        raise Refused(
            say(
                "The folded model predicts otherwise: outputs change by {change:.1e} of the largest one. A "
                "BatchNormalization of this model has statistics that float32 weights cannot hold.",
                change=change,
            ),
            say("Train it a little first, or fold less."),
        )
    return note
