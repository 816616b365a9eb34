"""Plain code that converts a model, runs it in a runtime and keeps the predictions."""

from __future__ import annotations

from workbench.technique import CodePaths
from workbench.variant import Format, Variant

_SUFFIXES: dict[Format, str] = {"keras": ".keras", "tflite": ".tflite", "onnx": ".onnx", "openvino": ""}


def runtime_code(
    variant: Variant, runtime_name: str, target: Format, threads: int, opset: int, paths: CodePaths
) -> str:
    """The script. It writes the converted file, and the test predictions as ``<output>.npy``.

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
    file = stem + suffix if target != variant.format else paths.model
    names = [spec.name for spec in variant.description.inputs]
    run = _run(runtime_name, variant, threads, file)
    load = f'data = np.load("{paths.data}")\n{_samples(names)}'
    convert = _conversion(target, paths.model, file, opset) if target != variant.format else ""
    imports, _, body = run.partition("\n\n")
    used = {*imports.splitlines(), "import numpy as np"}
    if convert:
        convert_imports, _, convert = convert.partition("\n\n")
        used |= set(convert_imports.splitlines())
    # The environment has to be set before the runtimes are imported.
    first = sorted(line for line in used if line.startswith("os.environ"))
    head = "import os\n\n" + "\n".join(first) + "\n\n" if first else ""
    rest = "\n".join(sorted(used - set(first), key=lambda line: (line.startswith("from"), line)))
    keep = f'np.save("{stem}.npy", predictions)\nprint(predictions.argmax(-1)[:20])\n'
    return "\n".join(part for part in (head + rest + "\n", convert, load, body, keep) if part)


def _samples(names: list[str]) -> str:
    if len(names) == 1:
        return f'samples = {{"{names[0]}": data["x_test"]}}\n'
    pairs = ", ".join(f'"{name}": data["x_test.{name}"]' for name in names)
    return f"samples = {{{pairs}}}\n"


def _conversion(target: Format, model: str, file: str, opset: int) -> str:
    load = f'import keras\n\nmodel = keras.models.load_model("{model}", compile=False)\n'
    match target:
        case "tflite":
            return (
                "import tensorflow as tf\n"
                + load
                + f'''\
model.export(
    "{file}",
    format="litert",
    verbose=False,
    target_spec={{"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}},
)
'''
            )
        case "onnx":
            return (
                load
                + f'''\
# A model that was only loaded has never been called, which the converter asks for.
examples = [keras.ops.zeros([size or 1 for size in x.shape], dtype=x.dtype) for x in model.inputs]
model(keras.tree.pack_sequence_as(model.input, examples), training=False)
model.export("{file}", format="onnx", verbose=False, opset_version={opset})
'''
            )
        case "openvino":
            return (
                "import tempfile\nimport openvino\n"
                + load
                + f'''\
with tempfile.TemporaryDirectory() as saved_model:
    model.export(saved_model, format="tf_saved_model", verbose=False)
    converted = openvino.convert_model(saved_model)
os.makedirs("{file}", exist_ok=True)
openvino.save_model(converted, "{file}/model.xml", compress_to_fp16=False)
'''
            ).replace("import tempfile\n", "import os\nimport tempfile\n", 1)
        case "keras":
            return ""


def _run(runtime_name: str, variant: Variant, threads: int, file: str) -> str:
    if runtime_name.startswith("keras."):
        order = ", ".join(f'samples["{spec.name}"]' for spec in variant.description.inputs)
        call = {
            "keras.eager": "run = model",
            "keras.function": "run = tf.function(model)",
            "keras.xla": "run = tf.function(model, jit_compile=True)",
        }[runtime_name]
        inputs = order if len(variant.description.inputs) == 1 else f"[{order}]"
        return f"""\
import keras
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads({threads})
tf.config.threading.set_inter_op_parallelism_threads({threads})
model = keras.models.load_model("{file}", compile=False)
{call}
predictions = keras.tree.flatten(run({inputs}))[0].numpy()
"""
    match runtime_name:
        case "litert":
            return f"""\
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter("{file}", num_threads={threads})
run = interpreter.get_signature_runner()
outputs = run(**samples)
predictions = outputs[min(outputs, key=lambda name: int(name.rpartition("_")[2]))]
"""
        case "onnxruntime":
            return f"""\
import onnxruntime
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = {threads}
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
session = onnxruntime.InferenceSession("{file}", options, providers=["CPUExecutionProvider"])
predictions = session.run(None, samples)[0]
"""
        case "openvino":
            readable = f"{file}/model.xml" if not file.endswith((".onnx", ".tflite")) else file
            return f"""\
import openvino

settings = {{
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": 1,
    "INFERENCE_NUM_THREADS": {threads},
    "INFERENCE_PRECISION_HINT": "f32",
}}
compiled = openvino.Core().compile_model("{readable}", "CPU", settings)
predictions = compiled(samples)[0]
"""
    return "# This runtime gives no example code.\n\npredictions = np.empty(0)\n"
