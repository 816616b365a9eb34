"""What is known of what a variant has forgotten, and whether that can be measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.api.dataset import Dataset
from workbench.api.lineage import Lineage
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import Variant
from workbench.measure.forgotten.losses import losses
from workbench.measure.forgotten.methods import method_of, plan_perturbations
from workbench.measure.forgotten.records import Drift, Forgotten, Losses, Perturbations
from workbench.measure.records import LatencyMeasurement
from workbench.store import Store
from workbench.techniques import techniques

DRIFT = "explanation drift"
ANSWERS = "perturbed answers"


def drift_kind(reference: str) -> str:
    """The kind of measurement that a drift is stored as: the maps of each reference are found by it."""
    return f"{DRIFT} {reference}"


def explanation_drift(store: Store, variant: Variant, reference: Variant) -> Drift | None:
    """The drift of a variant against another one; None until it was measured."""
    return next(iter(store.measurements(drift_kind(reference.id), variant.id, Drift)), None)


def drift_plan(
    store: Store, dataset: Dataset, variant: Variant, reference: Variant, seed: int
) -> Perturbations | Text:
    """What both are asked, or why they are not.

    Args:
        store: Where it is kept.
        dataset: The prepared data.
        variant: What is looked at.
        reference: What it is held against.
        seed: Seeds what is random.
    """
    if variant.id == reference.id:
        return say("It is held against itself: choose another variant.")
    method = method_of(reference.description, dataset.info)
    if isinstance(method, Text):
        return method
    kept = store.arrays("quality", reference.id)
    if kept is None:
        return say("{name} has not been evaluated yet.", name=reference.name)
    times = [time for one in (variant, reference) if (time := _sample_ms(store, one)) is not None]
    return plan_perturbations(method, dataset.info, kept["scores"], seed, max(times, default=None))


def _sample_ms(store: Store, variant: Variant) -> float | None:
    for measured in store.measurements("latency", variant.id, LatencyMeasurement):
        for summary in measured.summaries:
            if summary.variant == variant.id:
                return summary.p50_ms.value / summary.settings.batch
    return None


def stored_losses(
    store: Store, dataset: Dataset, variant: Variant, reference: Variant, seed: int
) -> Losses | Text:
    """The samples that are lost, from the answers that are stored, or why there are none.

    Args:
        store: Where they are kept.
        dataset: The prepared data.
        variant: What is looked at.
        reference: What it is held against.
        seed: Seeds the intervals.
    """
    if dataset.info.task != "classification":
        return say("Samples are counted as forgotten where each has one class that is right.")
    scores = []
    for one in (variant, reference):
        kept = store.arrays("quality", one.id)
        if kept is None:
            return say("{name} has not been evaluated yet.", name=one.name)
        scores.append(kept["scores"])
    labels = np.asarray(dataset.y("test"))
    weights = dataset.weights("test")
    counted = dataset.info.counted(labels)
    return losses(
        scores[0][counted],
        scores[1][counted],
        labels[counted],
        len(dataset.info.classes),
        seed=seed,
        weights=None if weights is None else weights[counted],
    )


def forgotten(
    store: Store, dataset: Dataset, variant: Variant, reference: Variant, lost: Losses | Text, seed: int
) -> Forgotten:
    """All that is known by now of what a variant has forgotten.

    Args:
        store: Where it is kept.
        dataset: The prepared data.
        variant: What is looked at.
        reference: What it is held against.
        lost: The samples that are lost, or why they are not known.
        seed: Seeds what would be drawn.
    """
    drift = explanation_drift(store, variant, reference)
    plan = None if drift is not None else drift_plan(store, dataset, variant, reference, seed)
    obstacle = plan if isinstance(plan, Text) else None
    notes: tuple[Text, ...] = ()
    if dataset.info.judged:
        notes = (
            say(
                "Samples are counted of the classes {classes} alone, those that are measured. What is looked "
                "at is compared on samples of all classes.",
                classes=tuple(verbatim(name) for name in dataset.info.judged_classes[:20]),
            ),
        )
    if obstacle is None and trained_between(store.variants(), variant, reference):
        notes = (
            *notes,
            say(
                "It was trained on the way from {name}. Training alone makes a model look at something else "
                "too, also where nothing is compressed, so not all of the drift comes of the compression.",
                name=reference.name,
            ),
        )
    return Forgotten(
        variant=variant.id,
        reference=reference.id,
        classes=dataset.info.classes,
        losses=lost if isinstance(lost, Losses) else None,
        losses_obstacle=lost if isinstance(lost, Text) else None,
        drift=drift,
        drift_obstacle=obstacle,
        notes=notes,
    )


def trained_between(variants: Sequence[Variant], variant: Variant, reference: Variant) -> bool:
    """Whether a step between two variants trained.

    Args:
        variants: All that there are.
        variant: What is looked at.
        reference: What it is held against.
    """
    known, lineage = techniques(), Lineage(variants)
    mine, theirs = lineage.of(variant), lineage.of(reference)
    shared = {one.id for one in mine} & {one.id for one in theirs}
    return any(
        step.technique in known
        and known[step.technique].trains
        and step.parameters.get("epochs") != 0  # then nothing is trained afterwards
        for step in (*mine, *theirs)
        if step.id not in shared
    )
