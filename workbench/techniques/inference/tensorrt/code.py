"""Plain code that makes a TensorRT engine and runs it."""

from __future__ import annotations

import json

from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.exporting.calibration import samples_code
from workbench.models.converting.conversion import OPSET
from workbench.models.converting.onnx_precision import TENSORRT_INT8
from workbench.techniques.inference.runtime_code import conversion_code
from workbench.techniques.inference.tensorrt.parameters import TensorRtParameters

_PREPARE = {
    "float32": """\
shutil.copyfile("prepared.onnx", {file})
""",
    "float16": """\
halved = ONNXModel(convert_float_to_float16(onnx.load("prepared.onnx"), keep_io_types=True))
halved.topological_sort()
onnx.save(halved.model, {file})
""",
    "bfloat16": """\
def stored_as_bfloat16(tensor):
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(bfloat16), tensor.name)


def rename(names, before, after):
    for index, name in enumerate(names):
        if name == before:
            names[index] = after


model = onnx.load("prepared.onnx")
graph, casts, back = model.graph, [], []
# These want some of their inputs in float32 whatever they compute in.
float32 = {{"Resize": (1, 2), "Upsample": (1,), "QuantizeLinear": (1,), "DequantizeLinear": (1,)}}
kept = {{n.input[i] for n in graph.node for i in float32.get(n.op_type, ()) if i < len(n.input)}}
for tensor in graph.initializer:
    if tensor.data_type == TensorProto.FLOAT and tensor.name not in kept:
        tensor.CopyFrom(stored_as_bfloat16(tensor))
for node in graph.node:
    for attribute in node.attribute:
        if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.BFLOAT16
        constant = node.op_type in ("Constant", "ConstantOfShape") and attribute.name == "value"
        if constant and attribute.t.data_type == TensorProto.FLOAT and node.output[0] not in kept:
            attribute.t.CopyFrom(stored_as_bfloat16(attribute.t))
for x in graph.input:
    if x.type.tensor_type.elem_type == TensorProto.FLOAT:
        for node in graph.node:
            rename(node.input, x.name, x.name + "/bfloat16")
        casts.append(helper.make_node("Cast", [x.name], [x.name + "/bfloat16"], to=TensorProto.BFLOAT16))
for y in graph.output:
    if y.type.tensor_type.elem_type == TensorProto.FLOAT:
        for node in graph.node:
            rename(node.input, y.name, y.name + "/bfloat16")
            rename(node.output, y.name, y.name + "/bfloat16")
        back.append(helper.make_node("Cast", [y.name + "/bfloat16"], [y.name], to=TensorProto.FLOAT))
nodes = [*casts, *graph.node, *back]
del graph.node[:], graph.value_info[:]
graph.node.extend(nodes)
onnx.save(model, {file})
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


# Symmetric, with a pair of nodes at each weight too: what TensorRT takes as explicit quantization.
quantize_static(
    "prepared.onnx",
    {file},
    Samples(),
    per_channel=True,
    activation_type=QuantType.QInt8,
    weight_type=QuantType.QInt8,
    extra_options={options},
)
""",
}

_IMPORTS = {
    "float32": "import shutil\n\n",
    "float16": (
        "import onnx\n"
        "from onnxruntime.quantization.onnx_model import ONNXModel\n"
        "from onnxruntime.transformers.float16 import convert_float_to_float16\n"
    ),
    "bfloat16": (
        "import onnx\nfrom ml_dtypes import bfloat16\nfrom onnx import TensorProto, helper, numpy_helper\n"
    ),
    "int8": (
        "import onnxruntime\n"
        "from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static\n"
        "from plain.calibration import drawn\n"
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
        options=json.dumps(TENSORRT_INT8).replace("true", "True").replace("false", "False"),
    )
    engine = _ENGINE.format(
        file=file,
        engine=json.dumps(stem + ".engine"),
        predictions=json.dumps(stem + ".npy"),
        batch=parameters.batch,
        largest=max(parameters.batch, 32),
        pairs=_pairs(variant),
    )
    return f"""\
{start}
import numpy as np
{_IMPORTS[parameters.precision]}\
from onnxruntime.quantization.shape_inference import quant_pre_process

data = np.load({json.dumps(paths.data)})
quant_pre_process({json.dumps(source)}, "prepared.onnx", skip_symbolic_shape=True)
{prepared}
{BEFORE_THE_GPU}{engine}"""


def _pairs(variant: Variant) -> str:
    names = [spec.name for spec in variant.description.inputs]
    if len(names) == 1:
        return f'{json.dumps(names[0])}: data["x_test"]'
    return ", ".join(f"{json.dumps(name)}: data[{json.dumps(f'x_test.{name}')}]" for name in names)
