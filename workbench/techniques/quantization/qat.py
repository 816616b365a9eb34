"""Quantization-aware training."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from workbench.api.dataset import DatasetInfo, select
from workbench.api.errors import Refused
from workbench.api.number_format import digits
from workbench.api.technique import (
    Aim,
    Applied,
    CodePaths,
    Context,
    Estimate,
    Technique,
)
from workbench.api.text import Text, say
from workbench.api.variant import Format, Layer, Report, Skip, Table, Variant
from workbench.exporting.litert_files import (
    conversion_seconds,
    load_parent,
    write,
)
from workbench.exporting.litert_report import with_float_operations
from workbench.exporting.stored import SCALE, ZERO_POINT, stored_bytes
from workbench.models.reading.lookups import lookup_obstacle
from workbench.plain.keras.weight_values import is_clustered
from workbench.plain.litert.sensitivity import FOUR_BIT_KERNELS
from workbench.plain.measures import MEASURES
from workbench.techniques.quantization.litert_recipes import (
    applied_file,
    missing_quantizer,
    quantize_file,
)
from workbench.techniques.quantization.qat_code import qat_code
from workbench.training import (
    TrainingParameters,
    train,
    training_obstacle,
    training_seconds,
)
from workbench.training.parameter_types import Epochs, FineTuningRate
from workbench.training.preserving import preserving_notes

_LAYERS = frozenset(
    {
        *("Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D"),
        *("SeparableConv1D", "SeparableConv2D", "Conv2DTranspose"),
    }
)
_REHEARSED = 8
"""Samples that give activations a range for the conversion before the training."""
_COMPARED = 200
"""Samples on which the file is compared with the model that was trained."""


class QatParameters(TrainingParameters):
    """How many bits, and how it is trained."""

    weights: Literal["int8", "int4"] = Field(
        "int8",
        title="Weights",
        description="int8: weights and activations in 8 bits, whole numbers throughout. int4: weights of "
        "dense layers and convolutions in 4 bits; activations are rounded to 8 bits inside each product.",
    )
    epochs: Epochs = Field(
        5, description="How often the training split is gone through, at most. Fine-tuning needs few."
    )
    learning_rate: FineTuningRate = Field(
        1e-4,
        description="Step size of the optimizer. Fine-tuning wants a tenth of what training from new "
        "weights does, or less.",
    )


class Qat(Technique[QatParameters]):
    """Fine-tunes the model while weights and activations are rounded as the finished file will have them.

    Batch normalization is folded into the layers before it; then the model trains with rounding in
    place, forwards only, and learns weights that bear it. The range of each activation is a moving
    average over training batches, so no calibration samples are needed, and the file computes what the
    trained model computed. Worth its time where quantization after training loses quality: depthwise
    convolutions, one scale per tensor, 4-bit weights.

    Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference, CVPR 2018 (arXiv:1712.05877), sections 3 and 3.2.
    """

    name: ClassVar[str] = "quantization.qat"
    title: ClassVar[str] = "Quantization-aware training"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = True
    produces: ClassVar[Format | None] = "tflite"
    packages: ClassVar[tuple[str, ...]] = ("litert-quantizer",)

    @override
    def unavailable(self) -> Text | None:
        return missing_quantizer()

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: QatParameters) -> Text | None:
        if (reason := training_obstacle(variant, dataset) or lookup_obstacle(variant)) is not None:
            return reason
        kinds = {layer.kind for layer in variant.description.layers}
        if not kinds & _LAYERS:
            return say(
                "{name} has no layer whose weights could be rounded in training: no Dense layer and no "
                "convolution.",
                name=variant.name,
            )
        return None

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: QatParameters) -> Estimate:
        samples = dataset.counts["train"] + dataset.counts["validation"] / 3
        # Rounding and its gradient cost about as much again as a small layer itself.
        training = 1.6 * training_seconds(
            parameters, samples, variant.description.macs, len(variant.description.layers)
        )
        return Estimate(
            seconds=training + 3 * conversion_seconds(variant.description),
            size_ratio=0.27 if parameters.weights == "int8" else 0.14,
            expectation=say(
                "Size about 1/4 with int8, 1/7 with int4; speed that of the same file made without training. "
                "Quality usually that of float32 with int8, and clearly better than int4 without training."
            ),
        )

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: QatParameters) -> float | None:
        if parameters.weights == "int4":
            return None  # another converter writes it, and what it takes besides was not looked at
        # A dense layer is trained for, and gets, one scale.
        dense = [layer for layer in layers if layer.kind == "Dense"]
        other = [layer for layer in layers if layer.kind != "Dense"]
        return stored_bytes(dense, lambda layer: 8) + stored_bytes(
            other, lambda layer: 8, per_channel=2 * SCALE, shared_per_channel=ZERO_POINT
        )

    @override
    def apply(self, context: Context, parameters: QatParameters) -> Applied:
        parent = load_parent(context)
        from workbench.plain.keras.batchnorm_folding import flattened, folded
        from workbench.plain.keras.fake_quantization import fake_quantized
        from workbench.plain.keras.preserving import preserve

        context.report.stage(say("Folding batch normalization"))
        plain, done, left = folded(flattened(parent))
        model = fake_quantized(plain, _bits(parameters))
        context.report.check()
        _rehearse(context, parameters, model, plain)
        preserving = preserve(model)
        result = train(
            model,
            context,
            parameters,
            from_logits=context.parent.description.from_logits,
            callbacks=(preserving,),
            share=(0.15, 0.8),
        )
        kept = Report(notes=(*preserving_notes(preserving), *_parted(parent, plain)))
        preserving.release()
        applied = _converted(context, parameters, model, plain)
        if any("FAKE_QUANT" in layer.kind.upper() for layer in applied.description.layers):
            raise Refused(
                say("The converter left fake quantization in the file: it would compute in float32."),
                say("Choose int8 without training."),
            )
        return _reported(context, applied, model, kept.followed_by(result.report()), done, left)

    @override
    def code(self, variant: Variant, parameters: QatParameters, paths: CodePaths) -> str:
        return qat_code(variant, parameters, paths, bits=_bits(parameters))

    @override
    def variant_name(self, parameters: QatParameters) -> str:
        return f"{parameters.weights} QAT"


def _bits(parameters: QatParameters) -> int:
    return 8 if parameters.weights == "int8" else 4


def _parted(parent: Any, folded: Any) -> tuple[Text, ...]:
    """The weight matrices whose weights share more values than those of the parent did."""
    from workbench.plain.keras.kernels import kernels

    now = {kernel.name: len(np.unique(kernel.variable)) for kernel in kernels(folded)}
    notes = []
    for kernel in kernels(parent):
        values = np.asarray(kernel.variable)
        before = len(np.unique(values))
        after = now.get(kernel.layer, before)  # nested models were inlined
        if is_clustered(values) and after > before:
            notes.append(
                say(
                    "{layer}: {before} shared values became {after}, since folding multiplied each channel "
                    "by a factor of its own.",
                    layer=kernel.name,
                    before=before,
                    after=after,
                )
            )
    return tuple(notes)


def _rehearse(context: Context, parameters: QatParameters, model: Any, plain: Any) -> None:
    """Converts the model as it is converted when it was trained: epochs must not end without a file.

    Nothing of the model, and nothing that is random later, changes by it.
    """
    from workbench.training.rehearsal import Unheard

    context.report.stage(say("Trying the conversion"))
    state = random.getstate()  # Keras takes the seeds of new layers from here
    values = [np.array(variable) for variable in model.variables]
    try:
        # without a batch, activations would have no range
        model(select(context.dataset.x("train"), slice(0, _REHEARSED)), training=True)
        with tempfile.TemporaryDirectory(dir=context.folder, prefix=".rehearsal-") as folder:
            quiet = replace(context, folder=Path(folder), report=Unheard(context.report))
            _converted(quiet, parameters, model, plain)
    finally:
        for variable, value in zip(model.variables, values, strict=True):
            variable.assign(value)
        random.setstate(state)


def _converted(context: Context, parameters: QatParameters, model: Any, plain: Any) -> Applied:
    if parameters.weights == "int8":
        import tensorflow as tf

        return with_float_operations(
            write(context, model, "int8", (), optimizations=[tf.lite.Optimize.DEFAULT])
        )
    from workbench.models.converting.conversion import to_tflite
    from workbench.plain.keras.fake_quantization import baked

    context.report.stage(say("Converting"))
    path = context.folder / "model.tflite"
    with tempfile.TemporaryDirectory(prefix="workbench-") as temporary:
        source = to_tflite(baked(model, plain), Path(temporary) / "float32.tflite")
        context.report.check()
        quantize_file(source, path, _four_bit)
    note = say("Activations stay float32 between operations and are rounded to 8 bits inside them.")
    return applied_file(context, path, ("int4", "int8"), (note,))


def _four_bit(worker: Any) -> None:
    from litert_quantizer.qtyping import TFLOperationName

    worker.add_dynamic_config(".*", TFLOperationName.ALL_SUPPORTED, 8)
    for kind in FOUR_BIT_KERNELS:
        worker.add_dynamic_config(".*", TFLOperationName[kind], 4)


def _reported(
    context: Context,
    applied: Applied,
    model: Any,
    trained: Report,
    done: list[str],
    left: list[str],
) -> Applied:
    from workbench.plain.keras.fake_quantization import FakeQuantize

    ranges = [layer for layer in model.layers if isinstance(layer, FakeQuantize)]
    table = Table(
        title=say("Ranges of activations after training"),
        columns=(say("Behind"), say("Lowest"), say("Highest")),
        rows=tuple(
            (layer.name.rpartition("_range_")[0], float(layer.low), float(layer.high)) for layer in ranges
        ),
    )
    report = applied.report
    touched = list(report.touched)
    if done:
        touched.insert(0, say("Batch normalization folded: {names}.", names=tuple(sorted(done))))
    touched.append(
        say(
            "Activations are rounded at {count} place.",
            "Activations are rounded at {count} places.",
            count=len(ranges),
        )
    )
    notes = report.notes
    if len(model.outputs) == 1:  # which of several a converted file gives where is found out afterwards
        notes = (*notes, _agreement(context, applied, model))
    skipped = tuple(
        Skip(name=name, reason=say("No convolution or dense layer before it to be folded into."))
        for name in left
    )
    return replace(
        applied,
        report=report.model_copy(
            update={
                "touched": tuple(touched),
                "skipped": (*report.skipped, *skipped),
                "notes": notes,
                "tables": (*report.tables, table),
            }
        ).followed_by(trained),
    )


def _agreement(context: Context, applied: Applied, model: Any) -> Text:
    """How far the file and the trained model answer alike on validation samples."""
    from workbench.runtimes import runtime

    features = context.dataset.x("validation")
    part = select(features, slice(0, _COMPARED))
    trained = np.asarray(model(part, training=False))
    session = runtime(applied.runtime).load(applied.path, applied.settings)
    try:
        found = session.predict(part)
    finally:
        session.close()
    parent = context.parent.description
    answers = [MEASURES[parent.task].read(each, parent.from_logits) for each in (trained, found)]
    if parent.task in ("regression", "agreement"):
        return say(
            "The file and the model that was trained differ by {error} on average, over {count} validation "
            "samples.",
            error=digits(float(np.abs(answers[0] - answers[1]).mean())),
            count=len(trained),
        )
    percent = f"{100 * float((answers[0] == answers[1]).mean()):.1f}"
    if parent.task == "classification":
        return say(
            "The file and the model that was trained choose the same class for {percent}% of {count} "
            "validation samples.",
            percent=percent,
            count=len(trained),
        )
    return say(
        "The file and the model that was trained give the same answer for {percent}% of all labels of "
        "{count} validation samples.",
        percent=percent,
        count=len(trained),
    )
