"""What is known of the layers of a variant, and how they differ from those of another one."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.api.lineage import Lineage
from workbench.api.text import Text, say
from workbench.api.variant import Edge, Layer, Variant
from workbench.measure.inside.records import Change, Inside, InsideLayer, LayerMatch, LayerMatches, LayerTimes
from workbench.measure.inside.times import times_obstacle
from workbench.measure.records import Interval, SizeMeasurement
from workbench.measure.trust import beside_other_work, busy
from workbench.results.layer_names import counterparts_by_name
from workbench.store import Store

TIMES = "layer times"
MATCHES = "layer matches"


def stand_in(variants: Sequence[Variant], variant: Variant, reference: Variant) -> Variant | None:
    """The stored file of a variant's format that stands for a reference; None where one has to be made.

    Args:
        variants: All that there are.
        variant: What is looked at.
        reference: What it is held against.
    """
    if reference.format == variant.format:
        return reference
    found = Lineage(variants).reference(variant.runtime) if reference.is_baseline else None
    if found is not None and found.format == variant.format and found.id != variant.id:
        return found
    return None


def match_obstacle(variants: Sequence[Variant], variant: Variant, reference: Variant) -> Text | None:
    """Why the layers of two variants cannot be put beside each other, or None."""
    if variant.id == reference.id:
        return say("It is held against itself: choose another variant.")
    if not variant.description.layers or not reference.description.layers:
        return say("Layers are not known of both files.")
    if stand_in(variants, variant, reference) is None and reference.format != "keras":
        return say(
            "Layers are compared between files of one format, or with a Keras model, which is converted for "
            "it. {name} is a file of the format {format}.",
            name=reference.name,
            format=reference.format,
        )
    return None


def layer_times(store: Store, variant: Variant, environment: str | None = None) -> LayerTimes | None:
    """The newest times of a variant's layers; None if there are none.

    Args:
        store: Where they are kept.
        variant: The variant.
        environment: Identifier of the machine that they have to be from; None for any.
    """
    found = store.measurements(TIMES, variant.id, LayerTimes)
    return next((one for one in found if environment in (None, one.environment)), None)


def layer_matches(store: Store, variant: Variant, reference: Variant) -> LayerMatches | None:
    """What is known of a variant's layers against those of another one."""
    found = store.measurements(MATCHES, variant.id, LayerMatches)
    return next((one for one in found if one.reference == reference.id), None)


def inside(store: Store, variant: Variant, reference: Variant | None) -> Inside:
    """All that is known of the layers of a variant by now.

    Args:
        store: Where it is kept.
        variant: What is looked at.
        reference: What it is held against; None for nothing.
    """
    layers = variant.description.layers
    variants = {one.id: one for one in store.variants()}
    times = layer_times(store, variant)
    known = None if reference is None else layer_matches(store, variant, reference)
    beside = variants.get(known.beside or "") if known is not None else None
    before = None if beside is None else layer_times(store, beside)
    if times is not None and before is not None and times.environment != before.environment:
        before = None
    others: Sequence[Layer | None]
    if known is not None:
        others, matches = known.layers, known.matches
    else:  # what descriptions alone tell
        named = reference.description.layers if reference is not None else ()
        others = counterparts_by_name(layers, named)
        matches = tuple(LayerMatch(counterpart=row) for row in range(len(layers)))
    taken = {match.counterpart for match in matches}
    removed = [row for row in range(len(known.layers) if known else 0) if row not in taken]
    size = next(iter(store.measurements("size", variant.id, SizeMeasurement)), None)
    return Inside(
        variant=variant.id,
        reference=None if reference is None else reference.id,
        beside=None if known is None else known.beside,
        layers=tuple(
            _layer(row, layers, times, match, others, before, compared=known is not None)
            for row, match in enumerate(matches)
        ),
        removed=tuple(known.layers[row] for row in removed) if known else (),
        edges=variant.description.edges,
        before_edges=_before_edges(known, removed) if known else (),
        file_bytes=0 if size is None else size.file_bytes,
        times=times,
        before_times=before,
        samples=0 if known is None else known.samples,
        notes=tuple(_notes(list(variants.values()), variant, reference, times, known)),
    )


def _layer(
    row: int,
    layers: Sequence[Layer],
    times: LayerTimes | None,
    match: LayerMatch,
    others: Sequence[Layer | None],
    before: LayerTimes | None,
    *,
    compared: bool,
) -> InsideLayer:
    other = None if match.counterpart is None else others[match.counterpart]
    within = None if times is None else times.runs_in[row]
    return InsideLayer(
        **layers[row].model_dump(),
        time_ms=None if times is None else times.times_ms[row],
        runs_in=None if within is None else layers[within].name,
        change=_change(layers[row], other) if compared else None,
        before=other,
        before_ms=_time_of(before, match.counterpart),
        agreement=match.agreement,
        snr_db=match.snr_db,
        own_db=match.own_db,
    )


def _before_edges(known: LayerMatches, removed: Sequence[int]) -> tuple[Edge, ...]:
    places = {match.counterpart: row for row, match in enumerate(known.matches)}
    places |= {row: len(known.matches) + at for at, row in enumerate(removed)}
    return tuple(
        edge.model_copy(
            # The inputs of the model are the same on both sides.
            update={"giver": places.get(edge.giver, edge.giver), "taker": places[edge.taker]}
        )
        for edge in known.edges
    )


def _time_of(times: LayerTimes | None, row: int | None) -> Interval | None:
    return None if times is None or row is None else times.times_ms[row]


def _change(layer: Layer, other: Layer | None) -> Change:
    if other is None:
        return "added"

    def about(one: Layer) -> tuple[object, ...]:
        return one.parameters, one.output_shape, one.precision if one.parameters else "", one.size_bytes

    return "kept" if about(layer) == about(other) else "changed"


def _notes(
    variants: Sequence[Variant],
    variant: Variant,
    reference: Variant | None,
    times: LayerTimes | None,
    known: LayerMatches | None,
) -> list[Text]:
    notes: list[Text] = []
    if (why := times_obstacle(variant.runtime, variant.format)) is not None:
        notes.append(why)
    if times is not None:
        if not times.alone:
            notes.append(beside_other_work())
        if (waiting := busy(times.waited, None)) is not None:
            notes.append(waiting)
    if reference is None:
        return notes
    if known is None:
        if (why := match_obstacle(variants, variant, reference)) is not None:
            notes.append(why)
        return notes
    beside = next((one for one in variants if one.id == known.beside), None)
    if known.beside is None:
        notes.append(
            say(
                "{reference} was converted to the format of {name} without any other change, to compare the "
                "two layer by layer.",
                reference=reference.name,
                name=variant.name,
            )
        )
    elif beside is not None and beside.id != reference.id:
        notes.append(
            say(
                "{beside}, which is {reference} as float32 in the same runtime, is what each layer is held "
                "against.",
                beside=beside.name,
                reference=reference.name,
            )
        )
    if known.unseen is not None:
        notes.append(known.unseen)
    return notes
