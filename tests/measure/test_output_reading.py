"""Models whose outputs are easily misread, judged as plain Keras and scikit-learn judge them."""

from datetime import UTC, datetime

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tests.techniques.applying import run_here, write_bundle
from workbench.api.errors import InvalidInput
from workbench.api.variant import JudgedOutput, RuntimeSettings, Variant
from workbench.data.outputs import judged_model, output_wish, with_wish
from workbench.data.prepare import prepare
from workbench.deploy.deployment import deployment_code
from workbench.measure.latency import Candidate
from workbench.measure.output_matching import carried_position, matching_output
from workbench.measure.output_reading import read_output
from workbench.measure.scores import to_predictions, to_scores
from workbench.models.converting.conversion import to_onnx, to_openvino, to_tflite
from workbench.models.reading.description import describe, describe_keras
from workbench.runtimes import runtime

SAMPLES = np.random.default_rng(0).normal(size=(400, 4)).astype(np.float32)
SIDE = (SAMPLES[:, 0] + 0.1 * SAMPLES[:, 1] > 0.3).astype(int)
LARGEST = SAMPLES[:, :3].argmax(axis=1)


class Silent:
    """A reporter that nobody listens to."""

    def stage(self, text):
        pass

    def check(self):
        pass


def side(activation="sigmoid", wrong=False):
    """A layer that knows the side, up to the second feature; or one that knows nothing."""
    from keras import initializers, layers

    row = [0, 0, 0, 1] if wrong else [1, 0, 0, 0]
    kernel = initializers.Constant(3.0 * np.array(row)[:, None])
    return layers.Dense(
        1, activation=activation, kernel_initializer=kernel, bias_initializer=initializers.Constant(-0.9)
    )


def largest(activation="softmax", order=(0, 1, 2), name=None):
    """A layer that knows the largest feature, its classes in some order."""
    from keras import initializers, layers

    kernel = np.eye(4)[:, list(order)]
    return layers.Dense(3, activation=activation, kernel_initializer=initializers.Constant(kernel), name=name)


def half(x):
    from keras import layers

    return layers.Lambda(lambda value: 0.5 + 0.4 * value)(side("tanh")(x))


def models():
    from keras import layers, ops

    return {
        "average": lambda x: layers.Average()([side()(x), side(wrong=True)(x)]),
        "clip": lambda x: ops.clip(side()(x), 0.05, 0.95),
        "pooled steps": lambda x: layers.GlobalMaxPooling1D()(
            layers.TimeDistributed(layers.Dense(1, activation="sigmoid", kernel_initializer="ones"))(
                layers.Reshape((1, 1))(x[:, :1])
            )
        ),
        "a function of the user's": half,
        "logits": lambda x: side(None)(x),
        "wide logits": lambda x: largest(None)(x),
        "log-probabilities": lambda x: largest("log_softmax")(x),
        "pooled softmax": lambda x: layers.GlobalAveragePooling1D()(layers.Reshape((1, 3))(largest()(x))),
        "one against the rest": lambda x: largest("sigmoid")(x),
        "several trained on squared errors": lambda x: largest(None)(0.1 * x) + 0.3,
    }


def plain_f1(outputs, labels, name):
    """As its owner would judge it."""
    if outputs.shape[1] > 1:
        return f1_score(labels, outputs.argmax(1), average="macro")
    return f1_score(labels, (outputs[:, 0] > (0 if name == "logits" else 0.5)).astype(int), average="macro")


@pytest.mark.parametrize("name", sorted(models()))
def test_f1_is_that_of_plain_keras(name, tmp_path):
    import keras

    x = keras.Input((4,))
    model = keras.Model(x, models()[name](x))
    labels = SIDE if model.output_shape[-1] == 1 else LARGEST
    dataset = prepare((SAMPLES, labels), tmp_path / "data")
    model.save(tmp_path / "model.keras")
    description = judged_model(describe_keras(model), dataset.info)
    settings = RuntimeSettings(trusted=True)
    reading = read_output(
        Silent(),
        tmp_path / "model.keras",
        "keras.function",
        settings,
        description,
        dataset.folder,
        output_wish(),
    )
    outputs = model.predict(np.asarray(dataset.x("test")), verbose=0)
    scores, warnings = to_scores(outputs, len(dataset.info.classes), from_logits=reading.from_logits)
    found = f1_score(dataset.y("test"), to_predictions(scores), average="macro")
    assert found == pytest.approx(plain_f1(outputs, dataset.y("test"), name))
    assert found > 0.5
    assert reading.doubts == warnings == ()
    assert "is read as" in str(reading.reason)


def read(model, labels, folder, **wish):
    dataset = prepare((SAMPLES, labels), folder / "data")
    return read_of(model, dataset, folder, **wish)


def read_of(model, dataset, folder, **wish):
    model.save(folder / "model.keras")
    said = output_wish(**wish)
    description = judged_model(with_wish(describe_keras(model), said), dataset.info)
    settings = RuntimeSettings(output=description.judged_output)
    path = folder / "model.keras"
    return read_output(Silent(), path, "keras.function", settings, description, dataset.folder, said)


def fitted(activation=None, low=0.0, high=1.0, scale=1.0, offset=0.0):
    """One value for two classes, fitted by least squares to two numbers, and what follows it."""
    import keras
    from keras import initializers, layers

    wanted = np.where(SIDE == 1, high, low)
    known = np.hstack([SAMPLES, np.ones((len(SAMPLES), 1))])
    weights = np.linalg.lstsq(known, wanted, rcond=None)[0]
    layer = layers.Dense(
        1,
        activation=activation,
        kernel_initializer=initializers.Constant(scale * weights[:4, None]),
        bias_initializer=initializers.Constant(scale * weights[4] + offset),
    )
    x = keras.Input((4,))
    return keras.Model(x, layer(x))


TOWARDS_0_AND_1 = [None, "leaky_relu", "elu", "selu"]


@pytest.mark.parametrize("activation", TOWARDS_0_AND_1)
def test_what_was_trained_towards_0_and_1_has_its_border_at_a_half(activation, tmp_path):
    model = fitted(activation)
    reading = read(model, SIDE, tmp_path)
    assert not reading.from_logits
    assert reading.refusal is None
    assert reading.doubts == ()
    assert "its values follow the labels 0 and 1, and with the border at 0.5 the model is right on" in str(
        reading.reason
    )
    said = read(model, SIDE, tmp_path / "again", from_logits=True)
    assert said.from_logits
    assert "that was asked for" in str(said.reason)


def test_the_border_and_the_order_of_the_classes_are_found_together(tmp_path):
    reading = read(fitted(), np.array(["10", "9"])[SIDE], tmp_path)
    assert not reading.from_logits
    assert reading.order.better == "text"
    assert "sorted by their numbers: the model is right on" in str(reading.order.reason)
    assert read(fitted(), np.array(["9", "10"])[SIDE], tmp_path / "again").order.better is None


@pytest.mark.parametrize("activation", [None, "tanh", "softsign"])
def test_what_was_trained_towards_minus_1_and_1_has_its_border_at_0(activation, tmp_path):
    reading = read(fitted(activation, low=-1.0), SIDE, tmp_path)
    assert reading.from_logits
    assert reading.refusal is None
    assert reading.doubts == ()


@pytest.mark.parametrize("activation", ["exponential", "softplus", "relu"])
def test_what_is_never_negative_and_above_1_is_neither(activation, tmp_path):
    model = fitted(activation, low=-2.0, high=3.0)
    refusal = read(model, SIDE, tmp_path).refusal
    assert "a probability is at most 1, and a raw score is negative for one" in str(refusal)
    assert "from_logits=False or True in Python, --probabilities or --from-logits" in str(refusal)
    assert read(model, SIDE, tmp_path / "again", from_logits=False).refusal is None


def test_a_value_that_numbers_the_classes_from_1_is_neither(tmp_path):
    refusal = read(fitted(low=1.0, high=2.0), SIDE, tmp_path).refusal
    assert "says 1 of each of 168 samples" in str(refusal)
    assert "With the border at 1." in str(refusal)
    model = fitted(low=1.0, high=2.0, offset=-1.5)
    assert read(model, SIDE, tmp_path / "again").refusal is None


def test_distances_whose_smallest_decides_are_refused(tmp_path):
    import keras
    from keras import layers

    x = keras.Input((4,))
    far = keras.Model(x, layers.Rescaling(-1.0)(largest(None)(x)))
    refusal = read(far, LARGEST, tmp_path).refusal
    assert 'The smallest value of the output "rescaling' in str(refusal)
    assert "names the class of 100% of 168 samples" in str(refusal)
    near = keras.Model(x, layers.Rescaling(-1.0)(far(x)))
    assert read(near, LARGEST, tmp_path / "again").refusal is None


@pytest.mark.parametrize("activation", ["exponential", "softplus", "relu", "tanh", None])
def test_of_several_values_the_largest_decides_whatever_they_are(activation, tmp_path):
    import keras

    x = keras.Input((4,))
    reading = read(keras.Model(x, largest(activation)(x)), LARGEST, tmp_path)
    assert reading.refusal is None
    assert reading.doubts == ()


def test_labels_in_another_order_are_questioned(tmp_path):
    import keras

    x = keras.Input((4,))
    reading = read(keras.Model(x, largest(order=(1, 2, 0))(x)), LARGEST, tmp_path)
    assert not reading.from_logits
    assert "With the classes in another order (1, 2, 0)" in str(reading.doubts[0])


def test_another_output_that_is_right_is_named(tmp_path):
    import keras

    x = keras.Input((4,))
    model = keras.Model(x, {"aux": largest(order=(3, 3, 0))(x), "main": largest()(x)})
    assert "The output main is right on 100%" in str(read(model, LARGEST, tmp_path, output="aux").doubts[-1])
    assert read(model, LARGEST, tmp_path / "again", output="main").doubts == ()


def test_an_output_with_numbers_of_its_own_is_not_named_for_classes(tmp_path):
    """Its values may split the classes well, and yet it gives none."""
    import keras

    x = keras.Input((4,))
    model = keras.Model(x, {"amount": side(None)(x), "kind": side(wrong=True)(x)})
    labels = {"amount": 100 * SAMPLES[:, 0] + 0.5, "kind": SIDE}
    dataset = prepare((SAMPLES, labels), tmp_path / "data", model=describe_keras(model))
    assert [one.task for one in dataset.info.further] == ["regression"]
    assert "The output amount" not in " ".join(
        map(str, read_of(model, dataset, tmp_path, output="kind").doubts)
    )
    alone = read(model, SIDE, tmp_path / "alone", output="kind")
    assert "The output amount is right on" in " ".join(map(str, alone.doubts))


def test_the_logarithm_of_one_probability_is_refused(tmp_path):
    import keras

    x = keras.Input((4,))
    with pytest.raises(InvalidInput, match="logarithm of a single probability"):
        read(keras.Model(x, side("log_sigmoid")(x)), SIDE, tmp_path)


def test_a_value_for_each_step_is_refused(tmp_path):
    import keras
    from keras import layers

    x = keras.Input((4,))
    steps = keras.Model(x, layers.Dense(3, activation="softmax")(layers.Reshape((-1, 1))(x)))
    with pytest.raises(InvalidInput, match="an answer for each step"):
        read(steps, LARGEST, tmp_path)


@pytest.mark.parametrize("kind", ["dict", "list"])
def test_converted_files_give_the_judged_output(kind, tmp_path):
    import keras
    from keras import layers

    x = keras.Input((4,), name="x")
    heads = {
        "zebra": largest(order=(1, 2, 0), name="first")(x),
        "kind": largest(name="second")(x),
        "amount": layers.Dense(1, name="third")(x),
    }
    model = keras.Model(x, heads if kind == "dict" else list(heads.values()))
    name = "kind" if kind == "dict" else "second"
    description = with_wish(describe_keras(model), output_wish(output=name))
    wanted = np.asarray(heads_of(model, SAMPLES[:8], kind))
    dataset = prepare((SAMPLES, LARGEST), tmp_path / "data")
    model.save(tmp_path / "model.keras")
    parent = Candidate(
        variant="parent",
        path=tmp_path / "model.keras",
        runtime="keras.function",
        settings=RuntimeSettings(output=description.judged_output),
    )
    files = {
        "keras.eager": (tmp_path / "model.keras", "keras"),
        "litert": (to_tflite(model, tmp_path / "model.tflite"), "tflite"),
        "onnxruntime": (to_onnx(model, tmp_path / "model.onnx"), "onnx"),
        "openvino": (to_openvino(model, tmp_path / "model"), "openvino"),
    }
    for home, (path, form) in files.items():
        made = describe(path, form, like=description)
        outputs = [JudgedOutput(name=spec.name, position=place) for place, spec in enumerate(made.outputs)]
        expected = carried_position(made, description)
        candidate = Candidate(variant="made", path=path, runtime=home)
        for guess in (expected, (expected + 1) % 3):
            found = matching_output(Silent(), parent, candidate, outputs, guess, dataset)
            session = runtime(home).load(path, RuntimeSettings(output=outputs[found]))
            np.testing.assert_allclose(session.predict(SAMPLES[:8]), wanted, atol=1e-5)
            session.close()
            assert found == expected
        code = deployment_code(variant_of(path, form, home, made, outputs[expected]))
        if form == "keras":  # TensorFlow's threads are set once in a process
            assert f"output={expected})" in code
            continue
        predict = deployed(code, path, tmp_path / home)
        np.testing.assert_allclose(predict(SAMPLES[:8]), wanted, atol=1e-5)


def variant_of(path, form, home, description, output):
    return Variant(
        id="made",
        name="made",
        format=form,
        path=path,
        sha256="",
        runtime=home,
        settings=RuntimeSettings(output=output),
        description=description,
        created=datetime.now(UTC),
    )


def deployed(code, path, folder):
    """The function ``predict`` of deployment code beside its file."""
    folder.mkdir()
    variant_file = folder / {".tflite": "model.tflite", ".onnx": "model.onnx"}.get(path.suffix, "model")
    variant_file.symlink_to(path)
    script = write_bundle(code.replace('FILE = "', f'FILE = "{folder}/'), folder, "predict.py")
    return run_here(script)["predict"]


def heads_of(model, samples, kind):
    outputs = model(samples, training=False)
    return outputs["kind"] if kind == "dict" else outputs[1]
