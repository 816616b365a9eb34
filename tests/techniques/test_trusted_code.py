"""Code inside a model that the user trusts runs in every step, and in no model that was not trusted."""

import random

import pytest

from tests import small_models
from tests.techniques.applying import Reports
from workbench.api.errors import InvalidInput
from workbench.api.technique import CodePaths, Context
from workbench.api.variant import RuntimeSettings
from workbench.engine import worker_functions
from workbench.engine.compatibility import parse_parameters
from workbench.models.converting.conversion import load_keras
from workbench.models.intake.trusting import trusting, trusting_code
from workbench.techniques import technique, techniques
from workbench.training.rehearsal import require_storable

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    """A model with a Lambda layer, opened as trusted, and its data."""
    import keras

    folder = tmp_path_factory.mktemp("trusted")
    given = keras.Input((20,), name="features")
    x = keras.layers.Lambda(lambda z: z * 0.5, name="half")(given)
    x = keras.layers.Dense(64, activation="relu", name="wide")(x)
    x = keras.layers.Dense(64, activation="relu", name="second")(x)
    model = keras.Model(given, keras.layers.Dense(small_models.CLASSES, activation="softmax")(x))
    variant = small_models.baseline(model, folder / "model.keras")
    dataset = small_models.write_dataset("dense", folder / "data")
    return variant.model_copy(update={"settings": RuntimeSettings(trusted=True)}), dataset


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("training.retrain", {"epochs": 1}),
        ("distillation.distill", {"epochs": 1, "compare_seeds": 0}),
        ("structure.sparsity", {"epochs": 1}),
        ("structure.clustering", {"epochs": 1}),
        ("structure.low_rank", {"choose": "weights", "weights": 0.5, "epochs": 1}),
        ("structure.pruning", {"epochs": 0}),
        ("quantization.keras", {}),
    ],
)
def test_a_trusted_model_is_changed_like_any_other(name, parameters, trusted, tmp_path):
    parent, dataset = trusted
    chosen = technique(name)
    applied, *_ = worker_functions.apply_technique(
        Reports(),
        chosen,
        parse_parameters(chosen, parameters),
        parent,
        dataset.folder,
        tmp_path,
        0,
        {"": parent} if name.startswith("distillation") else {},
    )
    assert "Lambda" in [layer.kind for layer in applied.description.layers]
    assert [path.name for path in tmp_path.iterdir()] == [applied.path.name]
    # trust ends with the job
    with pytest.raises(InvalidInput, match="Lambda"):
        load_keras(applied.path)
    load_keras(applied.path, trust=True)


def test_a_second_file_is_not_trusted_with_the_first(trusted):
    with trusting(True):
        load_keras(trusted[0].path)
        with pytest.raises(InvalidInput, match="Lambda"):
            load_keras(trusted[0].path, trust=False)


def test_what_cannot_be_stored_is_not_trained(trusted, tmp_path):
    parent, dataset = trusted
    model = load_keras(parent.path, trust=True)
    context = Context(parent, dataset, tmp_path, Reports(), 0)
    with pytest.raises(InvalidInput) as caught:
        require_storable(model, context)
    assert str(caught.value).startswith("The trained model could not be stored, so it is not trained: ")
    before = random.getstate()
    with trusting(True):
        require_storable(model, context)
    assert random.getstate() == before
    assert list(tmp_path.iterdir()) == []


def test_plain_code_says_that_the_model_is_trusted(trusted):
    parent, dataset = trusted
    shown = []
    for chosen in techniques().values():
        parameters = parse_parameters(chosen, {})
        if (
            chosen.unavailable()
            or chosen.others(parameters)
            or chosen.obstacle(parent, dataset.info, parameters)
        ):
            continue
        code = trusting_code(chosen.code(parent, parameters, CodePaths()))
        compile(code, chosen.name, "exec")
        said = code.index("keras.config.enable_unsafe_deserialization()")
        assert said < code.index("load_model("), chosen.name
        shown.append(chosen.name)
    assert len(shown) > 10
    assert trusting_code("import onnx\n") == "import onnx\n"
