"""The frame of quantizations that round weights alone, operation by operation, and need no data."""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

from typing_extensions import override

from workbench.api.bundle import import_code
from workbench.api.dataset import DatasetInfo
from workbench.api.technique import Applied, CodePaths, Context, Parameters, Technique
from workbench.api.text import Text, say
from workbench.api.variant import Format, Variant
from workbench.exporting.calibration import float32_obstacle
from workbench.exporting.litert_files import output_name
from workbench.plain.litert.biases import round_biases
from workbench.techniques.quantization.litert_recipes import (
    applied_file,
    float32_tflite,
    missing_quantizer,
    quantize_file,
    start_code,
)

P = TypeVar("P", bound=Parameters)


class Rounding(NamedTuple):
    """One line of what the LiteRT quantizer is told; a later one overrules an earlier one.

    Attributes:
        method: Of ``litert_quantizer.quantizer.Quantizer``: ``add_weight_only_config`` (computes in float32)
            or ``add_dynamic_config``.
        operation: Name of a ``TFLOperationName``.
        bits: Of a weight.
        algorithm: Name of an ``AlgorithmName``: how the range of weights is found.
        granularity: Name of a ``QuantGranularity``: what has a scale of its own.
    """

    method: str
    operation: str
    bits: int
    algorithm: str = "MIN_MAX_UNIFORM_QUANT"
    granularity: str = "CHANNELWISE"


class WeightRounding(Technique[P]):
    """Rounds the weights of a float32 model. A technique says which, and to how many bits."""

    produces: ClassVar[Format | None] = "tflite"
    packages: ClassVar[tuple[str, ...]] = ("litert-quantizer",)
    weights: ClassVar[tuple[str, ...]]
    """NumPy's names of the element types that weights have in the file, the wanted one first."""

    @abstractmethod
    def roundings(self, parameters: P) -> list[Rounding]:
        """What the quantizer is told."""

    @abstractmethod
    def note(self, parameters: P) -> Text:
        """How the file computes with its weights."""

    def rounds_biases(self, parameters: P) -> bool:
        """Whether biases are rounded as well."""
        return False

    @override
    def unavailable(self) -> Text | None:
        return missing_quantizer()

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: P) -> Text | None:
        return float32_obstacle(variant, "tflite")

    @override
    def apply(self, context: Context, parameters: P) -> Applied:
        path = context.folder / "model.tflite"
        with tempfile.TemporaryDirectory(prefix="workbench-") as temporary:
            source = float32_tflite(context, Path(temporary))
            context.report.stage(say("Quantizing"))
            quantize_file(
                source,
                path,
                lambda worker: tell(worker, self.roundings(parameters)),
                edit=round_biases if self.rounds_biases(parameters) else None,
            )
        context.report.progress(0.9)
        context.report.check()
        return applied_file(context, path, self.weights, (self.note(parameters),))

    @override
    def code(self, variant: Variant, parameters: P, paths: CodePaths) -> str:
        imports, start = start_code(variant, paths)
        roundings, output = self.roundings(parameters), output_name(paths)
        # The usual granularity is the quantizer's own.
        unusual = any(rounding.granularity != "CHANNELWISE" for rounding in roundings)
        granularity = "from litert_quantizer.qtyping import QuantGranularity" if unusual else ""
        biases = self.rounds_biases(parameters)
        rounds = "from plain.litert.biases import round_biases" if biases else ""
        return f"""\
{
            import_code(
                *imports,
                granularity,
                "from litert_quantizer.qtyping import TFLOperationName as Operation",
                "from litert_quantizer.quantizer import AlgorithmName, Quantizer",
                rounds,
                "from plain.litert.strip import strip_metadata",
            )
        }\
{start}
quantizer = Quantizer(source)
{"".join(rounding_code(rounding) for rounding in roundings)}\
quantizer.quantize().export_model("{output}", overwrite=True)
{f'round_biases("{output}")' + chr(10) if biases else ""}\
strip_metadata("{output}")
"""


def tell(worker: Any, roundings: list[Rounding]) -> None:
    """Tells a ``litert_quantizer.quantizer.Quantizer`` what to do."""
    from litert_quantizer.qtyping import QuantGranularity, TFLOperationName
    from litert_quantizer.quantizer import AlgorithmName

    for rounding in roundings:
        getattr(worker, rounding.method)(
            ".*",
            TFLOperationName[rounding.operation],
            rounding.bits,
            granularity=QuantGranularity[rounding.granularity],
            algorithm_key=AlgorithmName[rounding.algorithm],
        )


def rounding_code(rounding: Rounding) -> str:
    """Plain code that tells ``quantizer``; needs ``Operation`` and ``AlgorithmName``."""
    usual = rounding.granularity == "CHANNELWISE"
    granularity = "" if usual else f"granularity=QuantGranularity.{rounding.granularity}, "
    return (
        f'quantizer.{rounding.method}(".*", Operation.{rounding.operation}, {rounding.bits}, '
        f"{granularity}algorithm_key=AlgorithmName.{rounding.algorithm})\n"
    )
