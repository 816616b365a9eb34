"""What is in a finished LiteRT file: which operations are quantized, which are not, and why."""

from __future__ import annotations

from dataclasses import replace

from workbench.api.errors import Refused
from workbench.api.technique import Applied
from workbench.api.text import Text, say
from workbench.api.variant import Layer, ModelDescription, Report, Skip
from workbench.plain.litert.sensitivity import KERNELS


def report_of(description: ModelDescription, weights: str, notes: tuple[Text, ...]) -> Report:
    """What of a produced file is quantized, and what is not.

    Args:
        description: Read from the file.
        weights: NumPy's name of the element type that weights should have.
        notes: Notes for the report.

    Raises:
        Refused: If no weight has that type.
    """
    weighted = [layer for layer in description.layers if layer.parameters]
    done = [layer for layer in weighted if layer.precision == weights]
    if not done:
        raise _nothing_done(weighted, weights)
    return Report(
        touched=(
            say(
                "{done} of {all} operations with weights hold {type} weights ({bytes} bytes).",
                done=len(done),
                all=len(weighted),
                type=weights,
                bytes=sum(layer.size_bytes for layer in done),
            ),
        ),
        skipped=tuple(
            Skip(name=_label(layer), reason=_why(layer)) for layer in weighted if layer not in done
        ),
        notes=notes,
    )


def _nothing_done(weighted: list[Layer], weights: str) -> Refused:
    if not weighted:
        return Refused(
            say("This model has no weights: there is nothing to quantize."),
            say("To make it faster, choose another runtime."),
        )
    largest = max(weighted, key=lambda layer: layer.parameters)
    small = largest.parameters < 1024 and largest.precision == "float32"
    if small and largest.kind in {*KERNELS, "TRANSPOSE_CONV"}:  # others have no such form at any size
        return Refused(
            say(
                "No layer of this model was quantized: the largest, {layer}, has {count} weights, and fewer "
                "than 1,024 are left in float32.",
                layer=_label(largest),
                count=largest.parameters,
            ),
            say("Choose float16, which has no such limit."),
        )
    left = {f"{layer.kind} ({layer.precision})": None for layer in weighted}
    return Refused(
        say(
            "No weights of this model became {wanted}: there is no such form of {kinds}.",
            wanted=weights,
            kinds=tuple(left),
        ),
        say("Choose float16, which every operation has.") if weights != "float16" else None,
    )


def with_float_operations(applied: Applied) -> Applied:
    """Adds to the report the operations without weights that still compute in float32.

    For files that should compute with whole numbers throughout.
    """
    left = tuple(
        Skip(name=_label(layer), reason=say("LiteRT has no integer kernel for {kind}.", kind=layer.kind))
        for layer in applied.description.layers
        if not layer.parameters
        and layer.precision == "float32"
        and layer.kind not in ("QUANTIZE", "DEQUANTIZE")
    )
    report = applied.report.model_copy(update={"skipped": (*applied.report.skipped, *left)})
    return replace(applied, report=report)


def _label(layer: Layer) -> str:
    return f"{layer.name} ({layer.kind})" if layer.name else layer.kind


def _why(layer: Layer) -> Text:
    if layer.parameters < 1024:
        return say("It has {count} weights: too few to be worth quantizing.", count=layer.parameters)
    return say("The converter left it in {precision}.", precision=layer.precision)
