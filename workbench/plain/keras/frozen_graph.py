"""A model of which only the graph is left, as one layer: what TensorFlow ran, its weights as constants."""

import hashlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class _Graphs(dict[str, bytes]):
    """Graphs by digest; whoever carries this module elsewhere leaves them where they are."""

    def __reduce__(self) -> Any:
        return type(self), ()


_graphs = _Graphs()
"""A layer that is made from a configuration finds its own here."""


class FrozenGraph(keras.layers.Layer):
    """Runs a graph; it has nothing that could be trained.

    Args:
        digest: Of the graph.
        feeds: Names of the tensors that it takes.
        fetches: Names of the tensors that it gives.
        shapes: Their shapes, None for the batch.
        kinds: Their element types.
        constants: Numbers in its weights.
    """

    def __init__(
        self,
        digest: str,
        feeds: list[str],
        fetches: list[str],
        shapes: list[list[int | None]],
        kinds: list[str],
        constants: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.digest, self.feeds, self.fetches = digest, list(feeds), list(fetches)
        self.shapes, self.kinds, self.constants = [list(shape) for shape in shapes], list(kinds), constants
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """All but the graph, which is stored with the weights."""
        own = ("digest", "feeds", "fetches", "shapes", "kinds", "constants")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}

    def save_own_variables(self, store: Any) -> None:
        """Stores the graph as bytes."""
        store["graph"] = np.frombuffer(_graphs[self.digest], np.uint8)

    def load_own_variables(self, store: Any) -> None:
        """Takes the graph back."""
        content = np.asarray(store["graph"]).tobytes()
        if hashlib.sha256(content).hexdigest() != self.digest:
            raise ValueError("The graph in the file is another one than its configuration says.")
        _graphs[self.digest] = content

    def call(self, *inputs: Any) -> Any:
        """Runs the graph, or puts it into the one that is being traced."""
        graph = tf.compat.v1.GraphDef.FromString(_graphs[self.digest])
        if not tf.executing_eagerly():
            found = self._imported(graph, inputs)
        else:
            whole = tf.compat.v1.wrap_function(
                lambda *given: self._imported(graph, given),
                [tf.TensorSpec(None, tensor.dtype) for tensor in inputs],
            )
            found = whole(*inputs)
        found = [tf.ensure_shape(tensor, shape) for tensor, shape in zip(found, self.shapes, strict=True)]
        return found[0] if len(found) == 1 else found

    def _imported(self, graph: Any, inputs: Any) -> list[Any]:
        feeds = dict(zip(self.feeds, inputs, strict=True))
        return list(
            tf.graph_util.import_graph_def(
                graph, input_map=feeds, return_elements=self.fetches, name="frozen"
            )
        )

    def compute_output_spec(self, *inputs: Any) -> Any:
        """What it gives, without running it."""
        specs = [
            keras.KerasTensor(tuple(shape), dtype=kind)
            for shape, kind in zip(self.shapes, self.kinds, strict=True)
        ]
        return specs[0] if len(specs) == 1 else specs


def frozen(run: Any, specs: list[Any], name: str, constants: int) -> FrozenGraph:
    """The layer that does what a function does.

    Args:
        run: Takes tensors and gives a list of tensors.
        specs: A ``tf.TensorSpec`` of each tensor that it takes.
        name: Of the layer.
        constants: Numbers in the weights that it computes with.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    traced = tf.function(run, autograph=False).get_concrete_function(*specs)
    constant = convert_variables_to_constants_v2(traced, lower_control_flow=False)
    graph = constant.graph.as_graph_def()
    content = graph.SerializeToString(deterministic=True)
    digest = hashlib.sha256(content).hexdigest()
    _graphs[digest] = content
    return FrozenGraph(
        digest,
        [tensor.name for tensor in constant.inputs],
        [tensor.name for tensor in constant.outputs],
        [[None, *tensor.shape.as_list()[1:]] for tensor in constant.outputs],
        [tensor.dtype.name for tensor in constant.outputs],
        constants,
        name=name,
    )
