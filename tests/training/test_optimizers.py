from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest

from workbench.training import TrainingParameters, TrainingSettings
from workbench.training.optimizers import Call, Expression, learning_rate, optimizer, total_steps
from workbench.training.parameters import OptimizerName, ScheduleName

keras = pytest.importorskip("keras")

STEPS = 200


def rates(name: str, **settings: float) -> np.ndarray:
    made = learning_rate(TrainingSettings(schedule=name, learning_rate=0.1, **settings), STEPS)
    if not isinstance(made, Call):
        return np.full(STEPS, made)
    schedule = made.make(keras)
    return np.array([float(schedule(step)) for step in range(STEPS)])


def half_cosine(part: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * part))


class TestSchedules:
    def test_constant(self):
        assert (rates("constant") == 0.1).all()

    def test_cosine_falls_to_zero(self):
        wanted = [0.1 * half_cosine(step / STEPS) for step in range(STEPS)]
        np.testing.assert_allclose(rates("cosine"), wanted, atol=1e-7)

    def test_warm_up_rises_in_a_line_and_falls_as_a_cosine(self):
        rise = [0.1 * step / 50 for step in range(50)]
        fall = [0.1 * half_cosine(step / 150) for step in range(150)]
        np.testing.assert_allclose(rates("warm-up and cosine", warm_up=0.25), rise + fall, atol=1e-7)

    def test_one_cycle(self):
        got = rates("one-cycle")
        assert got[0] == pytest.approx(0.1 / 25)
        assert got.argmax() == 60
        assert got.max() == pytest.approx(0.1)
        assert got[-1] < 1e-4
        assert (np.diff(got[:61]) > 0).all()
        assert (np.diff(got[60:]) < 0).all()

    def test_step(self):
        got = rates("step")
        np.testing.assert_allclose(got[:101], 0.1, rtol=1e-6)
        np.testing.assert_allclose(got[101:151], 0.01, rtol=1e-6)
        np.testing.assert_allclose(got[151:], 0.001, rtol=1e-6)

    @pytest.mark.parametrize("name", get_args(ScheduleName))
    def test_the_shortest_training_has_one(self, name):
        made = learning_rate(TrainingSettings(schedule=name), 1)
        rate = made.make(keras)(0) if isinstance(made, Call) else made
        assert math.isfinite(float(rate))

    def test_steps_count_batches_of_all_epochs(self):
        assert total_steps(TrainingSettings(epochs=3, batch_size=32), 65) == 9


class TestOptimizers:
    @pytest.mark.parametrize("schedule", get_args(ScheduleName))
    @pytest.mark.parametrize("name", get_args(OptimizerName))
    def test_code_makes_the_same(self, name, schedule):
        settings = TrainingSettings(
            optimizer=name,
            schedule=schedule,
            clip_norm=1.0,
            accumulation=4,
            ema=0.99,
            weight_decay=0.01,
            precision="mixed_float16",
        )
        call = optimizer(settings, STEPS, Expression(("last",), '["last"]'))
        made = call.make(keras).get_config()
        written = eval(call.code(), {"keras": keras, "steps": STEPS}).get_config()
        for config in (made, written):
            inner = config["inner_optimizer"]["config"]
            assert inner.pop("name").replace("_", "").startswith(name.lower())
        assert made["inner_optimizer"] == written["inner_optimizer"]
        inner = made["inner_optimizer"]["config"]
        assert (inner["global_clipnorm"], inner["gradient_accumulation_steps"]) == (1.0, 4)
        assert (inner["use_ema"], inner["ema_momentum"], inner["weight_decay"]) == (True, 0.99, 0.01)

    def test_nothing_that_was_not_asked(self):
        made = optimizer(TrainingSettings(), STEPS).make(keras)
        assert made.get_config() | {"name": ""} == keras.optimizers.Adam(1e-3).get_config() | {"name": ""}
        sgd = optimizer(TrainingSettings(optimizer="SGD"), STEPS).make(keras)
        assert (sgd.momentum, sgd.nesterov) == (0.9, True)

    def test_muon_leaves_the_output_layer_to_adamw(self):
        inputs = keras.Input((6,))
        model = keras.Model(
            inputs, keras.layers.Dense(3, name="dense")(keras.layers.Dense(5, name="dense_1")(inputs))
        )
        made = optimizer(TrainingSettings(optimizer="Muon"), STEPS, ["dense"]).make(keras)
        made.build(model.trainable_variables)
        adam = {variable.path for variable in model.trainable_variables if made._should_use_adamw(variable)}
        assert adam == {"dense_1/bias", "dense/kernel", "dense/bias"}


class TestSettings:
    def test_a_short_form_has_the_defaults_of_the_rest(self):
        short = TrainingParameters(epochs=7, optimizer="SGD", schedule="cosine")
        full = TrainingSettings.of(short)
        assert (full.epochs, full.optimizer, full.schedule) == (7, "SGD", "cosine")
        assert full == TrainingSettings(epochs=7, optimizer="SGD", schedule="cosine")
        assert TrainingSettings.of(full) is full

    def test_a_technique_may_have_other_ranges(self):
        class Wider(TrainingParameters):
            epochs: int = 0

        assert TrainingSettings.of(Wider()).epochs == 0

    def test_most_fields_are_folded_away(self):
        fields = TrainingSettings.model_json_schema()["properties"]
        open_ones = [name for name, field in fields.items() if not field.get("advanced")]
        assert open_ones == ["epochs"]  # the technique adds what it is about
        assert all(field["title"] and field["description"] for field in fields.values())

    def test_settings_without_effect_are_named(self):
        settings = TrainingSettings(momentum=0.5, warm_up=0.3, noise=0.1)
        assert [skip.name for skip in settings.unused()] == ["momentum", "warm_up", "input_pipeline"]
        assert not TrainingSettings(momentum=0.5, optimizer="SGD").unused()
