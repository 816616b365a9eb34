"""What is said of a drift: nothing that was not measured, and what else may explain it."""

from __future__ import annotations

import pytest

from tests.widgets.result_rows import variant
from workbench.measure.forgotten.records import Drift, DriftedSample, Perturbations
from workbench.measure.records import Interval
from workbench.results.forgotten import trained_between
from workbench.results.forgotten_words import correlation, drift_notes, drift_rows, peak_words


def test_only_a_step_between_the_two_that_trained_counts() -> None:
    base, made = variant("a", "a"), variant("b", "b", "quantization.int8", "a")
    pruned = variant("c", "c", "structure.pruning", "a").model_copy(update={"parameters": {"epochs": 5}})
    quantized = variant("d", "d", "quantization.int8", "c")
    untrained = pruned.model_copy(update={"id": "e", "parameters": {"epochs": 0}})
    every = (base, made, pruned, quantized, untrained)
    assert not trained_between(every, made, base)
    assert trained_between(every, pruned, base)
    assert trained_between(every, quantized, made)
    assert not trained_between(every, quantized, pruned)
    assert not trained_between(every, untrained, base)


@pytest.mark.parametrize(
    ("value", "written"), [(1.0, "1.0000"), (0.99998, "0.9999…"), (0.9523, "0.9523"), (-0.2, "\u22120.2000")]
)
def test_what_is_not_exactly_one_is_never_written_so(value: float, written: str) -> None:
    assert correlation(value) == written


def test_where_nothing_is_random_there_is_no_second_number_to_hold_it_against() -> None:
    plan = Perturbations(method="tokens", samples=(7,), targets=(1,), count=1, seed=0)
    drift = Drift(
        variant="a",
        reference="b",
        perturbations=plan,
        per_sample=6,
        samples=1,
        flat=2,
        correlation=Interval(value=0.5, low=0.25, high=0.75),
        itself=Interval(value=1, low=1, high=1),
        otherwise=None,
        drifted=(DriftedSample(index=7, correlation=0.5, target=1, peaks=((0,), (3,))),),
    )
    assert drift_rows(drift, "A", "B") == [
        ["A against B, same perturbations", "0.5000", "[0.2500, 0.7500]"],
        ["B against itself, same perturbations", "1.0000", "exact"],
    ]
    said = " ".join(str(line) for line in drift_notes(drift))
    assert "Nothing is drawn at random" in said
    assert "2 samples" in said
    assert str(peak_words(drift, 0)) == "Most important token: 1 → 4"
