"""int8 for OpenVINO, through NNCF's post-training quantization."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from typing_extensions import override

from workbench.api.bundle import import_code
from workbench.api.dataset import DatasetInfo, sample_count, select
from workbench.api.errors import Cancelled, InvalidInput, Refused
from workbench.api.library_errors import reason_of
from workbench.api.technique import (
    Aim,
    Applied,
    CodePaths,
    Context,
    Estimate,
    InstructionUse,
    Technique,
)
from workbench.api.text import Text, say
from workbench.api.variant import Format, Layer, ModelDescription, Report, Skip, Variant
from workbench.exporting.calibration import calibration_note, float32_obstacle, samples_code
from workbench.exporting.litert_files import (
    CalibratedParameters,
    calibration_index,
    conversion_seconds,
)
from workbench.exporting.stored import SCALE, stored_bytes
from workbench.plain.openvino.bias_correction import quantized
from workbench.plain.openvino.strip import strip_openvino

_QUANTIZABLE = frozenset({"Convolution", "GroupConvolution", "ConvolutionBackpropData", "MatMul"})


class OpenVinoInt8Parameters(CalibratedParameters):
    """How activations are quantized, and whether biases are corrected."""

    preset: Literal["performance", "mixed"] = Field(
        "performance",
        title="Preset",
        description="performance: weights and activations symmetric, the fastest. mixed: activations "
        "asymmetric, more exact after functions that go below zero (Swish, GELU, ELU).",
    )
    bias_correction: Literal["automatic", "fast", "exact", "none"] = Field(
        "automatic",
        title="Bias correction",
        description="Shifts biases by the mean error that rounding makes, layer by layer. fast: as NNCF does "
        "by default; it can do harm. exact: with all layers before it rounded, much slower. automatic: fast "
        "or none, whichever stays nearer to float32 on the calibration samples.",
        json_schema_extra={"advanced": True},
    )


class OpenVinoInt8(Technique[OpenVinoInt8Parameters]):
    """Stores weights in 8 bits and lets OpenVINO compute with 8-bit activations.

    The model becomes OpenVINO's format; NNCF finds the range of every activation on samples of the
    validation split, inserts FakeQuantize operations, and corrects biases for the mean error of
    rounding where that helps. OpenVINO fuses them into integer kernels. A quarter of the size, and on a
    PC often the fastest int8, with VNNI or without.

    Source: Kozlov et al., Neural Network Compression Framework for fast model inference, 2020
    (arXiv:2002.08679); Nagel et al., Data-Free Quantization, ICCV 2019 (arXiv:1906.04721), for
    bias correction.
    """

    name: ClassVar[str] = "quantization.openvino_int8"
    title: ClassVar[str] = "int8 for OpenVINO"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster", "smaller"})
    trains: ClassVar[bool] = False
    int8_instructions: ClassVar[InstructionUse] = "of use"
    produces: ClassVar[Format | None] = "openvino"
    packages: ClassVar[tuple[str, ...]] = ("openvino", "nncf")

    @override
    def unavailable(self) -> Text | None:
        for package in self.packages:
            if find_spec(package) is None:
                return say("{package} is not installed.", package=package)
        return None

    @override
    def obstacle(
        self, variant: Variant, dataset: DatasetInfo, parameters: OpenVinoInt8Parameters
    ) -> Text | None:
        return float32_obstacle(variant, "onnx", "openvino")

    @override
    def estimate(
        self, variant: Variant, dataset: DatasetInfo, parameters: OpenVinoInt8Parameters
    ) -> Estimate:
        samples = min(parameters.samples, dataset.counts[parameters.split])
        layers = sum(1 for layer in variant.description.layers if layer.parameters)
        passes = {"automatic": 6, "fast": 2, "exact": 1 + layers, "none": 1}[parameters.bias_correction]
        return Estimate(
            seconds=3.0 + conversion_seconds(variant.description, samples * passes),
            size_ratio=0.27,
            expectation=say(
                "Size about 1/4. On a PC usually clearly faster than OpenVINO float32; very small models "
                "gain little. Quality usually within a point."
            ),
        )

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: OpenVinoInt8Parameters) -> float:
        return stored_bytes(layers, lambda layer: 8, per_channel=SCALE)

    @override
    def apply(self, context: Context, parameters: OpenVinoInt8Parameters) -> Applied:
        from workbench.api.privacy import import_openvino
        from workbench.models.reading.description import describe

        openvino = import_openvino()
        model = _float32_model(openvino, context)
        context.report.progress(0.2)
        context.report.stage(say("Calibrating and quantizing"))
        quantized, notes = _quantized(context, parameters, model)
        context.report.check()
        folder = context.folder / "model"
        folder.mkdir()
        openvino.save_model(quantized, folder / "model.xml", compress_to_fp16=False)
        strip_openvino(folder)
        context.report.progress(0.95)
        description = describe(folder, "openvino", like=context.parent.description)
        report = _report(description, quantized, notes)
        context.report.progress(1.0)
        return Applied(
            path=folder,
            format="openvino",
            runtime="openvino",
            settings=context.parent.settings,
            description=description,
            report=report,
        )

    @override
    def code(self, variant: Variant, parameters: OpenVinoInt8Parameters, paths: CodePaths) -> str:
        keras = variant.format == "keras"
        return f"""\
import sys

sys.modules["openvino_telemetry"] = None  # OpenVINO and NNCF would report their use to Intel

{
            import_code(
                "import keras" if keras else "",
                "import numpy as np",
                "import openvino",
                "from plain.calibration import drawn",
                "from plain.openvino.bias_correction import quantized",
                "from plain.openvino.export import to_openvino" if keras else "",
                "from plain.openvino.strip import strip_openvino",
            )
        }\
{_start_code(variant, paths.model)}
data = np.load("{paths.data}")
{samples_code(variant, parameters, "model.inputs[0].any_name")}

def sample(i):
    return {{name: x[i : i + 1] for name, x in arrays.items()}}


preset, correction = "{parameters.preset}", "{parameters.bias_correction}"
found, _, _ = quantized(model, rows.tolist(), sample, preset, correction)
openvino.save_model(found, "{paths.output}/model.xml", compress_to_fp16=False)
strip_openvino("{paths.output}")
"""

    @override
    def variant_name(self, parameters: OpenVinoInt8Parameters) -> str:
        return "OpenVINO int8"


def _float32_model(openvino: Any, context: Context) -> Any:
    path = context.parent.path
    context.report.check()
    if context.parent.format == "keras":
        from workbench.models.converting.conversion import load_keras, openvino_model

        context.report.stage(say("Converting to OpenVINO"))
        return openvino_model(load_keras(path, trust=context.parent.settings.trusted))
    context.report.stage(say("Loading the model"))
    try:
        return openvino.Core().read_model(path / "model.xml" if path.is_dir() else path)
    except RuntimeError as error:
        raise InvalidInput(
            say("OpenVINO cannot load {file}: {error}", file=path.name, error=reason_of(error))
        ) from error


def _quantized(
    context: Context, parameters: OpenVinoInt8Parameters, model: Any
) -> tuple[Any, tuple[Text, ...]]:
    import nncf

    from workbench.data.batches import by_name

    nncf.set_log_level(logging.ERROR)
    features = context.dataset.x(parameters.split)
    index = calibration_index(parameters, sample_count(features))
    names = [port.any_name for port in model.inputs]
    passes = 6 if parameters.bias_correction == "automatic" else 2
    seen = 0

    def sample(row: int) -> dict[str, npt.NDArray[np.float32]]:
        nonlocal seen
        seen += 1
        context.report.check()
        # NNCF goes over the samples once or more; how often depends on the model.
        context.report.progress(0.2 + 0.7 * min(1.0, seen / (passes * len(index))))
        part = select(features, slice(row, row + 1))
        return by_name(part, names, context.parent.description.inputs)

    # NNCF draws progress bars.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            found, chosen, errors = quantized(
                model, [int(row) for row in index], sample, parameters.preset, parameters.bias_correction
            )
        except Cancelled:
            raise
        except Exception as error:  # NNCF's errors share no base class but Exception
            raise InvalidInput(
                say("NNCF cannot quantize this model: {error}", error=reason_of(error)),
                say("Choose another way of int8, or another runtime."),
            ) from error
    return found, (calibration_note(parameters, len(index)), *_correction_notes(chosen, errors))


def _correction_notes(chosen: str, errors: dict[str, float]) -> tuple[Text, ...]:
    if not errors:
        return ()
    values = {name: f"{100 * error:.3g}" for name, error in errors.items()}
    if chosen == "fast":
        return (
            say(
                "Biases are corrected: the error of the outputs on the calibration samples is {fast}% of "
                "their power, {none}% without.",
                **values,
            ),
        )
    return (
        say(
            "Biases are not corrected: the error of the outputs on the calibration samples is {none}% of "
            "their power, {fast}% with NNCF's fast correction.",
            **values,
        ),
    )


def _report(description: ModelDescription, model: Any, notes: tuple[Text, ...]) -> Report:
    """What of the produced file is quantized, and what is not.

    Raises:
        Refused: If no weight is.
    """
    weighted = [layer for layer in description.layers if layer.parameters and layer.kind in _QUANTIZABLE]
    done = [layer for layer in weighted if layer.precision in ("int8", "uint8")]
    if not done:
        raise Refused(
            say("NNCF found no convolution or matrix product with weights that it could quantize."),
            say("Choose float16 or another technique."),
        )
    points = sum(1 for node in model.get_ops() if node.get_type_name() == "FakeQuantize")
    return Report(
        touched=(
            say(
                "{done} of {all} convolutions and matrix products hold int8 weights ({bytes} bytes).",
                done=len(done),
                all=len(weighted),
                bytes=sum(layer.size_bytes for layer in done),
            ),
            say(
                "Activations are quantized at {count} place (FakeQuantize).",
                "Activations are quantized at {count} places (FakeQuantize).",
                count=points - len(done),
            ),
        ),
        skipped=tuple(
            Skip(
                name=f"{layer.name} ({layer.kind})",
                reason=say("NNCF left it in {type}.", type=layer.precision),
            )
            for layer in weighted
            if layer not in done
        ),
        notes=(*notes, say("Biases stay in float32.")),
    )


def _start_code(variant: Variant, model: str) -> str:
    if variant.format == "keras":
        return f'model = to_openvino(keras.models.load_model("{model}", compile=False))\n'
    source = f"{model}/model.xml" if variant.format == "openvino" else model
    return f'model = openvino.Core().read_model("{source}")\n'
