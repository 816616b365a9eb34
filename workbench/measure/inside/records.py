"""What is known of the layers of a file, alone and against those of another one."""

from __future__ import annotations

from typing import Literal

from workbench.api.records import Record
from workbench.api.text import Text
from workbench.api.variant import Edge, Layer
from workbench.measure.records import Interval, Measurement

Method = Literal["profiler", "counters", "cuts"]
"""Where times are from: ONNX Runtime's profiler, OpenVINO's counters, or files that end after each layer."""

Change = Literal["kept", "changed", "added"]
"""Of a layer against another file: it has one of that name with as many parameters of the same type and an
output of the same shape; one of that name that differs; none of that name."""

Agreement = Literal["measured", "equal", "not finite", "other shape"]
"""What the error of a layer's output is: a number, none, not to be told because values are not finite, or
because the two outputs cannot be put over each other."""


class Between(Record):
    """What a runtime spends that belongs to no layer of the file.

    Attributes:
        name: What the runtime calls it; empty for the call itself.
        time_ms: How long it takes.
    """

    name: str
    time_ms: Interval


class LayerTimes(Measurement):
    """How long each layer of a file takes in its runtime, and all of them together against the whole file.

    Attributes:
        variant: Identifier of the variant.
        method: Where the times are from.
        times_ms: Of each layer in the order of its description; None where it runs within another one.
        runs_in: For such a layer, the position of that one; None for all others.
        between: What belongs to no layer, such as a change of layout; part of the sum.
        sum_ms: All of them together.
        whole_ms: Median time of one call of the unchanged file, taken in turns with these times.
        floor: The A/A floor: how far from 1 the ratio of two loads of the file is.
        rounds: Rounds of the whole file.
        alone: Whether no other work of the workbench ran on the machine.
        load_average: One-minute load average at the start.
        waited: Share of its time (0-100) that the measuring process waited for a processor; None where the
            system does not say.
    """

    variant: str
    method: Method
    times_ms: tuple[Interval | None, ...]
    runs_in: tuple[int | None, ...]
    between: tuple[Between, ...] = ()
    sum_ms: Interval
    whole_ms: Interval
    floor: float
    rounds: int
    alone: bool = True
    load_average: float = 0.0
    waited: float | None = None

    @property
    def difference(self) -> float:
        """How far the sum is from the whole, as a share of the whole: -0.1 is a tenth less."""
        return self.sum_ms.value / self.whole_ms.value - 1

    @property
    def adds_up(self) -> bool:
        """Whether the sum is the whole within twice the A/A floor, or within its own interval."""
        near = abs(self.difference) <= 2 * self.floor
        return near or self.sum_ms.low <= self.whole_ms.value <= self.sum_ms.high


class LayerMatch(Record):
    """A layer of a file against its counterpart in another one.

    Attributes:
        counterpart: Position of the layer of the other file; None if there is none.
        agreement: Of their outputs; None where these were not seen.
        snr_db: Signal-to-noise ratio of the output, in decibels: 20 is an error of a tenth.
        own_db: The same of the error that arises here, as if what the layer takes were exact; None where no
            error arises.
    """

    counterpart: int | None = None
    agreement: Agreement | None = None
    snr_db: float | None = None
    own_db: float | None = None


class LayerMatches(Record):
    """The layers of a file against those of another file of the same format.

    Attributes:
        variant: Identifier of the variant.
        reference: Identifier of the variant that it was asked to be held against.
        beside: Identifier of the stored file that it was held against; None for one that was made for it.
        layers: Those of that other file.
        edges: Which of them takes what another one gives; empty where that is not known.
        matches: One for each layer of the variant.
        samples: Samples of the validation split whose outputs were compared.
        unseen: Why no outputs were compared; None where they were.
    """

    variant: str
    reference: str
    beside: str | None
    layers: tuple[Layer, ...]
    edges: tuple[Edge, ...] = ()
    matches: tuple[LayerMatch, ...]
    samples: int = 0
    unseen: Text | None = None


class InsideLayer(Layer):
    """A layer of a variant with all that is known of it.

    Attributes:
        time_ms: How long it takes; None if not measured, or where it runs within another one.
        runs_in: Name of the layer that it runs within.
        change: What became of it; None where nothing is compared.
        before: Its counterpart.
        before_ms: How long that takes; None if not measured.
        agreement: What the error of its output against the counterpart's is; None where these were not seen.
        snr_db: That error as a signal-to-noise ratio in decibels: less is worse.
        own_db: The same of what of that error arises in this layer, and not in those before it.
    """

    time_ms: Interval | None = None
    runs_in: str | None = None
    change: Change | None = None
    before: Layer | None = None
    before_ms: Interval | None = None
    agreement: Agreement | None = None
    snr_db: float | None = None
    own_db: float | None = None


class Inside(Record):
    """What is inside a variant, and how it differs from another one.

    Attributes:
        variant: Identifier of the variant.
        reference: Identifier of what it is held against; None for nothing.
        beside: Identifier of the file of the same format that stands for the reference, such as its float32
            form in LiteRT; None where it was made for the comparison and not kept.
        layers: Those of the variant.
        removed: Those that only the reference has.
        edges: Which layer takes what another one gives; empty where that is not known.
        before_edges: The same in the reference, by the positions of the counterparts here; a layer that was
            removed stands behind all others: the first of them has the position ``len(layers)``.
        file_bytes: Bytes of the variant's file; 0 if not known.
        times: How long they take; None if not measured.
        before_times: The same of the reference.
        samples: Samples whose outputs were compared.
        notes: Why something is not known.

    Example:
        >>> inside = workbench.inside("int8").wait()
        >>> worst = min(inside.layers, key=lambda layer: layer.snr_db or 200)
    """

    variant: str
    reference: str | None = None
    beside: str | None = None
    layers: tuple[InsideLayer, ...]
    removed: tuple[Layer, ...] = ()
    edges: tuple[Edge, ...] = ()
    before_edges: tuple[Edge, ...] = ()
    file_bytes: int = 0
    times: LayerTimes | None = None
    before_times: LayerTimes | None = None
    samples: int = 0
    notes: tuple[Text, ...] = ()

    @property
    def overhead_bytes(self) -> int:
        """Bytes of the file that are not weights: names, tables, the graph."""
        return self.file_bytes - sum(layer.size_bytes for layer in self.layers)

    @property
    def worst(self) -> InsideLayer | None:
        """The layer in which most error arises; None where no output differs, or none was compared."""
        broken = [one for one in self.layers if one.agreement == "not finite"]
        worse = [one for one in self.layers if one.own_db is not None]
        return next(iter(broken), min(worse, key=lambda one: one.own_db or 0.0, default=None))
