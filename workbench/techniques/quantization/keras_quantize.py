"""Keras's own quantization."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput, Refused
from workbench.api.file_format import file_format
from workbench.api.library_errors import reason_of
from workbench.api.technique import Aim, Applied, CodePaths, Context, Estimate, Parameters, Technique
from workbench.api.text import Text, say
from workbench.api.variant import Format, Layer, ModelDescription, Report, Skip, Variant
from workbench.exporting.calibration import float32_obstacle
from workbench.exporting.litert_files import load_parent
from workbench.exporting.stored import SCALE, stored_bytes
from workbench.plain.keras.inner_layers import inner_layers

_KINDS = frozenset({"Dense", "EinsumDense", "Embedding", "ReversibleEmbedding"})
"""What Keras quantizes."""


class KerasQuantizeParameters(Parameters):
    """How many bits."""

    mode: Literal["int8", "int4"] = Field(
        "int8",
        title="Weights",
        description="int8: weights in 8 bits, activations rounded to 8 bits on the fly. int4: two weights in "
        "a byte, unpacked at every call, which is slow.",
    )


class KerasQuantize(Technique[KerasQuantizeParameters]):
    """Stores the weights of dense layers and embeddings in 8 or 4 bits, inside the Keras model.

    For a checkpoint that stays in Keras: a quarter or an eighth of the size of what is in such layers.
    Convolutions and normalizations have no such form in Keras and are left as they are. It is no way to a
    LiteRT file: the converter refuses the int8 model, and unpacks the int4 one.

    Source: https://keras.io/guides/quantization_overview
    """

    name: ClassVar[str] = "quantization.keras"
    title: ClassVar[str] = "Keras's own int8 and int4"
    aims: ClassVar[frozenset[Aim]] = frozenset({"smaller"})
    trains: ClassVar[bool] = False
    produces: ClassVar[Format | None] = "keras"

    @override
    def obstacle(
        self, variant: Variant, dataset: DatasetInfo, parameters: KerasQuantizeParameters
    ) -> Text | None:
        if (reason := float32_obstacle(variant)) is not None:
            return reason
        layers = [layer for layer in variant.description.layers if layer.kind in _KINDS]
        if variant.description.layers and not layers:
            return say(
                "{name} has no Dense, EinsumDense or Embedding layer, the only ones that Keras quantizes. "
                "Choose a quantization to LiteRT, ONNX or OpenVINO.",
                name=variant.name,
            )
        return None

    @override
    def estimate(
        self, variant: Variant, dataset: DatasetInfo, parameters: KerasQuantizeParameters
    ) -> Estimate:
        share = _share(variant.description)
        saved = 0.74 if parameters.mode == "int8" else 0.86
        return Estimate(
            seconds=3.0 + variant.description.parameters / 1e7,
            size_ratio=round(1 - saved * share, 2),
            expectation=say(
                "Smaller by what dense layers and embeddings hold. Usually slower in Keras, with int4 "
                "several times; quality nearly unchanged. Not for LiteRT."
            ),
        )

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: KerasQuantizeParameters) -> float:
        rounded = [layer for layer in layers if layer.kind in _KINDS]
        whole = sum(layer.parameters for layer in layers if layer.kind not in _KINDS)
        bits = 8 if parameters.mode == "int8" else 4
        return 4.0 * whole + stored_bytes(rounded, lambda layer: bits, per_channel=SCALE)

    @override
    def apply(self, context: Context, parameters: KerasQuantizeParameters) -> Applied:
        from workbench.models.reading.description import describe_keras

        model = load_parent(context)
        context.report.stage(say("Quantizing"))
        skipped = _skipped(model)
        with warnings.catch_warnings():
            # One for every layer that it leaves alone; the report names them.
            warnings.filterwarnings("ignore", message=r"Layer .* does not (have|implement)")
            warnings.filterwarnings("ignore", message=r"`build\(\)` was called on layer")
            try:
                # Quantized, Keras 3.15 could not load them again.
                inside = {id(part) for part in inner_layers(model)}
                model.quantize(parameters.mode, filters=lambda layer: id(layer) not in inside)
            except (ValueError, TypeError, NotImplementedError) as error:
                raise InvalidInput(
                    say("Keras cannot quantize this model: {error}", error=reason_of(error)),
                    say("Choose a quantization to LiteRT, ONNX or OpenVINO."),
                ) from error
        done = [layer for layer in model._flatten_layers() if getattr(layer, "quantization_mode", None)]
        if not done:
            raise Refused(say("Keras quantized no layer of this model."))
        context.report.progress(0.6)
        context.report.check()
        context.report.stage(say("Saving"))
        path = context.folder / "model.keras"
        model.save(path)
        context.report.progress(1.0)
        return Applied(
            path=path,
            format="keras",
            runtime=context.parent.runtime,
            settings=context.parent.settings,
            description=_description(
                context.parent.description, describe_keras(model), done, parameters.mode
            ),
            report=Report(
                touched=(
                    say(
                        "{count} layer holds {mode} weights: {names}.",
                        "{count} layers hold {mode} weights: {names}.",
                        count=len(done),
                        mode=parameters.mode,
                        names=tuple(layer.name for layer in done),
                    ),
                ),
                skipped=skipped,
                notes=(
                    say(
                        "For Keras and ONNX only: LiteRT's converter refuses the int8 model and makes of the "
                        "int4 one a larger file than of float32."
                    ),
                ),
            ),
        )

    @override
    def code(self, variant: Variant, parameters: KerasQuantizeParameters, paths: CodePaths) -> str:
        output = file_format("keras").named(paths.output)
        return f"""\
import keras

from plain.keras.inner_layers import inner_layers

model = keras.models.load_model("{paths.model}", compile=False)
# Layers inside a layer, such as those of attention: quantized, Keras could not load them again.
inside = {{id(part) for part in inner_layers(model)}}
# It warns of every layer that it leaves alone.
model.quantize("{parameters.mode}", filters=lambda layer: id(layer) not in inside)
model.save("{output}")
"""

    @override
    def variant_name(self, parameters: KerasQuantizeParameters) -> str:
        return f"Keras {parameters.mode}"


def _share(description: ModelDescription) -> float:
    within = sum(layer.parameters for layer in description.layers if layer.kind in _KINDS)
    return within / max(1, sum(layer.parameters for layer in description.layers)) if description.layers else 1


def _skipped(model: Any) -> tuple[Skip, ...]:
    inside = {id(part) for part in inner_layers(model)}
    skipped = []
    for layer in model._flatten_layers(include_self=False):
        kind = type(layer).__name__
        if not layer._trainable_variables:
            continue
        if id(layer) in inside and kind in _KINDS:
            reason = say("It is part of another layer; quantized, Keras could not load it again.")
        elif kind not in _KINDS:
            reason = say("Keras has no quantized form of {kind}.", kind=kind)
        else:
            continue
        skipped.append(Skip(name=f"{layer.name} ({kind})", reason=reason))
    return tuple(skipped)


def _description(
    before: ModelDescription, found: ModelDescription, done: list[Any], mode: str
) -> ModelDescription:
    """The parent's number of weights: scales and packed pairs are no weights of the model."""
    names = {layer.name for layer in done}
    whole = {layer.name: layer.parameters for layer in before.layers}
    layers = tuple(
        layer.model_copy(update={"precision": mode, "parameters": whole.get(layer.name, layer.parameters)})
        if layer.name.rpartition("/")[2] in names
        else layer
        for layer in found.layers
    )
    large = {layer.precision for layer in layers if layer.parameters >= 1024}
    words = {"int8": "dynamic int8", "int4": "int4"}
    return found.model_copy(
        update={
            "layers": layers,
            "parameters": before.parameters,
            "macs": before.macs,
            "from_logits": before.from_logits,
            "precision": words[mode] if large <= {mode} else "mixed",
        }
    )
