"""Plain code that converts a model, runs it in a runtime and keeps the predictions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.api.bundle import import_code
from workbench.api.file_format import file_format
from workbench.api.technique import CodePaths
from workbench.api.variant import Format, Variant

_LOAD_KERAS = 'model = keras.models.load_model("{model}", compile=False)\n'

# Both report their use to their maker unless told otherwise before they are imported.
_ONNXRUNTIME = 'os.environ["ORT_DISABLE_TELEMETRY"] = "1"'
_OPENVINO = 'sys.modules["openvino_telemetry"] = None'

RUNNING: dict[str, str] = {
    "litert": "litert",
    "onnxruntime": "onnx",
    "openvino": "openvino",
    "keras.eager": "keras",
    "keras.function": "keras",
    "keras.xla": "keras",
    "tensorrt": "tensorrt",
}
"""Names of runtimes, and the folder of plain code that runs files in each."""


@dataclass(frozen=True)
class _Block:
    """A piece of a script.

    Attributes:
        standard: Modules of the standard library that it imports.
        imports: Its other import statements.
        before: Statements that must come before those.
        body: Its statements.
    """

    standard: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    body: str = ""


def runtime_code(
    variant: Variant, runtime_name: str, target: Format, threads: int, opset: int, paths: CodePaths
) -> str:
    """The script. It writes the converted file, and the predictions for the test split as ``<output>.npy``.

    Args:
        variant: The parent.
        runtime_name: Where it will run.
        target: Format that it will have.
        threads: Threads inside one inference.
        opset: ONNX operator set.
        paths: File names.
    """
    suffix = file_format(target).suffix
    stem = paths.output.removesuffix(suffix)
    converts = target != variant.format
    file = stem + suffix if converts else paths.model
    blocks = [
        *([_conversion(variant, target, paths.model, file, opset)] if converts else []),
        _Block(imports=frozenset({"import numpy as np"}), body=samples_lines(variant, paths.data)),
        _run(runtime_name, variant, threads, file),
        _Block(body=f'np.save("{stem}.npy", predictions)\nprint(predictions.argmax(-1)[:20])\n'),
    ]
    return _script(blocks)


def _script(blocks: Sequence[_Block]) -> str:
    before = sorted({statement for block in blocks for statement in block.before})
    parts = [
        import_code(*(f"import {name}" for block in blocks for name in block.standard)).rstrip("\n"),
        "\n".join(before),
        import_code(*(statement for block in blocks for statement in block.imports)).rstrip("\n"),
        *(block.body.rstrip("\n") for block in blocks),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def samples_lines(variant: Variant, data: str) -> str:
    """Lines that read the test split as ``samples``, by input name.

    Args:
        variant: For the names of its inputs.
        data: The file of the data set.
    """
    specs = variant.description.inputs
    pairs = []
    for spec in specs:
        array = 'data["x_test"]' if len(specs) == 1 else f'data["x_test.{spec.name}"]'
        pairs.append(f"{json.dumps(spec.name)}: {array}")
    return f'data = np.load("{data}")\nsamples = {{{", ".join(pairs)}}}\n'


def loading_code(
    variant: Variant,
    runtime_name: str,
    file: str,
    threads: int | str,
    load: str = "load",
    further: str = "",
    batch: int | None = None,
) -> str:
    """An expression that gives a function from samples to predictions, of :data:`RUNNING`'s ``run.py``.

    Args:
        variant: The parent.
        runtime_name: Where the file runs.
        file: An expression for the file.
        threads: Threads inside one inference.
        load: The name that the function of ``run.py`` has in the script.
        further: One more argument.
        batch: What an engine is tuned for; the variant's by default.
    """
    chosen = variant.settings.output
    if runtime_name == "tensorrt":
        arguments = [file, f"batch={variant.settings.batch if batch is None else batch}"]
    else:
        arguments = [file] if threads == 1 else [file, f"threads={threads}"]
    if runtime_name.startswith("keras."):
        arguments.append(f"way={json.dumps(runtime_name.removeprefix('keras.'))}")
        # Converters to ONNX and OpenVINO keep the order of the outputs, and so does the model.
        arguments += [f"output={chosen.position}"] if chosen is not None and chosen.position else []
    elif chosen is not None:
        arguments.append(f"output=({json.dumps(chosen.name)}, {chosen.position})")
    return f"{load}({', '.join([*arguments, *filter(None, [further])])})"


def _conversion(variant: Variant, target: Format, model: str, file: str, opset: int) -> _Block:
    load = _LOAD_KERAS.format(model=model)
    match target:
        case "tflite":
            return _Block(
                imports=frozenset({"import keras", "from plain.litert.export import export_litert"}),
                body=f'{load}export_litert(model, "{file}")\n',
            )
        case "onnx" if variant.format == "tflite":
            return _Block(
                imports=frozenset({"from plain.onnx.export import export_onnx_from_litert"}),
                body=f'export_onnx_from_litert("{model}", "{file}", opset={opset})\n',
            )
        case "onnx":
            return _Block(
                before=frozenset({_ONNXRUNTIME}),
                standard=frozenset({"os"}),
                imports=frozenset({"import keras", "from plain.onnx.export import export_onnx"}),
                body=f'{load}export_onnx(model, "{file}", opset={opset})\n',
            )
        case "openvino":
            return _Block(
                standard=frozenset({"sys"}),
                before=frozenset({_OPENVINO}),
                imports=frozenset(
                    {"import keras", "import openvino", "from plain.openvino.export import to_openvino"}
                ),
                body=f"{load}openvino.save_model(\n"
                f'    to_openvino(model), "{file}/model.xml", compress_to_fp16=False\n)\n',
            )
        case "keras":
            raise AssertionError("a Keras file needs no conversion")


def _run(runtime_name: str, variant: Variant, threads: int, file: str) -> _Block:
    if runtime_name not in RUNNING:
        return _Block(body="predictions = np.empty((0, 0))  # this runtime gives no example code\n")
    return _Block(
        imports=frozenset(
            {
                f"from plain.{RUNNING[runtime_name]}.run import load",
                # What lets a trusted file run its own code follows this import.
                *(["import keras"] if runtime_name.startswith("keras.") and variant.settings.trusted else []),
            }
        ),
        body=f"predict = {loading_code(variant, runtime_name, json.dumps(file), threads)}\n"
        "predictions = predict(samples)\n",
    )


def conversion_code(variant: Variant, target: Format, model: str, file: str, opset: int) -> str:
    """A script that only converts.

    Args:
        variant: The parent, a Keras or LiteRT file.
        target: Format of the file to write.
        model: The file to read.
        file: The file to write.
        opset: ONNX operator set.
    """
    return _script([_conversion(variant, target, model, file, opset)])
