"""Plain code that converts a model, runs it in a runtime and keeps the predictions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.api.bundle import import_code
from workbench.api.technique import CodePaths
from workbench.api.variant import Format, Variant

_SUFFIXES: dict[Format, str] = {"keras": ".keras", "tflite": ".tflite", "onnx": ".onnx", "openvino": ""}

_LOAD_KERAS = 'model = keras.models.load_model("{model}", compile=False)\n'

_RUN_KERAS = """\
tf.config.threading.set_intra_op_parallelism_threads({threads})
tf.config.threading.set_inter_op_parallelism_threads({threads})
model = keras.models.load_model("{file}", compile=False)
run = {call}
inputs = {inputs}
predictions = keras.tree.flatten(run(inputs))[{output}].numpy()
"""

_KERAS_CALLS = {
    "keras.eager": "partial(model, training=False)",
    "keras.function": "tf.function(partial(model, training=False))",
    "keras.xla": "tf.function(partial(model, training=False), jit_compile=True)",
}

_RUN_LITERT = """\
run = Interpreter("{file}", num_threads={threads}).get_signature_runner()
{quantize}outputs = run(**samples)
first = {first}
predictions = outputs[first]
{dequantize}"""

_QUANTIZE = """\
for name, detail in run.get_input_details().items():
    scale, zero_point = detail["quantization"]
    if not scale:
        continue
    limits = np.iinfo(detail["dtype"])
    stored = np.round(samples[name] / np.float32(scale) + zero_point)
    samples[name] = np.clip(stored, limits.min, limits.max).astype(detail["dtype"])
"""

_DEQUANTIZE = """\
scale, zero_point = run.get_output_details()[first]["quantization"]
if scale:
    predictions = (predictions.astype("float32") - zero_point) * np.float32(scale)
"""

_RUN_ONNXRUNTIME = """\
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = {threads}
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
session = onnxruntime.InferenceSession("{file}", options, providers=["CPUExecutionProvider"])
predictions = session.run(None, samples)[{output}]
"""

_RUN_OPENVINO = """\
settings = {{
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": 1,
    "INFERENCE_NUM_THREADS": {threads},
    "INFERENCE_PRECISION_HINT": "f32",
}}
compiled = openvino.Core().compile_model("{file}", "CPU", settings)
{feed}predictions = {predictions}
"""

_FEED_BY_TFLITE_NAMES = """\
names = {port: port.any_name.removeprefix("serving_default_").removesuffix(":0") for port in compiled.inputs}
outputs = compiled({port: samples[name] for port, name in names.items()})
"""

# Both report their use to their maker unless told otherwise before they are imported.
_ONNXRUNTIME = ('os.environ["ORT_DISABLE_TELEMETRY"] = "1"', "import onnxruntime")
_OPENVINO = ('sys.modules["openvino_telemetry"] = None', "import openvino")


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
    suffix = _SUFFIXES[target]
    stem = paths.output.removesuffix(suffix) if suffix else paths.output
    converts = target != variant.format
    file = stem + suffix if converts else paths.model
    blocks = [
        *([_conversion(variant, target, paths.model, file, opset)] if converts else []),
        _Block(imports=frozenset({"import numpy as np"}), body=_samples(variant, paths.data)),
        _run(runtime_name, variant, target, threads, file),
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


def _samples(variant: Variant, data: str) -> str:
    specs = variant.description.inputs
    pairs = []
    for spec in specs:
        array = 'data["x_test"]' if len(specs) == 1 else f'data["x_test.{spec.name}"]'
        # Keras takes text as a tensor only
        pairs.append(f'"{spec.name}": ' + (f"tf.constant({array})" if spec.role == "text" else array))
    return f'data = np.load("{data}")\nsamples = {{{", ".join(pairs)}}}\n'


def position_code(variant: Variant) -> int:
    """Position of the judged output: converters to ONNX and OpenVINO keep the order of the outputs."""
    return variant.settings.output.position if variant.settings.output is not None else 0


def litert_output_code(variant: Variant, outputs: str) -> str:
    """An expression for the name of the judged output, of a dict of outputs by name.

    LiteRT knows the outputs of a dict by their keys, and counts those of a list.
    """
    if len(variant.description.outputs) == 1:
        return f"next(iter({outputs}))"
    number = 'key=lambda name: int(name.rpartition("_")[2])'
    chosen = variant.settings.output
    if chosen is None:
        return f"min({outputs}, {number})"
    name = json.dumps(chosen.name)
    return f"{name} if {name} in {outputs} else sorted({outputs}, {number})[{chosen.position}]"


def _tflite_port(variant: Variant) -> str:
    ports = "outputs, key=lambda port: port.any_name"
    chosen = variant.settings.output
    return f"outputs[min({ports})]" if chosen is None else f"outputs[sorted({ports})[{chosen.position}]]"


def _keras_inputs(variant: Variant) -> str:
    specs = variant.description.inputs
    if len(specs) == 1:
        return f'samples["{specs[0].name}"]'
    return "keras.tree.pack_sequence_as(model.input, [samples[x.name] for x in model.inputs])"


def _conversion(variant: Variant, target: Format, model: str, file: str, opset: int) -> _Block:
    load = _LOAD_KERAS.format(model=model)
    match target:
        case "tflite":
            return _Block(
                imports=frozenset({"import keras", "from plain.litert.export import export_litert"}),
                body=f'{load}export_litert(model, "{file}")\n',
            )
        case "onnx":
            return _Block(
                before=frozenset({_ONNXRUNTIME[0]}),
                standard=frozenset({"os"}),
                imports=frozenset({"import keras", "from plain.onnx.export import export_onnx"}),
                body=f'{load}export_onnx(model, "{file}", opset={opset})\n',
            )
        case "openvino":
            return _Block(
                standard=frozenset({"sys"}),
                before=frozenset({_OPENVINO[0]}),
                imports=frozenset(
                    {"import keras", _OPENVINO[1], "from plain.openvino.export import to_openvino"}
                ),
                body=f"{load}openvino.save_model(\n"
                f'    to_openvino(model), "{file}/model.xml", compress_to_fp16=False\n)\n',
            )
        case "keras":
            raise AssertionError("a Keras file needs no conversion")


def _run(runtime_name: str, variant: Variant, target: Format, threads: int, file: str) -> _Block:
    if runtime_name in _KERAS_CALLS:
        return _Block(
            imports=frozenset({"import keras", "import tensorflow as tf", "from functools import partial"}),
            body=_RUN_KERAS.format(
                threads=threads,
                file=file,
                call=_KERAS_CALLS[runtime_name],
                inputs=_keras_inputs(variant),
                output=position_code(variant),
            ),
        )
    match runtime_name:
        case "litert":
            specs = (*variant.description.inputs, *variant.description.outputs)
            whole = target == variant.format and any(not spec.dtype.startswith("float") for spec in specs)
            return _Block(
                imports=frozenset({"from ai_edge_litert.interpreter import Interpreter"}),
                body=_RUN_LITERT.format(
                    file=file,
                    threads=threads,
                    first=litert_output_code(variant, "outputs"),
                    quantize=_QUANTIZE if whole else "",
                    dequantize=_DEQUANTIZE if whole else "",
                ),
            )
        case "onnxruntime":
            return _Block(
                standard=frozenset({"os"}),
                before=frozenset({_ONNXRUNTIME[0]}),
                imports=frozenset({_ONNXRUNTIME[1]}),
                body=_RUN_ONNXRUNTIME.format(file=file, threads=threads, output=position_code(variant)),
            )
        case "openvino":
            by_tflite_names = target == "tflite"
            return _Block(
                standard=frozenset({"sys"}),
                before=frozenset({_OPENVINO[0]}),
                imports=frozenset({_OPENVINO[1]}),
                body=_RUN_OPENVINO.format(
                    file=f"{file}/model.xml" if target == "openvino" else file,
                    threads=threads,
                    feed=_FEED_BY_TFLITE_NAMES if by_tflite_names else "",
                    predictions=_tflite_port(variant)
                    if by_tflite_names
                    else f"compiled(samples)[{position_code(variant)}]",
                ),
            )
    return _Block(body="predictions = np.empty((0, 0))  # this runtime gives no example code\n")


def conversion_code(variant: Variant, target: Format, model: str, file: str, opset: int) -> str:
    """A script that only converts.

    Args:
        variant: The parent, a Keras file.
        target: Format of the file to write.
        model: The file to read.
        file: The file to write.
        opset: ONNX operator set.
    """
    return _script([_conversion(variant, target, model, file, opset)])


def keras_inputs_code(variant: Variant) -> str:
    """What a Keras model is called with, given a dict ``samples`` by input name and the model ``model``."""
    return _keras_inputs(variant)
