"""The parts of TensorRT's and PyCUDA's interfaces that are used here, as types.

The same in TensorRT 10 and 11; a test compares them with the bindings of both. Neither package has
types of its own, and without these a wrong call would be found on a GPU only.
"""

from __future__ import annotations

from typing import Any, Protocol

Shape = tuple[int, ...]


class TimingCache(Protocol):
    """How fast each kernel was, from earlier builds."""

    def serialize(self) -> Any:
        """Its bytes."""


class OptimizationProfile(Protocol):
    """The shapes that an engine is built for."""

    def set_shape(self, input: str, min: Shape, opt: Shape, max: Shape) -> None:  # noqa: A002  (their names)
        """Smallest, usual and largest shape of an input."""


class BuilderConfig(Protocol):
    """How an engine is built."""

    builder_optimization_level: int
    profiling_verbosity: Any

    def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
        """Most memory for kernels while they run."""

    def clear_flag(self, flag: Any) -> None:
        """Takes a permission back."""

    def create_timing_cache(self, serialized_timing_cache: bytes) -> TimingCache:
        """Reads a cache; empty bytes make a new one."""

    def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool) -> bool:
        """Uses a cache."""

    def add_optimization_profile(self, profile: OptimizationProfile) -> int:
        """Adds a profile."""


class Tensor(Protocol):
    """A tensor of a network."""

    name: str
    shape: Any


class Network(Protocol):
    """A model as TensorRT reads it."""

    num_inputs: int

    def get_input(self, index: int) -> Tensor:
        """One of its inputs."""


class Builder(Protocol):
    """Makes engines."""

    def create_network(self, flags: int) -> Network:
        """An empty network."""

    def create_builder_config(self) -> BuilderConfig:
        """How to build."""

    def create_optimization_profile(self) -> OptimizationProfile:
        """A profile without shapes."""

    def build_serialized_network(self, network: Network, config: BuilderConfig) -> Any:
        """The engine's bytes; None if it failed."""


class OnnxParser(Protocol):
    """Reads ONNX."""

    num_errors: int

    def parse(self, model: bytes) -> bool:
        """Reads a file's bytes into the network."""

    def get_error(self, index: int) -> Any:
        """What was wrong."""


class ExecutionContext(Protocol):
    """Runs an engine."""

    def set_input_shape(self, name: str, shape: Shape) -> bool:
        """The shape of the next run's input."""

    def get_tensor_shape(self, name: str) -> Any:
        """A tensor's shape in the next run."""

    def set_tensor_address(self, name: str, memory: int) -> bool:
        """Where a tensor lies on the device."""

    def execute_async_v3(self, stream_handle: int) -> bool:
        """Starts a run on a stream."""


class CudaEngine(Protocol):
    """An engine on a device."""

    num_io_tensors: int

    def create_execution_context(self) -> ExecutionContext:
        """Something that runs it."""

    def get_tensor_name(self, index: int) -> str:
        """Name of an input or output."""

    def get_tensor_mode(self, name: str) -> Any:
        """Input or output."""

    def get_tensor_dtype(self, name: str) -> Any:
        """Its element type."""

    def get_tensor_shape(self, name: str) -> Any:
        """Its shape; -1 where it is free."""


class EngineRuntime(Protocol):
    """Loads engines."""

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> CudaEngine | None:
        """An engine of its bytes; None if they do not fit this machine."""


class TensorRT(Protocol):
    """The module ``tensorrt``."""

    Logger: Any
    Builder: Any
    OnnxParser: Any
    Runtime: Any
    BuilderFlag: Any
    MemoryPoolType: Any
    NetworkDefinitionCreationFlag: Any
    ProfilingVerbosity: Any
    TensorIOMode: Any
    __version__: str

    def nptype(self, trt_type: Any) -> Any:
        """NumPy's element type."""
