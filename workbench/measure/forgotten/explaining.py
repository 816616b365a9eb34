"""What files answer to perturbed samples, and how far the maps of two of them are apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset
from workbench.api.technique import Reporter
from workbench.api.text import say
from workbench.jobs.slot import shared_slot
from workbench.measure.child_tasks import predict_split
from workbench.measure.forgotten.perturbing import perturbing
from workbench.measure.forgotten.ranks import rank_correlation
from workbench.measure.forgotten.records import Drift, DriftedSample, Perturbations
from workbench.measure.judges import judge_of
from workbench.measure.latency import Candidate
from workbench.measure.records import Interval
from workbench.measure.sample_intervals import sample_interval

SHOWN = 6
"""Of so many samples the maps are kept."""

Scores = npt.NDArray[np.float32]


def perturbed_answers(
    report: Reporter, candidate: Candidate, dataset_folder: Path, from_logits: bool, plan: Perturbations
) -> Scores:
    """Lets a file answer to perturbed samples, as it answers to the test split.

    Args:
        report: Progress and cancellation.
        candidate: The file.
        dataset_folder: The prepared data.
        from_logits: Whether its output is raw scores.
        plan: The perturbations.

    Returns:
        The value that is explained, shape ``(samples, perturbed forms)``.

    Raises:
        InvalidInput: If the file cannot be run.
    """
    dataset = Dataset(dataset_folder)
    forms = perturbing(plan, dataset).per_sample
    count = len(plan.samples) * forms
    parts: list[Scores] = []

    def on_batch(start: int, stop: int, outputs: Scores) -> None:
        report.check()
        parts.append(outputs)
        report.progress(stop / count)

    with shared_slot(report):
        report.stage(say("Answering to perturbed samples"))
        predict_split(report, candidate, dataset, on_batch, perturbed=plan)
        labels = np.asarray(dataset.y("test"))
        # All at once: whether values can be probabilities is seen in all of them together.
        answers, _ = judge_of(dataset.info, labels, from_logits=from_logits).answers(np.concatenate(parts))
    targets = np.repeat(np.asarray(plan.targets), forms)
    explained: Scores = answers.reshape(count, -1)[np.arange(count), targets].reshape(-1, forms)
    return explained


def compare_maps(
    report: Reporter,
    variant: str,
    reference: str,
    dataset_folder: Path,
    plan: Perturbations,
    answered: dict[str, Scores],
) -> tuple[Drift, dict[str, npt.NDArray[Any]]]:
    """Holds the maps of a variant against those of the reference.

    Args:
        report: Cancellation.
        variant: Identifier of the variant.
        reference: Identifier of the reference.
        dataset_folder: The prepared data.
        plan: What both answered to.
        answered: ``variant``, ``reference`` and ``again`` to the same perturbations, the last being the
            reference once more; ``otherwise`` the reference to others, if something of them is random.

    Returns:
        The drift, and the maps of the samples that drifted most: ``before`` and ``after``.
    """
    with shared_slot(report):
        report.stage(say("Comparing what they look at"))
        dataset = Dataset(dataset_folder)
        way = perturbing(plan, dataset)
        maps = {name: way.maps(answered[name].astype(np.float64)) for name in answered if name != "otherwise"}
        if "otherwise" in answered:
            other_way = perturbing(plan.otherwise(), dataset)
            maps["otherwise"] = other_way.maps(answered["otherwise"].astype(np.float64))
    before, after = maps["reference"], maps["variant"]
    found = _correlations(before, after)
    apart = sorted((value, place) for place, value in enumerate(found) if value is not None and value < 1)
    apart = apart[:SHOWN]
    drift = Drift(
        variant=variant,
        reference=reference,
        perturbations=plan,
        per_sample=way.per_sample,
        samples=sum(value is not None for value in found),
        flat=sum(value is None for value in found),
        correlation=_mean(found, plan.seed),
        itself=_mean(_correlations(before, maps["again"]), plan.seed),
        otherwise=_mean(_correlations(before, maps["otherwise"]), plan.seed) if "otherwise" in maps else None,
        drifted=tuple(
            DriftedSample(
                index=plan.samples[place],
                correlation=value,
                target=plan.targets[place],
                peaks=(_peak(before[place]), _peak(after[place])),
            )
            for value, place in apart
        ),
    )
    shown = [place for _, place in apart]
    return drift, {"before": before[shown].astype(np.float32), "after": after[shown].astype(np.float32)}


def _correlations(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> list[float | None]:
    """Of each sample; None where there is nothing in the first map to agree with."""
    found: list[float | None] = []
    for one, other in zip(before, after, strict=True):
        agreed = rank_correlation(one, other)
        if agreed is None and rank_correlation(one, one) is not None:
            agreed = 0.0  # the answer hangs on nothing any more: to leave that out would hide the worst
        found.append(agreed)
    return found


def _peak(shown: npt.NDArray[Any]) -> tuple[int, ...]:
    return tuple(int(place) for place in np.unravel_index(np.nanargmax(shown), shown.shape))


def _mean(values: list[float | None], seed: int) -> Interval | None:
    known = np.array([value for value in values if value is not None])
    if not len(known):
        return None
    sums = np.stack([known, np.ones(len(known))], axis=1)
    return sample_interval(sums, lambda both: both[..., 0] / both[..., 1], seed=seed, bounds=(-1.0, 1.0))
