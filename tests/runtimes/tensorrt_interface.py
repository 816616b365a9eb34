"""What of TensorRT's interface is used, by its own names."""

from workbench.plain.tensorrt.protocol import (
    Builder,
    BuilderConfig,
    CudaEngine,
    EngineRuntime,
    ExecutionContext,
    Network,
    OnnxParser,
    OptimizationProfile,
    Tensor,
    TimingCache,
)

NAMES = {
    "Logger": ("WARNING",),
    "BuilderFlag": ("TF32",),
    "MemoryPoolType": ("WORKSPACE",),
    "NetworkDefinitionCreationFlag": ("STRONGLY_TYPED",),
    "ProfilingVerbosity": ("DETAILED",),
    "TensorIOMode": ("INPUT", "OUTPUT"),
}
"""Members of enumerations that are used."""

CLASSES = {
    "ITimingCache": TimingCache,
    "IOptimizationProfile": OptimizationProfile,
    "IBuilderConfig": BuilderConfig,
    "ITensor": Tensor,
    "INetworkDefinition": Network,
    "Builder": Builder,
    "OnnxParser": OnnxParser,
    "IExecutionContext": ExecutionContext,
    "ICudaEngine": CudaEngine,
    "Runtime": EngineRuntime,
}
"""TensorRT's names of these types."""
