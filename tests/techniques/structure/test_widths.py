from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.api.errors import Refused
from workbench.graph.calls import read_config
from workbench.graph.widths import WidthPlan, plan_widths, scaled

keras = pytest.importorskip("keras")
layers = keras.layers


def reason(plan: WidthPlan, name: str) -> str:
    return next(str(skip.reason) for skip in plan.skipped if skip.name == name)


def rebuilt(model, plan: WidthPlan):
    def narrowed(layer):
        config = layer.get_config()
        config.update(plan.changes.get(layer.name, {}))
        return layer.__class__.from_config(config)

    return keras.models.clone_model(model, clone_function=narrowed, recursive=True)


def widths(model) -> dict[str, int]:
    return {layer.name: layer.output.shape[-1] for layer in model.layers}


def dense_model():
    return keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(128, activation="relu", name="a"),
            layers.Dense(64, activation="relu", name="b"),
            layers.Dense(10, activation="softmax", name="c"),
        ]
    )


def residual_model():
    x = given_input = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False, name="stem")(x)
    x = shortcut = layers.ReLU()(layers.BatchNormalization()(x))
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    y = layers.Conv2D(16, 1, name="pointwise")(y)
    x = layers.Add(name="add")([shortcut, y])
    a = layers.Conv2D(8, 1, name="left")(x)
    b = layers.SeparableConv2D(24, 3, padding="same", name="right")(x)
    x = layers.Concatenate(name="concatenate")([a, b])
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(10, name="scores")(x)
    return keras.Model(given_input, layers.Softmax()(x))


class TestScaled:
    def test_examples(self):
        assert scaled(128, 0.5, 4) == 64
        assert scaled(64, 0.5, 4) == 32
        assert scaled(10, 0.5, 4) == 4
        assert scaled(3, 0.1, 4) == 1
        assert scaled(1, 0.5, 1) == 1

    @given(st.integers(1, 5000), st.floats(0.1, 1), st.integers(1, 64))
    def test_stays_within_bounds_and_on_multiples(self, width, factor, multiple):
        new = scaled(width, factor, multiple)
        assert 1 <= new <= width
        assert new == width or multiple > width or new % multiple == 0
        assert abs(new - width * factor) <= max(multiple, 1) if multiple <= width else True


class TestPlan:
    def test_128_64_10_becomes_64_32_10(self):
        model = dense_model()
        plan = plan_widths(model.get_config(), 0.5, 4)
        assert widths(rebuilt(model, plan)) == {"a": 64, "b": 32, "c": 10}
        assert "model's output" in reason(plan, "c")

    def test_factor_one_changes_nothing(self):
        plan = plan_widths(dense_model().get_config(), 1.0, 64)
        assert plan.changes == {}
        assert [skip.name for skip in plan.skipped] == ["c"]

    def test_a_residual_network_stays_consistent(self):
        model = residual_model()
        plan = plan_widths(model.get_config(), 0.5, 4)
        new = widths(rebuilt(model, plan))
        assert {name: new[name] for name in ("stem", "depthwise", "pointwise", "left", "right")} == {
            "stem": 8,
            "depthwise": 8,
            "pointwise": 8,
            "left": 4,
            "right": 12,
        }
        assert new["scores"] == 10
        assert "follows its input" in reason(plan, "depthwise")
        assert "output" in reason(plan, "scores")

    @pytest.mark.parametrize("factor", [0.1, 0.3, 0.45, 0.77, 0.9])
    @pytest.mark.parametrize("multiple", [1, 8])
    def test_every_factor_builds(self, factor, multiple):
        model = residual_model()
        new = rebuilt(model, plan_widths(model.get_config(), factor, multiple))
        assert new.output_shape == (None, 10)
        assert new.count_params() <= model.count_params()

    def test_a_width_added_to_the_input_stays(self):
        x = keras.Input((8,))
        y = layers.Add(name="add")([x, layers.Dense(8, name="tied")(layers.Dense(16, name="free")(x))])
        plan = plan_widths(keras.Model(x, layers.Dense(3, name="out")(y)).get_config(), 0.5, 1)
        assert plan.changes == {"free": {"units": 8}}
        assert "through add" in reason(plan, "tied")
        assert "input" in reason(plan, "tied")

    def test_operators_join_widths_like_layers(self):
        x = keras.Input((8,))
        y = layers.Dense(12, name="a")(x)
        z = keras.ops.relu(y + layers.Dense(12, name="b")(y) * 2.0)
        model = keras.Model(x, layers.Dense(3)(z))
        plan = plan_widths(model.get_config(), 0.5, 1)
        assert plan.changes == {"a": {"units": 6}, "b": {"units": 6}}
        assert rebuilt(model, plan).output_shape == (None, 3)

    def test_concatenations_that_do_not_match_are_left_alone(self):
        x = keras.Input((8,))
        parts = [layers.Dense(n, name=f"d{i}")(x) for i, n in enumerate((5, 7, 7, 5, 12))]
        y = layers.Add()([layers.Concatenate()(parts[:2]), layers.Concatenate()(parts[2:4]), parts[4]])
        plan = plan_widths(keras.Model(x, layers.Dense(3)(y)).get_config(), 0.5, 1)
        assert plan.changes == {}
        assert "made up differently" in reason(plan, "d0")

    def test_reshape_follows_only_where_it_keeps_the_last_axis(self):
        x = keras.Input((6, 6, 2))
        y = layers.Conv2D(16, 3, name="main")(x)
        gate = layers.Reshape((1, 1, 16), name="gate")(layers.GlobalAveragePooling2D()(y))
        gate = layers.Conv2D(16, 1, activation="sigmoid", name="excite")(gate)
        y = layers.Multiply()([y, gate])
        y = layers.Reshape((16, 16), name="fold")(layers.Conv2D(16, 1, name="last")(y))
        model = keras.Model(x, layers.Dense(3)(layers.Flatten()(y)))
        plan = plan_widths(model.get_config(), 0.5, 1)
        assert plan.changes["gate"] == {"target_shape": [1, 1, 8]}
        assert plan.changes["excite"] == {"filters": 8}
        new = rebuilt(model, plan)
        assert new.get_layer("main").output.shape[-1] == 8
        # 4 x 4 x 16 into 16 x 16 keeps the last axis, 4 x 4 x 8 still fills it
        assert new.output_shape == (None, 3)

    def test_a_reshape_that_mixes_axes_fixes_the_width(self):
        x = keras.Input((8,))
        y = layers.Reshape((4, 6), name="fold")(layers.Dense(24, name="wide")(x))
        plan = plan_widths(keras.Model(x, layers.Dense(2)(layers.Flatten()(y))).get_config(), 0.5, 1)
        assert plan.changes == {}
        assert "fold" in reason(plan, "wide")

    def test_grouped_convolutions_stay_divisible(self):
        x = keras.Input((6, 6, 4))
        y = layers.Conv2D(12, 1, name="before")(x)
        y = layers.Conv2D(24, 3, groups=6, name="grouped")(y)
        model = keras.Model(x, layers.Dense(2)(layers.GlobalMaxPooling2D()(y)))
        plan = plan_widths(model.get_config(), 0.4, 1)
        assert plan.changes == {"before": {"filters": 6}, "grouped": {"filters": 12}}
        rebuilt(model, plan)

    def test_a_shared_layer_has_one_width(self):
        shared = layers.Dense(16, name="shared")
        x, y = keras.Input((8,)), keras.Input((8,))
        a, b = layers.Dense(12, name="a")(x), layers.Dense(12, name="b")(y)
        out = layers.Dense(3)(layers.Concatenate()([shared(a), shared(b)]))
        model = keras.Model([x, y], out)
        plan = plan_widths(model.get_config(), 0.5, 1)
        assert plan.changes == {"a": {"units": 6}, "b": {"units": 6}, "shared": {"units": 8}}
        rebuilt(model, plan)

    def test_frozen_and_adapted_layers_stay_and_keep_their_weights(self):
        frozen = layers.Dense(16, name="frozen", trainable=False)
        model = keras.Sequential(
            [
                keras.Input((8,)),
                layers.Normalization(name="normalization"),
                layers.Dense(32, name="first"),
                frozen,
                layers.Dense(24, name="second"),
                layers.Dense(3, name="last"),
            ]
        )
        plan = plan_widths(model.get_config(), 0.5, 1)
        assert plan.keep == [("normalization",), ("frozen",)]
        assert plan.changes == {"second": {"units": 12}}
        assert "frozen" in reason(plan, "first")

    def test_nested_models_are_followed(self):
        inner = keras.Sequential(
            [keras.Input((32,)), layers.Dense(16, name="i1"), layers.Dense(12, name="i2")], name="inner"
        )
        x = keras.Input((8,))
        model = keras.Model(x, layers.Dense(3)(inner(layers.Dense(32, name="outer")(x))))
        plan = plan_widths(model.get_config(), 0.5, 1)
        assert plan.changes == {"i1": {"units": 8}, "i2": {"units": 6}}
        assert "inside the model" in reason(plan, "outer")
        assert rebuilt(model, plan).count_params() < model.count_params()

    def test_layers_that_are_not_understood_fix_what_they_touch(self):
        model = keras.Sequential(
            [
                keras.Input((12,)),
                layers.Embedding(50, 32, name="embedding"),
                layers.LSTM(24, return_sequences=True, name="lstm"),
                layers.Bidirectional(layers.GRU(16), name="both"),
                layers.Dense(20, name="hidden"),
                layers.Dense(2, name="last"),
            ]
        )
        plan = plan_widths(model.get_config(), 0.5, 1)
        assert plan.changes == {"embedding": {"output_dim": 16}, "hidden": {"units": 10}}
        assert "Bidirectional" in reason(plan, "lstm")
        rebuilt(model, plan)

    def test_a_subclassed_model_is_refused(self):
        with pytest.raises(Refused, match="subclassed"):
            plan_widths({"name": "mine"}, 0.5, 4)

    def test_the_file_gives_the_same_plan_without_keras(self, tmp_path):
        model = residual_model()
        model.save(tmp_path / "model.keras")
        from_file = plan_widths(read_config(tmp_path / "model.keras"), 0.5, 4)
        assert from_file.changes == json.loads(json.dumps(plan_widths(model.get_config(), 0.5, 4).changes))
