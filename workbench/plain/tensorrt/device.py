"""The GPU that engines are built for and run on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .protocol import TensorRT


@dataclass(frozen=True)
class Device:
    """A GPU that is ready, with its libraries.

    Attributes:
        trt: The module ``tensorrt``.
        cuda: The module ``pycuda.driver``.
        name: The GPU's name and compute capability.
        context: Its primary context, current in this thread.
        logger: Kept as long as what was made with it.
    """

    trt: TensorRT
    cuda: Any
    name: str
    context: Any
    logger: Any


def open_device() -> Device:
    """Loads the libraries and opens the first GPU; ``context.pop()`` ends it.

    Raises:
        ImportError, OSError: Without the packages ``tensorrt`` and ``pycuda`` or what they link to.
        pycuda.driver.Error: Without a driver or a GPU.
    """
    import pycuda.driver as cuda
    import tensorrt

    cuda.init()
    device = cuda.Device(0)
    name = "{} {}.{}".format(device.name(), *device.compute_capability())
    context = device.retain_primary_context()
    context.push()
    return Device(tensorrt, cuda, name, context, tensorrt.Logger(tensorrt.Logger.WARNING))
