"""What the search says and does of models of which every cell was measured: files that a benchmark wrote."""

from __future__ import annotations

import statistics

import pytest

from tests.benchmarks import advisor
from tests.benchmarks.advisor_grid import grids
from workbench.advisor.demands import Demands
from workbench.advisor.priors import Measured, shipped

GRIDS = grids()


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.name)
def test_sizes_are_computed_within_two_percent(grid: Measured) -> None:
    search = advisor._search(grid, Demands(), [one for one in GRIDS if one.name != grid.name])
    search.structures.update(grid.structures)
    outlook = search.outlook()
    untried = [cell for cell in grid.cells if cell.structure is not None and cell.form is not None]
    assert len(untried) >= 30
    for cell in untried:
        real = grid.observed[cell.key].file_bytes
        assert outlook[cell.key].file_bytes.value == pytest.approx(real, rel=0.02), cell.key


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.name)
def test_the_best_is_found_in_few_trials_and_sooner_than_by_chance(grid: Measured) -> None:
    others = [one for one in GRIDS if one.name != grid.name]
    ours, chance = [], []
    for number, demands in enumerate(advisor._demands(grid)):
        if number % 3 or advisor._near(grid, demands, advisor._first(grid)):
            continue
        ours.append(advisor._trials(grid, demands, advisor._ours(grid, demands, others)))
        chance.append(advisor._trials(grid, demands, advisor._random(grid, demands, number)))
    assert ours
    assert statistics.median(ours) <= 12
    assert statistics.mean(ours) <= statistics.mean(chance)


def test_priors_are_shipped_for_what_was_measured() -> None:
    priors = shipped()
    for grid in GRIDS:
        keys = {cell.form_key for cell in grid.cells if cell.form is not None}
        assert keys <= priors.forms.keys()
        assert {cell.structure_key for cell in grid.cells} - {"-"} <= priors.structures.keys()
