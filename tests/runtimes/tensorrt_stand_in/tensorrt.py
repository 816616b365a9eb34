"""Stands in for TensorRT 11 where there is no GPU: ONNX Runtime computes what its kernels would.

It has the members that the real bindings were asked for, no others, and is as strict: an engine takes only
shapes of its profile, and reads and writes memory at the addresses that it was given.
"""

import json
from enum import Enum, IntEnum

import numpy as np
import onnxruntime
from pycuda import driver

__version__ = "11.0.0"
_MARK = b"timings"


class NetworkDefinitionCreationFlag(IntEnum):
    STRONGLY_TYPED = 1


BuilderFlag = Enum("BuilderFlag", "TF32")
MemoryPoolType = Enum("MemoryPoolType", "WORKSPACE")
ProfilingVerbosity = Enum("ProfilingVerbosity", "DETAILED")
TensorIOMode = Enum("TensorIOMode", "INPUT OUTPUT")


def nptype(trt_type):
    return {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}[trt_type]


class Logger:
    WARNING = 2

    def __init__(self, severity):
        assert severity == self.WARNING


def _session(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _shape(item):
    return tuple(size if isinstance(size, int) else -1 for size in item.shape)


class _Tensor:
    def __init__(self, item):
        self.name, self.shape = item.name, _shape(item)


class _Network:
    session = None

    @property
    def num_inputs(self):
        return len(self.session.get_inputs())

    def get_input(self, index):
        return _Tensor(self.session.get_inputs()[index])


class OnnxParser:
    def __init__(self, network, logger):
        self._network, self._errors = network, []

    @property
    def num_errors(self):
        return len(self._errors)

    def get_error(self, index):
        return self._errors[index]

    def parse(self, model):
        try:
            self._network.session, self._network.model = _session(model), model
        except Exception as error:
            self._errors.append(error)
        return not self._errors


class _TimingCache:
    def serialize(self):
        return bytearray(_MARK)


class _Profile(dict):
    def set_shape(self, input, min, opt, max):  # noqa: A002
        self[input] = min, opt, max


class _Config:
    def __init__(self):
        self.profiles, self.cache = [], None

    def set_memory_pool_limit(self, pool, pool_size):
        assert pool is MemoryPoolType.WORKSPACE

    def clear_flag(self, flag):
        assert flag is BuilderFlag.TF32

    def create_timing_cache(self, serialized_timing_cache):
        assert serialized_timing_cache in (b"", _MARK)
        return _TimingCache()

    def set_timing_cache(self, cache, ignore_mismatch):
        return True

    def add_optimization_profile(self, profile):
        self.profiles.append(profile)
        return len(self.profiles) - 1


class Builder:
    def __init__(self, logger):
        assert driver.contexts

    def create_network(self, flags):
        assert flags == 1 << NetworkDefinitionCreationFlag.STRONGLY_TYPED
        return _Network()

    def create_builder_config(self):
        return _Config()

    def create_optimization_profile(self):
        return _Profile()

    def build_serialized_network(self, network, config):
        (profile,) = config.profiles
        return bytearray(json.dumps(profile).encode() + b"\n" + network.model)


class Runtime:
    def __init__(self, logger):
        assert driver.contexts

    def deserialize_cuda_engine(self, serialized_engine):
        profile, _, model = serialized_engine.partition(b"\n")
        return _Engine(json.loads(profile), _session(model)) if model else None


class _Engine:
    def __init__(self, profile, session):
        self.profile, self.session = profile, session
        self.items = {item.name: item for item in (*session.get_inputs(), *session.get_outputs())}
        self.num_io_tensors = len(self.items)

    def create_execution_context(self):
        return _Context(self)

    def get_tensor_name(self, index):
        return list(self.items)[index]

    def get_tensor_mode(self, name):
        return TensorIOMode.INPUT if name in self.profile else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name):
        return self.items[name].type

    def get_tensor_shape(self, name):
        return _shape(self.items[name])


class _Context:
    def __init__(self, engine):
        self._engine, self._shapes, self._addresses = engine, {}, {}

    def set_input_shape(self, name, shape):
        low, _, high = self._engine.profile[name]
        assert len(low) == len(shape)
        assert all(a <= size <= b for a, size, b in zip(low, shape, high, strict=True)), (name, shape)
        self._shapes[name] = tuple(shape)
        return True

    def get_tensor_shape(self, name):
        (batch,) = {shape[0] for shape in self._shapes.values()}
        return tuple(batch if size < 0 else size for size in self._engine.get_tensor_shape(name))

    def set_tensor_address(self, name, memory):
        self._addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle):
        assert set(self._addresses) == set(self._engine.items)
        driver.streams[stream_handle].append(self._compute)
        return True

    def _compute(self):
        feed = {
            name: np.frombuffer(
                bytes(driver.memory[self._addresses[name]]), nptype(self._engine.get_tensor_dtype(name))
            ).reshape(shape)
            for name, shape in self._shapes.items()
        }
        names = [item.name for item in self._engine.session.get_outputs()]
        for name, values in zip(names, self._engine.session.run(names, feed), strict=True):
            driver.memory[self._addresses[name]][:] = values.tobytes()
