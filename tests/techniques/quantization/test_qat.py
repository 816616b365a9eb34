import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import Reports, apply, predict, run_code, size
from workbench import techniques
from workbench.api.errors import Cancelled, WorkbenchError
from workbench.techniques.quantization.qat import QatParameters

NAME = "quantization.qat"
SHORT = {"epochs": 2, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def trained(parents, tmp_path_factory):
    known = {}

    def of(kind, **parameters):
        key = kind, *sorted(parameters.items())
        if key not in known:
            folder = tmp_path_factory.mktemp("qat") / "folder"
            known[key] = apply(NAME, *parents(kind), folder, **{**SHORT, **parameters})
        return known[key]

    return of


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_the_file_is_int8_throughout(kind, trained, parents, made):
    applied = trained(kind)
    parent, dataset = parents(kind)
    assert (applied.format, applied.runtime) == ("tflite", "litert")
    assert applied.description.precision == "int8"
    assert applied.description.from_logits == parent.description.from_logits
    assert applied.report.skipped == ()
    kinds = {layer.kind for layer in applied.description.layers if layer.precision == "float32"}
    assert kinds <= {"QUANTIZE", "DEQUANTIZE"}
    assert size(applied.path) < 0.6 * size(made("inference.runtime", kind, runtime="litert").path)
    x, y = dataset.x("test"), dataset.y("test")
    assert (predict(applied, x).argmax(-1) == y).mean() > 0.85


def test_the_report_says_what_was_folded_trained_and_compared(trained):
    report = trained("conv").report
    assert str(report.touched[0]) == "Batch normalization folded: depthwise_bn, stem_bn."
    assert "rounded at 6 places" in str(report.touched[-1])
    agreement = next(str(note) for note in report.notes if "choose the same class" in str(note))
    assert float(agreement.split("class for ")[1].split("%")[0]) >= 98
    assert any("Time to F1" in str(note) for note in report.notes)
    (table,) = report.tables
    behind = [row[0] for row in table.rows]
    assert behind == ["image", "stem_relu", "block", "add", "relu6", "logits"]
    assert all(low < high for _, low, high in table.rows)
    # a ReLU of 6 goes no further
    assert 0 <= {row[0]: row[2] for row in table.rows}["relu6"] <= 6.001


def test_int4(trained, parents):
    applied = trained("conv", weights="int4")
    dataset = parents("conv")[1]
    precisions = {layer.kind: layer.precision for layer in applied.description.layers if layer.parameters}
    assert precisions["CONV_2D"] == precisions["FULLY_CONNECTED"] == "int4"
    assert precisions["DEPTHWISE_CONV_2D"] == "int8"
    assert any("DEPTHWISE" in skip.name for skip in applied.report.skipped)
    assert size(applied.path) < size(trained("conv").path)
    agreement = next(str(note) for note in applied.report.notes if "choose the same class" in str(note))
    assert float(agreement.split("class for ")[1].split("%")[0]) >= 95
    x, y = dataset.x("test"), dataset.y("test")
    assert (predict(applied, x).argmax(-1) == y).mean() > 0.85


def test_what_does_not_fit(parents, made):
    technique = techniques.technique(NAME)
    parent, dataset = parents("two_inputs")
    assert "labels for each output" in str(technique.obstacle(parent, dataset.info, QatParameters()))
    parent, dataset = parents("conv")
    lite = small_models.child(made("inference.runtime", "conv", runtime="litert"), parent)
    assert "Keras" in str(technique.obstacle(lite, dataset.info, QatParameters()))
    layers = tuple(layer.model_copy(update={"kind": "LSTM"}) for layer in parent.description.layers)
    other = parent.model_copy(
        update={"description": parent.description.model_copy(update={"layers": layers})}
    )
    assert "no Dense layer" in str(technique.obstacle(other, dataset.info, QatParameters()))


def test_cancel_while_training(parents, tmp_path):
    report = Reports(cancel_at=12)
    with pytest.raises(Cancelled):
        apply(NAME, *parents("conv"), tmp_path, report=report, epochs=50)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_converted_is_not_trained(parents, tmp_path):
    import keras

    given = keras.Input((20,))
    wide = keras.layers.Dense(8, activation="tanh")(given)
    odd = keras.ops.erfinv(0.5 * wide)  # no operation of LiteRT
    model = keras.Model(given, keras.layers.Dense(small_models.CLASSES, activation="softmax")(odd))
    parent = small_models.baseline(model, tmp_path / "odd.keras")
    report = Reports()
    with pytest.raises(WorkbenchError, match=r"cannot be converted to LiteRT: 'tf\.Erfinv'"):
        apply(NAME, parent, parents("dense")[1], tmp_path / "made", report=report, epochs=50)
    assert report.stages[-1] == "Trying the conversion"
    assert list((tmp_path / "made").iterdir()) == []


def test_estimate_and_name(parents):
    parent, dataset = parents("conv")
    technique = techniques.technique(NAME)
    estimate = technique.estimate(parent, dataset.info, QatParameters())
    assert 0 < estimate.seconds < 600
    assert 0.1 < estimate.size_ratio < 0.5
    assert technique.variant_name(QatParameters(weights="int4")) == "int4 QAT"
    for field in QatParameters.model_fields.values():
        assert field.title
        assert field.description


@pytest.mark.slow
def test_nested_models_are_trained_as_if_they_were_one(parents, tmp_path):
    keras = pytest.importorskip("keras")
    layers = keras.layers
    keras.utils.set_random_seed(2)
    inner = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(8, 3, use_bias=False, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
        ],
        name="inner",
    )
    innermost = keras.Sequential([keras.Input((8,)), layers.Dense(16, activation="relu", name="hidden")])
    inputs = keras.Input((12, 12, 3), name="image")
    x = layers.GlobalAveragePooling2D(name="mean")(inner(inputs))
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="logits")(innermost(x)))
    _, dataset = parents("conv")
    parent = small_models.baseline(small_models.train(model, "conv"), tmp_path / "nested.keras")
    x = dataset.x("test")
    for weights in ("int8", "int4"):
        ours = apply(NAME, parent, dataset, tmp_path / weights, **SHORT, weights=weights)
        assert np.isfinite(predict(ours, x)).all()
        assert not [layer for layer in ours.description.layers if "FAKE" in layer.kind.upper()]


@pytest.mark.slow
def test_zeros_stay_zero_and_the_plain_code_gives_the_same_predictions(parents, trained, tmp_path):
    """Zeros of a sparse parent: in the int8 file, in the report and in the file that the plain code makes."""
    import keras

    from workbench.models.reading.description import describe_keras

    parent, dataset = parents("dense")
    model = keras.models.load_model(parent.path, compile=False)
    layer = model.get_layer("wide")
    kernel, bias = layer.get_weights()
    zero = np.abs(kernel) < np.quantile(np.abs(kernel), 0.6)
    layer.set_weights([np.where(zero, 0, kernel), bias])
    (tmp_path / "parent").mkdir()
    model.save(tmp_path / "parent" / "sparse.keras")
    sparse = parent.model_copy(
        update={
            "path": tmp_path / "parent" / "sparse.keras",
            "description": describe_keras(model),
        }
    )
    applied = apply(NAME, sparse, dataset, tmp_path / "made", **SHORT)
    assert "Zeros were kept in training: wide." in map(str, applied.report.notes)
    cases = [
        ("conv", parents("conv"), {}),
        ("four", parents("conv"), {"weights": "int4"}),
        ("sparse", (sparse, dataset), {}),
    ]
    run_code(
        [
            (NAME, *given, {**SHORT, **values}, str(tmp_path / f"{name}.tflite"))
            for name, given, values in cases
        ],
        tmp_path / "code",
    )
    for name, (_, data), values in cases:
        ours = applied if name == "sparse" else trained("conv", **values)
        theirs = replace(ours, path=tmp_path / f"{name}.tflite")
        expected = predict(ours, data.x("test"))
        found = predict(theirs, data.x("test"))
        np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())
    for path in (applied.path, tmp_path / "sparse.tflite"):
        weights = stored(path, zero.shape[::-1])
        assert (weights.T[zero] == 0).all()
        assert (weights == 0).mean() < 0.7


@pytest.mark.slow
def test_shared_values_stay_where_nothing_is_folded(parents, tmp_path):
    import keras

    parent, dataset = parents("conv")
    model = keras.models.load_model(parent.path, compile=False)
    for name in ("stem", "logits"):
        kernel = model.get_layer(name).kernel
        kernel.assign(np.round(np.asarray(kernel) * 8) / 8 + 1 / 16)
    (tmp_path / "parent").mkdir()
    few = small_models.baseline(model, tmp_path / "parent" / "few.keras")
    notes = list(map(str, apply(NAME, few, dataset, tmp_path / "made", **SHORT).report.notes))
    (parted,) = [note for note in notes if "shared values became" in note]
    assert parted.startswith("stem: ")
    assert any(note.startswith("Shared values were kept") and "logits" in note for note in notes)


def stored(path, shape):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    (detail,) = [item for item in interpreter.get_tensor_details() if tuple(item["shape"]) == shape]
    return interpreter.get_tensor(detail["index"])


def test_columns_of_different_scales_reach_the_normalization_unrounded(tmp_path):
    import keras
    from keras import layers

    dataset = small_models.write_dataset("dense", tmp_path / "data")
    # Seen by the model as the data are, and by what rounds the input as columns of 1 and of 10,000.
    scales = np.where(np.arange(20) == 19, 1e4, 1.0).astype("float32")
    dataset = scaled_columns(dataset, scales, tmp_path / "wide")
    inputs = keras.Input((20,), name="x")
    norm = layers.Normalization(name="norm")
    norm.adapt(np.asarray(dataset.x("train")))
    x = layers.Dense(32, activation="relu", name="hidden")(norm(inputs))
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="logits")(x))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(np.asarray(dataset.x("train")), np.asarray(dataset.y("train")), epochs=15, verbose=0)
    parent = small_models.baseline(model, tmp_path / "model.keras")
    applied = apply(NAME, parent, dataset, tmp_path / "out", epochs=1)
    x, y = np.asarray(dataset.x("test")), np.asarray(dataset.y("test"))
    before = (np.asarray(model(x)).argmax(1) == y).mean()
    assert before > 0.8
    assert (predict(applied, x).argmax(1) == y).mean() > before - 0.1
    assert {layer.precision for layer in applied.description.layers if layer.parameters > 50} == {"int8"}


def scaled_columns(dataset, scales, folder):
    shutil.copytree(dataset.folder, folder)
    for file in folder.glob("x_*.npy"):
        np.save(file, np.load(file) * scales)
    return type(dataset)(folder)
