"""The graph of a model with some of its layers passed over, read from its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.graph.calls import Call, Tensor, calls, outputs


class ThinnedGraph:
    """The calls of one model; layers that are gone hand their input on as if they were not there.

    Args:
        config: ``model.get_config()`` of a Sequential or functional model.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.calls = list(calls(config))
        self._by_call = {(call.name, call.number): call for call in self.calls}
        self._outputs = set(outputs(config))
        self._named = {
            tensor
            for call in self.calls
            for slot, tensor in zip(call.slots, call.inputs, strict=True)
            if isinstance(slot, str)
        }
        self._gone: set[str] = set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it is left but its input."""
        return all(call.kind == "InputLayer" or call.name in self._gone for call in self.calls)

    def pass_over(self, call: Call) -> None:
        """Takes a layer, in all its calls, as gone."""
        self._gone.add(call.name)

    def source(self, tensor: Tensor) -> Call | None:
        """The call that gives a tensor, in front of layers that are gone."""
        call = self._by_call.get(tensor[:2])
        while call is not None and call.name in self._gone:
            call = self._by_call.get(call.inputs[0][:2])
        return call

    def readers(self, call: Call) -> Iterator[Call | None]:
        """The calls that read a layer's output, behind layers that are gone.

        None for the model's output, and for a call that reads it as a keyword argument.
        """
        given = (call.name, call.number, 0)
        if given in self._outputs | self._named:
            yield None
        for other in self.calls:
            for tensor in other.inputs:
                if tensor != given:
                    continue
                if other.name in self._gone:
                    yield from self.readers(other)
                else:
                    yield other

    def can_pass_over(self, call: Call, *, nested: bool) -> bool:
        """Whether a layer can be left out without joining the model's input to its output.

        Args:
            call: A layer that does nothing.
            nested: Whether the model stands inside another, where input and output may be joined.
        """
        for other in self.calls:
            if other.name != call.name:
                continue
            source = self.source(other.inputs[0]) if len(other.inputs) == 1 and other.positional else None
            if source is None or (not nested and source.kind == "InputLayer" and not gives_floats(source)):
                return False
            if source.kind == "InputLayer" and (other.name, other.number, 0) in self._handed_on():
                return nested
        return True

    def _handed_on(self) -> set[Tensor]:
        """The model's outputs, and what is handed on to them unchanged."""
        found = set(self._outputs)
        for tensor in self._outputs:
            call = self._by_call.get(tensor[:2])
            while call is not None and call.name in self._gone and call.inputs:
                found.add(call.inputs[0])
                call = self._by_call.get(call.inputs[0][:2])
        return found


def gives_floats(source: Call) -> bool:
    """Whether a model's input is of a floating-point type."""
    return str(source.config.get("dtype") or "float32").startswith("float")
