"""Plain ``predict`` functions for each runtime; see :mod:`workbench.deploy.deployment`."""

from __future__ import annotations

import json

from workbench.api.variant import TensorSpec, Variant
from workbench.data.batches import plain_name

_ARRAYS = """\
    arrays = [{casts}]
"""

_LITERT = '''\
interpreter = Interpreter(FILE, num_threads={threads})
{find}
free = all(detail["shape_signature"][0] == -1 for detail in inputs)
fixed = None if free else int(inputs[0]["shape"][0])


def to_stored(x, detail):
    """Rounds real values to what the file stores: real = scale * (stored - zero point)."""
    scale, zero_point = detail["quantization"]
    if np.dtype(detail["dtype"]).kind == "f" or not scale:
        return x.astype(detail["dtype"])
    limits = np.iinfo(detail["dtype"])
    stored = np.round(x / np.float32(scale) + zero_point)
    return np.clip(stored, limits.min, limits.max).astype(detail["dtype"])


def to_real(y, detail):
    """Values of the file as float32."""
    scale, zero_point = detail["quantization"]
    if np.dtype(detail["dtype"]).kind == "f" or not scale:
        return y.astype("float32")
    return (y.astype("float32") - zero_point) * np.float32(scale)


def run(arrays):
{run}

def predict(samples):
    """The model's output, float32."""
{arrays}\
    return in_batches(arrays, fixed, run)
'''

_LITERT_SINGLE = """\
inputs, (output,) = interpreter.get_input_details(), interpreter.get_output_details()"""

_LITERT_RUN_SINGLE = """\
    stored = to_stored(arrays[0], inputs[0])
    if fixed is None:
        interpreter.resize_tensor_input(inputs[0]["index"], stored.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(inputs[0]["index"], stored)
    interpreter.invoke()
    return to_real(interpreter.get_tensor(output["index"]), output)
"""

_LITERT_SEVERAL = """\
signature = interpreter.get_signature_runner()
names = {names}
inputs = [signature.get_input_details()[name] for name in names]
outputs = signature.get_output_details()
first = {output}"""

_LITERT_FIRST = 'min(outputs, key=lambda name: int("".join(filter(str.isdigit, name)) or 0))'

_LITERT_RUN_SEVERAL = """\
    stored = {name: to_stored(x, detail) for name, x, detail in zip(names, arrays, inputs)}
    return to_real(signature(**stored)[first], outputs[first])
"""

_ONNXRUNTIME = '''\
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = {threads}
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
session = onnxruntime.InferenceSession(FILE, options, providers=["CPUExecutionProvider"])
names = {names}
size = session.get_inputs()[0].shape[0]
fixed = size if isinstance(size, int) else None


def run(arrays):
    return session.run({output}, dict(zip(names, arrays)))[0].astype("float32")


def predict(samples):
    """The model's output, float32."""
{arrays}\
    return in_batches(arrays, fixed, run)
'''

_OPENVINO = '''\
compiled = openvino.Core().compile_model(
    {path},
    "CPU",
    {{
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": {threads},
        "INFERENCE_PRECISION_HINT": "f32",  # float32 stays float32 where the processor could do with less
    }},
)
request = compiled.create_infer_request()
names = {names}
ports = {{re.sub(r"^serving_default_|:\\d+$", "", port.any_name): port for port in compiled.inputs}}
inputs = [ports[name] for name in names] if len(names) > 1 else compiled.inputs
shape = inputs[0].partial_shape
fixed = None if shape[0].is_dynamic else shape[0].get_length()
numbers = [re.search(r"(\\d+)$", min(port.names, default="")) for port in compiled.outputs]
{first}


def run(arrays):
    request.infer(dict(zip(inputs, arrays)))
    return request.get_output_tensor(first).data.astype("float32")


def predict(samples):
    """The model's output, float32."""
{arrays}\
    return in_batches(arrays, fixed, run)
'''

_OPENVINO_FIRST = """\
first = min(range(len(numbers)), key=lambda k: int(numbers[k][1]) if all(numbers) else k)"""

_OPENVINO_NAMED = """\
order = sorted(range(len(numbers)), key=lambda k: int(numbers[k][1]) if all(numbers) else k)
first = next((k for k, port in enumerate(compiled.outputs) if {name} in port.names), order[{position}])"""

_KERAS = '''\
tf.config.threading.set_intra_op_parallelism_threads({threads})
tf.config.threading.set_inter_op_parallelism_threads({threads})
model = keras.models.load_model(FILE, compile=False{trust})
call = {call}
fixed = model.inputs[0].shape[0]


def run(arrays):
    inputs = {packed}
    return keras.tree.flatten(call(inputs))[{output}].numpy().astype("float32")


def predict(samples):
    """The model's output, float32."""
{arrays}\
    return in_batches(arrays, fixed, run)
'''

_KERAS_CALLS = {
    "keras.eager": "lambda x: model(x, training=False)",
    "keras.function": "tf.function(lambda x: model(x, training=False))",
    "keras.xla": "tf.function(lambda x: model(x, training=False), jit_compile=True)",
}


_TENSORRT = '''\
cuda.init()
context = cuda.Device(0).retain_primary_context()
context.push()
logger = trt.Logger(trt.Logger.WARNING)
ENGINE = FILE + ".engine"  # for this kind of GPU and this version of TensorRT only
LARGEST = {largest}


def build():
    """Builds the engine; the types in the file decide the precision."""
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    with open(FILE, "rb") as file:
        if not parser.parse(file.read()):
            raise SystemExit([str(parser.get_error(i)) for i in range(parser.num_errors)])
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    profile = builder.create_optimization_profile()
    for i in range(network.num_inputs):
        x = network.get_input(i)
        first, *others = x.shape
        sizes = (1, {batch}, LARGEST) if first < 0 else (first, first, first)
        profile.set_shape(x.name, *[(size, *others) for size in sizes])
    config.add_optimization_profile(profile)
    with open(ENGINE, "wb") as file:
        file.write(bytes(builder.build_serialized_network(network, config)))


if not os.path.exists(ENGINE):
    build()
with open(ENGINE, "rb") as file:
    engine = trt.Runtime(logger).deserialize_cuda_engine(file.read())
runner = engine.create_execution_context()
stream = cuda.Stream()
names = {names}
tensors = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
outputs = [name for name in tensors if engine.get_tensor_mode(name) == trt.TensorIOMode.OUTPUT]
size = engine.get_tensor_shape(names[0])[0]
fixed = size if size > 0 else None


def run(arrays):
    memory, results = [], {{}}
    for name, x in zip(names, arrays):
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
    if not runner.execute_async_v3(stream.handle):
        raise RuntimeError("TensorRT could not run the engine")
    for name, address in zip(outputs, memory[-len(outputs) :]):
        cuda.memcpy_dtoh_async(results[name], address, stream)
    stream.synchronize()
    return results[{output}].astype("float32")


def predict(samples):
    """The model's output, float32."""
{arrays}\
    size = fixed or (LARGEST if len(arrays[0]) > LARGEST else None)
    return in_batches(arrays, size, run)
'''


def runner(variant: Variant, file: str) -> tuple[str, str] | None:
    """The imports and the body that defines ``predict``; None for a runtime without such code.

    Args:
        variant: What is deployed.
        file: The name of its file there.
    """
    threads = variant.settings.threads
    output = variant.settings.output
    name = None if output is None else json.dumps(output.name)
    names = json.dumps([spec.name for spec in variant.description.inputs])
    if variant.runtime in _KERAS_CALLS:
        single = len(variant.description.inputs) == 1
        return (
            "import sys\n\nimport keras\nimport numpy as np\nimport tensorflow as tf\n",
            _KERAS.format(
                threads=threads,
                trust=", safe_mode=False" if variant.settings.trusted else "",
                call=_KERAS_CALLS[variant.runtime],
                output=0 if output is None else output.position,
                packed="arrays[0]" if single else "keras.tree.pack_sequence_as(model.input, arrays)",
                arrays=_arrays(variant),
            ),
        )
    if variant.runtime == "litert":
        return (
            "import sys\n\nimport numpy as np\nfrom ai_edge_litert.interpreter import Interpreter\n",
            _litert(variant, threads),
        )
    if variant.runtime == "onnxruntime":
        return (
            'import os\nimport sys\n\nos.environ["ORT_DISABLE_TELEMETRY"] = "1"\n'
            "import numpy as np\nimport onnxruntime\n",
            _ONNXRUNTIME.format(
                threads=threads,
                names=names,
                output=None if name is None else f"[{name}]",
                arrays=_arrays(variant, cast=True),
            ),
        )
    if variant.runtime == "openvino":
        path = 'FILE + "/model.xml"' if variant.format == "openvino" else "FILE"
        return (
            'import re\nimport sys\n\nsys.modules["openvino_telemetry"] = None\n'
            "import numpy as np\nimport openvino\n",
            _OPENVINO.format(
                path=path,
                threads=threads,
                first=_OPENVINO_FIRST
                if output is None
                else _OPENVINO_NAMED.format(name=name, position=output.position),
                names=json.dumps([plain_name(spec.name) for spec in variant.description.inputs]),
                arrays=_arrays(variant, cast=True),
            ),
        )
    if variant.runtime == "tensorrt":
        return (
            "import os\nimport sys\n\n"
            "import numpy as np\nimport pycuda.driver as cuda\nimport tensorrt as trt\n",
            _TENSORRT.format(
                batch=variant.settings.batch,
                largest=max(variant.settings.batch, 32),
                names=names,
                output="outputs[0]" if name is None else name,
                arrays=_arrays(variant),
            ),
        )
    return None


def _litert(variant: Variant, threads: int) -> str:
    description = variant.description
    single = len(description.inputs) == len(description.outputs) == 1
    names = json.dumps([plain_name(spec.name) for spec in description.inputs])
    chosen = variant.settings.output
    output = _LITERT_FIRST if chosen is None else json.dumps(chosen.name)
    return _LITERT.format(
        threads=threads,
        find=_LITERT_SINGLE if single else _LITERT_SEVERAL.format(names=names, output=output),
        run=_LITERT_RUN_SINGLE if single else _LITERT_RUN_SEVERAL,
        arrays=_arrays(variant),
    )


def _arrays(variant: Variant, *, cast: bool = False) -> str:
    """The samples as a list of arrays in the order of the model's inputs."""
    casts = []
    for spec in variant.description.inputs:
        dtype = spec.dtype if cast else "float32"
        if variant.runtime.startswith("keras") or spec.takes_whole_numbers:
            dtype = spec.dtype
        if spec.role == "text":
            casts.append(f"tf.constant(np.asarray({_chosen(variant, spec)}, str))")
            continue
        casts.append(f"np.ascontiguousarray({_chosen(variant, spec)}, {json.dumps(dtype)})")
    return _ARRAYS.format(casts=", ".join(casts))


def _chosen(variant: Variant, spec: TensorSpec) -> str:
    if len(variant.description.inputs) == 1:
        return "samples"
    return f"samples[{json.dumps(plain_name(spec.name))}]"
