from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.techniques.applying import write_bundle
from tests.techniques.plain_process import run_scripts
from workbench.api.dataset import Dataset
from workbench.api.errors import Refused
from workbench.api.technique import CodePaths, Context
from workbench.api.variant import Variant
from workbench.models.reading.description import describe_keras
from workbench.techniques.structure.width import WidthParameters, WidthScaling

keras = pytest.importorskip("keras")
layers = keras.layers


def dense_model():
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((64,), name="pixels"),
            layers.Normalization(mean=0.3, variance=0.1, name="fixed"),
            layers.Dense(128, activation="relu", name="a"),
            layers.Dropout(0.1),
            layers.Dense(64, activation="relu", name="b"),
            layers.Dense(10, activation="softmax", name="c"),
        ]
    )


def parent_of(model, folder: Path) -> Variant:
    folder.mkdir(exist_ok=True)
    path = folder / "model.keras"
    model.save(path)
    return Variant(
        id="1",
        name="baseline",
        format="keras",
        path=path,
        sha256="",
        runtime="keras.function",
        description=describe_keras(model),
        created=datetime.now(UTC),
    )


def context(parent: Variant, dataset: Dataset, folder: Path, reporter) -> Context:
    folder.mkdir()
    return Context(parent=parent, dataset=dataset, folder=folder, report=reporter, seed=0)


def accuracy(path: Path, dataset: Dataset) -> float:
    scores = keras.models.load_model(path, compile=False)(np.array(dataset.x("test"))).numpy()
    return float((scores.argmax(-1) == dataset.y("test")).mean())


def parameters_of(first: int, second: int) -> int:
    normalization = 0  # its mean and variance are given, not weights
    return normalization + 64 * first + first + first * second + second + second * 10 + 10


class TestApply:
    def test_narrower_layers_learn_in_the_code_too(self, digits, recorder, tmp_path):
        technique = WidthScaling()
        parameters = WidthParameters(factor=0.5, epochs=8, seed=7)
        parent = parent_of(dense_model(), tmp_path / "parent")
        applied = technique.apply(context(parent, digits, tmp_path / "out", recorder), parameters)

        made = keras.models.load_model(applied.path, compile=False)
        assert {name: made.get_layer(name).units for name in "abc"} == {"a": 64, "b": 32, "c": 10}
        assert made.get_layer("c").activation is keras.activations.softmax
        assert accuracy(applied.path, digits) > 0.93
        assert applied.path.stat().st_size < 0.75 * parent.path.stat().st_size
        assert applied.description.parameters == made.count_params() == parameters_of(64, 32)
        assert applied.format == "keras"
        assert applied.runtime == "keras.function"
        touched = [str(text) for text in applied.report.touched]
        assert touched == ["a: units 128 became 64.", "b: units 64 became 32."]
        assert any("output" in str(skip.reason) for skip in applied.report.skipped if skip.name == "c")
        assert any("Time to F1" in str(note) for note in applied.report.notes)
        assert recorder.fractions[-1] == 1.0
        assert recorder.curves["validation F1"]

        shorter = parameters.model_copy(update={"epochs": 2})
        script = technique.code(parent, shorter, CodePaths(model=str(parent.path)))
        digits.save_npz(tmp_path / "data.npz")
        done = run_scripts([write_bundle(script, tmp_path)], tmp_path, CUDA_VISIBLE_DEVICES="-1")
        assert done.returncode == 0, done.stderr[-3000:]
        twin = keras.models.load_model(tmp_path / "optimized.keras", compile=False)
        assert twin.get_config()["layers"] == made.get_config()["layers"]
        assert accuracy(tmp_path / "optimized.keras", digits) > 0.6
        # As small as ours: neither carries the optimizer.
        assert (tmp_path / "optimized.keras").stat().st_size == pytest.approx(
            applied.path.stat().st_size, rel=0.05
        )

    def test_layers_that_are_kept_have_their_weights_and_the_others_new_ones(self, digits):
        from workbench.graph.widths import plan_widths
        from workbench.plain.keras.widths import with_widths

        parent = dense_model()
        adapted = layers.Normalization(name="adapted")
        adapted.adapt(np.array(digits.x("train")))
        model = keras.Sequential([keras.Input((64,)), adapted, *parent.layers[1:]])
        plan = plan_widths(model.get_config(), 0.5, 4)
        assert plan.keep
        narrow = with_widths(model, plan.changes, plan.keep)
        x = np.array(digits.x("test"))
        np.testing.assert_array_equal(narrow.layers[0](x), model.layers[0](x))
        assert narrow.get_layer("a").kernel.shape == (64, 64)
        assert model.get_layer("a").kernel.shape == (64, 128)

    def test_a_model_without_a_free_width_is_refused_with_the_reasons(self, digits, recorder, tmp_path):
        x = keras.Input((64,))
        y = layers.Add(name="sum")([x, layers.Dense(64, name="tied")(x)])
        parent = parent_of(keras.Model(x, layers.Dense(10, name="scores")(y)), tmp_path)
        with pytest.raises(Refused, match=r"No width.*tied: .*through sum.*scores: "):
            WidthScaling().apply(
                context(parent, digits, tmp_path / "out", recorder), WidthParameters(epochs=1)
            )

    def test_a_model_that_does_not_build_names_the_layer(self, digits, recorder, tmp_path, monkeypatch):
        from workbench.graph import widths
        from workbench.techniques.structure import width

        def wrong(config, factor, multiple):
            return widths.WidthPlan(changes={"b": {"units": -3}})

        monkeypatch.setattr(width, "plan_widths", wrong)
        parent = parent_of(dense_model(), tmp_path)
        with pytest.raises(Refused, match=r"cannot be built at layer b: .*units=-3.*Choose another width"):
            WidthScaling().apply(
                context(parent, digits, tmp_path / "out", recorder), WidthParameters(epochs=1)
            )

    def test_factor_one_trains_the_same_architecture_again(self, digits, recorder, tmp_path):
        parent = parent_of(dense_model(), tmp_path)
        applied = WidthScaling().apply(
            context(parent, digits, tmp_path / "out", recorder), WidthParameters(factor=1, epochs=1)
        )
        assert applied.description.parameters == parent.description.parameters
        assert "every width stayed" in str(applied.report.touched[0])


class TestBeforeApplying:
    def test_fits(self, digits, odd_digits, tmp_path):
        technique = WidthScaling()
        parent = parent_of(dense_model(), tmp_path)
        assert technique.obstacle(parent, digits.info, WidthParameters()) is None
        assert "2 classes" in str(technique.obstacle(parent, odd_digits.info, WidthParameters()))
        lite = parent.model_copy(update={"format": "tflite"})
        assert "Keras" in str(technique.obstacle(lite, digits.info, WidthParameters()))
        shallow = parent_of(keras.Sequential([keras.Input((64,)), layers.Dense(10)]), tmp_path)
        assert "no hidden layer" in str(technique.obstacle(shallow, digits.info, WidthParameters()))
        assert technique.obstacle(shallow, digits.info, WidthParameters(factor=1)) is None

    def test_estimate_is_near_what_comes_out(self, digits, tmp_path):
        parent = parent_of(dense_model(), tmp_path)
        estimate = WidthScaling().estimate(parent, digits.info, WidthParameters(factor=0.5))
        exact = (64 * 64 + 64 + 64 * 32 + 32 + 32 * 10 + 10) / (64 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10)
        assert estimate.weights_ratio == pytest.approx(exact)
        assert estimate.operations_ratio == pytest.approx(
            (64 * 64 + 64 * 32 + 32 * 10) / (64 * 128 + 128 * 64 + 64 * 10)
        )
        assert estimate.counted
        longer = WidthScaling().estimate(parent, digits.info, WidthParameters(factor=0.5, epochs=200))
        assert longer.seconds > 3 * estimate.seconds
        assert str(round(100 * estimate.weights_ratio)) in str(estimate.expectation)

    def test_code_without_a_readable_file_falls_back_to_the_description(self, tmp_path):
        parent = parent_of(dense_model(), tmp_path)
        gone = parent.model_copy(update={"path": tmp_path / "gone.keras"})
        from_file = WidthScaling().code(parent, WidthParameters(), CodePaths())
        from_description = WidthScaling().code(gone, WidthParameters(), CodePaths())
        for line in ('"a": {"units": 64},', '"b": {"units": 32},'):
            assert line in from_file
            assert line in from_description
        assert '"c"' not in from_description
        compile(from_file, "script", "exec")
        compile(from_description, "script", "exec")

    def test_name_and_form(self):
        assert WidthScaling().variant_name(WidthParameters(factor=0.25)) == "width 0.25"
        assert list(WidthParameters.model_fields)[:2] == ["factor", "round_to"]
        assert {"epochs", "batch_size", "learning_rate", "patience", "seed"} < set(
            WidthParameters.model_fields
        )
