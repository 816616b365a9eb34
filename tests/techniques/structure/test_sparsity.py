import re

import numpy as np
import pytest

from tests.techniques.structure.changing import (
    accuracy,
    apply,
    assert_same_weights,
    parent_of,
    train,
    twins,
)
from workbench.api.errors import Cancelled, InvalidInput, Refused
from workbench.techniques.structure.sparsity import Sparsity, SparsityParameters

keras = pytest.importorskip("keras")
layers = keras.layers


def conv_model():
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((64,), name="pixels"),
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu", name="first"),
            layers.BatchNormalization(name="norm"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.SeparableConv2D(16, 3, activation="relu", name="separable"),
            layers.Flatten(),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(10, name="scores"),
        ]
    )


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory):
    return parent_of(train(conv_model(), digits), tmp_path_factory.mktemp("sparse"))


def kernels_of(model):
    return {
        "first": model.get_layer("first").kernel,
        "separable": model.get_layer("separable").pointwise_kernel,
        "hidden": model.get_layer("hidden").kernel,
        "scores": model.get_layer("scores").kernel,
    }


def zeros_of(model):
    kernels = [np.asarray(kernel) for kernel in kernels_of(model).values()]
    return sum((kernel == 0).sum() for kernel in kernels) / sum(kernel.size for kernel in kernels)


GRADUAL = {"share": 0.8, "epochs": 4, "seed": 5, "every": 7, "distill": 0.5, "learning_rate": 2e-3}
PATTERN = {"pattern": "2:4", "epochs": 2}
UNTRAINED = {"share": 0.5, "ranking": "each layer", "epochs": 0, "layers": "dense", "leave": "scores"}


@pytest.mark.slow
def test_each_way(digits, trained, recorder, tmp_path):
    ways = {"gradual": GRADUAL, "pattern": PATTERN, "untrained": UNTRAINED}
    made = {}
    for name, parameters in ways.items():
        recorder.fractions.clear()
        made[name] = apply(Sparsity(), trained, digits, tmp_path / name, recorder, **parameters)
    check_gradual(*made["gradual"], digits, recorder.curves["sparsity"])
    check_pattern(*made["pattern"])
    check_untrained(*made["untrained"], trained)


@pytest.mark.slow
def test_the_plain_code_of_each_way(digits, trained, recorder, tmp_path):
    """Without training the weights are the same; with it, what is promised holds."""
    ways = [UNTRAINED, PATTERN | {"epochs": 0}]
    trains = [GRADUAL | {"epochs": 2}, PATTERN | {"epochs": 1}]
    scripts = [(Sparsity(), trained, parameters) for parameters in (*ways, *trains)]
    *untrained, gradual, pattern = twins(scripts, digits, tmp_path / "code")
    for number, (parameters, theirs) in enumerate(zip(ways, untrained, strict=True)):
        recorder.fractions.clear()
        _, mine = apply(Sparsity(), trained, digits, tmp_path / str(number), recorder, **parameters)
        assert_same_weights(mine, theirs, rtol=0, atol=0)
    assert zeros_of(gradual) == pytest.approx(0.8, abs=1e-3)
    assert accuracy(gradual, digits) > 0.8
    zero = np.asarray(untrained[1].get_layer("hidden").kernel) == 0
    trained_further = np.asarray(pattern.get_layer("hidden").kernel)
    assert ((trained_further == 0) == zero).all()
    assert (trained_further != np.asarray(untrained[1].get_layer("hidden").kernel)).any()


def check_gradual(applied, model, digits, points):
    assert zeros_of(model) == pytest.approx(0.8, abs=1e-3)
    assert (np.asarray(model.get_layer("depthwise").kernel) != 0).all()
    assert accuracy(model, digits) > 0.9
    curve = [value for _, value in points]
    assert curve == sorted(curve)
    assert curve[0] == 0
    assert curve[-1] == 0.8
    # one training over all epochs, of which those with fewer zeros are not kept
    (kept,) = re.findall(
        r"Trained for 4 epochs in .* kept epoch (\d)", " ".join(map(str, applied.report.notes))
    )
    assert int(kept) in (3, 4)
    (table,) = applied.report.tables
    shown = {row[0]: row[1] for row in table.rows}
    for name, kernel in kernels_of(model).items():
        assert shown[name] == pytest.approx(100 * np.mean(np.asarray(kernel) == 0), abs=0.01)
    assert any("gzip" in str(note) for note in applied.report.notes)
    assert any("not faster" in str(note) for note in applied.report.notes)


def check_pattern(applied, model):
    for name in ("separable", "hidden", "scores"):
        kernel = np.asarray(kernels_of(model)[name])
        kernel = kernel.reshape(-1, kernel.shape[-1])
        groups = kernel.reshape(-1, 4, kernel.shape[-1])
        assert ((groups != 0).sum(axis=1) <= 2).all()
        assert (kernel == 0).mean() == 0.5
    assert (np.asarray(kernels_of(model)["first"]) != 0).all()
    (skip,) = [skip for skip in applied.report.skipped if skip.name == "first"]
    assert "no multiple of 4" in str(skip.reason)


def check_untrained(applied, model, trained):
    before = keras.models.load_model(trained.path, compile=False)
    for one, other in zip(model.get_weights(), before.get_weights(), strict=True):
        assert ((one == other) | (one == 0)).all()
    hidden = np.asarray(model.get_layer("hidden").kernel)
    assert (hidden == 0).sum() == hidden.size // 2
    assert (np.asarray(model.get_layer("scores").kernel) != 0).all()
    assert {skip.name for skip in applied.report.skipped} == {"first", "separable", "scores"}


def test_more_zeros_than_before_keep_the_old_ones_and_shared_values(digits, trained, recorder, tmp_path):
    model = keras.models.load_model(trained.path, compile=False)
    for layer in ("first", "hidden", "scores"):
        kernel = model.get_layer(layer).kernel
        values = np.round(np.asarray(kernel) * 8) / 8  # few values, some zero
        kernel.assign(values)
    was = {name: np.asarray(kernel) for name, kernel in kernels_of(model).items()}
    parent = parent_of(model, tmp_path / "parent")
    _, made = apply(Sparsity(), parent, digits, tmp_path / "out", recorder, share=0.9, epochs=2, every=10)
    for name in ("first", "hidden", "scores"):
        now = np.asarray(kernels_of(made)[name])
        assert (now[was[name] == 0] == 0).all()
        assert len(np.unique(now)) <= len(np.unique(was[name]))
    assert zeros_of(made) == pytest.approx(0.9, abs=1e-3)


def test_refusals(digits, trained, recorder, tmp_path):
    with pytest.raises(InvalidInput, match=r"no layer wrong.*hidden"):
        apply(Sparsity(), trained, digits, tmp_path / "a", recorder, leave="wrong", epochs=0)
    _, sparse = apply(Sparsity(), trained, digits, tmp_path / "b", recorder, epochs=0)
    parent = parent_of(sparse, tmp_path / "parent")
    with pytest.raises(Refused, match=r"80.*% of these weights are zero already"):
        apply(Sparsity(), parent, digits, tmp_path / "c", recorder, share=0.7, epochs=0)
    sparse.trainable = False
    parent = parent_of(sparse, tmp_path / "frozen")
    with pytest.raises(Refused, match=r"hidden: Its weights are frozen"):
        apply(Sparsity(), parent, digits, tmp_path / "d", recorder, share=0.95, epochs=0)
    technique = Sparsity()
    lite = trained.model_copy(update={"format": "tflite"})
    assert "Keras" in str(technique.obstacle(lite, digits.info, SparsityParameters()))
    assert "Keras" in str(technique.obstacle(lite, digits.info, SparsityParameters(epochs=0)))
    bare = trained.model_copy(update={"description": trained.description.model_copy(update={"layers": ()})})
    assert "no layer" in str(technique.obstacle(bare, digits.info, SparsityParameters()))


def test_it_can_be_cancelled_while_weights_go(digits, trained, recorder, tmp_path):
    recorder.cancel_at = 3
    with pytest.raises(Cancelled):
        apply(Sparsity(), trained, digits, tmp_path / "out", recorder, epochs=50)


def test_estimate_and_names(digits, trained):
    technique = Sparsity()
    few = technique.estimate(trained, digits.info, SparsityParameters(share=0.5))
    many = technique.estimate(trained, digits.info, SparsityParameters(share=0.95, epochs=40))
    assert few.size_ratio == many.size_ratio == 1
    assert many.seconds > few.seconds
    assert "gzip" in str(few.expectation)
    assert technique.variant_name(SparsityParameters()) == "sparse 80 %"
    assert technique.variant_name(SparsityParameters(pattern="2:4")) == "sparse 2:4"
    assert list(SparsityParameters.model_fields)[:2] == ["pattern", "share"]
