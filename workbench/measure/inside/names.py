"""What the layers of a file are called, so that they are found in another file of the same format."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from workbench.api.variant import Layer
from workbench.measure.intermediate_tensors import Step, litert_steps, onnx_steps

OUTPUTS = ("StatefulPartitionedCall", "Identity")
"""What converters call the output of a model."""
_NUMBERED = re.compile(r"__\d+(:\d+)?$")
"""Names that the ONNX converter numbers: the same one may mean another tensor in another file."""
_GENERATED = re.compile(r"__\d+$|^[A-Z][A-Za-z]+_\d{2,}$")
"""Names of operations that a converter made up."""
_PRODUCT = re.compile(r"convolution|depthwise|separable|MatMul|Cast|Tensordot|einsum|Conv", re.IGNORECASE)
"""What computes with the weights of a layer, in the names of these weights."""
_PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_FURTHEST_BACK = 5
ACTIVATIONS = frozenset({"Clip", "Elu", "HardSigmoid", "HardSwish", "LeakyRelu", "Relu", "Sigmoid", "Tanh"})
_ROUNDED = frozenset({"QUANTIZE", "QuantizeLinear", "DynamicQuantizeLinear"})
_ROUNDING = _ROUNDED | {"DEQUANTIZE", "DequantizeLinear", "Cast"}
_QUANTIZED = re.compile(r"(_dequant|_QuantizeLinear_Input|_DequantizeLinear_Output|_quant)$")


def steps_of(path: Path, layers: Sequence[Layer]) -> list[Step]:
    """The operations of a file, with the tensors that they give.

    Args:
        path: The file.
        layers: Its layers, as described; what stands for the operations of other formats.
    """
    if path.suffix == ".tflite":
        return litert_steps(path)
    if path.suffix == ".onnx":
        from workbench.models.reading.onnx_graph import read_onnx

        return onnx_steps(read_onnx(path))
    return [Step(layer.kind, (), layer.name, layer.name) for layer in layers]


def step_of_each_layer(layers: Sequence[Layer], steps: Sequence[Step]) -> list[int | None]:
    """The position of the operation that each described layer is; both come in the same order.

    A description leaves out operations that only widen a constant.
    """
    found: list[int | None] = []
    start = 0
    for layer in layers:
        places = range(start, len(steps))
        place = next(
            (at for at in places if (steps[at].name, steps[at].kind) == (layer.name, layer.kind)), None
        )
        found.append(place)
        start = start if place is None else place + 1
    return found


def counterparts(mine: Sequence[Step], theirs: Sequence[Step]) -> list[int | None]:
    """The position of the operation of another file that each of these corresponds to.

    First by the layer that their weights are called after: where an activation was taken out, a convolution
    gives what is called after it. Then by the whole name of what they give, then without the model's name and
    the counters that converters put behind the names of layers. A name that stands for several is put beside
    none.

    Args:
        mine: Operations, in order of execution.
        theirs: Those of the other file.
    """
    found: list[int | None] = [None] * len(mine)
    for key in (_weights, _whole, _bare, _of_rounding):
        taken = set(found)
        left = {row: key(step) for row, step in enumerate(mine) if found[row] is None}
        free = {row: key(step) for row, step in enumerate(theirs) if row not in taken}
        often, others = Counter(left.values()), Counter(free.values())
        places = {name: row for row, name in free.items() if name and others[name] == 1}
        for row, name in left.items():
            if name and often[name] == 1 and name in places:
                found[row] = places[name]
    _step_back(found, mine, theirs)
    _pair_generated(found, mine, theirs)
    return found


def _step_back(found: list[int | None], mine: Sequence[Step], theirs: Sequence[Step]) -> None:
    """Puts a product beside a product, where the activation behind it was taken out and left it its name."""
    giver = {step.output: row for row, step in enumerate(theirs)}
    for row, other in enumerate(found):
        kind = _plain_kind(mine[row])
        if other is None or kind not in _PRODUCTS:
            continue
        back: int | None = other
        for _ in range(_FURTHEST_BACK):
            if back is None or _plain_kind(theirs[back]) == kind:
                break
            back = giver.get(theirs[back].inputs[0]) if theirs[back].inputs else None
        if back is not None and back not in found and _plain_kind(theirs[back]) == kind:
            found[row] = back


def tensor_beside(step: Step, counterpart: Step, theirs: Sequence[Step]) -> str:
    """The tensor of the other file that an operation's output corresponds to.

    Args:
        step: The operation.
        counterpart: Its counterpart.
        theirs: All operations of the other file.
    """
    name = _whole(step)
    if name and _plain_kind(step) in _PRODUCTS and name != _whole(counterpart):
        # It was made one with all up to the activation that it is called after, which is no more.
        called = next((one for one in theirs if _whole(one) == name and one.kind in ACTIVATIONS), None)
        if called is not None:
            return called.inputs[0]
    return counterpart.output


def _plain_kind(step: Step) -> str:
    return step.kind.removeprefix("QLinear").removesuffix("Integer")


def _pair_generated(found: list[int | None], mine: Sequence[Step], theirs: Sequence[Step]) -> None:
    """Pairs operations with generated names by their order, where the same kinds stand between two pairs."""
    # From pair to pair; what is in another order there lies in no gap.
    anchors = [(-1, -1)]
    for row, other in enumerate(found):
        if other is not None and other > anchors[-1][1]:
            anchors.append((row, other))
    taken = set(found)
    for (begin, start), (end, stop) in zip(anchors, [*anchors[1:], (len(mine), len(theirs))], strict=True):
        left = [row for row in range(begin + 1, end) if found[row] is None]
        free = [row for row in range(start + 1, stop) if row not in taken]
        steps = [mine[row] for row in left] + [theirs[row] for row in free]
        alike = [mine[row].kind for row in left] == [theirs[row].kind for row in free]
        if alike and all(_GENERATED.search(step.name) for step in steps):
            for row, other in zip(left, free, strict=True):
                found[row] = other


def readable(name: str) -> str:
    """A name without what a converter has put around it: ``model_1/conv_1/Relu`` is ``conv/Relu``."""
    whole = name.partition(";")[0].partition(":")[0]
    if name.startswith(OUTPUTS):
        return "output"
    parts = whole.split("/")
    return whole if len(parts) < 3 else "/".join([*map(_uncounted, parts[1:-1]), parts[-1]])


def _whole(step: Step) -> str:
    """The name of a fused tensor is that of its outermost part; quantizing adds to it."""
    return "" if step.kind in _ROUNDING else _tensor(step)


def _of_rounding(step: Step) -> str:
    """What only rounds, or widens again, gives way to what computed the same tensor."""
    return _tensor(step) if step.kind in _ROUNDING - _ROUNDED else ""


def _tensor(step: Step) -> str:
    name = _QUANTIZED.sub("", step.output.partition(";")[0])
    return "" if _NUMBERED.search(name) else name


def _bare(step: Step) -> str:
    whole = _whole(step)
    if whole.startswith(OUTPUTS):
        return "output"
    parts = whole.partition(":")[0].split("/")
    if len(parts) < 3:
        return ""
    return "/".join([*(_uncounted(part) for part in parts[1:-1]), re.sub(r"\d+$", "", parts[-1])])


def _weights(step: Step) -> str:
    if step.kind in _ROUNDING:
        return ""
    for name in step.inputs[1:]:
        parts = name.partition(";")[0].split("/")
        at = next((at for at, part in enumerate(parts) if _PRODUCT.match(part)), 0)
        if at > 1:
            return "/".join(_uncounted(part) for part in parts[1:at])
    return ""


def _uncounted(part: str) -> str:
    return re.sub(r"_\d+$", "", part)
