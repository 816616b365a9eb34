"""The search without a machine: what it learns from what was measured, what it proposes, and what it says."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.engine.test_estimates import INFO
from workbench.advisor.cells import Action, Cell, Space, is_form, is_structure, space_of
from workbench.advisor.demands import Demands, parse_demands
from workbench.advisor.effects import Normal, Spread, posterior
from workbench.advisor.explaining import feasibility
from workbench.advisor.ledger import Ledger, Observation
from workbench.advisor.priors import Measured, Priors, learned
from workbench.advisor.recording import ledger_of
from workbench.advisor.search import Search, Start
from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import Layer, ModelDescription, TensorSpec, Variant
from workbench.measure.records import Interval
from workbench.techniques import techniques

LAYERS = tuple(
    Layer(name=f"dense_{n}", kind="Dense", parameters=64 * 65, size_bytes=64 * 65 * 4, output_shape=(64,))
    for n in range(4)
)
STRUCTURES = (
    None,
    *(Action(technique="structure.pruning", parameters={"remove": share}) for share in (0.3, 0.7)),
    Action(technique="distillation.distill", parameters={"compare_seeds": 1}),
)
FORMS = (
    None,
    Action(technique="inference.runtime", parameters={"runtime": "litert"}),
    Action(technique="quantization.float16"),
    Action(technique="quantization.int8"),
    Action(technique="quantization.int4_weights"),
    Action(technique="quantization.onnx_int8"),
)
CELLS = tuple(
    Cell(
        structure=structure,
        form=form,
        runtime="keras.function" if form is None else "onnxruntime" if "onnx" in form.technique else "litert",
        trains=structure is not None,
    )
    for structure in STRUCTURES
    for form in FORMS
)


def world(seed: int) -> dict[str, Observation]:
    """Every cell measured, in a world of which the search knows nothing: effects that multiply, and noise."""
    random = np.random.default_rng(seed)
    found = {}
    speed = {form: math.exp(random.normal(-1, 0.5)) for form in {cell.form_key for cell in CELLS}}
    thin = {one: math.exp(random.normal(-0.4, 0.3)) for one in {cell.structure_key for cell in CELLS}}
    loss = {
        name: abs(random.normal(0, 0.01))
        for name in {cell.structure_key for cell in CELLS} | {cell.form_key for cell in CELLS}
    }
    bits = {"-": 32, "inference.runtime": 32, "quantization.float16": 16, "quantization.int4_weights": 4}
    for cell in CELLS:
        structure, form = cell.structure_key, cell.form_key
        ms = 1.0 * (1 if form == "-" else speed[form]) * (1 if structure == "-" else thin[structure])
        weights = sum(layer.parameters for layer in LAYERS) * bits.get(form.split(" ")[0], 8) / 8
        change = -(0 if form == "-" else loss[form]) - (0 if structure == "-" else loss[structure])
        found[cell.key] = Observation(
            variant=cell.key,
            file_bytes=round(2000 + weights * (1 if structure == "-" else 0.5)),
            ms=around(ms * math.exp(random.normal(0, 0.03)), 0.01 * ms),
            change=around(change, 0.004),
        )
    return found


def around(value: float, half: float) -> Interval:
    return Interval(value=value, low=value - half, high=value + half)


def search(demands: Demands, priors: Priors | None = None) -> Search:
    first = CELLS[0]
    found = Search(
        demands=demands,
        cells=CELLS,
        start=Start(layers=LAYERS, file_bytes=68_560, ms=1.0),
        priors=priors or Priors(),
        remains=dict.fromkeys((cell.structure_key for cell in CELLS if cell.structure), 0.5),
    )
    found.observed[first.key] = Observation(
        variant="b", file_bytes=68_560, ms=around(1.0, 0.01), change=around(0.0, 0.0)
    )
    return found


def run(found: Search, real: dict[str, Observation], most: int = 40) -> list[str]:
    tried = []
    for trainings in (False, True):
        while len(tried) < most:
            cell = found.propose(lambda cell: 60 if cell.trains else 5, trainings=trainings)
            if cell is None:
                break
            tried.append(cell.key)
            found.observed[cell.key] = real[cell.key]
    return tried


def test_what_was_measured_is_known_and_tells_of_what_shares_a_part_with_it() -> None:
    spread = dict.fromkeys(
        (cell.key for cell in CELLS), Spread(structure=0.3, form=0.5, runtime=0.3, cell=0.05)
    )
    expected = dict.fromkeys((cell.key for cell in CELLS), 0.0)
    structure = next(cell for cell in CELLS if cell.structure == STRUCTURES[1] and cell.form is None)
    before = posterior(CELLS, expected, {}, spread)
    after = posterior(CELLS, expected, {structure.key: Normal(-1.0, 0.001)}, spread)
    assert after[structure.key].mean == pytest.approx(-1.0, abs=0.01)
    for cell in CELLS:
        if cell.structure == STRUCTURES[1] and cell.form is not None:
            assert after[cell.key].mean < -0.9
            assert after[cell.key].sd < before[cell.key].sd
        elif cell.structure is None:
            assert after[cell.key] == pytest.approx(before[cell.key])
    assert before[CELLS[0].key].sd == 0  # the model as it came deviates from nothing


@pytest.mark.parametrize("demands", [Demands(size_kb=20), Demands(latency_ms=0.3), Demands(loss_points=0.5)])
def test_it_comes_near_the_best_in_fewer_trials_than_there_are_cells(demands: Demands) -> None:
    tried, missed = [], []
    for seed in range(8):
        real, found = world(seed), search(demands)
        known = search(demands)
        known.observed.update({cell.key: real[cell.key] for cell in CELLS[1:]})
        tried.append(len(run(found, real)))
        best, mine = known.ranking(), found.ranking()
        if best and best[0] != CELLS[0].key:
            missed.append(found.value(mine[0]) - known.value(best[0]) if mine else 9.0)
    assert np.median(tried) < len(CELLS) / 2
    assert np.median(missed) <= 0.05


def test_nothing_is_proposed_that_takes_longer_than_there_is_time_or_has_failed() -> None:
    found = search(Demands(size_kb=25))
    assert found.propose(lambda cell: 10.0, 5.0) is None
    first = found.propose(lambda cell: 10.0, 15.0)
    assert first is not None
    found.failed[first.key] = say("The disk is full.")
    second = found.propose(lambda cell: 10.0, 15.0)
    assert second is not None
    assert second.key != first.key
    assert not found.propose(lambda cell: 10.0, 15.0, trainings=False).trains  # type: ignore[union-attr]


def test_what_cannot_be_reached_is_said_before_anything_is_made_with_the_nearest() -> None:
    said = feasibility(search(Demands(size_kb=1)))
    assert said is not None
    assert "No file reaches 1 kB: the nearest is" in str(said.text)
    assert feasibility(search(Demands(size_kb=40))) is None
    assert "int4" in str(said.text)


def test_a_size_is_computed_within_two_percent_once_its_form_was_seen() -> None:
    real, found = world(0), search(Demands())
    for cell in CELLS[1:6]:
        found.observed[cell.key] = real[cell.key]
    found.structures[CELLS[6].structure_key] = tuple(
        layer.model_copy(update={"parameters": layer.parameters // 2}) for layer in LAYERS
    )
    outlook = found.outlook()
    for cell in CELLS[7:12]:
        said = outlook[cell.key].file_bytes.value
        assert said == pytest.approx(real[cell.key].file_bytes, rel=0.02), cell.key


def test_each_sentence_names_rows_and_the_binding_demand_is_the_one_that_costs_most() -> None:
    real, found = world(1), search(Demands(size_kb=20, loss_points=1))
    numbers = {key: number for number, key in enumerate(run(found, real), 1)}
    ledger = ledger_of(found, Space(cells=CELLS), numbers, {}, {}, spent_s=1.0, done=True)
    assert Ledger.model_validate_json(ledger.model_dump_json()) == ledger
    assert ledger.sentences
    keys = {row.key for row in ledger.rows}
    assert keys == {cell.key for cell in CELLS}
    for sentence in ledger.sentences:
        assert set(sentence.rows) <= keys
        assert sentence.rows
    ranking = found.ranking()
    assert (ledger.winner, ledger.runner_up) == (ranking[0], ranking[1])
    assert all(real[key].file_bytes <= 20_000 for key in ranking)
    binding = next((one for one in ledger.sentences if "What binds" in str(one.text)), None)
    if binding is not None:
        assert found.value(binding.rows[0]) < found.value(ranking[0])
        assert not found.meets(binding.rows[0])


def test_priors_are_learned_from_models_that_were_measured_whole() -> None:
    grids = []
    for seed in range(3):
        real = world(seed)
        grids.append(
            Measured(
                name=str(seed),
                machine="m",
                layers=LAYERS,
                file_bytes=68_560,
                ms=real[CELLS[0].key].ms.value,  # type: ignore[union-attr]
                cells=CELLS,
                observed=real,
                structures={},
                remains={},
                costs_s={},
            )
        )
    priors = learned(grids)
    assert set(priors.structures) == {cell.structure_key for cell in CELLS} - {"-"}
    speeds = [
        math.log(grid.observed[CELLS[3].key].ms.value / grid.ms)  # type: ignore[union-attr]
        for grid in grids
    ]
    assert priors.forms[CELLS[3].form_key].call_ms is None  # of models that are all of one size
    small, large = (
        grids[0].model_copy(
            update={
                "layers": (LAYERS[0].model_copy(update={"macs": macs}),),
                "observed": {
                    key: one.model_copy(update={"ms": around(0.01 + macs * 2e-6, 0.001)})
                    for key, one in grids[0].observed.items()
                },
            }
        )
        for macs in (1_000, 1_000_000)
    )
    usual = learned([small, large]).forms[CELLS[3].form_key]
    assert usual.ms(500_000) == pytest.approx(1.01, abs=1e-3)
    assert priors.forms[CELLS[3].form_key].latency == pytest.approx(np.mean(speeds), abs=1e-3)
    assert priors.latency.cell < 0.2


def test_the_space_is_what_techniques_declare_and_demands_bound_it() -> None:
    description = ModelDescription(
        inputs=(TensorSpec(name="x", shape=(64,)),),
        outputs=(TensorSpec(name="y", shape=(2,)),),
        layers=LAYERS,
        parameters=4 * 64 * 65,
        macs=16384,
    )
    baseline = Variant(
        id="b",
        name="model",
        format="keras",
        path=Path("model.keras"),
        sha256="",
        runtime="keras.function",
        description=description,
        created=datetime.now(UTC),
    )
    space = space_of(baseline, INFO, Demands())
    assert len({cell.key for cell in space.cells}) == len(space.cells) > 60
    assert not any(is_structure(one) and is_form(one) for one in techniques().values())
    assert not any(cell.trains for cell in space_of(baseline, INFO, Demands(training=False)).cells)
    only = space_of(baseline, INFO, Demands(runtime="litert", threads=2)).cells
    assert {cell.runtime for cell in only} == {"litert"}
    assert all(cell.steps[-1].parameters.get("threads") == 2 for cell in only)
    assert all(one.reason.template for one in space.ruled_out)


def test_demands_that_make_no_sense_are_refused_with_what_is_allowed() -> None:
    for values, allowed in (
        ({"size_kb": -1}, "above 0"),
        ({"runtime": "no such"}, "litert"),
        ({"loss_points": 101}, "between 0 and 100"),
        ({"threads": 0}, "between 1 and 256"),
        ({"weight": 3}, "size_kb"),
    ):
        with pytest.raises(InvalidInput, match=allowed):
            parse_demands(values)
    assert Demands().wanted == "both"
    assert Demands(latency_ms=1).wanted == "smaller"
    demands = Demands(want="smaller", size_kb=20, loss_points=0.5)
    assert str(demands.words("classification")) == "smaller, at most 20 kB, a loss of at most 0.5 pt"
    assert str(demands.words("regression")) == "smaller, at most 20 kB, a loss of at most 0.5 %"
