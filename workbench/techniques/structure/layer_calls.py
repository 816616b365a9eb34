"""The reader of configurations under its former name; see :mod:`workbench.graph.calls`."""

from workbench.graph.calls import Call, Tensor, calls, outputs, read_config

__all__ = ["Call", "Tensor", "calls", "outputs", "read_config"]
