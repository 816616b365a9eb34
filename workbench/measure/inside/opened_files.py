"""What each layer of a Keras model or an OpenVINO folder gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from workbench.api.dataset import Features
from workbench.api.variant import Layer
from workbench.data.batches import ordered
from workbench.measure.intermediate_tensors import BY_SUFFIX, Step, TransparentFile, Values


def open_file(path: Path, layers: Sequence[Layer], model: Any = None) -> TransparentFile:
    """A file that shows what each of its operations gives.

    Args:
        path: The file or folder.
        layers: Its layers, as described.
        model: The same as a Keras model, of a ``.keras`` file.
    """
    if model is not None:
        return KerasModel(model, layers)
    if path.suffix in BY_SUFFIX:
        return BY_SUFFIX[path.suffix](path)
    return OpenVinoFolder(path, layers)


class KerasModel(TransparentFile):
    """A Keras model, whose steps are its layers.

    Args:
        model: A functional or Sequential model.
        layers: Its layers, as described.
    """

    def __init__(self, model: Any, layers: Sequence[Layer]) -> None:
        from workbench.plain.keras.channels import layer_at
        from workbench.plain.keras.observing import Place, inputs_of, observed

        self.steps = []
        for layer in layers:
            nodes = getattr(layer_at(model, layer.name), "_inbound_nodes", [])
            givers = [parent.operation.name for node in nodes[:1] for parent in node.parent_nodes]
            self.steps.append(Step(layer.kind, tuple(givers), layer.name, layer.name))
        called = [step for step in self.steps if step.kind != "InputLayer"]
        places, self._model = observed(model, [Place(step.output) for step in called])
        # A layer that is called several times is seen in its last call.
        self._names = [called[place].output for place in places]
        self._input = inputs_of(model)

    @override
    def run(self, sample: Features) -> Values:
        import keras

        given: Any = sample if isinstance(sample, dict) else {"": sample}
        if isinstance(self._input, dict):
            batch: Any = dict(zip(self._input, ordered(sample, list(self._input)), strict=True))
        else:
            batch = np.asarray(next(iter(given.values())))
        tensors = keras.tree.flatten(self._model(batch, training=False))
        found = dict(zip(self._names, map(np.asarray, tensors), strict=True))
        return {name: value for name, value in found.items() if value.dtype.kind == "f"}


class OpenVinoFolder(TransparentFile):
    """An OpenVINO folder, each of whose operations becomes an output.

    Args:
        path: The folder.
        layers: Its layers, as described.
    """

    def __init__(self, path: Path, layers: Sequence[Layer]) -> None:
        from workbench.api.privacy import import_openvino

        openvino = import_openvino()
        self._openvino = openvino
        core = openvino.Core()
        model = core.read_model(path / "model.xml" if path.is_dir() else path)
        wanted = {layer.name for layer in layers}
        nodes = [node for node in model.get_ordered_ops() if node.get_friendly_name() in wanted]
        self._names = [node.get_friendly_name() for node in nodes]
        self.steps = [
            Step(
                node.get_type_name(),
                tuple(port.get_source_output().get_node().get_friendly_name() for port in node.inputs()),
                node.get_friendly_name(),
                node.get_friendly_name(),
            )
            for node in model.get_ordered_ops()
        ]
        model.add_outputs([node.output(0) for node in nodes])
        # An operation that gives an output already adds none.
        places = {port.get_node().input(0).get_source_output(): at for at, port in enumerate(model.outputs)}
        self._places = [places[node.output(0)] for node in nodes]
        self._inputs = [sorted(port.names)[0] if port.names else "" for port in model.inputs]
        exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "SNIPPETS_MODE": "DISABLE"}
        self._request = core.compile_model(model, "CPU", exact).create_infer_request()

    @override
    def run(self, sample: Features) -> Values:
        for place, array in enumerate(ordered(sample, self._inputs)):
            self._request.set_input_tensor(place, self._openvino.Tensor(np.ascontiguousarray(array)))
        self._request.infer()
        found = {}
        for name, place in zip(self._names, self._places, strict=True):
            value = np.array(self._request.get_output_tensor(place).data)
            if value.dtype.kind == "f":
                found[name] = value
        return found
