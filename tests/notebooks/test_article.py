"""The five examples of the article and the tables behind its questions, run once in a real kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator

import nbformat
import pytest

from tests.notebooks.test_running import executed, printed, red, shown, widgets

pytestmark = pytest.mark.slow

PANELS = (
    "structure-panel",
    "training-panel",
    "inference-panel",
    "quantization-panel",
    "distillation-panel",
    "chart",
)
TABLES = (
    "model",
    "successor",
    "structure",
    "sgd",
    "training",
    "inference",
    "quantization",
    "distillation-by-hand",
    "distillation",
    "choose",
    "measure",
    "balance",
    "scale",
    "complexity",
    "interpretability",
    "sustainability",
)
HARMLESS = "Created TensorFlow Lite XNNPACK delegate for CPU."
LOOK = """
import json
stored = keras.saving.load_model(bench.baseline.path)
print(json.dumps({
    "opened up": bench.baseline.description.opened_up.layers,
    "equal": bool(np.array_equal(stored(x_test), model(x_test))),
    "parameters": [one.description.parameters for one in (bench.baseline, narrow, distilled, trained)],
    "typed": [model.count_params(), successor.count_params()],
    "parents": [one.parent == bench.baseline.id for one in (narrow, trained, elsewhere, light, distilled)],
    "stacked on": stacked.parent == distilled.id,
    "training": [[str(cell) for cell in row] for row in trained.report.tables[0].rows],
    "training notes": [note.template for note in trained.report.notes],
    "reason": None if reason is None else str(reason),
    "bytes": [len(by_hand), light.path.stat().st_size, bench.baseline.path.stat().st_size],
    "apart": float(apart),
    "students": [[str(cell) for cell in row] for row in distilled.report.tables[0].rows],
    "formats": [elsewhere.format, light.format, stacked.format],
    "scale": scale.iloc[:, -1].tolist(),
    "energy": [row.energy is not None and (row.energy.joules_per_sample is None) == bool(row.energy.reason)
               for row in bench.results() if row.variant.id in chosen],
    "tensorflow": "tensorflow" in sys.modules,
}))
"""


@pytest.fixture(scope="module")
def cells(tmp_path_factory, scheduler) -> Iterator[dict[str, nbformat.NotebookNode]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_SCHEDULER", scheduler)
        yield executed("article.ipynb", tmp_path_factory.mktemp("article"), patch, "import sys\n" + LOOK)


@pytest.fixture(scope="module")
def found(cells) -> dict:
    return json.loads(printed(cells["look"]))


def test_structure_the_model_as_it_is_typed_and_its_successor(cells, found):
    assert found["opened up"] == 3
    assert found["equal"]
    baseline, narrow, *_ = found["parameters"]
    assert [baseline, narrow] == found["typed"]
    assert "True" in printed(cells["structure"])


def test_training_time_to_f1_over_seeds_against_adam(found):
    assert [row[0] for row in found["training"]] == ["0", "1", "2"]
    assert all(0 < float(row[1]) <= 1 for row in found["training"])
    assert any("Against plain Adam" in note for note in found["training notes"])
    assert any("Over {count} seeds" in note for note in found["training notes"])
    assert found["parameters"][3] == found["parameters"][0]


def test_tensorrt_is_shown_and_refused_with_its_reason(cells, found):
    assert "from plain.tensorrt.run import load" in printed(cells["tensorrt-code"])
    assert "NVIDIA GPU" in found["reason"]
    assert found["reason"] in printed(cells["tensorrt"])


def test_the_converter_gives_what_the_panel_gives(found):
    by_hand, panel, before = found["bytes"]
    assert found["apart"] == 0
    assert 0.9 < panel / by_hand < 1.1
    assert panel < before / 3
    assert found["formats"] == ["tflite"] * 3
    assert found["scale"] == sorted(found["scale"])


def test_distillation_a_student_with_and_without_its_teacher(cells, found):
    assert found["parameters"][2] == found["typed"][1]
    assert [row[0] for row in found["students"]] == ["0", "1", "2", "mean"]
    for row in found["students"][:3]:
        assert float(row[3]) == pytest.approx(100 * (float(row[1]) - float(row[2])), abs=0.02)
    assert shown(cells["distillation-by-hand"]).count("<tr") == 4  # a head, teacher, two students
    assert found["stacked on"]
    assert all(found["parents"])


def test_every_question_has_a_table_and_every_family_a_panel(cells, found):
    assert [widgets(cells[name]) for name in PANELS] == [1] * len(PANELS)
    assert [name for name in TABLES if "<table" not in shown(cells[name])] == []
    assert found["energy"] == [True] * 2
    complaints = [output.text for cell in cells.values() for output in red(cell)]
    assert [text for text in complaints if HARMLESS not in text] == []
