"""What gives its samples one after the other: ``tf.data``, ``PyDataset``, loaders and generators."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.api.errors import Cancelled, InvalidInput, WorkbenchError
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import ModelDescription
from workbench.data.fitting import fits
from workbench.data.mapping import labelled
from workbench.data.raw import Array, Disk, Samples, check_kept, check_limit
from workbench.data.spool import Spool
from workbench.data.structures import named, of_targets
from workbench.data.where import where

MOST_ELEMENTS = 100_000
"""Elements that are read of what does not say how many it has, unless it was said how many to read."""

MOST_SECONDS = 120.0
"""How long such a one is read."""

Watch = Callable[[int], None]
"""Hears how many samples have been read; may raise to stop the reading."""


@dataclass(frozen=True)
class Bounds:
    """How much is read of what could go on for ever. None: to its end.

    Attributes:
        samples: The most samples.
        steps: The most elements, which are batches with most sources, as ``steps_per_epoch`` of Keras.
    """

    samples: int | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("samples", self.samples), ("steps", self.steps)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise InvalidInput(
                    say("{name} is {value}.", name=name, value=repr(value)[:60]),
                    say("It is a whole number above 0, or None to read everything."),
                )

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return self.samples is not None or self.steps is not None


@dataclass(frozen=True)
class _Stream:
    """A source that is about to be read.

    Attributes:
        kind: What it is, as the user knows it.
        elements: What it gives.
        steps: How many, if it says so.
        endless: Whether it says that it never ends.
    """

    kind: str
    elements: Iterable[Any]
    steps: int | None = None
    endless: bool = False


def is_tf_data(source: object) -> bool:
    """Whether a source is a ``tf.data.Dataset``."""
    # By what it can do: importing TensorFlow to ask isinstance would cost seconds and 600 MB.
    return hasattr(source, "as_numpy_iterator") and hasattr(source, "element_spec")


def is_stream(source: object) -> bool:
    """Whether a source gives its samples one after the other, and is no array, table or collection.

    Args:
        source: Anything.
    """
    if is_tf_data(source):
        return True
    if isinstance(source, str | bytes | Mapping | list | tuple | set | frozenset | range):
        return False
    if isinstance(source, type) or hasattr(source, "shape") or hasattr(source, "iloc"):
        return False
    return hasattr(source, "__next__") or hasattr(source, "__iter__") or hasattr(source, "__getitem__")


def collect(
    source: Any,
    suffix: str,
    *,
    limit_bytes: int,
    bounds: Bounds,
    model: ModelDescription | None,
    watch: Watch,
    disk: Disk | None = None,
) -> tuple[Samples, tuple[Text, ...]]:
    """Reads a source into arrays, to its end or to a bound.

    Args:
        source: What :func:`is_stream` knows. Each element is ``(x, y)`` or ``(x, y, sample_weight)``: one
            sample or, with a first axis that both share, a batch.
        suffix: How the block of samples is called.
        limit_bytes: The most memory that the values may take.
        bounds: How much is read.
        model: The model that the data are for: its inputs tell a batch from a sample where the shapes do not.
        watch: Hears how many samples have been read.
        disk: Where samples go that are too many for memory.

    Raises:
        InvalidInput: If it is empty, does not end, or gives something else than samples with labels.
        Refused: If the values take more than the limit.
    """
    stream = _opened(source)
    if stream.endless and not bounds.given:
        raise _never_ends(stream)
    features: dict[str, Spool] = {}
    labels: dict[str, Spool] = {}
    weights: dict[str, Spool] = {}
    try:
        return _collected(
            source,
            stream,
            features,
            labels,
            weights,
            suffix,
            limit_bytes=limit_bytes,
            bounds=bounds,
            model=model,
            watch=watch,
            disk=disk,
        )
    finally:
        for spool in (*features.values(), *labels.values(), *weights.values()):
            spool.close()


def _collected(
    source: Any,
    stream: _Stream,
    features: dict[str, Spool],
    labels: dict[str, Spool],
    weights: dict[str, Spool],
    suffix: str,
    *,
    limit_bytes: int,
    bounds: Bounds,
    model: ModelDescription | None,
    watch: Watch,
    disk: Disk | None,
) -> tuple[Samples, tuple[Text, ...]]:
    count = size = 0
    batched: bool | None = None
    started = time.monotonic()
    for number, element in enumerate(_guarded(stream)):
        if bounds.steps is not None and number >= bounds.steps:
            break
        if not bounds.given and stream.steps is None and number >= MOST_ELEMENTS:
            raise _did_not_end(stream, count)
        x, y, weight = _parts(element, stream)
        inputs, targets = named(x, None, limit_bytes), named(y, None, limit_bytes)
        counted = {} if weight is None else of_targets(named(weight, None, limit_bytes), targets)
        if number and set(counted) != set(weights):
            raise InvalidInput(
                say(
                    "Some elements of the {kind} have sample weights, and others have none.", kind=stream.kind
                ),
                say("Give a weight with each sample, or with none."),
            )
        if batched is None:
            batched = _is_batched(source, inputs, targets, model)
        for letter, found, kept in (
            ("x", inputs, features),
            ("y", targets, labels),
            ("w", counted, weights),
        ):
            for name, array in found.items():
                if name not in kept:  # of all that a process reads, each has a name of its own
                    kept[name] = Spool(disk if letter == "x" else None, f"{len(kept)}-{suffix}")
                kept[name].add(array if batched else array[None])
                size += array.nbytes
        first = next(iter(targets.values()))
        count += len(first) if batched and first.ndim else 1
        watch(count)
        if disk is None:
            check_limit(size, limit_bytes, stream.kind)
        else:
            check_kept(size, disk.most_bytes, stream.kind)
        if bounds.samples is not None and count >= bounds.samples:
            break
        if not bounds.given and stream.steps is None and time.monotonic() - started > MOST_SECONDS:
            raise _did_not_end(stream, count)
    if not labels:
        raise InvalidInput(say("The {kind} is empty.", kind=stream.kind), say("Each element must be (x, y)."))
    most = bounds.samples
    samples = labelled(
        {name: values.joined(most) for name, values in features.items()},
        {name: values.joined(most) for name, values in labels.items()},
        suffix,
        {name: values.joined(most) for name, values in weights.items()},
    )
    notes: list[Text] = []
    if bounds.given:
        read = count if most is None else min(count, most)
        notes.append(say("Of the {kind}, {count} samples were read.", kind=stream.kind, count=read))
    return samples, tuple(notes)


def require_end(source: Any, bounds: Bounds) -> None:
    """Refuses what says that it never ends, where it was not said how much to read of it.

    Args:
        source: What :func:`is_stream` knows; nothing is read of it.
        bounds: How much will be read.

    Raises:
        InvalidInput: With how to say it.
    """
    stream = _opened(source)
    if stream.endless and not bounds.given:
        raise _never_ends(stream)


def _opened(source: Any) -> _Stream:
    if is_tf_data(source):
        cardinality = int(source.cardinality())
        return _Stream(
            "tf.data.Dataset",
            source.as_numpy_iterator(),
            cardinality if cardinality >= 0 else None,
            cardinality == -1,
        )
    kind = type(source).__name__
    if hasattr(type(source), "num_batches") or not hasattr(source, "__iter__"):  # as Keras's PyDataset
        steps = _length(source)
        return _Stream(kind, _items(source, steps), steps, steps is None)
    return _Stream(kind, source, _length(source))


def _length(source: Any) -> int | None:
    try:
        batches = getattr(source, "num_batches", None)
        return int(batches) if batches is not None else len(source)
    except (TypeError, NotImplementedError, AttributeError):
        return None


def _items(source: Any, steps: int | None) -> Iterator[Any]:
    number = 0
    while steps is None or number < steps:
        yield source[number]
        number += 1


def _guarded(stream: _Stream) -> Iterator[Any]:
    """The elements; what the user's own code raises is told as such."""
    try:
        yield from stream.elements
    except (WorkbenchError, Cancelled):
        raise
    except Exception as error:
        raise InvalidInput(
            say(
                "The {kind} failed while it was read: {error}",
                kind=stream.kind,
                error=verbatim(f"{type(error).__name__}: {error}"[:300]),
            ),
            say("Try it by itself first, for instance with a loop over it."),
        ) from error


def _parts(element: Any, stream: _Stream) -> tuple[Any, Any, Any]:
    if isinstance(element, tuple | list) and len(element) in (2, 3) and element[1] is not None:
        return element[0], element[1], element[2] if len(element) == 3 else None
    raise InvalidInput(
        say("The {kind} gives elements of the form {form}.", kind=stream.kind, form=_form(element)[:200]),
        say("Each element must be (x, y), or (x, y, sample_weight)."),
    )


def _form(element: Any) -> str:
    """The structure of an element, such as ``{image: (28, 28), label: ()}``."""
    if isinstance(element, Mapping):
        return "{" + ", ".join(f"{key}: {_form(part)}" for key, part in element.items()) + "}"
    if isinstance(element, tuple | list) and len(element) < 10:
        return "(" + ", ".join(map(_form, element)) + ")"
    shape = getattr(element, "shape", None)
    return type(element).__name__ if shape is None else f"array {tuple(shape)}"


def _is_batched(
    source: Any, inputs: dict[str, Array], targets: dict[str, Array], model: ModelDescription | None
) -> bool:
    """Whether the first axis of all arrays of an element is the batch."""
    arrays = [*inputs.values(), *targets.values()]
    if any(array.ndim == 0 for array in arrays) or len({len(array) for array in arrays}) != 1:
        return False
    if model is not None:
        # A one-hot label can be as long as its sample: then what the model takes tells.
        as_batch, as_sample = (
            all(
                any(fits(array.shape[start:], spec.shape) for spec in model.inputs)
                for array in inputs.values()
            )
            for start in (1, 0)
        )
        if as_batch != as_sample:
            return as_batch
    return True


def _never_ends(stream: _Stream) -> InvalidInput:
    return InvalidInput(
        say("The {kind} never ends.", kind=stream.kind),
        say(
            "Say how many samples are read ({samples}) or how many batches ({steps}), or remove .repeat().",
            samples=where("samples"),
            steps=where("steps"),
        ),
    )


def _did_not_end(stream: _Stream, count: int) -> InvalidInput:
    return InvalidInput(
        say(
            "The {kind} does not say how much it gives, and had not ended after {count} samples.",
            kind=stream.kind,
            count=count,
        ),
        say(
            "Say how many samples are read ({samples}) or how many batches ({steps}).",
            samples=where("samples"),
            steps=where("steps"),
        ),
    )
