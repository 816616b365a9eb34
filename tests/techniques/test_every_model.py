"""Every technique on every demo model and on models of other kinds: it works, or refuses with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import Reports, WithoutTest
from workbench.api.dataset import Dataset, sample_count
from workbench.api.errors import Refused, WorkbenchError
from workbench.api.technique import AnyTechnique, Applied, Context
from workbench.api.variant import Variant
from workbench.data.prepare import prepare
from workbench.engine.compatibility import parse_parameters
from workbench.models.demo.demo import DEMO_MODELS
from workbench.runtimes import runtime
from workbench.techniques import techniques

pytestmark = pytest.mark.slow

MODELS = (*DEMO_MODELS, "pair", "series", "transformer")
SAMPLES = 128

# What is quick: one pass over little data shows whether it works, not how well.
QUICK: dict[str, dict[str, Any]] = {
    "structure.low_rank": {"choose": "weights", "weights": 0.5},
    "inference.grid": {"runtimes": "litert", "precisions": "float32", "threads": "1", "batches": "1"},
}
QUICK_FIELDS = {"epochs": 1, "samples": 16, "seeds": 1, "compare_seeds": 1, "steps": 1}

# Everything that is refused, with a word of the reason. All else has to work, or to find out from the weights
# that there is nothing to change, for a reason that the technique has declared (:meth:`Technique.refusals`).
REFUSED: dict[tuple[str, str], str] = {
    **{
        ("structure.depth", model): "No block of this model can be left out"
        for model in ("dense-mnist-5k", "dense-breast-cancer", "pair", "series")
    },
    **{
        ("inference.fold", model): "no layer that can be folded"
        for model in ("dense-mnist-5k", "dense-digits", "dense-breast-cancer", "pair", "transformer")
    },
    ("structure.low_rank", "transformer"): "cannot be reached",  # attention's kernels are left whole
    ("quantization.int16x8", "transformer"): "LiteRT cannot compute",  # SquaredDifference
    ("quantization.dynamic_range", "dense-breast-cancer"): "1,024 weights or more",
    ("quantization.dynamic_range", "transformer"): "than 1,024 are left",
}
EVERYWHERE: dict[str, str] = {"inference.tensorrt": "GPU"}


def _parameters(technique: AnyTechnique) -> Any:
    fields = technique.parameters_type.model_fields
    quick = {name: value for name, value in QUICK_FIELDS.items() if name in fields}
    return parse_parameters(technique, quick | QUICK.get(technique.name, {}))


@pytest.fixture(scope="module")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Each model as a variant with its data; made when asked for."""
    made: dict[str, tuple[Variant, Dataset]] = {}
    folder = tmp_path_factory.mktemp("subjects")

    def subject(name: str) -> tuple[Variant, Dataset]:
        if name not in made:
            made[name] = _demo(name, folder) if name in DEMO_MODELS else _small(name, folder)
        return made[name]

    return subject


def _small(kind: str, folder: Path) -> tuple[Variant, Dataset]:
    model = small_models.train(small_models.build(kind), kind)
    return (
        small_models.baseline(model, folder / f"{kind}.keras"),
        small_models.write_dataset(kind, folder / f"{kind}-data"),
    )


def _demo(name: str, folder: Path) -> tuple[Variant, Dataset]:
    import keras

    whole = prepare(DEMO_MODELS[name].dataset, folder / f"{name}-whole")
    parts = {
        split: (np.asarray(whole.x(split)), np.asarray(whole.y(split)))
        for split in ("train", "validation", "test")
    }
    few = {f"x_{split}": x[:SAMPLES] for split, (x, _) in parts.items()}
    few |= {f"y_{split}": y[:SAMPLES] for split, (_, y) in parts.items()}
    few = {key.replace("validation", "val"): array for key, array in few.items()}
    dataset = prepare(few, folder / f"{name}-data", scaling="none")
    model = keras.models.load_model(DEMO_MODELS[name].path, compile=False)
    return small_models.baseline(model, folder / f"{name}.keras"), dataset


def _applied(technique: AnyTechnique, context: Context, parameters: Any) -> Applied | None:
    """What it makes; None where it has nothing to change, for a reason that it has declared."""
    try:
        return technique.apply(context, parameters)
    except Refused as refused:
        if refused.problem.template in {text.template for text in technique.refusals()}:
            return None
        raise


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", list(techniques()))
def test_works_or_refuses_with_a_reason(name: str, model: str, subjects: Any, tmp_path: Path) -> None:
    technique = techniques()[name]
    parent, dataset = subjects(model)
    parameters = _parameters(technique)
    expected = EVERYWHERE.get(name) or REFUSED.get((name, model))
    reason = technique.unavailable() or technique.obstacle(parent, dataset.info, parameters)
    if reason is not None:
        assert expected is not None, str(reason)
        assert expected in str(reason)
        return
    estimate = technique.estimate(parent, dataset.info, parameters)
    assert estimate.seconds > 0
    others = dict.fromkeys(technique.others(parameters), parent)
    context = Context(parent, WithoutTest(dataset.folder), tmp_path, Reports(), 0, others)
    if expected is not None:  # found out only by looking into the weights
        with pytest.raises(WorkbenchError, match=expected):
            technique.apply(context, parameters)
        return
    applied = _applied(technique, context, parameters)
    if applied is None:
        return
    assert applied.report.touched or applied.report.notes or applied.report.skipped
    x = dataset.x("test")
    session = runtime(applied.runtime).load(applied.path, applied.settings)
    try:
        scores = session.predict(x)
    finally:
        session.close()
    assert scores.shape == (sample_count(x), len(dataset.info.classes))
    assert np.isfinite(scores).all()
