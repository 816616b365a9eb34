import pytest

from tests.techniques.structure.changing import parent_of
from workbench.api.technique import Context
from workbench.training import TrainingSettings
from workbench.training.fine_tuning import fine_tune

keras = pytest.importorskip("keras")


def test_everything_that_training_tells_is_reported(digits, recorder, tmp_path):
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)])
    context = Context(
        parent=parent_of(model, tmp_path), dataset=digits, folder=tmp_path, report=recorder, seed=0
    )
    settings = TrainingSettings(epochs=1, find_learning_rate=True, momentum=0.5)
    report = fine_tune(model, context, settings)
    assert [skip.name for skip in report.skipped] == ["momentum"]
    assert [str(table.title) for table in report.tables] == ["Loss over the learning rate"]
    assert any("Time to F1" in str(note) for note in report.notes)
