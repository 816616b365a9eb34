"""Plain Keras code that folds normalization into weights."""

from __future__ import annotations

import json

from workbench.models.folding import FoldingPlan
from workbench.technique import CodePaths

_AFFINE = {
    "BatchNormalization": """\
    if isinstance(layer, keras.layers.BatchNormalization):
        factor = 1 / np.sqrt(real(layer.moving_variance) + layer.epsilon)
        factor = factor * (real(layer.gamma) if layer.scale else 1.0)
        return factor, (real(layer.beta) if layer.center else 0.0) - real(layer.moving_mean) * factor
""",
    "Normalization": """\
    if isinstance(layer, keras.layers.Normalization):
        mean, variance = real(layer.mean).squeeze(), real(layer.variance).squeeze()
        spread = np.maximum(np.sqrt(variance), keras.config.epsilon())
        return (spread, -mean) if layer.invert else (1 / spread, -mean / spread)
""",
    "Rescaling": """\
    if isinstance(layer, keras.layers.Rescaling):
        return real(layer.scale), real(layer.offset)
""",
}

_BEFORE = """\


def with_factors_in_front(layer, kernels, bias, factor, offset):
    kernel = kernels[0]
    if "Transpose" in type(layer).__name__:
        return [kernel * factor, bias]
    inputs = kernel.shape[-2]
    shift = kernel * np.broadcast_to(offset, inputs)[:, None]
    shift = shift.sum(axis=tuple(range(kernel.ndim - 2)))
    if "Separable" in type(layer).__name__:
        shift = shift.reshape(-1) @ kernels[1].reshape(-1, kernels[1].shape[-1])
    elif "Depthwise" in type(layer).__name__:
        shift = shift.reshape(-1)
    else:
        shift = shift.sum(axis=0)
    return [kernel * np.broadcast_to(factor, inputs)[:, None], *kernels[1:], bias + shift]
"""

_AFTER = """\


def with_factors_behind(layer, kernels, bias, factor, offset):
    shape = factor
{shapes}    return [*kernels[:-1], kernels[-1] * shape, bias * factor + offset]
"""

_SHAPES = {
    "Transpose": """\
    if "Transpose" in type(layer).__name__:
        shape = factor[..., None]
""",
    "Depthwise": """\
    if "Depthwise" in type(layer).__name__:
        shape = np.broadcast_to(factor, len(bias)).reshape(kernels[-1].shape[-2:])
""",
}

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
            if place not in gone:
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

_WEIGHTS = """\
for place, old, new in pairs:
    weights = old.get_weights()
    if place in takes_factors:
        *kernels, bias = [real(x) for x in weights] + ([] if old.use_bias else [np.zeros(new.bias.shape)])
        for layer, into, side in folds:
            if into == place:
                factor, offset = factors_of(find(layer))
                combine = {combine}
                *kernels, bias = combine(old, kernels, bias, factor, offset)
        weights = [*kernels, bias]
    new.set_weights(weights)
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
    sides = {fold.after for fold in plan.folds}
    kinds = {fold.kind for fold in plan.folds}
    behind = "".join(_SHAPES.values())
    functions = "".join(
        [
            *([_BEFORE] if False in sides else []),
            *([_AFTER.format(shapes=behind)] if True in sides else []),
        ]
    )
    if len(sides) == 2:
        combine = 'with_factors_behind if side == "behind" else with_factors_in_front'
    else:
        combine = "with_factors_behind" if True in sides else "with_factors_in_front"
    affine = "".join(text for kind, text in _AFFINE.items() if kind in kinds)
    folds = "".join(
        f'    ({_place(fold.layer)}, {_place(fold.into)}, "{"behind" if fold.after else "in front"}"),\n'
        for fold in plan.folds
    )
    removed = "".join(f"    {_place(place)},\n" for place in plan.removed)
    arithmetic = f'''

def real(x):
    return np.asarray(x, dtype="float64")


def find(place):
    layer = model
    for name in place:
        layer = layer.get_layer(name)
    return layer


def factors_of(layer):
    """What it does to each channel: x * factor + offset."""
{affine}    raise TypeError(layer)
{functions}'''
    weights = _WEIGHTS.format(combine=combine) if plan.folds else _COPY
    return f"""\
import keras
{"import numpy as np" if plan.folds else ""}

model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
# Names of layers, after those of the models around them: a layer, whose weights take its factor and
# offset, and on which side of that it stands.
folds = [
{folds}]
# These do nothing when the model predicts.
removed = {{
{removed}}}
gone = {{layer for layer, _, _ in folds}} | removed
takes_factors = {{into for _, into, _ in folds}}
{arithmetic if plan.folds else ""}{_REBUILD}{weights}folded.save({json.dumps(output)})
""".replace("removed = {\n}", "removed = set()")


_COPY = """\
for place, old, new in pairs:
    new.set_weights(old.get_weights())
    if hasattr(new, "finalize_state"):
        new.finalize_state()
"""


def _place(place: tuple[str, ...]) -> str:
    return "(" + "".join(json.dumps(name) + ", " for name in place).rstrip() + ")"
