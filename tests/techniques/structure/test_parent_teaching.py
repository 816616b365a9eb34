"""The parent teaches what is made of it, in every technique that takes something away."""

import numpy as np
import pytest

from tests.techniques.structure.changing import parent_of
from workbench.api.technique import CodePaths, Context
from workbench.techniques.structure.clustering import Clustering
from workbench.techniques.structure.pruning.pruning import ChannelPruning
from workbench.techniques.structure.sparsity import Sparsity
from workbench.training.self_distillation import TaughtParameters, parent_as_teacher

keras = pytest.importorskip("keras")


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((64,), name="pixels"),
            keras.layers.Dense(32, activation="relu", name="hidden"),
            keras.layers.Dense(10, name="scores"),
        ]
    )
    return parent_of(model, tmp_path_factory.mktemp("taught"))


@pytest.mark.parametrize("technique", [ChannelPruning(), Sparsity(), Clustering()])
def test_the_plain_code_has_a_teacher_only_where_it_teaches(technique, parent):
    def script(**parameters):
        values = technique.parameters_type.model_validate(parameters)
        code = technique.code(parent, values, CodePaths(model=str(parent.path), output="out.keras"))
        compile(code, "script", "exec")
        return code

    assert "teachers" in script(distill=0.7, epochs=1)
    assert "temperature=4.0" in script(distill=0.7, epochs=1)
    assert "weight=0.7" in script(distill=0.7, epochs=1)
    assert "teachers" not in script(epochs=1)
    assert "teachers" not in script(distill=0.7, epochs=0)


def test_the_teacher_is_the_parent_as_it_was(parent, digits, recorder, tmp_path):
    context = Context(parent=parent, dataset=digits, folder=tmp_path, report=recorder, seed=0)
    assert parent_as_teacher(context, TaughtParameters()) is None
    assert parent_as_teacher(context, TaughtParameters(distill=0.5, epochs=0)) is None
    teacher = parent_as_teacher(context, TaughtParameters(distill=0.5, temperature=2))
    assert teacher is not None
    assert (teacher.weight, teacher.temperature, list(teacher.from_logits)) == (0.5, 2, [True])
    stored = keras.models.load_model(parent.path, compile=False)
    for mine, theirs in zip(teacher.models[0].get_weights(), stored.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    given = parent_as_teacher(context, TaughtParameters(distill=0.5), stored)
    assert given is not None
    assert given.models[0] is stored
