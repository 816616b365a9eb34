"""The choice of runtime, threads and batch."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator
from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.file_format import file_format, format_obstacle
from workbench.api.technique import Aim, Applied, CodePaths, Context, Estimate, Parameters, Technique
from workbench.api.text import Text, say
from workbench.api.variant import Format, Layer, Report, RuntimeSettings, Variant
from workbench.exporting.onnx_files import is_large
from workbench.exporting.stored import stored_bytes
from workbench.models.converting.conversion import (
    OPSET,
    litert_to_onnx,
    load_keras,
    to_onnx,
    to_openvino,
    to_tflite,
)
from workbench.models.converting.onnx_child import to_onnx_in_child
from workbench.models.reading.description import describe
from workbench.models.reading.lookups import lookup_obstacle
from workbench.runtimes import runtime, runtimes
from workbench.techniques.inference.runtime_code import runtime_code
from workbench.training.parameter_types import BatchSize

# In the order of preference where a runtime reads several: its own format first.
_CONVERTIBLE: tuple[Format, ...] = ("keras", "openvino", "tflite", "onnx")
_FOR_DEBUGGING = "keras.eager"
_PACKAGES: dict[Format, str] = {"onnx": "tf2onnx", "openvino": "openvino"}


def _offer_runtimes(schema: dict[str, Any]) -> None:
    schema["enum"] = list(runtimes())


class RuntimeParameters(Parameters):
    """What runs the model, and how."""

    runtime: str = Field(
        "litert",
        title="Runtime",
        description="What runs the model. A file in another format is made where that is needed.",
        json_schema_extra=_offer_runtimes,
    )
    threads: int = Field(
        1,
        ge=1,
        le=256,
        title="Threads",
        description="Threads inside one inference. More help large models on an idle machine; small models "
        "lose more by handing over work than they gain.",
        json_schema_extra={"unit": "threads"},
    )
    batch: BatchSize = Field(
        1,
        description="Samples in one call when latency is measured. A larger batch gives more samples a "
        "second, and later answers. 1 is the model's own batch where it was built for one.",
    )
    opset: int = Field(
        OPSET,
        ge=13,
        le=18,
        title="ONNX opset",
        description="Operator set of an .onnx file: older runtimes need an older one.",
        json_schema_extra={"advanced": True},
    )

    @field_validator("runtime")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in runtimes():
            raise ValueError(f"runtime must be one of {list(runtimes())}. Received: {name!r}")
        return name


class ChooseRuntime(Technique[RuntimeParameters]):
    """Runs the same weights elsewhere: another runtime, another number of threads or batch size.

    Nothing is trained or rounded; predictions stay the same up to the last digits. A TensorFlow
    model in eager mode spends most of its time in Python: a runtime made for inference is often ten
    times faster at batch 1. A change of runtime is its own step, and what a later technique gains
    is quoted against float32 in the same runtime.
    """

    name: ClassVar[str] = "inference.runtime"
    title: ClassVar[str] = "Runtime, threads, batch"
    aims: ClassVar[frozenset[Aim]] = frozenset({"faster"})
    repacks: ClassVar[bool] = True
    trains: ClassVar[bool] = False
    produces: ClassVar[Format | None] = None

    @override
    def lacks(self, variant: Variant, parameters: RuntimeParameters) -> Text | None:
        missing = runtime(parameters.runtime).unavailable()
        wanted = format_for(variant.format, parameters.runtime)
        if missing is not None or wanted is None or wanted == variant.format:
            return missing
        return _missing_converter(wanted)

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: RuntimeParameters) -> Text | None:
        target = runtime(parameters.runtime)
        missing = target.unavailable()
        if missing is not None:
            return missing
        wanted = format_for(variant.format, parameters.runtime)
        if wanted is None:
            return format_obstacle(
                variant, "keras", *(form for form in _CONVERTIBLE if form in target.formats)
            )
        if variant.format == "tflite" and wanted == "onnx" and variant.description.precision != "float32":
            return say(
                "{name} is {precision}, and only float32 LiteRT files are converted to ONNX.",
                name=variant.name,
                precision=variant.description.precision,
            )
        if wanted != "keras" or parameters.runtime == "keras.xla":
            reason = lookup_obstacle(variant, compiled=wanted == "keras")
            if reason is not None:
                return reason
        asked, now = _settings(parameters, variant), variant.settings
        if (parameters.runtime, asked.threads, asked.batch) == (variant.runtime, now.threads, now.batch):
            return say(
                "{name} already runs in {runtime} with these settings. Change the runtime, the threads or "
                "the batch.",
                name=variant.name,
                runtime=target.title,
            )
        return None if wanted == variant.format else _missing_converter(wanted)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: RuntimeParameters) -> Estimate:
        wanted = format_for(variant.format, parameters.runtime)
        if wanted in (None, variant.format):
            return Estimate(
                seconds=0.5,
                size_ratio=1.0,
                expectation=say("The same file and predictions; only the way it is run changes."),
            )
        return Estimate(
            seconds=4.0 + variant.description.parameters / 2e6,
            size_ratio=1.0,
            expectation=say(
                "The same predictions up to the last digits. Size about that of the weights. Usually several "
                "times faster than Keras at batch 1, most for small models."
            ),
        )

    @override
    def settings_to_try(self, variant: Variant, dataset: DatasetInfo) -> tuple[RuntimeParameters, ...]:
        names = (name for name in runtimes() if name not in (variant.runtime, _FOR_DEBUGGING))
        return tuple(RuntimeParameters(runtime=name) for name in names)

    @override
    def stored_bytes(self, layers: Sequence[Layer], parameters: RuntimeParameters) -> float:
        if format_for("keras", parameters.runtime) == "keras":
            return 4.0 * sum(layer.parameters for layer in layers)
        return stored_bytes(layers, lambda layer: 32)

    @override
    def apply(self, context: Context, parameters: RuntimeParameters) -> Applied:
        parent = context.parent
        target = format_for(parent.format, parameters.runtime)
        if target is None:
            raise AssertionError("obstacle() lets no such file through")
        path = context.folder / file_format(target).file_name
        context.report.check()
        if target == parent.format:
            context.report.stage(say("Copying the file"))
            _copy(parent.path, path)
            description, done = parent.description, say("The file is unchanged.")
        else:
            context.report.stage(say("Converting"))
            _convert(context, path, target, parameters)
            context.report.progress(0.8)
            context.report.check()
            description = describe(path, target, like=parent.description)
            done = say(
                "Converted from {before} to {after}, {precision}.",
                before=file_format(parent.format).title,
                after=file_format(target).title,
                precision=description.precision,
            )
        context.report.progress(1.0)
        return Applied(
            path=path,
            format=target,
            runtime=parameters.runtime,
            settings=_settings(parameters, parent),
            description=description,
            report=Report(touched=(done, *_changes(parent, parameters))),
        )

    @override
    def code(self, variant: Variant, parameters: RuntimeParameters, paths: CodePaths) -> str:
        target = format_for(variant.format, parameters.runtime) or variant.format
        return runtime_code(variant, parameters.runtime, target, parameters.threads, parameters.opset, paths)

    @override
    def variant_name(self, parameters: RuntimeParameters) -> str:
        parts = [runtime(parameters.runtime).title]
        if parameters.threads != 1:
            parts.append(f"{parameters.threads} threads")
        if parameters.batch != 1:
            parts.append(f"batch {parameters.batch}")
        return " ".join(parts)


def _settings(parameters: RuntimeParameters, parent: Variant) -> RuntimeSettings:
    own = parent.description.batch or 1
    return RuntimeSettings(
        threads=parameters.threads, batch=own if parameters.batch == 1 else parameters.batch
    )


def format_for(given: Format, runtime_name: str) -> Format | None:
    """The format that a runtime would be given: the same if it reads it, else one that it becomes.

    Args:
        given: The parent's format.
        runtime_name: What is to run it.

    Returns:
        None if it cannot be made.
    """
    reads = _readable(runtime_name)
    if given in reads:
        return given
    if given == "tflite":
        return "onnx" if "onnx" in reads else None
    return next(iter(reads), None) if given == "keras" else None


def _readable(runtime_name: str) -> list[Format]:
    """The formats that a runtime reads, its own first."""
    return [candidate for candidate in _CONVERTIBLE if candidate in runtime(runtime_name).formats]


def _missing_converter(target: Format) -> Text | None:
    from importlib.util import find_spec

    package = _PACKAGES.get(target)
    if package is not None and find_spec(package) is None:
        return say("{package}, which makes {format} files, is not installed.", package=package, format=target)
    return None


def _convert(context: Context, path: Path, target: Format, parameters: RuntimeParameters) -> None:
    parent = context.parent
    if parent.format == "tflite":
        litert_to_onnx(parent.path, path, opset=parameters.opset)
        return
    if target == "onnx" and is_large(parent):
        trust = parent.settings.trusted
        to_onnx_in_child(context.report, parent.path, path, None, trust=trust, opset=parameters.opset)
        return
    model = load_keras(parent.path, trust=parent.settings.trusted)
    match target:
        case "tflite":
            to_tflite(model, path)
        case "onnx":
            to_onnx(model, path, opset=parameters.opset)
        case "openvino":
            to_openvino(model, path)
        case "keras":
            raise AssertionError("a Keras file needs no conversion")


def _copy(source: Path, path: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, path)
    else:
        shutil.copyfile(source, path)


def _changes(parent: Variant, parameters: RuntimeParameters) -> tuple[Text, ...]:
    changes = []
    if parameters.runtime != parent.runtime:
        changes.append(
            say(
                "Runs in {after} instead of {before}.",
                after=runtime(parameters.runtime).title,
                before=runtime(parent.runtime).title,
            )
        )
    if parameters.threads != parent.settings.threads:
        changes.append(
            say("Threads: {before} to {after}.", before=parent.settings.threads, after=parameters.threads)
        )
    batch = _settings(parameters, parent).batch
    if batch != parent.settings.batch:
        changes.append(say("Batch: {before} to {after}.", before=parent.settings.batch, after=batch))
    return tuple(changes)
