"""Every technique on every demo model and on models of other kinds: it works, or refuses with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import Reports, WithoutTest
from workbench.advisor.forecasting import Step, forecast
from workbench.api.dataset import Dataset, sample_count
from workbench.api.errors import Refused, WorkbenchError
from workbench.api.technique import AnyTechnique, Applied, Context
from workbench.api.variant import Variant
from workbench.data.prepare import prepare
from workbench.engine.compatibility import parse_parameters
from workbench.measure.records import SizeMeasurement
from workbench.models.demo.demo import DEMO_MODELS
from workbench.results.forecast import Forecast
from workbench.results.rows import ResultRow
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
COMPUTED = frozenset(
    {
        "inference.runtime",
        "quantization.dynamic_range",
        "quantization.float16",
        "quantization.int4_weights",
        "quantization.int8",
        "quantization.int8_weights",
        "quantization.litert_int8",
        "structure.clustering",
        "structure.pruning",
        "structure.sparsity",
        "structure.width",
        "distillation.distill",
        "training.retrain",
    }
)
"""Techniques whose files are computed for every demo model once it was converted to LiteRT."""

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
    import keras

    # As opening stores it: without the state of its optimizer, which is as large as the weights.
    small_models.train(small_models.build(kind), kind).save(folder / "trained.keras")
    model = keras.models.load_model(folder / "trained.keras", compile=False)
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


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def _row(variant: Variant) -> ResultRow:
    size = sum(file.stat().st_size for file in _files(variant.path))
    return ResultRow(variant=variant, size=SizeMeasurement(parameters=0, file_bytes=size, gzip_bytes=size))


_LITERT: dict[str, Variant] = {}
"""The models as float32 files of LiteRT, which every first variant there is measured beside."""


def _foreseen(technique: AnyTechnique, parent: Variant, dataset: Dataset, parameters: Any) -> Forecast:
    """What its form says before it is applied, where the model was converted to LiteRT before."""
    rows = [_row(parent)]
    maker = techniques()["inference.runtime"]
    if technique.result_format(parent) == "tflite" and technique.name != maker.name:
        if parent.name not in _LITERT:
            folder = parent.path.parent / f"{parent.path.stem}-litert"
            folder.mkdir()
            made = maker.apply(Context(parent, dataset, folder, Reports(), 0), parse_parameters(maker, {}))
            _LITERT[parent.name] = parent.model_copy(
                update={
                    "id": "litert",
                    "parent": parent.id,
                    "technique": maker.name,
                    "format": made.format,
                    "runtime": made.runtime,
                    "path": made.path,
                }
            )
        rows.append(_row(_LITERT[parent.name]))
    estimate = technique.estimate(parent, dataset.info, parameters)
    return forecast(Step(technique, parent, parameters, estimate), rows, limit=0.01)


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
    said = _foreseen(technique, parent, dataset, parameters)
    size = sum(file.stat().st_size for file in _files(applied.path))
    if said.computed:
        assert said.file_bytes is not None
        assert said.file_bytes.value == pytest.approx(size, rel=0.02)
    if model in DEMO_MODELS and name in COMPUTED:
        assert said.file_bytes is not None
        assert said.file_bytes.value == pytest.approx(size, rel=0.02)
    x = dataset.x("test")
    session = runtime(applied.runtime).load(applied.path, applied.settings)
    try:
        scores = session.predict(x)
    finally:
        session.close()
    assert scores.shape == (sample_count(x), len(dataset.info.classes))
    assert np.isfinite(scores).all()
