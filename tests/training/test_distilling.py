from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logsumexp, softmax

from tests import small_models
from tests.training.test_loop import context
from workbench.api.errors import InvalidInput, JobFailed, Refused
from workbench.training import TrainingParameters, train
from workbench.training.distilling import Teacher
from workbench.training.hints import Hint

keras = pytest.importorskip("keras")
layers = keras.layers


def network(widths, units=10, activation=None, seed=3, dropout=0.0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((64,)),
            *(layers.Dense(width, activation="relu", name=f"hidden{at}") for at, width in enumerate(widths)),
            layers.Dropout(dropout),
            layers.Dense(units, activation=activation, name="scores"),
        ]
    )


def pictures(widths, units=10, strides=2, seed=3):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((64,))
    x = layers.Reshape((8, 8, 1))(inputs)
    x = layers.Conv2D(widths[0], 3, padding="same", activation="relu", name="large")(x)
    x = layers.Conv2D(widths[1], 3, strides=strides, padding="same", activation="relu", name="small")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(units, name="scores")(x))


@pytest.fixture(scope="module")
def trained(digits):
    """A teacher with raw scores."""
    model = network((128,), seed=1)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(np.array(digits.x("train")), np.array(digits.y("train")), epochs=15, batch_size=32, verbose=0)
    return model


def with_activation(model, activation):
    """The same function up to its last activation."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.layers[-1].activation = keras.activations.get(activation)
    return copy


def close(mine, theirs, tolerance=2e-4):
    for one, other in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=tolerance)


class TestSoftTargets:
    def test_equals_the_distiller_of_keras_where_that_is_right(self, digits, recorder, trained):
        theirs = network((16,))
        distiller = keras.distillation.Distiller(
            trained,
            theirs,
            # The default, a text, would compare raw scores.
            keras.distillation.LogitsDistillation(temperature=3.0, loss=keras.losses.KLDivergence()),
            student_loss_weight=0.4,
        )
        distiller.compile(
            keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        )
        keras.utils.set_random_seed(3)
        x, y = np.array(digits.x("train")), np.array(digits.y("train"))
        distiller.fit(x, y, batch_size=64, epochs=3, verbose=0)

        ours = network((16,))
        train(
            ours,
            context(digits, recorder),
            TrainingParameters(epochs=3, batch_size=64, seed=3),
            from_logits=True,
            teacher=Teacher([trained], [True], temperature=3.0, weight=0.6),
        )
        close(ours, theirs)

    @pytest.mark.parametrize(
        ("own", "theirs"), [("softmax", None), (None, "softmax"), ("softmax", "softmax")]
    )
    def test_probabilities_and_raw_scores_teach_the_same(self, digits, recorder, trained, own, theirs):
        def student(activation, teacher):
            model = network((16,), activation=activation)
            train(
                model,
                context(digits, recorder),
                TrainingParameters(epochs=3, seed=3),
                from_logits=activation is None,
                teacher=Teacher([with_activation(trained, teacher)], [teacher is None], weight=0.8),
            )
            return model

        close(student(own, theirs), student(None, None), 2e-3)

    @pytest.mark.slow
    @pytest.mark.parametrize("activation", [None, "sigmoid"])
    def test_a_single_score_is_softened_as_two(self, odd_digits, recorder, activation):
        teacher = network((32,), 1, seed=1)
        train(teacher, context(odd_digits, recorder), TrainingParameters(epochs=10), from_logits=True)
        student = network((8,), 1, activation)
        result = train(
            student,
            context(odd_digits, recorder),
            TrainingParameters(epochs=12),
            from_logits=activation is None,
            teacher=Teacher([teacher], [True], temperature=2.0, weight=1.0),
        )
        assert result.best.validation_score > 0.85  # without any label

    def test_the_loss_by_hand(self):
        from workbench.plain.keras.distillation import class_logits, soft_target_loss, softened

        rng = np.random.default_rng(0)
        teacher, student = rng.normal(size=(2, 5, 7)).astype("float32") * 6
        targets = softmax(teacher / 3, axis=1)
        divergence = (targets * (np.log(targets) - student / 3)).sum(1) + logsumexp(student / 3, axis=1)
        np.testing.assert_allclose(
            soft_target_loss(
                softened(softmax(teacher, axis=1), False, 3.0), class_logits(student, True), 3.0
            ),
            9 * divergence,
            rtol=1e-3,
            atol=1e-4,
        )
        single = rng.normal(size=(5, 1)).astype("float32") * 4
        np.testing.assert_allclose(softened(single, True, 2.0)[:, 1:], expit(single / 2), rtol=1e-5)
        np.testing.assert_allclose(softened(expit(single), False, 2.0)[:, 1:], expit(single / 2), rtol=1e-4)

    def test_several_teachers_count_by_the_mean_of_their_probabilities(self, digits, trained, recorder):
        from workbench.plain.keras.distillation import Teachers

        other = with_activation(network((8,), seed=9), "softmax")
        x = np.array(digits.x("train")[:20])
        said = Teachers([trained, other], from_logits=[True, False], temperature=5.0)
        mean = (softmax(trained(x).numpy() / 5, axis=1) + softmax(np.log(other(x).numpy()) / 5, axis=1)) / 2
        np.testing.assert_allclose(said(x)[0], mean, rtol=1e-4)

    def test_asked_once_or_anew_gives_the_same_student(self, digits, recorder, trained, monkeypatch):
        from workbench.training import distilling

        students = []
        for most in (distilling.MOST_CACHED_BYTES, 0):
            monkeypatch.setattr(distilling, "MOST_CACHED_BYTES", most)
            students.append(network((16,)))
            train(
                students[-1],
                context(digits, recorder),
                TrainingParameters(epochs=2, seed=3),
                from_logits=True,
                teacher=Teacher([trained], [True], hints=[Hint("hidden0", "hidden0")]),
            )
        close(*students)

    def test_without_weight_it_is_plain_training(self, digits, recorder, trained):
        plain, taught = network((16,), dropout=0.2), network((16,), dropout=0.2)
        parameters = TrainingParameters(epochs=3, seed=3)
        first = train(plain, context(digits, recorder), parameters, from_logits=True)
        second = train(
            taught,
            context(digits, recorder),
            parameters,
            from_logits=True,
            teacher=Teacher([trained], [True], weight=0.0),
        )
        close(plain, taught)
        for one, other in zip(first.points, second.points, strict=True):
            assert one.validation_loss == pytest.approx(other.validation_loss, rel=1e-3)
            assert one.training_loss == pytest.approx(other.training_loss, rel=1e-3)

    def test_regularization_stays(self, digits, recorder, trained):
        student = network((16,))
        student.layers[0].kernel_regularizer = keras.regularizers.L2(10.0)
        student = student.__class__.from_config(student.get_config())
        train(
            student,
            context(digits, recorder),
            TrainingParameters(epochs=3, learning_rate=0.01),
            from_logits=True,
            teacher=Teacher([trained], [True], weight=1.0),
        )
        assert np.abs(student.layers[0].kernel.numpy()).mean() < 0.01

    def test_the_teacher_stays_as_it_was(self, digits, recorder, trained):
        before, trainable = trained.get_weights(), trained.trainable
        train(
            network((8,)),
            context(digits, recorder),
            TrainingParameters(epochs=1, learning_rate=0.1),
            from_logits=True,
            teacher=Teacher([trained], [True]),
        )
        for one, other in zip(before, trained.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
        assert trained.trainable is trainable

    def test_refused_where_classes_differ(self, digits, recorder, trained):
        with pytest.raises(Refused, match=r"gives 5 values and the student 10"):
            train(
                network((8,)),
                context(digits, recorder),
                TrainingParameters(epochs=1),
                from_logits=True,
                teacher=Teacher([network((8,), 5)], [True]),
            )

    def test_divergence_is_told(self, digits, recorder, trained):
        broken = with_activation(trained, None)
        broken.set_weights([np.full_like(weight, np.nan) for weight in broken.get_weights()])
        with pytest.raises(JobFailed, match="diverged"):
            train(
                network((8,)),
                context(digits, recorder),
                TrainingParameters(epochs=1),
                from_logits=True,
                teacher=Teacher([broken], [True]),
            )


def two_inputs(width):
    keras.utils.set_random_seed(width)
    inputs = [keras.Input((8, 8, 1), name="picture"), keras.Input((6,), name="numbers")]
    x = layers.Conv2D(width, 3, activation="relu", name="look")(inputs[0])
    x = layers.Concatenate(name="join")([layers.Flatten()(x), inputs[1]])
    x = layers.Dense(width, activation="relu", name="think")(x)
    return keras.Model(inputs, layers.Dense(small_models.CLASSES, name="scores")(x))


@pytest.mark.parametrize("hints", [(), (Hint("look", "look"), Hint("think", "think"))])
def test_several_inputs(tmp_path, recorder, hints):
    dataset = small_models.write_dataset("two_inputs", tmp_path / "data")
    teacher, student = two_inputs(12), two_inputs(4)
    given = TrainingParameters(epochs=8, learning_rate=0.01)
    train(teacher, context(dataset, recorder), given, from_logits=True)
    result = train(
        student,
        context(dataset, recorder),
        given,
        from_logits=True,
        teacher=Teacher([teacher], [True], weight=1.0, hints=hints),
    )
    assert result.best.validation_score > 0.9


class TestHints:
    @pytest.mark.slow
    @pytest.mark.parametrize("kind", ["features", "attention"])
    def test_features_come_near_the_teachers(self, digits, recorder, kind):
        teacher = pictures((16, 24), seed=1)
        train(teacher, context(digits, recorder), TrainingParameters(epochs=6), from_logits=True)
        x = np.array(digits.x("validation"))

        def distance(hint_weight):
            student = pictures((6, 8), seed=4)
            train(
                student,
                context(digits, recorder),
                TrainingParameters(epochs=8, seed=4),
                from_logits=True,
                teacher=Teacher(
                    [teacher],
                    [True],
                    hints=[Hint("small", "small")],
                    hint_weight=hint_weight,
                    hint_loss=kind,
                ),
            )
            mine, theirs = (
                keras.Model(model.inputs[0], model.get_layer("small").output)(x).numpy()
                for model in (student, teacher)
            )
            if kind == "attention":
                maps = [(part**2).mean(-1).reshape(len(x), -1) for part in (mine, theirs)]
                maps = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in maps]
                return float(((maps[0] - maps[1]) ** 2).sum(1).mean())
            # what the best linear projection leaves of the teacher's variance
            mine, theirs = mine.reshape(-1, mine.shape[-1]), theirs.reshape(-1, theirs.shape[-1])
            mine = np.hstack([mine, np.ones((len(mine), 1))])
            left = theirs - mine @ np.linalg.lstsq(mine, theirs, rcond=None)[0]
            return float((left**2).mean() / theirs.var(0).mean())

        assert distance(10.0) < 0.9 * distance(0.0)

    def test_resolutions_and_ranks_may_differ(self, digits, recorder):
        teacher, student = pictures((8, 8)), pictures((4, 6), strides=1)
        for hints in ([Hint("small", "small")], [Hint("pool", "large"), Hint("large", "pool")]):
            result = train(
                student,
                context(digits, recorder),
                TrainingParameters(epochs=1),
                from_logits=True,
                teacher=Teacher([teacher], [True], hints=hints),
            )
            assert np.isfinite(result.best.training_loss)
        with pytest.raises(Refused, match="Attention needs"):
            train(
                student,
                context(digits, recorder),
                TrainingParameters(epochs=1),
                from_logits=True,
                teacher=Teacher([teacher], [True], hints=[Hint("pool", "pool")], hint_loss="attention"),
            )

    def test_a_layer_that_is_not_there(self, digits, recorder, trained):
        with pytest.raises(InvalidInput, match=r"student has no layer 'nowhere'.*hidden0"):
            train(
                network((8,)),
                context(digits, recorder),
                TrainingParameters(epochs=1),
                from_logits=True,
                teacher=Teacher([trained], [True], hints=[Hint("nowhere", "hidden0")]),
            )

    def test_the_student_is_saved_without_projections(self, digits, recorder, trained, tmp_path: Path):
        student = network((8,))
        names = [weight.path for weight in student.weights]
        train(
            student,
            context(digits, recorder),
            TrainingParameters(epochs=1),
            from_logits=True,
            teacher=Teacher([trained], [True], hints=[Hint("hidden0", "hidden0")]),
        )
        assert [weight.path for weight in student.weights] == names
        student.save(tmp_path / "student.keras")
        again = keras.models.load_model(tmp_path / "student.keras")
        x = np.array(digits.x("validation"))
        np.testing.assert_allclose(again(x), student(x), rtol=1e-5, atol=1e-5)
