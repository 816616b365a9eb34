"""Plain ``predict`` functions for each runtime; see :mod:`workbench.deploy.deployment`."""

from __future__ import annotations

import json

from workbench.api.bundle import import_code
from workbench.api.variant import TensorSpec, Variant
from workbench.plain.outputs import plain_name
from workbench.techniques.inference.runtime_code import RUNNING, loading_code

_LOADED = '''\
run = {load}


def predict(samples):
    """The model's output, float32."""
    return run({arrays})
'''

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


def run(samples):
    memory, results = [], {{}}
    for name in names:
        x = np.ascontiguousarray(samples[name], trt.nptype(engine.get_tensor_dtype(name)))
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
    arrays = {arrays}
    size = fixed or (LARGEST if len(arrays[names[0]]) > LARGEST else None)
    return in_batches(run, arrays, size)
'''


def runner(variant: Variant, file: str) -> tuple[str, str] | None:
    """The imports and the body that defines ``predict``; None for a runtime without such code.

    Args:
        variant: What is deployed.
        file: The name of its file there.
    """
    settings = variant.settings
    if variant.runtime in RUNNING:
        trusts = settings.trusted and variant.runtime.startswith("keras.")
        further = "safe_mode=False" if trusts else ""
        load = loading_code(variant, variant.runtime, "FILE", settings.threads, further=further)
        folder = RUNNING[variant.runtime]
        return (
            import_code("import sys", "import numpy as np", f"from plain.{folder}.run import load"),
            _LOADED.format(load=load, arrays=_arrays(variant)),
        )
    if variant.runtime == "tensorrt":
        return (
            import_code(
                *("import os", "import sys", "import numpy as np", "import pycuda.driver as cuda"),
                *("import tensorrt as trt", "from plain.batches import in_batches"),
            ),
            _TENSORRT.format(
                batch=variant.settings.batch,
                largest=max(variant.settings.batch, 32),
                names=json.dumps([spec.name for spec in variant.description.inputs]),
                output="outputs[0]" if settings.output is None else json.dumps(settings.output.name),
                arrays=_arrays(variant),
            ),
        )
    return None


def _arrays(variant: Variant) -> str:
    """The samples as a dict by the names of the model's inputs."""
    whole = variant.runtime.startswith(("keras", "onnx", "openvino"))
    pairs = []
    for spec in variant.description.inputs:
        # These converters write names their own way, and the files' own are shortened when they are run.
        name = plain_name(spec.name) if variant.runtime in ("litert", "openvino") else spec.name
        if spec.role == "text":
            array = f"np.asarray({_chosen(variant, spec)}, str)"
        else:
            dtype = spec.dtype if whole or spec.takes_whole_numbers else "float32"
            array = f"np.ascontiguousarray({_chosen(variant, spec)}, {json.dumps(dtype)})"
        pairs.append(f"{json.dumps(name)}: {array}")
    return "{" + ", ".join(pairs) + "}"


def _chosen(variant: Variant, spec: TensorSpec) -> str:
    if len(variant.description.inputs) == 1:
        return "samples"
    return f"samples[{json.dumps(plain_name(spec.name))}]"
