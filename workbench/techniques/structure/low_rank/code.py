"""Low-rank factorization as plain Keras code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.techniques.structure.low_rank.ranks import ENERGIES
from workbench.training import training_code
from workbench.training.fine_tuning import saving_code
from workbench.training.kernel_choice import names

if TYPE_CHECKING:
    from workbench.techniques.structure.low_rank.low_rank import LowRankParameters

_LAYERS = """\
def leaves(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        else:
            yield layer


def einsum(layer):
    \"\"\"Inputs, kernel and outputs of the equation, if it is a product of matrices.\"\"\"
    operands, _, result = layer.equation.replace(" ", "").partition("->")
    given, _, kernel = operands.partition(",")
    summed = {letter for letter in kernel if letter not in result}
    plain = "." not in kernel and len(set(kernel)) == len(kernel) and 0 < len(summed) < len(kernel)
    if not plain or any((letter in given) != (letter in summed) for letter in kernel):
        return None
    return given, kernel, result


def wanted(layer):
    if type(layer) not in ({kinds}) or not layer.trainable or layer.name in {leave}:
        return False
    if isinstance(layer, keras.layers.EinsumDense):
        return einsum(layer) is not None
    return getattr(layer, "groups", 1) == 1
"""

_FACTORS = """\
def tucker(layer):
    is_tucker = isinstance(layer, keras.layers.Conv2D) and layer.kernel_size != (1, 1)
    return {tucker} and is_tucker


def axes(layer):
    \"\"\"The axes of the kernel that the first factor takes in and the last gives out.\"\"\"
    if isinstance(layer, keras.layers.EinsumDense):
        _, kernel, result = einsum(layer)
        rows = [axis for axis, letter in enumerate(kernel) if letter not in result]
        return rows, [axis for axis in range(len(kernel)) if axis not in rows]
    if isinstance(layer, keras.layers.Conv1D):
        return [0, 1], [2]
    if isinstance(layer, keras.layers.Conv2D):
        return ([0, 1, 2], [3]) if layer.kernel_size == (1, 1) else ([0, 2], [1, 3])
    return [0], [1]


def decomposed(layer):
    kernel = layer.kernel.numpy().astype("float64")
    if tucker(layer):
        return [
            np.linalg.svd(np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1), full_matrices=False)
            for axis in (2, 3)
        ]
    rows, columns = axes(layer)
    height = np.prod([kernel.shape[axis] for axis in rows])
    return [np.linalg.svd(kernel.transpose(rows + columns).reshape(height, -1), full_matrices=False)]


def at_energy(parts, share):
    ranks = []
    for _, values, _ in parts:
        squares = np.cumsum(values**2)
        if share >= 1 or squares[-1] == 0:
            ranks.append(len(values) if share >= 1 else 1)
        else:
            ranks.append(int(np.searchsorted(squares, share * squares[-1] * (1 - 1e-12))) + 1)
    return tuple(ranks)


def size(layer, parts, ranks):
    if tucker(layer):
        height, width, inputs, outputs = layer.kernel.shape
        return inputs * ranks[0] + height * width * ranks[0] * ranks[1] + ranks[1] * outputs
    (left, _, right), = parts
    return ranks[0] * (len(left) + right.shape[1])


def factors(layer, parts, ranks):
    if tucker(layer):
        kernel = layer.kernel.numpy().astype("float64")
        first, last = parts[0][0][:, : ranks[0]], parts[1][0][:, : ranks[1]]
        core = np.einsum("hwio,ir,os->hwrs", kernel, first, last, optimize=True)
        return [first[None, None], core, last.T[None, None]]
    (left, values, right), = parts
    root = np.sqrt(values[: ranks[0]])
    return [left[:, : ranks[0]] * root, root[:, None] * right[: ranks[0]]]


def split(layer, ranks):
    \"\"\"Layers that do together what one did; the last has its name, bias and activation.\"\"\"
    config = layer.get_config()
    own = ["kernel_constraint", "bias_constraint", "bias_initializer", "bias_regularizer"]
    own += ["activity_regularizer", "quantization_config"]
    plain = {key: value for key, value in config.items() if key not in own}
    plain["activation"] = None
    if "use_bias" in plain:
        plain["use_bias"] = False
    config.pop("kernel_constraint", None)

    def first(ending, **changes):
        return layer.__class__.from_config(plain | {"name": layer.name + ending} | changes)

    def last(**changes):
        return layer.__class__.from_config(config | changes)

    once = {"kernel_size": 1, "strides": 1, "dilation_rate": 1}
    if isinstance(layer, keras.layers.EinsumDense):
        given, kernel, result = einsum(layer)
        summed = "".join(letter for letter in kernel if letter not in result)
        rest = "".join(letter for letter in kernel if letter in result)
        free = next(letter for letter in "zyxwvutsrqponmlkjihgfedcba" if letter not in layer.equation)
        kept = "".join(letter for letter in given if letter not in summed)
        lengths = dict(zip(reversed(given.replace("...", "")), reversed(layer.input.shape)))
        shape = [lengths.get(letter) for letter in kept.replace("...", "")]
        shape = shape if given.startswith("...") else shape[1:]
        equation = f"{given},{summed}{free}->{kept}{free}"
        return [
            first("_in", equation=equation, output_shape=(*shape, ranks[0]), bias_axes=None),
            last(equation=f"{kept}{free},{free}{rest}->{result}"),
        ]
    if isinstance(layer, keras.layers.Dense):
        return [first("_in", units=ranks[0]), last()]
    if isinstance(layer, keras.layers.Conv1D):
        return [first("_in", filters=ranks[0]), last(**once)]
    if layer.kernel_size == (1, 1):
        return [first("_in", filters=ranks[0]), last(strides=1)]
    if tucker(layer):
        return [first("_in", filters=ranks[0], **once), first("_core", filters=ranks[1]), last(**once)]
    (height, width), (down, across), (apart, aside) = layer.kernel_size, layer.strides, layer.dilation_rate
    return [
        first(
            "_column",
            filters=ranks[0],
            kernel_size=(height, 1),
            strides=(down, 1),
            dilation_rate=(apart, 1),
        ),
        last(kernel_size=(1, width), strides=(1, across), dilation_rate=(1, aside)),
    ]


def rebuilt(model, made):
    def parts(layer):
        if id(layer) not in made:
            if isinstance(layer, keras.Model):
                made[id(layer)] = layer, [rebuilt(layer, made)]
            elif id(layer) in ranks:
                made[id(layer)] = layer, split(layer, ranks[id(layer)])
            else:
                made[id(layer)] = layer, [layer.__class__.from_config(layer.get_config())]
        return made[id(layer)][1]

    if isinstance(model, keras.Sequential):
        given = model.inputs[0]
        name = given._keras_history.operation.name
        start = keras.Input(batch_shape=given.shape, dtype=given.dtype, name=name)
        layers = [start] + [new for old in model.layers for new in parts(old)]
        return keras.Sequential(layers, name=model.name)

    def call(new, *arguments, **named):
        result = new[0](*arguments, **named)
        for layer in new[1:]:
            result = layer(result)
        return result

    return keras.models.clone_model(model, clone_function=parts, call_function=call)
"""

_WEIGHTS = """\


def total(share):
    sizes = [size(layer, known[id(layer)], at_energy(known[id(layer)], share)) for layer in chosen]
    return others + sum(min(one, layer.kernel.numpy().size) for one, layer in zip(sizes, chosen))


others = model.count_params() - sum(layer.kernel.numpy().size for layer in chosen)
low, high = 0.0, 1.0
for _ in range(40):
    middle = (low + high) / 2
    if total(middle) <= {weights} * model.count_params():
        low = middle
    else:
        high = middle
energy = low
"""

_SENSITIVITY = """\


def product(layer, parts, ranks):
    if tucker(layer):
        first, core, last = [part.astype("float32") for part in factors(layer, parts, ranks)]
        return np.einsum("ir,hwrs,so->hwio", first[0, 0], core, last[0, 0], optimize=True)
    (left, values, right), = parts
    order = sum(axes(layer), [])
    matrix = (left[:, : ranks[0]] * values[: ranks[0]]) @ right[: ranks[0]]
    shape = [layer.kernel.shape[axis] for axis in order]
    return matrix.reshape(shape).transpose(np.argsort(order)).astype("float32")


def f1():
    scores = model.predict({features}, batch_size=256, verbose=0)
    classes = scores[:, 0] > {threshold} if scores.shape[-1] == 1 else scores.argmax(-1)
    return f1_score(data["y_validation"], classes, average="macro", zero_division=0.0)


whole, ranks = f1(), {}
for layer in chosen:
    parts, kernel, fitting = known[id(layer)], layer.kernel.numpy(), []
    for tried in dict.fromkeys(at_energy(parts, share) for share in {energies}):
        if size(layer, parts, tried) < kernel.size:
            layer.kernel.assign(product(layer, parts, tried))
            if whole - f1() <= {tolerance}:
                fitting.append(tried)
    layer.kernel.assign(kernel)
    if fitting:
        ranks[id(layer)] = min(fitting, key=lambda one: size(layer, parts, one))
"""

_BY_ENERGY = """\

ranks = {}
for layer in chosen:
    wanted_ranks = at_energy(known[id(layer)], energy)
    if size(layer, known[id(layer)], wanted_ranks) < layer.kernel.numpy().size:
        ranks[id(layer)] = wanted_ranks
"""

_SPLIT = """\

made = {}
smaller = rebuilt(model, made)
for layer, new in made.values():
    if id(layer) in ranks:
        kernels = factors(layer, known[id(layer)], ranks[id(layer)])
        shape = new[-1].kernel.shape
        if len(shape) == 4 and len(kernels) == 2:
            kernels[1] = kernels[1].reshape(shape[2], shape[1], shape[3]).transpose(1, 0, 2)
        for one, kernel in zip(new[:-1], kernels):
            one.set_weights([kernel.reshape(one.kernel.shape)])
        new[-1].set_weights([kernels[-1].reshape(shape)] + layer.get_weights()[1:])
    elif not isinstance(layer, keras.Model) and getattr(layer, "weights", ()):
        new[0].set_weights(layer.get_weights())
"""


def low_rank_code(variant: Variant, parameters: LowRankParameters, paths: CodePaths) -> str:
    """Plain Keras code that splits layers and fine-tunes the model.

    Args:
        variant: The parent.
        parameters: The technique's.
        paths: The files.
    """
    kinds = {
        "all": ("Dense", "EinsumDense", "Conv1D", "Conv2D"),
        "dense": ("Dense", "EinsumDense"),
        "convolutions": ("Conv1D", "Conv2D"),
    }[parameters.layers]
    layers = _LAYERS.replace("{kinds}", ", ".join(f"keras.layers.{kind}" for kind in kinds)).replace(
        "{leave}", json.dumps(list(names(parameters.leave)))
    )
    by_sensitivity = parameters.choose == "sensitivity"
    if by_sensitivity:
        choice = (
            _SENSITIVITY.replace("{features}", _features(variant))
            .replace("{threshold}", "0.0" if variant.description.from_logits else "0.5")
            .replace("{energies}", str(ENERGIES))
            .replace("{tolerance}", str(parameters.tolerance))
        )
    elif parameters.choose == "weights":
        choice = _WEIGHTS.replace("{weights}", str(parameters.weights)) + _BY_ENERGY
    else:
        choice = f"energy = {parameters.energy}\n{_BY_ENERGY}"
    training = ""
    if parameters.epochs:
        fit = training_code("smaller", variant, parameters, callbacks=["preserve(smaller)"])
        training = f"\n\nfrom plain.keras.preserving import preserve\n\n{fit}\n"
    return f"""\
import keras
import numpy as np
{"from sklearn.metrics import f1_score" if by_sensitivity else ""}
model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
data = np.load({json.dumps(paths.data)})


{layers}

{_FACTORS.replace("{tucker}", str(parameters.convolutions == "tucker"))}

chosen = [layer for layer in leaves(model) if wanted(layer)]
known = {{id(layer): decomposed(layer) for layer in chosen}}
{choice}{_SPLIT}{training}\
{saving_code("smaller", paths, parameters.epochs)}"""


def _features(variant: Variant) -> str:
    inputs = [spec.name for spec in variant.description.inputs]
    if len(inputs) == 1:
        return 'data["x_validation"]'
    return "{" + ", ".join(f"{name!r}: data[{f'x_validation.{name}'!r}]" for name in inputs) + "}"
