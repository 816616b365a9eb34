"""A part of the openings that ``python -m tests.openings`` tries: enough that every kind has its turn."""

from __future__ import annotations

import pytest

from tests.openings.cases import draw
from tests.openings.models import INPUTS, OUTPUTS
from tests.openings.opening import try_opening

COUNT = max(len(INPUTS), len(OUTPUTS))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(COUNT))
def test_the_f1_of_an_opening_is_that_of_plain_keras(seed, tmp_path):
    outcome = try_opening(draw(seed, tmp_path), tmp_path / "workbench")

    assert outcome.agrees, str(outcome)
    assert (outcome.f1 is None) == outcome.case.asked, str(outcome)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "labels"),
    [
        (20, "numbered words in the order of their numbers"),
        (20, "texts of numbers sorted as texts"),
        (22, "texts of numbers sorted as texts"),
        (28, "texts of numbers sorted as texts"),
        (31, "numbers as texts"),
    ],
)
def test_the_order_of_classes_is_that_of_the_model(seed, labels, tmp_path):
    outcome = try_opening(draw(seed, tmp_path, labels), tmp_path / "workbench")

    assert outcome.agrees, str(outcome)
    assert outcome.f1 is not None, str(outcome)
    assert not outcome.warnings
