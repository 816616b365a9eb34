"""Plain Keras code that folds normalization into weights."""

from __future__ import annotations

import json

from workbench.api.bundle import import_code
from workbench.api.technique import CodePaths
from workbench.models.rebuilding.folding import FoldingPlan

_REBUILD = """\


def rebuilt(model, path=()):
    known = {}

    def clone(layer):
        place = (*path, layer.name)
        if layer.name in known:
            return known[layer.name]
        if isinstance(layer, keras.Model):
            new = rebuilt(layer, place)
        else:
            bias = {"use_bias": True} if place in takes_factors else {}
            new = layer.__class__.from_config({**layer.get_config(), **bias})
            if place not in gone and isinstance(layer, keras.Layer):
                pairs.append((place, layer, new))
        known[layer.name] = new
        return new

    def call(layer, *inputs, **named):
        return inputs[0] if (*path, layer.name) in gone else layer(*inputs, **named)

    def start(x):
        return keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x._keras_history.operation.name)

    if isinstance(model, keras.Sequential):
        kept = [clone(layer) for layer in model.layers if (*path, layer.name) not in gone]
        return keras.Sequential([start(model.inputs[0]), *kept], name=model.name)
    return keras.models.clone_model(
        model,
        input_tensors=keras.tree.map_structure(start, model.input),
        clone_function=clone,
        call_function=call,
    )


pairs = []
folded = rebuilt(model)
"""

_FIND = """\

def find(place):
    layer = model
    for name in place:
        layer = layer.get_layer(name)
    return layer


"""

_WEIGHTS = """\
for place, old, new in pairs:
    weights = old.get_weights()
    if place in takes_factors:
        weights = kernels_and_bias(old)
        for layer, into, after in folds:
            if into == place:
                weights = scaled(type(old).__name__, weights, *affine(find(layer)), after=after)
    new.set_weights(weights)
    if hasattr(new, "finalize_state"):
        new.finalize_state()
"""

_COPY = """\
for place, old, new in pairs:
    new.set_weights(old.get_weights())
    if hasattr(new, "finalize_state"):
        new.finalize_state()
"""


def fold_code(plan: FoldingPlan, paths: CodePaths) -> str:
    """The script; it writes the folded model.

    Args:
        plan: What is folded and left out.
        paths: File names.
    """
    output = paths.output if paths.output.endswith(".keras") else paths.output + ".keras"
    folds = "".join(
        f"    ({_place(fold.layer)}, {_place(fold.into)}, {fold.after}),\n" for fold in plan.folds
    )
    removed = "".join(f"    {_place(place)},\n" for place in plan.removed)
    helper = "from plain.keras.channel_factors import affine, kernels_and_bias, scaled" if plan.folds else ""
    return f"""\
{import_code("import keras", helper)}\
{_FIND if plan.folds else ""}\
model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
# Names of layers, after those of the models around them: a layer, whose weights take its factor and
# offset, and whether it stands behind that one.
folds = [
{folds}]
# These do nothing when the model predicts.
removed = {{
{removed}}}
gone = {{layer for layer, _, _ in folds}} | removed
takes_factors = {{into for _, into, _ in folds}}
{_REBUILD}{_WEIGHTS if plan.folds else _COPY}folded.save({json.dumps(output)})
""".replace("removed = {\n}", "removed = set()")


def _place(place: tuple[str, ...]) -> str:
    return "(" + "".join(json.dumps(name) + ", " for name in place).rstrip() + ")"
