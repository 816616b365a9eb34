"""Data from a notebook: NumPy arrays, ``tf.data`` and pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.data.dataset import SplitName
from workbench.data.mapping import from_mapping, plan
from workbench.data.raw import Array, RawData, Samples, check_limit
from workbench.data.tables import from_frame
from workbench.errors import InvalidInput
from workbench.text import Text, say

_NAME = "arrays"
_SPLIT_NAMES: dict[str, SplitName] = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}


def read_arrays(source: object, *, label: str | None, limit_bytes: int) -> RawData:
    """Reads ``(x, y)``, Keras's pairs of pairs, a dict, a ``tf.data.Dataset`` or a ``DataFrame``.

    Args:
        source: ``(x, y)`` where x is an array or a dict of arrays by input name;
            ``((x_train, y_train), (x_test, y_test))`` as ``keras.datasets`` gives them, or three such pairs
            (train, validation, test); a dict with keys as in an ``.npz`` file, or with the keys ``train``,
            ``validation``, ``test`` and pairs or ``tf.data.Dataset`` objects as values; a
            ``tf.data.Dataset`` of ``(x, y)``, batched or not.
        label: Label column of a data frame.
        limit_bytes: The most memory that the values may take.

    Raises:
        InvalidInput: If the source is none of these.
        Refused: If the values take more than the limit.
    """
    if _is_frame(source):
        return from_frame(source, "table", label=label, limit_bytes=limit_bytes, source="DataFrame")
    if isinstance(source, Mapping):
        if source and all(key in _SPLIT_NAMES for key in source):
            blocks = {_SPLIT_NAMES[key]: (str(key), value) for key, value in source.items()}
            return _from_blocks(blocks, limit_bytes)
        if not all(isinstance(key, str) for key in source):
            raise _unknown(source)
        found = plan([str(key) for key in source], "The dict")
        return from_mapping({key: _array(source[key]) for key in found.keys}, found, _NAME)
    if _is_tf_data(source):
        return RawData(_NAME, {"train": _from_tf_data(source, "", limit_bytes)})
    if isinstance(source, tuple) and len(source) in (2, 3) and all(_is_block(part) for part in source):
        names: tuple[SplitName, ...] = (
            ("train", "test") if len(source) == 2 else ("train", "validation", "test")
        )
        return _from_blocks(
            {name: (name, part) for name, part in zip(names, source, strict=True)}, limit_bytes
        )
    if isinstance(source, tuple | list) and len(source) == 2:
        return RawData(_NAME, {"train": _pair(source, "")})
    raise _unknown(source)


def _is_block(part: object) -> bool:
    return _is_tf_data(part) or (isinstance(part, tuple) and len(part) == 2)


def _is_tf_data(source: object) -> bool:
    # By what it can do: importing TensorFlow to ask isinstance would cost seconds and 600 MB.
    return hasattr(source, "as_numpy_iterator") and hasattr(source, "element_spec")


def _is_frame(source: object) -> bool:
    return hasattr(source, "iloc") and hasattr(source, "columns")


def _from_blocks(blocks: Mapping[SplitName, tuple[str, object]], limit_bytes: int) -> RawData:
    splits: dict[SplitName, Samples] = {}
    for split, (suffix, part) in blocks.items():
        if _is_tf_data(part):
            splits[split] = _from_tf_data(part, suffix, limit_bytes)
        elif isinstance(part, tuple | list) and len(part) == 2:
            splits[split] = _pair(part, suffix)
        else:
            raise _unknown(part)
    if "train" not in splits:
        raise InvalidInput(
            say("There is no training data; there is: {names}.", names=", ".join(splits)),
            say('Give it under the key "train".'),
        )
    return RawData(_NAME, splits)


def _pair(pair: Any, suffix: str) -> Samples:
    x, y = pair
    if isinstance(x, Mapping):
        return Samples({str(name): _array(values) for name, values in x.items()}, _array(y), suffix)
    return Samples({"": _array(x)}, _array(y), suffix)


def _array(values: Any) -> Array:
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            say("Samples of different shapes cannot be one array: {reason}", reason=str(error)[:200]),
            say("Pad or crop them to one shape first."),
        ) from error


def _from_tf_data(source: Any, suffix: str, limit_bytes: int) -> Samples:
    """Collects a ``tf.data.Dataset`` into arrays, up to the limit."""
    spec = source.element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        raise InvalidInput(
            say("The tf.data.Dataset gives elements of the form {spec}.", spec=str(spec)[:200]),
            say("Each element must be (x, y)."),
        )
    if int(source.cardinality()) == -1:
        raise InvalidInput(
            say("The tf.data.Dataset never ends."), say("Remove .repeat(), or add .take(n) after it.")
        )
    batched = _is_batched(spec[0], spec[1])
    features: dict[str, list[Array]] = {}
    labels: list[Array] = []
    size = 0
    for element in source.as_numpy_iterator():
        x, y = element[0], element[1]
        named = dict(x) if isinstance(x, Mapping) else {"": x}
        for name, values in named.items():
            array = np.asarray(values)
            features.setdefault(str(name), []).append(array if batched else array[None])
            size += max(array.nbytes, 4 * array.size)
        labels.append(np.asarray(y) if batched else np.asarray(y)[None])
        check_limit(size, limit_bytes, "tf.data.Dataset")
    if not labels:
        raise InvalidInput(say("The tf.data.Dataset is empty."), say("Each element must be (x, y)."))
    return Samples({name: _joined(values) for name, values in features.items()}, _joined(labels), suffix)


def _joined(values: list[Array]) -> Array:
    if values[0].dtype.kind == "O":  # tf.string elements arrive as bytes objects
        values = [np.asarray(value, "S") for value in values]
    try:
        return np.concatenate(values)
    except ValueError as error:
        raise InvalidInput(
            say("Samples of different shapes cannot be one array: {reason}", reason=str(error)[:200]),
            say("Pad or crop them to one shape first."),
        ) from error


def _is_batched(x_spec: Any, y_spec: Any) -> bool:
    """Whether the first axis of both is the batch: labels have one, and it agrees with the samples'."""
    first = next(iter(x_spec.values())) if isinstance(x_spec, Mapping) else x_spec
    if y_spec.shape.rank in (None, 0) or first.shape.rank in (None, 0):
        return y_spec.shape.rank is None
    return bool(first.shape[0] == y_spec.shape[0])


def _unknown(source: object) -> InvalidInput:
    return InvalidInput(
        say("Data cannot be read from {kind}.", kind=_described(source)),
        say(
            "Use the name of a built-in data set, a path, (x, y), ((x_train, y_train), (x_test, y_test)), "
            "a dict with x_train, y_train, x_test, y_test, or a tf.data.Dataset of (x, y)."
        ),
    )


def _described(source: object) -> Text:
    kind = type(source).__name__
    if isinstance(source, tuple | list | Mapping):
        return say("a {kind} of {length}", kind=kind, length=len(source))
    return say("an object of the type {kind}", kind=kind)
