"""The frame of every quantization that LiteRT's own converter makes from a Keras model."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, TypeVar

from typing_extensions import override

from workbench.data.dataset import DatasetInfo
from workbench.plain_source import plain_source
from workbench.technique import Applied, CodePaths, Context, Estimate, Parameters, Technique
from workbench.techniques.export_code import litert_export, litert_source
from workbench.techniques.quantization.litert_files import (
    SLIMMING,
    CalibratedParameters,
    calibration_code,
    conversion_seconds,
    load_parent,
    missing_converter,
    only_from_keras,
    output_name,
    representative,
    uncalibrated_loop,
    write,
)
from workbench.techniques.quantization.litert_report import with_float_operations
from workbench.text import Text
from workbench.variant import Format, Variant

P = TypeVar("P", bound=Parameters)
C = TypeVar("C", bound=CalibratedParameters)


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
        """Attributes of ``tf.lite.TFLiteConverter``; called in the worker, may import TensorFlow."""

    @abstractmethod
    def settings_code(self, parameters: P) -> dict[str, str]:
        """The same as source code, by attribute."""

    def notes(self, parameters: P) -> tuple[Text, ...]:
        """What else the report should say."""
        return ()

    @override
    def unavailable(self) -> Text | None:
        return missing_converter()

    @override
    def fits(self, variant: Variant, dataset: DatasetInfo, parameters: P) -> Text | None:
        return only_from_keras(variant)

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
        return write(context, model, self.weights, self.notes(parameters), **self.settings(parameters))

    @override
    def code(self, variant: Variant, parameters: P, paths: CodePaths) -> str:
        return f'''\
{plain_source(*SLIMMING)}

{litert_source(variant)}import keras
import tensorflow as tf

model = keras.models.load_model("{paths.model}", compile=False)
{_export(variant, paths, self.settings_code(parameters))}'''


class CalibratedConversion(LiteRTConversion[C]):
    """A conversion that watches activations on samples, so that whole numbers are computed with."""

    @override
    def fits(self, variant: Variant, dataset: DatasetInfo, parameters: C) -> Text | None:
        return super().fits(variant, dataset, parameters) or uncalibrated_loop(variant)

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
                **self.settings(parameters),
            )
        )

    @override
    def code(self, variant: Variant, parameters: C, paths: CodePaths) -> str:
        settings = {"representative_dataset": "samples", **self.settings_code(parameters)}
        return f'''\
{plain_source(*SLIMMING)}

{litert_source(variant)}import keras
import numpy as np
import tensorflow as tf

model = keras.models.load_model("{paths.model}", compile=False)
data = np.load("{paths.data}")
{calibration_code(variant, parameters)}
{_export(variant, paths, settings)}'''


def _export(variant: Variant, paths: CodePaths, settings: dict[str, str]) -> str:
    lines = "".join(f"    {name}={value},\n" for name, value in settings.items())
    export = f'''\
model.export(
    "{output_name(paths)}",
    format="litert",
    verbose=False,
    optimizations=[tf.lite.Optimize.DEFAULT],
{lines})
'''
    return f'{litert_export(variant, export)}slim_tflite(Path("{output_name(paths)}"))\n'
