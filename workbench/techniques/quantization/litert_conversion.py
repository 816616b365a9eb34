"""The frame of every quantization that LiteRT's own converter makes from a Keras model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from typing_extensions import override

from workbench.api.bundle import import_code
from workbench.api.dataset import DatasetInfo
from workbench.api.technique import Applied, CodePaths, Context, Estimate, Parameters, Technique
from workbench.api.text import Text
from workbench.api.variant import Format, Variant
from workbench.exporting.calibration import representative
from workbench.exporting.litert_files import (
    CalibratedParameters,
    calibration_code,
    calibration_obstacle,
    conversion_obstacle,
    conversion_seconds,
    load_parent,
    missing_converter,
    output_name,
    write,
)
from workbench.exporting.litert_report import with_float_operations
from workbench.techniques.quantization.converter_settings import Name, made, written

P = TypeVar("P", bound=Parameters)
C = TypeVar("C", bound=CalibratedParameters)

EXPORT_IMPORTS = (
    "from plain.litert.export import export_litert",
    "from plain.litert.strip import strip_metadata",
)
"""What :func:`export_code` needs."""


class LiteRTConversion(Technique[P]):
    """A conversion that needs no data. A technique says what the converter is told, and what to expect."""

    produces: ClassVar[Format | None] = "tflite"
    weights: ClassVar[str] = "int8"
    """NumPy's name of the element type that weights have in the file."""

    @abstractmethod
    def expectation(self) -> Text:
        """What usually happens to size, speed and quality."""

    @abstractmethod
    def size_ratio(self, variant: Variant) -> float:
        """File size after / before."""

    @abstractmethod
    def settings(self, parameters: P) -> dict[str, Any]:
        """Attributes of ``tf.lite.TFLiteConverter``, with a :class:`Name` for what is TensorFlow's."""

    def notes(self, parameters: P) -> tuple[Text, ...]:
        """What else the report should say."""
        return ()

    @override
    def unavailable(self) -> Text | None:
        return missing_converter()

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: P) -> Text | None:
        return conversion_obstacle(variant)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: P) -> Estimate:
        return Estimate(
            seconds=conversion_seconds(variant.description),
            size_ratio=self.size_ratio(variant),
            expectation=self.expectation(),
        )

    @override
    def apply(self, context: Context, parameters: P) -> Applied:
        model = load_parent(context)
        return write(context, model, self.weights, self.notes(parameters), **made(self.settings(parameters)))

    @override
    def code(self, variant: Variant, parameters: P, paths: CodePaths) -> str:
        return f"""\
{import_code("import keras", "import tensorflow as tf", *EXPORT_IMPORTS)}\
model = keras.models.load_model("{paths.model}", compile=False)
{export_code(paths, self.settings(parameters))}"""


class CalibratedConversion(LiteRTConversion[C]):
    """A conversion that watches activations on samples, so that whole numbers are computed with."""

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: C) -> Text | None:
        return super().obstacle(variant, dataset, parameters) or calibration_obstacle(variant)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: C) -> Estimate:
        samples = min(parameters.samples, dataset.counts.get(parameters.split, parameters.samples))
        return Estimate(
            seconds=conversion_seconds(variant.description, samples),
            size_ratio=self.size_ratio(variant),
            expectation=self.expectation(),
        )

    @override
    def apply(self, context: Context, parameters: C) -> Applied:
        model = load_parent(context)
        samples, note = representative(context, parameters, model)
        return with_float_operations(
            write(
                context,
                model,
                self.weights,
                (note, *self.notes(parameters)),
                representative_dataset=samples,
                **made(self.settings(parameters)),
            )
        )

    @override
    def code(self, variant: Variant, parameters: C, paths: CodePaths) -> str:
        imports = ("import keras", "import numpy as np", "import tensorflow as tf", *EXPORT_IMPORTS)
        settings = {"representative_dataset": Name("samples"), **self.settings(parameters)}
        return f"""\
{import_code(*imports, "from plain.calibration import drawn")}\
model = keras.models.load_model("{paths.model}", compile=False)
data = np.load("{paths.data}")

# The converter watches the range of every activation on these samples.
{calibration_code(variant, parameters)}

{export_code(paths, settings)}"""


def export_code(paths: CodePaths, settings: Mapping[str, Any]) -> str:
    """Plain code that writes the Keras model ``model`` as a LiteRT file; needs :data:`EXPORT_IMPORTS`.

    Args:
        paths: For the name of the file.
        settings: Attributes of the converter, as in :meth:`LiteRTConversion.settings`.
    """
    file = output_name(paths)
    lines = "".join(f"    {name}={written(value)},\n" for name, value in settings.items())
    return f"""\
export_litert(
    model,
    "{file}",
{lines})
strip_metadata("{file}")
"""
