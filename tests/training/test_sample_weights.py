"""Trainings of samples that count differently: the same as Keras's ``fit`` with ``sample_weight``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.techniques.other_tasks import dataset_of, model_of
from tests.training.test_loop import context, model
from workbench.api.technique import Context
from workbench.data.prepare import prepare
from workbench.training import TrainingParameters, TrainingSettings, train, training_obstacle
from workbench.training.distilling import Teacher
from workbench.training.losses import Objective

keras = pytest.importorskip("keras")


@pytest.fixture(scope="module")
def weighted(digits, tmp_path_factory):
    x, y = np.asarray(digits.x("train")), np.asarray(digits.y("train"))
    weights = np.linspace(0, 3, len(y))
    return prepare((x, y, weights), tmp_path_factory.mktemp("weighted") / "data", scaling="none")


def fitted(network, data, parameters, loss, validation_weights=None):
    network.compile(keras.optimizers.Adam(parameters.learning_rate), loss)
    keras.utils.set_random_seed(parameters.seed)
    weights = [data.weights(split) for split in ("train", "validation")]
    if validation_weights is not None:
        weights = [one.reshape(validation_weights) for one in weights]
    return network.fit(
        np.asarray(data.x("train")),
        np.asarray(data.y("train")),
        sample_weight=weights[0],
        validation_data=(np.asarray(data.x("validation")), np.asarray(data.y("validation")), weights[1]),
        batch_size=parameters.batch_size,
        epochs=parameters.epochs,
        callbacks=[keras.callbacks.EarlyStopping(patience=9, restore_best_weights=True)],
        verbose=0,
    ).history


@pytest.mark.parametrize("pipeline", ["arrays", "large", "cache"])
def test_the_loss_is_weighted_as_keras_does(weighted, recorder, monkeypatch, pipeline):
    from workbench.api import dataset as dataset_module

    parameters = TrainingSettings(
        epochs=2, batch_size=64, seed=3, input_pipeline="cache" if pipeline == "cache" else "arrays"
    )
    plain, ours = model(), model()
    history = fitted(
        plain, weighted, parameters, keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    if pipeline == "large":
        monkeypatch.setattr(dataset_module, "LARGE_BYTES", 0)
    result = train(ours, context(weighted, recorder), parameters, from_logits=True)
    losses = [point.training_loss for point in result.points]
    if pipeline == "cache":  # in another order
        np.testing.assert_allclose(losses, history["loss"], rtol=0.2)
        return
    for mine, theirs in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(losses, history["loss"], rtol=1e-4)
    validated = [point.validation_loss for point in result.points]
    np.testing.assert_allclose(validated, history["val_loss"], rtol=1e-4)


def test_samples_of_weight_0_teach_nothing(digits, tmp_path, recorder):
    x, y = np.asarray(digits.x("train")), np.asarray(digits.y("train"))
    lies = np.arange(len(y)) % 2 == 1
    told = np.where(lies, (y + 1) % 10, y)
    data = prepare((x, told, (~lies).astype(float)), tmp_path / "d", scaling="none")
    scores = {}
    for name, teacher in (("labels", None), ("taught", Teacher([model()], [True], weight=0.2))):
        ours = model(dropout=0.0)
        parameters = TrainingSettings(epochs=12, batch_size=32, learning_rate=3e-3)
        train(ours, context(data, recorder), parameters, from_logits=True, teacher=teacher)
        said = ours.predict(np.asarray(digits.x("test")), verbose=0).argmax(1)
        scores[name] = (said == digits.y("test")).mean()
    assert min(scores.values()) > 0.8, scores


def test_each_position_counts_as_its_sample(tmp_path, recorder):
    data = dataset_of("steps", tmp_path)
    parameters = TrainingParameters(epochs=2, batch_size=64, seed=3)
    objective = Objective("per position", 3, True)
    plain, ours = model_of("steps"), model_of("steps")
    history = fitted(plain, data, parameters, objective.loss(), (-1, 1))
    parent = context(data, recorder).parent
    description = parent.description.model_copy(update={"task": "per position", "from_logits": True})
    parent = parent.model_copy(update={"description": description})
    here = Context(parent=parent, dataset=data, folder=Path(), report=recorder, seed=0)
    result = train(ours, here, parameters, from_logits=True)
    np.testing.assert_allclose([p.training_loss for p in result.points], history["loss"], rtol=1e-4)
    np.testing.assert_allclose([p.validation_loss for p in result.points], history["val_loss"], rtol=1e-4)


def test_a_teacher_s_loss_is_weighted_too():
    """One sample of weight 2 counts as much as two of weight 1, in every kind of answer."""
    from workbench.plain.keras.distillation import DistilledModel, Teachers

    rng = np.random.default_rng(0)
    for shape, answers, loss in (
        ((3,), "classes", keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        ((3,), "labels", keras.losses.BinaryCrossentropy(from_logits=True)),
        ((3,), "numbers", keras.losses.MeanSquaredError()),
        ((5, 3), "classes", Objective("per position", 3, True).loss()),
    ):
        inputs = keras.Input(shape)
        student, teacher = (
            keras.Model(inputs, keras.layers.Dense(3, kernel_initializer="ones")(inputs)),
            keras.Model(inputs, keras.layers.Dense(3)(inputs)),
        )
        x = rng.normal(size=(4, *shape)).astype(np.float32)
        y = {"classes": rng.integers(0, 3, (4, *shape[:-1])), "labels": rng.integers(0, 2, (4, 3))}.get(
            answers, rng.normal(size=(4, 3))
        )
        made = DistilledModel(
            student, Teachers([teacher], from_logits=[True], answers=answers), from_logits=True
        )
        made.compile(loss=loss)

        def loss_of(rows, weights, made=made, x=x, y=y, shape=shape):
            axes = [1] * (len(shape) - 1)
            said = made(x[rows], training=True)
            counted = None if weights is None else np.float32(weights).reshape(-1, *axes)
            return float(made.compute_loss(x[rows], y[rows], said, counted, training=True))

        double = loss_of([0, 1, 2], [2, 1, 0])
        # Keras divides by the number of samples: 3 there and here
        assert double == pytest.approx(loss_of([0, 0, 1], None), rel=1e-5), answers


def test_weights_of_classes_and_mixing_are_refused_beside_them(weighted, recorder):
    for settings, problem in (
        ({"class_weights": "balanced"}, "Set the weights of classes to none"),
        ({"mixup": 0.2}, "weights of their own are not mixed. Set mixing to 0"),
    ):
        parent = context(weighted, recorder).parent
        reason = training_obstacle(parent, weighted.info, TrainingSettings(**settings))
        assert problem in str(reason)
