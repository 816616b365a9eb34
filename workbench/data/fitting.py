"""Data as the model means them: inputs by name or position, their axes, and the target that is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from math import prod

import numpy as np

from workbench.api.dataset import SplitName
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription, TensorSpec
from workbench.data.input_names import safe_name
from workbench.data.outputs import answers_often, width
from workbench.data.raw import Array, RawData, Samples
from workbench.data.where import where
from workbench.plain.outputs import plain_name

_MOST_PERMUTED = 6


def positions(count: int) -> list[str]:
    """How inputs or targets are called that came without names, in a list or tuple."""
    return [str(number) for number in range(count)]


# -- targets ------------------------------------------------------------------------------------


def with_target(raw: RawData, model: ModelDescription | None, output: str | None) -> RawData:
    """The data with the labels of one target, where the source has named ones.

    Args:
        raw: The data as read.
        model: The model that they are for: targets without names are of its outputs, in their order.
        output: The target that the user wants to be judged.

    Raises:
        InvalidInput: If there are several, and it is not clear which one is meant.
    """
    names = list(raw.splits["train"].targets)
    if not names:
        return raw
    outputs = [] if model is None else [plain_name(spec.name) for spec in model.outputs]
    called = dict(zip(names, outputs, strict=True)) if _unnamed(names) and len(names) == len(outputs) else {}
    shown = {name: called.get(name, name) for name in names}
    for samples in raw.samples():
        if list(samples.targets) != names and set(samples.targets) != set(names):
            raise InvalidInput(
                say(
                    "{split} has the targets {names}, while {first} has {first_names}.",
                    split=samples.called("y"),
                    names=tuple(samples.targets),
                    first=raw.splits["train"].called("y"),
                    first_names=tuple(names),
                ),
                say("Give every split the same targets."),
            )
    asked = [] if output is None else [output]
    if model is not None and model.output is not None:
        asked.append(plain_name(model.judged.name))
    notes: tuple[Text, ...] = ()
    found = [name for name in names if {name, shown[name]} & set(asked)]
    if len(found) == 1:
        chosen = found[0]
    elif len(names) == 1 and not (asked and shown[names[0]] in outputs):
        chosen = names[0]
    else:
        of_outputs = [name for name in names if shown[name] in outputs]
        candidates = of_outputs if len(of_outputs) == 1 else [n for n in names if _may_be_classes(raw, n)]
        if not asked and len(candidates) != 1 and len(of_outputs) > 1:
            # the first output stands for all, the first with classes where some have
            first = [name for name in of_outputs if name in candidates] or of_outputs
            candidates = sorted(first, key=lambda name: outputs.index(shown[name]))[:1]
        if asked or len(candidates) != 1:
            raise InvalidInput(
                say("The data have the targets {names}.", names=tuple(shown.values())),
                say("Name the one that is judged: {where}.", where=where("output"))
                if of_outputs or model is None
                else say("No output of the model is called so: give the labels of one target only, as y."),
            )
        chosen = candidates[0]
        notes = (
            say(
                "Of the targets {names}, {chosen} is judged: no other holds classes that the model gives.",
                names=tuple(shown.values()),
                chosen=shown[chosen],
            ),
        )
    named = None if _unnamed([*names, chosen]) and not called else shown[chosen]
    further = {
        shown[name]: replace(with_labels(raw, name), target=shown[name], notes=())
        for name in names
        if name != chosen and shown[chosen] in outputs and outputs.count(shown[name]) == 1
    }
    if further:
        judged = sorted((shown[chosen], *further), key=outputs.index)
        notes = (
            say(
                "The outputs {outputs} are judged, each by its own task; {output} stands for them in tables.",
                outputs=tuple(judged),
                output=shown[chosen],
            ),
        )
    raw = replace(with_labels(raw, chosen), notes=(*raw.notes, *notes))
    return replace(raw, target=named, further=further)


def target_names(raw: RawData) -> tuple[str, ...]:
    """The targets of data that have several and name them; else nothing."""
    names = list(raw.splits["train"].targets)
    return tuple(names) if len(names) > 1 and not _unnamed(names) else ()


def with_labels(raw: RawData, target: str) -> RawData:
    """The data with the labels and weights of one of the targets."""
    splits: dict[SplitName, Samples] = {
        split: replace(samples, y=samples.targets[target], targets={}, weights=_weights(samples, target))
        for split, samples in raw.splits.items()
    }
    return replace(raw, splits=splits)


def _weights(samples: Samples, target: str) -> dict[str, Array]:
    """The weights of samples that count for a target: its own, or those of all."""
    found = samples.weights.get(target, samples.weights.get(""))
    return {} if found is None else {"": found}


def _may_be_classes(raw: RawData, target: str) -> bool:
    """Whether the values of a target can be classes: no fractions, except in one-hot rows."""
    y = np.asarray(raw.splits["train"].targets[target])
    if y.dtype.kind != "f":
        return y.ndim <= 2
    return bool(y.ndim <= 2 and np.isfinite(y).all() and (y == np.floor(y)).all())


def judged_outputs(model: ModelDescription | None, target: str | None) -> int | None:
    """How many values the output has that the labels belong to; None if that is not clear.

    Args:
        model: The model that the data are for.
        target: Name of the target or output, if there is one.
    """
    if model is None:
        return None
    named = [spec for spec in model.outputs if plain_name(spec.name) == target]
    if model.output is not None:
        named = [model.judged]
    widths = {None if answers_often(spec) else width(spec) for spec in named or model.outputs}
    return widths.pop() if len(widths) == 1 else None


# -- inputs -------------------------------------------------------------------------------------


def fitted(raw: RawData, model: ModelDescription | None) -> RawData:
    """The data with the inputs of the model: under its names, with its axes.

    As Keras does: inputs in a list are taken in the model's order, arrays without an input are left out,
    and a last axis of length 1 is added or taken away. A row of a table that holds the pixels of a picture
    gets the picture's shape.

    Args:
        raw: The data as read.
        model: The model that they are for.

    Raises:
        InvalidInput: If an input has no array, or it is not clear which one.
    """
    if model is None or not model.inputs:
        return raw
    specs = {_called(spec, raw.inputs): spec for spec in model.inputs}
    if len(specs) < len(model.inputs):
        return raw
    chosen, notes = _by_input(raw, specs)
    splits: dict[SplitName, Samples] = {}
    for split, samples in raw.splits.items():
        if not all(name in samples.x for name in chosen.values()):
            return raw  # said by the check of the values
        splits[split] = replace(samples, x={name: samples.x[given] for name, given in chosen.items()})
    raw = replace(raw, splits=splits, notes=(*raw.notes, *notes))
    wanted = dict(zip(raw.inputs, specs.values(), strict=True)) if len(specs) == 1 else specs
    return _with_axes(raw, wanted)


def _called(spec: TensorSpec, given: Sequence[str]) -> str:
    """The name under which the data have an input, or would have it."""
    likely = (spec.name, safe_name(spec.name))
    return next((name for name in likely if name in given), safe_name(plain_name(spec.name)))


def _by_input(raw: RawData, specs: dict[str, TensorSpec]) -> tuple[dict[str, str], tuple[Text, ...]]:
    """The name of the array for each input, in the model's order, and what was done, in words."""
    names = list(raw.inputs)
    wanted = list(specs)
    if len(names) == len(wanted) == 1:
        return {("" if _unnamed(names) else names[0]): names[0]}, ()
    if all(name in names for name in wanted):
        extra = [name for name in names if name not in specs]
        notes = (
            (say("Left out, as the model has no input of that name: {names}.", names=", ".join(extra)[:200]),)
            if extra
            else ()
        )
        return {("" if len(wanted) == 1 else name): name for name in wanted}, notes
    if len(names) == len(wanted):
        if _unnamed(names):
            order = positions(len(names))
            taken = say("The inputs were taken in the model's order: {names}.", names=", ".join(wanted)[:200])
            return dict(zip(wanted, order, strict=True)), (taken,)
        fitting = _only_order(raw, names, list(specs.values()))
        if fitting is not None:
            pairs = ", ".join(f"{given} → {name}" for name, given in zip(wanted, fitting, strict=True))
            told = say("Inputs were matched by their shapes: {pairs}.", pairs=pairs[:200])
            return dict(zip(wanted, fitting, strict=True)), (told,)
    given = {
        (name or str(say("unnamed"))): values.shape[1:] for name, values in raw.splits["train"].x.items()
    }
    raise InvalidInput(
        say(
            "The model's inputs are {inputs}; the data have {arrays}.",
            inputs=", ".join(f"{name} {_shown(spec.shape)}" for name, spec in specs.items())[:300],
            arrays=", ".join(f"{name} {_shown(shape)}" for name, shape in given.items())[:300],
        ),
        say(
            "Give one array for each input: in Python a list in the model's order or a dict by name, in an "
            ".npz file x_train.<input>."
        ),
    )


def _only_order(raw: RawData, names: list[str], specs: Sequence[TensorSpec]) -> tuple[str, ...] | None:
    """The arrays in the order of the inputs, if their shapes allow one order only."""
    if len(names) > _MOST_PERMUTED:
        return None
    shapes = {name: values.shape[1:] for name, values in raw.splits["train"].x.items()}
    possible = [
        order
        for order in permutations(names)
        if all(fits(shapes[name], spec.shape) for name, spec in zip(order, specs, strict=True))
    ]
    return possible[0] if len(possible) == 1 else None


def _with_axes(raw: RawData, specs: dict[str, TensorSpec]) -> RawData:
    notes: dict[str, Text] = {}
    splits: dict[SplitName, Samples] = {}
    for split, samples in raw.splits.items():
        arrays: dict[str, Array] = {}
        for name, values in samples.x.items():
            arrays[name] = _with_shape(values, specs[name].shape, raw.tabular)
            before, after = values.shape[1:], arrays[name].shape[1:]
            if before != after:
                notes[f"{before} {after}"] = say(
                    "Samples of shape {before} became {after}, as the model takes them.",
                    before=_shown(before),
                    after=_shown(after),
                )
        splits[split] = replace(samples, x=arrays)
    return replace(raw, splits=splits, notes=(*raw.notes, *notes.values()))


def _with_shape(values: Array, wanted: tuple[int | None, ...], tabular: bool) -> Array:
    shape = values.shape[1:]
    if values.ndim == 0 or _agree(shape, wanted):
        return values
    if len(shape) == len(wanted) - 1 and wanted[-1] == 1 and _agree((*shape, 1), wanted):
        return values[..., None]
    if len(shape) == len(wanted) + 1 and shape[-1] == 1 and _agree(shape[:-1], wanted):
        return values[..., 0]
    if tabular and len(shape) == 1 and all(wanted) and prod(size or 0 for size in wanted) == shape[0]:
        return values.reshape(len(values), *(size or 0 for size in wanted))
    return values


def fits(shape: tuple[int | None, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether samples of a shape can be given to an input, as Keras does, with or without a last axis of 1.

    Args:
        shape: Of one sample; None for a length that is not known.
        wanted: Of the input, without the batch; None where any length is taken.
    """
    if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
        shape = (*shape, 1)
    elif len(shape) == len(wanted) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    return _agree(shape, wanted)


def _agree(shape: tuple[int | None, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        None in (size, want) or size == want for size, want in zip(shape, wanted, strict=True)
    )


def _unnamed(names: Sequence[str]) -> bool:
    return set(names) == set(positions(len(set(names)))) or list(names) == [""]


def _shown(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
