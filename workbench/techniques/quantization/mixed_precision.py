"""A precision for each layer, chosen by measured sensitivity."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.api.bundle import import_code
from workbench.api.dataset import DatasetInfo
from workbench.api.errors import Refused
from workbench.api.task import measure_of
from workbench.api.technique import Aim, Applied, CodePaths, Context, Estimate, Parameters, Technique
from workbench.api.text import Text, say
from workbench.api.variant import Format, Skip, Table, Variant
from workbench.exporting.calibration import float32_obstacle
from workbench.exporting.judging import chosen_by_first
from workbench.exporting.litert_files import (
    conversion_seconds,
    litert_bytes,
    output_name,
)
from workbench.exporting.parameter_types import SamplingSeed
from workbench.measure.records import Interval
from workbench.plain.litert.sensitivity import FOUR_BIT_WEIGHTS, Operation
from workbench.plain.measures import MEASURES
from workbench.techniques.quantization.litert_recipes import (
    applied_file,
    float32_tflite,
    missing_quantizer,
    start_code,
)
from workbench.techniques.quantization.mixed_precision_code import choice_code
from workbench.techniques.quantization.precision_search import CALIBRATION, PrecisionSearch
from workbench.training.judging_code import MEASURE_NAMES
from workbench.training.results import change_shown, measure_unit, written


class MixedPrecisionParameters(Parameters):
    """What most layers get, what the sensitive ones get, and how many those are."""

    low: Literal["int4 weights", "int8 weights", "int8"] = Field(
        "int4 weights",
        title="Most layers",
        description="int4 weights, int8 weights: weights only, computed in float32. int8: weights and "
        "activations. A layer without a 4-bit form gets 8-bit weights.",
    )
    kept: Literal["int8 weights", "float32"] = Field(
        "int8 weights",
        title="Sensitive layers",
        description="What they get instead. Where most layers are int8 already, they stay in float32.",
        json_schema_extra={"advanced": True},
    )
    by: Literal["F1 budget", "layers"] = Field(
        "F1 budget",
        title="Choose by",
        description="F1 budget: one more layer is kept, the most sensitive first, until the loss is small "
        "enough. layers: a fixed number of them.",
    )
    budget: float = Field(
        0.5,
        ge=0,
        le=20,
        title="F1 budget",
        description="Macro F1 on validation samples that may be lost against float32; where another task is "
        "judged, points of its measure, or per cent of the error.",
        json_schema_extra={"unit": "points", "only": {"by": "F1 budget"}},
    )
    layers: int = Field(
        1,
        ge=0,
        le=1000,
        title="Layers kept",
        description="How many, where the number is fixed.",
        json_schema_extra={"only": {"by": "layers"}},
    )
    samples: int = Field(
        400,
        ge=16,
        le=100_000,
        title="Samples",
        description="Validation samples that every file of the sweep predicts. More make it slower and "
        "surer: one sample in 400 is a quarter of a point.",
        json_schema_extra={"unit": "samples", "advanced": True},
    )
    seed: SamplingSeed = 0

    @property
    def low_bits(self) -> int:
        """Bits of the weights of most layers, where there is such a form."""
        return 4 if self.low == "int4 weights" else 8

    @property
    def kept_bits(self) -> int | None:
        """Bits of the weights of kept layers; None for float32."""
        return 8 if self.low == "int4 weights" and self.kept == "int8 weights" else None


class MixedPrecision(Technique[MixedPrecisionParameters]):
    """Quantizes every layer alone, measures what that costs, and spares the layers that cost most.

    For each layer the error of the model's output (signal-to-noise ratio) and the macro F1 on validation
    samples are measured with that layer quantized and all others in float32. The most sensitive ones keep
    a higher precision, as many as the F1 budget needs. The sweep is stored with the parent and used again.

    Source: Wu et al., Integer Quantization for Deep Learning Inference, 2020 (arXiv:2004.09602), section
    5.2, partial quantization; selective recipes of the LiteRT quantizer.
    """

    name: ClassVar[str] = "quantization.mixed_precision"
    title: ClassVar[str] = "Precision by layer"
    aims: ClassVar[frozenset[Aim]] = frozenset({"smaller"})
    trains: ClassVar[bool] = False
    produces: ClassVar[Format | None] = "tflite"
    packages: ClassVar[tuple[str, ...]] = ("litert-quantizer",)

    @override
    def unavailable(self) -> Text | None:
        return missing_quantizer()

    @override
    def obstacle(
        self, variant: Variant, dataset: DatasetInfo, parameters: MixedPrecisionParameters
    ) -> Text | None:
        return float32_obstacle(variant, "tflite")

    @override
    def estimate(
        self, variant: Variant, dataset: DatasetInfo, parameters: MixedPrecisionParameters
    ) -> Estimate:
        layers = 1 + sum(1 for layer in variant.description.layers if layer.parameters)
        count = min(parameters.samples, dataset.counts["validation"])
        one = 1e-4 + (variant.description.macs or 1e6) / 4e9
        return Estimate(
            seconds=conversion_seconds(variant.description) + layers * (0.2 + 2 * count * one),
            size_ratio=_size_ratio(variant, parameters),
            expectation=say(
                "Size between that of the low precision and that of the kept one. The F1 budget holds on "
                "the samples that were measured with; a new sample may differ."
            ),
        )

    @override
    def apply(self, context: Context, parameters: MixedPrecisionParameters) -> Applied:
        with tempfile.TemporaryDirectory(prefix="workbench-") as temporary:
            source = float32_tflite(context, Path(temporary))
            search = PrecisionSearch(context, parameters, source, Path(temporary) / "trial.tflite")
            if not search.operations:
                raise Refused(say("No operation of this model has weights that could be quantized."))
            swept = search.swept()
            order = sorted(swept, key=lambda scope: swept[scope])
            tried = search.tried(order)
            kept, score = tried[-1]
            path = context.folder / "model.tflite"
            context.report.stage(say("Quantizing"))
            search.quantize(path, search.mixed(order[:kept]))
            change = search.change(path)
        context.report.progress(0.95)
        return _reported(context, parameters, path, search, swept, order, tried, score, change)

    @override
    def code(self, variant: Variant, parameters: MixedPrecisionParameters, paths: CodePaths) -> str:
        imports, start = start_code(variant, paths)
        return (
            import_code(
                *imports,
                "import numpy as np",
                "from plain.calibration import drawn",
                "from plain.litert import sensitivity",
                "from plain.litert.strip import strip_metadata",
                f"from plain.measures import {MEASURE_NAMES[variant.description.task]}",
            )
            + start
            + choice_code(
                variant,
                paths.data,
                output_name(paths),
                low=parameters.low_bits,
                kept=parameters.kept_bits,
                integer=parameters.low == "int8",
                layers=parameters.layers if parameters.by == "layers" else None,
                budget=parameters.budget / 100,
                samples=parameters.samples,
                calibration=CALIBRATION,
                seed=parameters.seed,
            )
        )

    @override
    def variant_name(self, parameters: MixedPrecisionParameters) -> str:
        return f"mixed {parameters.low}"


def _size_ratio(variant: Variant, parameters: MixedPrecisionParameters) -> float:
    """With as many layers kept as are asked for; how many a budget needs is not known before."""
    weights = sum(1 for layer in variant.description.layers if layer.parameters)
    kept = min(1.0, parameters.layers / max(1, weights)) if parameters.by == "layers" else 0.0
    bits = (1 - kept) * parameters.low_bits + kept * (parameters.kept_bits or 32)
    try:
        before = variant.path.stat().st_size
    except OSError:
        before = 4 * variant.description.parameters
    return round(litert_bytes(variant.description, bits) / max(1, before), 2)


def _reported(
    context: Context,
    parameters: MixedPrecisionParameters,
    path: Path,
    search: PrecisionSearch,
    swept: dict[str, tuple[float, float]],
    order: list[str],
    tried: list[tuple[int, float]],
    score: float,
    change: Interval,
) -> Applied:
    names = {item.scope: item for item in search.operations}
    task = context.parent.description.task
    measure, unit = measure_of(task), measure_unit(measure_of(task))
    kept = order[: tried[-1][0]]
    if len(kept) == len(order) and parameters.kept_bits is None:
        raise Refused(
            say(
                "Every layer would have to stay in float32: quantized, the model loses more than {budget} "
                "{unit} of {measure}.",
                budget=parameters.budget,
                unit=unit,
                measure=measure.title,
            ),
            say("Allow a larger loss, or train with rounding (quantization-aware training)."),
        )
    low = parameters.low_bits == 4 and any(
        names[scope].kind in FOUR_BIT_WEIGHTS and scope not in kept for scope in order
    )
    notes = [
        say(
            "{measure} on {count} validation samples: {before} in float32, {after} now.",
            measure=measure.name,
            count=min(parameters.samples, context.dataset.info.counts["validation"]),
            before=written(measure, search.exact),
            after=written(measure, score),
        )
    ]
    ends = [change_shown(measure, end) for end in (change.low, change.high)]
    lost = -MEASURES[task].gain(search.exact, score)
    if parameters.by == "F1 budget" and lost > parameters.budget / 100:
        notes.append(
            say("The budget of {budget} {unit} was not reached.", budget=parameters.budget, unit=unit)
        )
    elif parameters.by == "F1 budget" and 100 * change.low < -parameters.budget:
        notes.append(
            say(
                "On so few samples the true change may be between {low} and {high} {unit}: that the budget "
                "of {budget} {unit} holds is not proven.",
                low=f"{min(ends):.1f}",
                high=f"{max(ends):.1f}",
                budget=parameters.budget,
                unit=unit,
            )
        )
    if search.reused:
        notes.append(say("The sweep of an earlier run was used again."))
    notes += chosen_by_first(context.parent.description)
    applied = applied_file(
        context,
        path,
        ("int4",) if low else ("int8",),
        tuple(notes),
        _tables(names, swept, order, tried, measure.name),
    )
    high = parameters.kept if parameters.kept_bits else "float32"
    spared = [
        Skip(
            name=f"{names[scope].name} ({names[scope].kind})",
            reason=say(
                "Kept as {precision}: quantized alone, it leaves {snr} dB and an {measure} of {score}.",
                precision=high,
                snr=f"{swept[scope][0]:.1f}",
                measure=measure.title,
                score=written(measure, swept[scope][1]),
            ),
        )
        for scope in kept
    ]
    touched = say(
        "{count} of {all} layers are {precision}; the {kept} most sensitive ones are {high}.",
        count=len(order) - len(kept),
        all=len(order),
        precision=parameters.low,
        kept=len(kept),
        high=high,
    )
    report = applied.report.model_copy(
        update={"touched": (touched, *applied.report.touched), "skipped": tuple(spared)}
    )
    return replace(applied, report=report)


def _tables(
    names: dict[str, Operation],
    swept: dict[str, tuple[float, float]],
    order: list[str],
    tried: list[tuple[int, float]],
    name: Text,
) -> tuple[Table, ...]:
    sweep = Table(
        title=say("Sensitivity: one layer quantized at a time"),
        columns=(
            say("Layer"),
            say("SNR of the output (dB)"),
            name,
            say("Operation"),
            say("Weights"),
        ),
        rows=tuple(
            (
                names[scope].name,
                round(swept[scope][0], 1),
                round(swept[scope][1], 4),
                names[scope].kind,
                names[scope].weights,
            )
            for scope in order
        ),
        picture="bars",
        note=say("The most sensitive layer comes first: the lower its SNR, the more it costs."),
    )
    if len(tried) < 2:
        return (sweep,)
    choice = Table(
        title=say("Quality over the number of layers kept"),
        columns=(say("Layers kept"), name),
        rows=tuple((count, round(f1, 4)) for count, f1 in sorted(set(tried))),
        picture="line",
    )
    return sweep, choice
