import numpy as np
import pytest

from tests.techniques.structure.changing import accuracy, apply, assert_same_weights, parent_of, train, twins
from workbench.api.errors import Refused
from workbench.models.converting.conversion import to_onnx, to_tflite
from workbench.plain.keras.factor_layers import factorable, split
from workbench.plain.keras.rebuild import rebuild
from workbench.techniques.structure.low_rank.low_rank import LowRank, LowRankParameters, _left
from workbench.training.fine_tuning import require_rebuildable

keras = pytest.importorskip("keras")
layers = keras.layers


def every_kind(grouped=True):
    """Every layer that can be split, shared and nested ones, and some that cannot."""
    keras.utils.set_random_seed(2)
    image = keras.Input((9, 8, 3), name="image")
    x = layers.Conv2D(12, (3, 5), strides=(2, 1), padding="same", activation="relu", name="strided")(image)
    x = layers.Conv2D(10, 3, dilation_rate=2, padding="same", use_bias=False, name="dilated")(x)
    x = layers.Conv2D(8, 1, strides=2, name="pointwise")(x)
    if grouped:
        x = layers.Conv2D(8, 3, groups=2, padding="same", name="grouped")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.DepthwiseConv2D(2, name="depthwise")(x)
    x = layers.Reshape((-1, 8), name="steps")(x)
    x = layers.Conv1D(12, 3, padding="causal", name="causal")(x)
    x = layers.EinsumDense("abc,cde->abde", output_shape=(None, 3, 5), bias_axes="de", name="heads")(x)
    x = layers.EinsumDense("abde,dec->abc", output_shape=(None, 12), activation="tanh", name="joined")(x)
    x = layers.MultiHeadAttention(2, 4, name="attention")(x, x)
    shared = layers.Dense(12, activation="relu", name="shared")
    x = layers.Add()([shared(x), shared(shared(x))])
    inner = keras.Sequential(
        [keras.Input((12,), name="inner_input"), layers.Dense(16, name="deep"), layers.Dropout(0.1)],
        name="inner",
    )
    x = inner(layers.GlobalAveragePooling1D()(x))
    model = keras.Model(image, layers.Dense(5, name="scores")(x), name="kinds")
    model.get_layer("norm").set_weights([np.random.default_rng(0).uniform(0.5, 2, 8) for _ in range(4)])
    return model


SPLIT = {"strided", "dilated", "pointwise", "causal", "heads", "joined", "shared", "inner/deep", "scores"}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).normal(size=(4, 9, 8, 3)).astype(np.float32)


@pytest.mark.parametrize("convolutions", ["spatial", "tucker"])
def test_full_rank_gives_the_same_outputs(convolutions, images, tmp_path):
    model = every_kind()
    found = factorable(model, convolutions=convolutions)
    assert {one.name for one in found} == SPLIT
    left = {skip.name for skip in _left(model, found, LowRankParameters())}
    assert left == {"grouped", "depthwise", "attention"}
    whole = split(model, found, {one.name: one.factors.full for one in found})
    np.testing.assert_allclose(np.asarray(whole(images)), np.asarray(model(images)), atol=1e-5)
    assert len(whole.get_layer("inner").layers) == 3
    assert [one.name for one in whole.inputs] == [one.name for one in model.inputs]
    whole.save(tmp_path / "whole.keras")
    again = keras.models.load_model(tmp_path / "whole.keras", compile=False)
    np.testing.assert_allclose(np.asarray(again(images)), np.asarray(model(images)), atol=1e-5)


def test_truncated_kernels_give_what_their_product_gives(images):
    model = every_kind()
    found = factorable(model)
    ranks = {one.name: tuple(max(1, rank // 2) for rank in one.factors.full) for one in found}
    smaller = split(model, found, ranks)
    for one in found:
        one.layer.kernel.assign(one.factors.product(ranks[one.name]))
    np.testing.assert_allclose(np.asarray(smaller(images)), np.asarray(model(images)), atol=1e-5)
    assert smaller.count_params() < every_kind().count_params()


@pytest.mark.slow
def test_it_converts(images, tmp_path):
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter

    model = every_kind(grouped=False)  # for which tf2onnx has no operator
    found = factorable(model, convolutions="tucker")
    smaller = split(model, found, {one.name: one.factors.at_energy(0.8) for one in found})
    expected = np.asarray(smaller(images[:1]))
    session = onnxruntime.InferenceSession(str(to_onnx(smaller, tmp_path / "model.onnx")))
    np.testing.assert_allclose(session.run(None, {"image": images[:1]})[0], expected, atol=1e-4)
    interpreter = Interpreter(str(to_tflite(smaller, tmp_path / "model.tflite")))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images[:1])
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_rebuilding_keeps_what_is_not_replaced(images):
    model = every_kind()
    rebuilt = rebuild(model, lambda path, layer: None)
    np.testing.assert_array_equal(np.asarray(rebuilt.model(images)), np.asarray(model(images)))
    assert rebuilt.model.get_config() == model.get_config()
    normalized = keras.Sequential([keras.Input((4,)), layers.Normalization(), layers.Dense(2)])
    normalized.layers[0].adapt(images[:, 0, 0, :1] * [1, 2, 3, 4])
    copy = rebuild(normalized, lambda path, layer: None).model
    x = images[0, :, :4, 0]
    np.testing.assert_allclose(np.asarray(copy(x)), np.asarray(normalized(x)), atol=1e-6)


def test_a_subclassed_model_inside_is_refused_by_its_name():
    class Inner(keras.Model):
        def __init__(self, **settings):
            super().__init__(**settings)
            self.dense = layers.Dense(4)

        def call(self, x):
            return self.dense(x)

    given = keras.Input((4,))
    nest = keras.Sequential([keras.Input((4,)), Inner(name="own")], name="nest")
    model = keras.Model(given, layers.Dense(2)(nest(given)))
    with pytest.raises(Refused, match="own is a subclassed model"):
        require_rebuildable(model)
    with pytest.raises(ValueError, match="the subclassed own"):
        rebuild(model, lambda path, layer: None)
    require_rebuildable(every_kind())


def wide_model():
    keras.utils.set_random_seed(4)
    return keras.Sequential(
        [
            keras.Input((64,), name="pixels"),
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(24, 3, activation="relu", name="conv"),
            layers.Flatten(),
            layers.Dense(96, activation="relu", name="wide"),
            layers.Dense(96, activation="relu", name="second"),
            layers.Dense(10, name="scores"),
        ]
    )


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory):
    return parent_of(train(wide_model(), digits), tmp_path_factory.mktemp("low_rank"))


def predictions(model, dataset):
    return np.asarray(model(np.array(dataset.x("test")), training=False))


WAYS = (
    {"energy": 0.8, "convolutions": "tucker", "layers": "convolutions"},
    {"choose": "weights", "weights": 0.4},
    {"choose": "sensitivity", "tolerance": 0.02, "leave": "second"},
)


@pytest.mark.slow
def test_each_way_with_its_code(digits, trained, recorder, tmp_path):
    applied, trained_further = apply(
        LowRank(), trained, digits, tmp_path / "out", recorder, energy=0.8, epochs=2
    )
    check(applied, {}, trained)
    assert accuracy(trained_further, digits) > 0.85
    made = []
    for number, parameters in enumerate(WAYS):
        recorder.fractions.clear()
        made.append(
            apply(LowRank(), trained, digits, tmp_path / str(number), recorder, epochs=0, **parameters)
        )
        check(made[-1][0], parameters, trained)
    scripts = [(LowRank(), trained, {"epochs": 0, **parameters}) for parameters in WAYS]
    scripts.append((LowRank(), trained, {"energy": 0.8, "epochs": 1}))
    *theirs, further = twins(scripts, digits, tmp_path / "code")
    for (_, mine), one in zip(made, theirs, strict=True):
        assert [layer.name for layer in one.layers] == [layer.name for layer in mine.layers]
        assert_same_weights(mine, one, rtol=0, atol=0)
    assert further.count_params() == trained_further.count_params()
    assert accuracy(further, digits) > 0.85


def check(applied, parameters, trained):
    ratio = applied.description.parameters / trained.description.parameters
    assert ratio < 1
    if "weights" in parameters:
        assert 0.35 < ratio <= 0.4
    ranks = applied.report.tables[0]
    assert all(row[1] < 100 for row in ranks.rows)
    assert len(applied.report.touched) == len(ranks.rows)
    if parameters.get("choose") == "sensitivity":
        sensitivity = applied.report.tables[1]
        assert {row[0] for row in sensitivity.rows} <= {"conv", "wide", "scores"}
        assert all(-100 <= row[2] <= 5 for row in sensitivity.rows)
        assert any(skip.name == "second" for skip in applied.report.skipped)


def test_refusals(digits, trained, recorder, tmp_path):
    with pytest.raises(Refused, match=r"wide: At rank 96, which this takes.*instead of"):
        apply(LowRank(), trained, digits, tmp_path / "a", recorder, energy=1, epochs=0)
    with pytest.raises(Refused, match=r"1% of the weights cannot be reached: even at rank 1 everywhere"):
        apply(LowRank(), trained, digits, tmp_path / "b", recorder, choose="weights", weights=0.01, epochs=0)
    technique = LowRank()
    bare = trained.model_copy(update={"description": trained.description.model_copy(update={"layers": ()})})
    assert "no Dense" in str(technique.obstacle(bare, digits.info, LowRankParameters()))
    lite = trained.model_copy(update={"format": "tflite"})
    assert "Keras" in str(technique.obstacle(lite, digits.info, LowRankParameters(epochs=0)))
    assert "Keras" in str(technique.obstacle(lite, digits.info, LowRankParameters()))


def test_estimate_and_names(digits, trained):
    technique = LowRank()
    assert technique.estimate(trained, digits.info, LowRankParameters()).size_ratio is None
    by_weights = LowRankParameters(choose="weights", weights=0.3)
    assert technique.estimate(trained, digits.info, by_weights).size_ratio == 0.3
    measured = technique.estimate(trained, digits.info, LowRankParameters(choose="sensitivity"))
    assert measured.seconds > technique.estimate(trained, digits.info, LowRankParameters()).seconds
    assert technique.variant_name(LowRankParameters()) == "low rank 90 %"
    assert technique.variant_name(by_weights) == "low rank, 30 % weights"
