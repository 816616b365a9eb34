"""Plain code that makes a TensorRT engine and runs it."""

from __future__ import annotations

import json

from workbench.api.bundle import import_code
from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.exporting.calibration import samples_code
from workbench.models.converting.conversion import OPSET
from workbench.techniques.inference.runtime_code import conversion_code
from workbench.techniques.inference.tensorrt.parameters import TensorRtParameters

_PREPARE = {
    "float32": """\
shutil.copyfile("prepared.onnx", {file})
""",
    "float16": """\
to_float16("prepared.onnx", {file})
""",
    "bfloat16": """\
to_bfloat16("prepared.onnx", {file})
""",
    "int8": """\
names = [x.name for x in onnxruntime.InferenceSession("prepared.onnx").get_inputs()]
{samples}

class Samples(CalibrationDataReader):
    def __init__(self):
        self.rows = iter(rows)

    def get_next(self):
        i = next(self.rows, None)
        return None if i is None else {{name: x[i : i + 1] for name, x in arrays.items()}}


to_tensorrt_int8("prepared.onnx", {file}, Samples())
""",
}

_IMPORTS = {
    "float32": ("import shutil",),
    "float16": ("from plain.onnx.precision import to_float16",),
    "bfloat16": ("from plain.onnx.bfloat16 import to_bfloat16",),
    "int8": (
        "import onnxruntime",
        "from onnxruntime.quantization import CalibrationDataReader",
        "from plain.calibration import drawn",
        "from plain.onnx.precision import to_tensorrt_int8",
    ),
}

BEFORE_THE_GPU = "# From here on an NVIDIA GPU is needed.\n"
"""Divides the script: what is above runs anywhere."""

_ENGINE = """\
import pycuda.driver as cuda
import tensorrt as trt

cuda.init()
context = cuda.Device(0).retain_primary_context()
context.push()
logger = trt.Logger(trt.Logger.WARNING)

builder = trt.Builder(logger)
# The types in the file decide the precision; in TensorRT 11 it cannot be otherwise.
network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
parser = trt.OnnxParser(network, logger)
with open({file}, "rb") as file:
    if not parser.parse(file.read()):
        raise SystemExit([str(parser.get_error(i)) for i in range(parser.num_errors)])
config = builder.create_builder_config()
config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1 << 30)
config.clear_flag(trt.BuilderFlag.TF32)
timings = config.create_timing_cache(open("timings", "rb").read() if os.path.exists("timings") else b"")
config.set_timing_cache(timings, ignore_mismatch=False)
profile = builder.create_optimization_profile()
for i in range(network.num_inputs):
    x = network.get_input(i)
    first, *others = x.shape
    sizes = (1, {batch}, {largest}) if first < 0 else (first, first, first)
    profile.set_shape(x.name, *[(size, *others) for size in sizes])
config.add_optimization_profile(profile)
plan = builder.build_serialized_network(network, config)
with open({engine}, "wb") as file:
    file.write(bytes(plan))
with open("timings", "wb") as file:
    file.write(bytes(timings.serialize()))

engine = trt.Runtime(logger).deserialize_cuda_engine(bytes(plan))
runner = engine.create_execution_context()
stream = cuda.Stream()
names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
outputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.OUTPUT]


def predict(samples):
    memory, results = [], {{}}
    for name, x in samples.items():
        x = np.ascontiguousarray(x, trt.nptype(engine.get_tensor_dtype(name)))
        runner.set_input_shape(name, x.shape)
        memory.append(cuda.mem_alloc(x.nbytes))
        cuda.memcpy_htod_async(memory[-1], x, stream)
        runner.set_tensor_address(name, int(memory[-1]))
    for name in outputs:
        shape = tuple(runner.get_tensor_shape(name))
        results[name] = cuda.pagelocked_empty(shape, trt.nptype(engine.get_tensor_dtype(name)))
        memory.append(cuda.mem_alloc(results[name].nbytes))
        runner.set_tensor_address(name, int(memory[-1]))
    runner.execute_async_v3(stream.handle)
    for name, address in zip(outputs, memory[-len(outputs) :]):
        cuda.memcpy_dtoh_async(results[name], address, stream)
    stream.synchronize()
    return results[outputs[0]].astype("float32")


samples = {{{pairs}}}
count = len(next(iter(samples.values())))
parts = [
    predict({{name: x[i : i + 32] for name, x in samples.items()}}) for i in range(0, count, 32)
]
predictions = np.concatenate(parts)
np.save({predictions}, predictions)
print(predictions.argmax(-1)[:20])
context.pop()
"""


def tensorrt_code(variant: Variant, parameters: TensorRtParameters, paths: CodePaths) -> str:
    """The script: the ONNX file, then the engine, then predictions of the test split as ``<output>.npy``.

    Args:
        variant: The parent, a Keras or ONNX file.
        parameters: Precision, batch, calibration.
        paths: File names.
    """
    stem = paths.output.removesuffix(".onnx")
    file = json.dumps(stem + ".onnx")
    source = "float32.onnx" if variant.format == "keras" else paths.model
    start = (
        conversion_code(variant, "onnx", paths.model, source, OPSET)
        if variant.format == "keras"
        else 'import os\n\nos.environ["ORT_DISABLE_TELEMETRY"] = "1"\n'
    )
    prepared = _PREPARE[parameters.precision].format(
        file=file,
        samples=samples_code(variant, parameters, "names[0]") if parameters.precision == "int8" else "",
    )
    engine = _ENGINE.format(
        file=file,
        engine=json.dumps(stem + ".engine"),
        predictions=json.dumps(stem + ".npy"),
        batch=parameters.batch,
        largest=max(parameters.batch, 32),
        pairs=_pairs(variant),
    )
    imports = import_code(
        "import numpy as np",
        "from onnxruntime.quantization.shape_inference import quant_pre_process",
        *_IMPORTS[parameters.precision],
    )
    return f"""\
{start}
{imports}\
data = np.load({json.dumps(paths.data)})
quant_pre_process({json.dumps(source)}, "prepared.onnx", skip_symbolic_shape=True)
{prepared}
{BEFORE_THE_GPU}{engine}"""


def _pairs(variant: Variant) -> str:
    names = [spec.name for spec in variant.description.inputs]
    if len(names) == 1:
        return f'{json.dumps(names[0])}: data["x_test"]'
    return ", ".join(f"{json.dumps(name)}: data[{json.dumps(f'x_test.{name}')}]" for name in names)
