from __future__ import annotations

import ast

import numpy as np
import pytest

from tests import small_models
from tests.techniques.applying import Reports, apply, run_code
from workbench import techniques
from workbench.api.errors import Cancelled, JobFailed
from workbench.api.technique import CodePaths

NAME = "training.retrain"

RECIPES = {
    "smooth": (
        "dense",
        {
            "start": "new weights",
            "optimizer": "AdamW",
            "schedule": "warm-up and cosine",
            "find_learning_rate": True,
            "label_smoothing": 0.1,
            "class_weights": "balanced",
            "clip_norm": 1.0,
            "noise": 0.1,
            "mixup": 0.2,
            "epochs": 2,
        },
    ),
    "pictures": (
        "conv",
        {
            "optimizer": "SGD",
            "schedule": "one-cycle",
            "momentum": 0.8,
            "learning_rate": 0.01,
            "flip": "horizontal",
            "shift": 0.1,
            "rotation": 10.0,
            "cutout": 0.3,
            "ema": 0.9,
            "accumulation": 2,
            "epochs": 2,
        },
    ),
    "half": (
        "dense",
        {
            "optimizer": "Muon",
            "schedule": "step",
            "learning_rate": 0.01,
            "weight_decay": 0.01,
            "precision": "mixed_float16",
            "epochs": 2,
        },
    ),
    "seeds": (
        "dense",
        {
            "start": "new weights",
            "optimizer": "Lion",
            "schedule": "cosine",
            "seeds": 2,
            "steps_per_call": 2,
            "input_pipeline": "from file",
            "epochs": 2,
        },
    ),
    "two inputs": (
        "two inputs, one output",
        {"rotation": 20.0, "cutout": 0.2, "noise": 0.05, "mixup": 0.3, "epochs": 1},
    ),
    "adapted": ("adapted", {"epochs": 1}),
}


@pytest.fixture(scope="module")
def known(parents, tmp_path_factory):
    """The small models, one of them with one output in place of two, and one that normalizes deep inside."""
    folder = tmp_path_factory.mktemp("adapted")

    def adapted():
        import keras
        from keras import layers

        _, dataset = parents("dense")
        normalization = layers.Normalization(name="normalization")
        normalization.adapt(3 * np.asarray(dataset.x("train")) + 5)
        keras.utils.set_random_seed(4)
        inner = keras.Sequential([keras.Input((20,)), normalization, layers.Dense(8, "relu")], name="inner")
        inputs = keras.Input((20,), name="features")
        model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="out")(inner(inputs)))
        return with_logits(small_models.baseline(model, folder / "adapted.keras")), dataset

    def of(kind):
        if kind == "adapted":
            return adapted()
        if kind in small_models.SHAPES:
            return parents(kind)
        import keras

        parent, dataset = parents("two_inputs")
        both = keras.models.load_model(parent.path, compile=False)
        file = tmp_path_factory.mktemp("single") / "single.keras"
        single = small_models.baseline(keras.Model(both.inputs, both.outputs[0]), file)
        return with_logits(single), dataset

    return of


def with_logits(variant):
    description = variant.description.model_copy(update={"from_logits": True})
    return variant.model_copy(update={"description": description})


@pytest.fixture(scope="module")
def twins(known, tmp_path_factory):
    """What each recipe's plain code writes; all run in one process."""
    folder = tmp_path_factory.mktemp("twins")
    run_code([(NAME, *known(kind), values, name) for name, (kind, values) in RECIPES.items()], folder / "run")
    return folder / "run"


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_plain_code_trains_without_this_package(name, twins, known):
    """What it calls is what trains here; see the next test for the settings it calls it with."""
    import keras

    kind, _ = RECIPES[name]
    made = keras.models.load_model(twins / f"{name}.keras", compile=False)
    before = keras.models.load_model(known(kind)[0].path, compile=False)
    pairs = list(zip(made.get_weights(), before.get_weights(), strict=True))
    # Normalization counts with whole numbers.
    assert {weight.dtype for weight, _ in pairs if weight.dtype.kind == "f"} == {np.dtype(np.float32)}
    assert all(np.isfinite(weight).all() for weight, _ in pairs)
    assert any((weight != old).any() for weight, old in pairs)
    assert {layer.dtype_policy.name for layer in made.layers} == {"float32"}


CALLS = {
    "smooth": {
        "sweep_rates": {"batch_size": 32, "seed": 0},
        "AdamW": {"global_clipnorm": 1.0},
        "CategoricalCrossentropy": {"label_smoothing": 0.1},
        "shuffled_batches": {"batch_size": 32, "seed": 0, "prefetch": True},
        "augmentation": {"seed": 0, "noise": 0.1, "mixup": 0.2},
        "class_probabilities": {},
        "balanced_weights": {},
        "fit": {"shuffle": False, "epochs": 2, "verbose": 2},
    },
    "pictures": {
        "SGD": {"momentum": 0.8, "nesterov": True, "gradient_accumulation_steps": 2}
        | {"use_ema": True, "ema_momentum": 0.9},
        "shuffled_batches": {"batch_size": 32, "seed": 0, "prefetch": True},
        "augmentation": {"seed": 0, "flip": "horizontal", "shift": 0.1, "rotation": 10.0, "cutout": 0.3},
        "mean_of_pictures": {},
        "SwapEMAWeights": {"swap_on_epoch": True},
    },
    "half": {"computing_in": {}, "LossScaleOptimizer": {}, "Muon": {"weight_decay": 0.01}},
    "seeds": {
        "compile": {"steps_per_execution": 2},
        "shuffled_batches": {"batch_size": 32, "held": False},
        "EarlyStopping": {"monitor": "val_loss", "patience": 5, "restore_best_weights": True},
    },
}
"""What plain code of a recipe calls, with some of the arguments: those that its settings decide."""


@pytest.mark.parametrize("name", CALLS)
def test_plain_code_hands_on_the_settings(name, known):
    kind, values = RECIPES[name]
    technique = techniques.technique(NAME)
    code = technique.code(known(kind)[0], technique.parameters_type(**values), CodePaths())
    called = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            given = {one.arg: one.value.value for one in node.keywords if isinstance(one.value, ast.Constant)}
            called[ast.unparse(node.func).rpartition(".")[2]] = given
    for function, arguments in CALLS[name].items():
        assert arguments.items() <= called[function].items(), function
    if name == "seeds":
        assert "    seed=seed," in code


def test_changed_pictures_train_in_16_bits(parents, tmp_path):
    import keras

    parent, dataset = parents("conv")
    values = {"flip": "vertical", "cutout": 0.3, "rotation": 5.0, "precision": "mixed_float16", "epochs": 1}
    applied = apply(NAME, parent, dataset, tmp_path / "out", optimizer="Muon", ema=0.9, **values)
    made, before = (keras.models.load_model(one.path, compile=False) for one in (applied, parent))
    pairs = list(zip(made.get_weights(), before.get_weights(), strict=True))
    assert all(new.dtype == np.float32 and np.isfinite(new).all() for new, _ in pairs)
    assert any((new != old).any() for new, old in pairs)
    assert {layer.dtype_policy.name for layer in made.layers} == {"float32"}
    assert [skip.name for skip in applied.report.skipped] == ["input_pipeline"]


@pytest.mark.slow
def test_plain_code_sets_the_weights_of_what_adapts_to_data_too(twins, known, tmp_path):
    """Normalization computes with copies of its weights, in nested models too: both train the same."""
    import keras

    kind, values = RECIPES["adapted"]
    parent, dataset = known(kind)
    applied = apply(NAME, parent, dataset, tmp_path / "out", **values)
    ours = keras.models.load_model(applied.path, compile=False)
    theirs = keras.models.load_model(twins / "adapted.keras", compile=False)
    before = keras.models.load_model(parent.path, compile=False)
    pairs = list(zip(ours.get_weights(), theirs.get_weights(), before.get_weights(), strict=True))
    # Normalization counts with whole numbers.
    assert {mine.dtype for mine, _, _ in pairs if mine.dtype.kind == "f"} == {np.dtype(np.float32)}
    moved = max(np.abs(mine - old).max() for mine, _, old in pairs)
    apart = max(np.abs(mine - other).max() for mine, other, _ in pairs)
    assert apart < 1e-3 * moved
    assert {layer.dtype_policy.name for layer in ours.layers} == {"float32"}


def texts(items):
    return [str(item) for item in items]


def test_reports_every_seed_and_keeps_the_best(parents, tmp_path):
    import keras
    from sklearn.metrics import f1_score

    parent, dataset = parents("dense")
    report = Reports()
    applied = apply(
        NAME,
        parent,
        dataset,
        tmp_path / "out",
        report=report,
        start="new weights",
        seeds=2,
        epochs=2,
        learning_rate=0.01,
        compare=True,
        seed=3,
    )
    runs, curves = applied.report.tables
    assert [row[0] for row in runs.rows] == ["3", "4"]
    assert len(curves.rows) == 2
    notes = texts(applied.report.notes)
    assert any("Over 2 seeds" in note for note in notes)
    assert any("Against plain Adam" in note for note in notes)
    assert any("Run 4 of 4" in stage for stage in report.stages)
    model = keras.models.load_model(applied.path, compile=False)
    predicted = model(np.asarray(dataset.x("validation"))).numpy().argmax(-1)
    f1 = f1_score(dataset.y("validation"), predicted, average="macro")
    assert f1 == pytest.approx(max(row[1] for row in runs.rows), abs=1e-4)
    assert applied.description.parameters == parent.description.parameters
    assert applied.format == "keras"


def test_frozen_and_adapted_layers_keep_their_weights(parents, tmp_path):
    import keras
    from keras import layers

    _, dataset = parents("dense")
    keras.utils.set_random_seed(2)
    inner = keras.Sequential(
        [keras.Input((20,)), layers.Dense(8, name="frozen", trainable=False), layers.Dense(8, name="free")],
        name="inner",
    )
    adapted = layers.Normalization(name="adapted")
    adapted.adapt(np.asarray(dataset.x("train")))
    inputs = keras.Input((20,), name="features")
    model = keras.Model(inputs, layers.Dense(small_models.CLASSES, name="out")(inner(adapted(inputs))))
    parent = small_models.baseline(model, tmp_path / "model.keras")
    parent = with_logits(parent)
    applied = apply(
        NAME, parent, dataset, tmp_path / "out", start="new weights", epochs=1, learning_rate=1e-6
    )
    made = keras.models.load_model(applied.path, compile=False)

    def apart(get):
        pairs = zip(get(made).get_weights(), get(model).get_weights(), strict=True)
        return max(float(np.abs(np.asarray(new) - old).max()) for new, old in pairs)

    assert apart(lambda one: one.get_layer("adapted")) == 0
    assert apart(lambda one: one.get_layer("inner").get_layer("frozen")) == 0
    assert apart(lambda one: one.get_layer("inner").get_layer("free")) > 0.1
    assert apart(lambda one: one.get_layer("out")) > 0.1
    assert {skip.name for skip in applied.report.skipped} == {"adapted", "inner/frozen"}

    technique = techniques.technique(NAME)
    code = technique.code(
        parent, technique.parameters_type(start="new weights"), CodePaths(model=str(parent.path))
    )
    for layer in ('get_layer("inner").get_layer("frozen")', 'get_layer("adapted")'):
        assert f"copy_weights(source.{layer}, model.{layer})" in code


def test_what_has_no_effect_or_cannot_be_done_is_told(known, tmp_path):
    technique = techniques.technique(NAME)
    parent, dataset = known("two_inputs")
    assert "labels for each output" in str(technique.obstacle(parent, dataset.info, parameters()))
    parent, dataset = known("two inputs, one output")
    values = {"mixup": 0.3, "epochs": 1, "batch_size": 160, "profile": True}
    applied = apply(NAME, parent, dataset, tmp_path / "out", **values)
    assert [table.picture for table in applied.report.tables] == [None, "line", "bars"]
    assert [skip.name for skip in applied.report.skipped] == ["input_pipeline"]


def test_zeros_of_a_sparse_parent_stay(parents, tmp_path):
    import keras

    _, dataset = parents("dense")
    model = keras.models.load_model(parents("dense")[0].path, compile=False)
    kernel = model.get_layer("wide").kernel
    kernel.assign(np.where(np.abs(kernel.numpy()) < np.median(np.abs(kernel.numpy())), 0, kernel.numpy()))
    zeros = kernel.numpy() == 0
    parent = small_models.baseline(model, tmp_path / "sparse.keras")
    applied = apply(NAME, parent, dataset, tmp_path / "out", epochs=1, ema=0.5)
    after = keras.models.load_model(applied.path, compile=False).get_layer("wide").kernel.numpy()
    assert (after[zeros] == 0).all()
    assert (after[~zeros] != kernel.numpy()[~zeros]).any()
    assert any("Zeros were kept" in note for note in texts(applied.report.notes))
    twin = tmp_path / "twin.keras"
    run_code([(NAME, parent, dataset, {"epochs": 1, "ema": 0.5}, str(twin))], tmp_path / "code")
    plain = keras.models.load_model(twin, compile=False).get_layer("wide").kernel.numpy()
    assert (plain[zeros] == 0).all()


def test_a_training_that_never_works_is_an_error_with_an_action(parents, tmp_path):
    import keras

    parent, dataset = parents("dense")
    model = keras.models.load_model(parent.path, compile=False)
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    broken = small_models.baseline(model, tmp_path / "broken.keras")
    with pytest.raises(JobFailed, match="Lower the learning rate"):
        apply(NAME, broken, dataset, tmp_path / "out", seeds=2, epochs=1)


def test_cancel(parents, tmp_path):
    report = Reports(cancel_at=3)
    with pytest.raises(Cancelled):
        apply(NAME, *parents("dense"), tmp_path / "out", report=report, epochs=1000, find_learning_rate=True)
    assert report.checks == 3


def parameters(**values):
    return techniques.technique(NAME).parameters_type(**values)


def test_refusals_and_estimates(parents):
    technique = techniques.technique(NAME)
    parent, dataset = parents("dense")
    assert "need pictures" in str(technique.obstacle(parent, dataset.info, parameters(flip="vertical")))
    lite = parent.model_copy(update={"format": "tflite"})
    assert "this starts from Keras" in str(technique.obstacle(lite, dataset.info, parameters()))
    one, many = (
        technique.estimate(parent, dataset.info, parameters(**values))
        for values in ({}, {"seeds": 3, "compare": True, "precision": "mixed_bfloat16"})
    )
    assert many.seconds > 5 * one.seconds
    assert one.size_ratio == 1
    assert "16-bit" in str(many.expectation)
    assert "16-bit" not in str(one.expectation)


def test_names():
    technique = techniques.technique(NAME)
    assert technique.variant_name(parameters()) == "fine-tuned"
    assert technique.variant_name(parameters(start="new weights")) == "retrained"
    with pytest.raises(ValueError, match="optimizer"):
        parameters(optimizer="Adagrad")
