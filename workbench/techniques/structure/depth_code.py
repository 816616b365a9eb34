"""Depth scaling as plain Keras code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.graph.blocks import Block
from workbench.training import training_code
from workbench.training.fine_tuning import saving_code

if TYPE_CHECKING:
    from workbench.techniques.structure.depth import DepthParameters

_WITHOUT = """\
def rebuilt(model, path, layers, bypass, copies):
    made = {}

    def parts(layer):
        if id(layer) not in made:
            where = path + (layer.name,)
            if isinstance(layer, keras.Model):
                new = rebuilt(layer, where, layers, bypass, copies)
            elif where in layers:
                new = None
            else:
                new = layer.__class__.from_config(layer.get_config())
                copies.append((layer, new))
            made[id(layer)] = where, new
        return made[id(layer)]

    if isinstance(model, keras.Sequential):
        given = model.inputs[0]
        name = given._keras_history.operation.name
        kept = [keras.Input(batch_shape=given.shape, dtype=given.dtype, name=name)]
        kept += [new for _, new in map(parts, model.layers) if new is not None]
        return keras.Sequential(kept, name=model.name)

    def call(part, *arguments, **named):
        where, layer = part
        if where in bypass:
            return keras.tree.flatten(arguments)[bypass[where]]
        return arguments[0] if layer is None else layer(*arguments, **named)

    return keras.models.clone_model(model, clone_function=parts, call_function=call)


def without(chosen):
    layers = {tuple(layer) for name in chosen for layer in blocks[name][0]}
    bypass = {tuple(layer): number for name in chosen for layer, number in blocks[name][1]}
    copies = []
    shorter = rebuilt(model, (), layers, bypass, copies)
    for old, new in copies:
        if getattr(old, "weights", ()) and new.built:
            new.set_weights(old.get_weights())
            if hasattr(new, "finalize_state"):  # of a normalization that was adapted to data
                new.finalize_state()
    return shorter


def importance(candidate):
    scores = candidate.predict({features}, batch_size=256, verbose=0).astype("float64")
    labels = data["y_validation"]
{scores}
    if {by_loss}:
        return -np.log(np.clip(scores[np.arange(len(labels)), labels], 1e-7, 1)).mean()
    return -f1_score(labels, scores.argmax(-1), average="macro", zero_division=0.0)


def overlap(one, other):
    return set(blocks[one][2]) & set(blocks[other][2])


chosen = []
for wanted in {rounds}:
    left = [name for name in blocks if not any(overlap(name, other) for other in chosen)]
    measured = {name: importance(without(chosen + [name])) for name in left}
    for name in sorted(left, key=measured.get):
        if wanted and not any(overlap(name, other) for other in chosen):
            chosen.append(name)
            wanted -= 1
print("left out:", chosen)
shorter = without(chosen)
"""


def depth_code(
    variant: Variant, parameters: DepthParameters, paths: CodePaths, blocks: Sequence[Block]
) -> str:
    """Plain Keras code that leaves out the least important blocks.

    Args:
        variant: The parent.
        parameters: The technique's.
        paths: The files.
        blocks: What can be left out.
    """
    listed = "".join(
        f"    {json.dumps(block.name)}: (\n"
        f"        {json.dumps(sorted(map(list, block.left_out)))},\n"
        f"        {json.dumps([[list(path), number] for path, number in block.bypass.items()])},\n"
        f"        {json.dumps(['/'.join((*block.path, layer)) for layer in block.layers])},\n"
        "    ),\n"
        for block in blocks
    )
    again = parameters.search == "again after each"
    body = (
        _WITHOUT.replace("{features}", _features(variant))
        .replace("{scores}", _probabilities(variant))
        .replace("{by_loss}", str(parameters.importance == "loss"))
        .replace("{rounds}", str([1] * parameters.blocks if again else [parameters.blocks]))
    )
    training = ""
    if parameters.epochs:
        fit = training_code("shorter", variant, parameters, callbacks=["preserve(shorter)"])
        training = f"\n\nfrom plain.keras.preserving import preserve\n\n{fit}\n"
    return f"""\
import keras
import numpy as np
from sklearn.metrics import f1_score

model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
data = np.load({json.dumps(paths.data)})
# Of each block: layers to leave out, additions and the input that they hand on, all its layers.
blocks = {{
{listed}}}


{body}{training}\
{saving_code("shorter", paths, parameters.epochs)}"""


def _probabilities(variant: Variant) -> str:
    single = variant.description.outputs[0].shape[-1] == 1
    lines = []
    if variant.description.from_logits and single:
        lines.append("scores = 1 / (1 + np.exp(-scores))")
    elif variant.description.from_logits:
        lines.append("scores = np.exp(scores - scores.max(axis=-1, keepdims=True))")
        lines.append("scores /= scores.sum(axis=-1, keepdims=True)")
    if single:
        lines.append("scores = np.concatenate([1 - scores, scores], axis=-1)")
    return "".join(f"    {line}\n" for line in lines).rstrip("\n")


def _features(variant: Variant) -> str:
    inputs = [spec.name for spec in variant.description.inputs]
    if len(inputs) == 1:
        return 'data["x_validation"]'
    return "{" + ", ".join(f"{name!r}: data[{f'x_validation.{name}'!r}]" for name in inputs) + "}"
