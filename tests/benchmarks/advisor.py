"""The advisor's search replayed on models of which every stack was measured, against random and Optuna's.

    python -m tests.benchmarks advisor

For each of 30 demands a model: how many trials it takes until the best that was found is within 5 % of the
best that there is. Every method is given the same first measurements, the model as it came in every form, for
nothing; where they hold an answer already, the demand is counted apart. The search knows priors of the
*other* models only. Whoever does not find it has tried all cells. Optuna comes with
``pip install 'neural-workbench[benchmarks]'``.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tests.benchmarks.advisor_grid import grids
from workbench.advisor.besides import shipped_besides
from workbench.advisor.cells import Cell
from workbench.advisor.demands import Demands
from workbench.advisor.ledger import Observation
from workbench.advisor.priors import Measured, learned
from workbench.advisor.search import Search, Start

DEMANDS = 30
NEAR = 0.05
SEEDS = 5
_FORM_S, _TRAINING_S = 12.0, 20.0
"""Seconds of a conversion with its measurements; and at least so many of a training."""

Tries = Iterator[str]


def main() -> None:
    measured = grids()
    if not measured:
        print("skipped: no grid was measured; python -m tests.benchmarks.advisor_grid does")
        return
    for grid in measured:
        others = [one for one in measured if one.name != grid.name]
        print(f"\n{grid.name}: {len(grid.observed)} cells; {grid.machine}")
        _calibration(grid, others)
        _table(grid, others)


def _table(grid: Measured, others: Sequence[Measured]) -> None:
    demands = list(_demands(grid))
    methods: dict[str, Callable[[Measured, Demands, int], Tries]] = {
        "this search": lambda grid, demands, seed: _ours(grid, demands, others),
        "random": _random,
        **_optuna(),
    }
    print(
        "\n| | demands | median trials | mean | 90th percentile | found within 12 | answered by the first "
        "measurements |\n|---|---|---|---|---|---|---|"
    )
    for name, method in methods.items():
        counts: list[float] = []
        at_once = 0
        for one in demands:
            if _near(grid, one, _first(grid)):
                at_once += 1
                continue
            seeds = range(1 if name == "this search" else SEEDS)
            counts += [_trials(grid, one, method(grid, one, seed)) for seed in seeds]
        if not counts:
            print(f"| {name} | {len(demands)} | - | - | - | - | {at_once} |")
            continue
        within = 100 * statistics.mean(count <= 12 for count in counts)
        print(
            f"| {name} | {len(demands)} | {statistics.median(counts):.0f} | {statistics.mean(counts):.1f} | "
            f"{np.percentile(counts, 90):.0f} | {within:.0f} % | {at_once} |",
            flush=True,
        )


def _calibration(grid: Measured, others: Sequence[Measured]) -> None:
    """How often the interval of a latency holds what is measured, and how far off sizes are, untried."""
    search = _search(grid, Demands(), others)
    search.structures.update(grid.structures)
    outlook = search.outlook()
    trained = [cell for cell in grid.cells if cell.structure is not None and cell.form is not None]
    held = [
        outlook[cell.key].ms.low <= grid.observed[cell.key].ms.value <= outlook[cell.key].ms.high  # type: ignore[union-attr]
        for cell in trained
    ]
    off = [
        abs(outlook[cell.key].file_bytes.value / grid.observed[cell.key].file_bytes - 1) for cell in trained
    ]
    print(
        f"before any of {len(trained)} was tried: latency within its interval (80 %) in "
        f"{100 * statistics.mean(held):.0f} %; size off by {100 * statistics.median(off):.1f} % in the "
        f"median, {100 * max(off):.1f} % at most, "
        f"{100 * statistics.mean(one <= 0.02 for one in off):.0f} % within 2 %"
    )


def _demands(grid: Measured) -> Iterator[Demands]:
    """Demands that something in the grid meets, and not everything."""
    random = np.random.default_rng(0)
    ones = list(grid.observed.values())
    sizes = [one.file_bytes / 1000 for one in ones]
    times = [one.ms.value for one in ones if one.ms is not None]
    made = 0
    while made < DEMANDS:
        kind = made % 3
        demands = Demands(
            size_kb=round(float(np.quantile(sizes, random.uniform(0.02, 0.5))), 2) if kind != 1 else None,
            latency_ms=round(float(np.quantile(times, random.uniform(0.02, 0.5))), 6) if kind != 0 else None,
            loss_points=round(float(random.uniform(0.2, 3)), 1),
        )
        if _best(grid, demands) is not None:
            made += 1
            yield demands


def _trials(grid: Measured, demands: Demands, tries: Tries) -> int:
    known = set(_first(grid))
    count = 0
    for key in tries:
        if key in known:
            continue
        count += 1
        known |= {key, *_alone(grid, key)}
        if _near(grid, demands, known):
            return count
    return len(grid.observed) - len(_first(grid))


def _first(grid: Measured) -> list[str]:
    return [cell.key for cell in grid.cells if cell.structure is None]


def _alone(grid: Measured, key: str) -> list[str]:
    """What is measured on the way to a cell: its structure in Keras."""
    structure = next(cell.structure_key for cell in grid.cells if cell.key == key)
    return [cell.key for cell in grid.cells if cell.structure_key == structure and cell.form is None]


def _truth(grid: Measured, demands: Demands) -> Search:
    search = Search(demands, grid.cells, Start(grid.layers, grid.file_bytes, grid.ms), learned([]))
    search.observed.update(grid.observed)
    return search


def _best(grid: Measured, demands: Demands) -> float | None:
    truth = _truth(grid, demands)
    ranking = truth.ranking()
    return truth.value(ranking[0]) if ranking else None


def _near(grid: Measured, demands: Demands, known: Sequence[str] | set[str]) -> bool:
    truth, best = _truth(grid, demands), _best(grid, demands)
    assert best is not None
    return any(
        truth.meets(key) and truth.value(key) <= best + math.log(1 + NEAR)
        for key in known
        if key in grid.observed
    )


def _search(grid: Measured, demands: Demands, others: Sequence[Measured]) -> Search:
    search = Search(
        demands,
        grid.cells,
        Start(grid.layers, grid.file_bytes, grid.ms),
        learned(others),
        grid.remains,
        besides=shipped_besides().without(grid.name),
    )
    search.observed.update({key: grid.observed[key] for key in _first(grid) if key in grid.observed})
    return search


def _ours(grid: Measured, demands: Demands, others: Sequence[Measured]) -> Tries:
    search = _search(grid, demands, others)

    def cost(cell: Cell) -> float:
        trained = cell.structure is None or cell.structure_key in search.structures
        return _FORM_S + (0.0 if trained else max(_TRAINING_S, grid.costs_s.get(cell.structure_key, 0.0)))

    for trainings in (False, True):
        while (cell := search.propose(cost, trainings=trainings)) is not None:
            for key in (*_alone(grid, cell.key), cell.key):
                search.observed[key] = grid.observed[key]
            if cell.structure_key in grid.structures:
                search.structures[cell.structure_key] = grid.structures[cell.structure_key]
            yield cell.key


def _random(grid: Measured, demands: Demands, seed: int) -> Tries:
    keys = [cell.key for cell in grid.cells]
    yield from (keys[place] for place in np.random.default_rng(seed).permutation(len(keys)))


def _optuna() -> dict[str, Callable[[Measured, Demands, int], Tries]]:
    try:
        import optuna
    except ModuleNotFoundError:
        print("(Optuna is not installed: its methods are left out.)")
        return {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def constraints(trial: Any) -> Any:
        return trial.user_attrs["constraints"]

    def samplers(seed: int) -> dict[str, Any]:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return {
                "Optuna TPE": optuna.samplers.TPESampler(seed=seed, constraints_func=constraints),
                "Optuna NSGA-II": optuna.samplers.NSGAIISampler(
                    seed=seed, population_size=10, constraints_func=constraints
                ),
            }

    def method(name: str) -> Callable[[Measured, Demands, int], Tries]:
        return lambda grid, demands, seed: _asked(optuna, samplers(seed)[name], grid, demands)

    return {name: method(name) for name in samplers(0)}


def _asked(optuna: Any, sampler: Any, grid: Measured, demands: Demands) -> Tries:
    """What one of Optuna's methods tries, told the same first measurements."""
    truth = _truth(grid, demands)
    by_parts = {(cell.structure_key, cell.form_key): cell for cell in grid.cells}
    space = {
        "structure": optuna.distributions.CategoricalDistribution(sorted({parts[0] for parts in by_parts})),
        "form": optuna.distributions.CategoricalDistribution(sorted({parts[1] for parts in by_parts})),
    }
    study = optuna.create_study(sampler=sampler)
    for key in _first(grid):
        cell = next(one for one in grid.cells if one.key == key)
        study.add_trial(
            optuna.trial.create_trial(
                params={"structure": cell.structure_key, "form": cell.form_key},
                distributions=space,
                value=truth.value(key),
                user_attrs={"constraints": _violated(truth, grid.observed[key], demands)},
                system_attrs={"constraints": _violated(truth, grid.observed[key], demands)},
            )
        )
    for _ in range(6 * len(grid.cells)):
        trial = study.ask(space)
        cell = by_parts.get((trial.params["structure"], trial.params["form"]))
        if cell is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        trial.set_user_attr("constraints", _violated(truth, grid.observed[cell.key], demands))
        study.tell(trial, truth.value(cell.key))
        yield cell.key


def _violated(truth: Search, one: Observation, demands: Demands) -> list[float]:
    """By how much each demand is broken; at most 0 where it is met."""
    assert one.ms is not None
    assert one.change is not None
    broken = [-one.change.value - truth.bound]
    if demands.size_kb is not None:
        broken.append(math.log(one.file_bytes / (1000 * demands.size_kb)))
    if demands.latency_ms is not None:
        broken.append(math.log(one.ms.value / demands.latency_ms))
    return broken


if __name__ == "__main__":
    main()
