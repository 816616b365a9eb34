from __future__ import annotations

import numpy as np
import pytest

from tests.techniques.applying import Reports, WithoutTest, write_bundle
from tests.techniques.plain_process import run_scripts
from tests.techniques.structure.test_width import dense_model, parent_of
from workbench.api.errors import Cancelled, Refused
from workbench.api.technique import CodePaths, Context, OtherFile
from workbench.techniques import technique
from workbench.techniques.distillation.distill import Distillation
from workbench.techniques.distillation.parameters import DistillationParameters
from workbench.techniques.distillation.verdict import comparison_table, verdict
from workbench.training import TrainingPoint, TrainingResult

keras = pytest.importorskip("keras")
layers = keras.layers


def pictures(widths=(8, 12), units=10, seed=2, activation=None):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((64,), name="pixels")
    x = layers.Reshape((8, 8, 1), name="square")(inputs)
    x = layers.Conv2D(widths[0], 3, padding="same", use_bias=False, name="large")(x)
    x = layers.BatchNormalization(name="large_norm")(x)
    x = layers.ReLU(name="large_relu")(x)
    x = layers.Conv2D(widths[1], 3, strides=2, padding="same", activation="relu", name="small")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.1, name="dropout")(x)
    return keras.Model(inputs, layers.Dense(units, activation=activation, name="scores")(x), name="pictures")


def trained(model, dataset, epochs=8):
    logits = model.layers[-1].activation is keras.activations.linear
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=logits))
    x, y = np.array(dataset.x("train")), np.array(dataset.y("train"))
    model.fit(x, y, epochs=epochs, batch_size=32, verbose=0)
    return model


@pytest.fixture(scope="module")
def baseline(digits, tmp_path_factory):
    digits.save_npz(digits.folder.parent / f"{digits.info.name}.npz")
    return parent_of(trained(pictures(), digits), tmp_path_factory.mktemp("baseline") / "model")


@pytest.fixture(scope="module")
def dense(digits, tmp_path_factory):
    made = parent_of(trained(dense_model(), digits), tmp_path_factory.mktemp("dense") / "model")
    return made.model_copy(update={"id": "2", "name": "dense", "parent": "1"})


def distilled(parent, dataset, folder, report=None, others=None, **parameters):
    values = DistillationParameters.model_validate(parameters)
    subject = Distillation()
    assert subject.obstacle(parent, dataset.info, values) is None
    folder.mkdir()
    context = Context(
        parent, WithoutTest(dataset.folder), folder, report or Reports(), 0, others or {"": parent}
    )
    return subject.apply(context, values)


def weights_of(path):
    return keras.models.load_model(path, compile=False).get_weights()


class TestApply:
    @pytest.mark.slow
    def test_compared_over_seeds_and_said_plainly(self, digits, baseline, recorder, tmp_path):
        applied = distilled(
            baseline, digits, tmp_path / "out", recorder, factor=0.5, epochs=3, compare_seeds=2, seed=5
        )
        made = keras.models.load_model(applied.path)
        assert made.get_layer("small").filters == 8  # half of 12, in multiples of 4
        assert not made.compiled
        assert applied.description.parameters == made.count_params()
        (table, *_) = applied.report.tables
        assert [row[0] for row in table.rows[:2]] == ["5", "6"]
        for _, ours, alone, difference in table.rows:
            assert difference == pytest.approx(100 * (ours - alone), abs=0.02)
        notes = [str(note) for note in applied.report.notes]
        assert any(word in notes[0] for word in ("won", "lost", "No difference"))
        assert "trained from scratch" in notes[0]
        assert "over 2 seeds" in notes[0]
        assert any("Teacher baseline: validation F1 0." in note for note in notes)
        assert "large: filters 8 became 4." in [str(text) for text in applied.report.touched]
        assert recorder.fractions == sorted(recorder.fractions)
        assert recorder.fractions[-1] == 1.0
        assert len(recorder.curves["validation F1"]) == 3
        assert len(recorder.curves["validation F1 without teacher"]) == 3
        assert "Student without teacher, seed 6: Training: epoch 3 of 3" in recorder.stages

    @pytest.mark.slow
    def test_the_twin_without_a_teacher_is_width_scaling(self, digits, baseline, tmp_path):
        applied = distilled(baseline, digits, tmp_path / "out", epochs=2, compare_seeds=1, seed=3)
        scaling = technique("structure.width")
        (tmp_path / "width").mkdir()
        context = Context(baseline, digits, tmp_path / "width", Reports(), 0)
        plain = scaling.apply(
            context, scaling.parameters_type(factor=0.5, epochs=2, learning_rate=1e-3, seed=3)
        )
        alone = applied.report.tables[0].rows[0][2]
        assert any(f"validation F1 {alone:.4f}" in str(note) for note in plain.report.notes)

    def test_born_again_from_several_teachers_of_other_heads(self, digits, baseline, dense, tmp_path):
        applied = distilled(
            baseline,
            digits,
            tmp_path / "out",
            others={"pictures": baseline, "2": dense},
            student="same architecture",
            teacher="pictures, 2",
            epochs=2,
            compare_seeds=0,
        )
        made = weights_of(applied.path)
        assert [weight.shape for weight in made] == [weight.shape for weight in weights_of(baseline.path)]
        notes = [str(note) for note in applied.report.notes]
        assert "it may have been of no use" in notes[0]
        assert sum("Teacher" in note for note in notes) == 2

    def test_a_sparse_variant_is_trained_on_and_stays_sparse(self, digits, baseline, tmp_path):
        model = keras.models.load_model(baseline.path, compile=False)
        kernel, bias = model.get_layer("small").get_weights()
        kernel[np.abs(kernel) < np.median(np.abs(kernel))] = 0
        model.get_layer("small").set_weights([kernel, bias])
        pruned = parent_of(model, tmp_path / "pruned").model_copy(
            update={"id": "3", "name": "sparse", "parent": "1"}
        )
        given = {"student": "this variant", "epochs": 2, "compare_seeds": 0, "learning_rate": 1e-3}
        applied = distilled(pruned, digits, tmp_path / "out", others={"": baseline}, **given)
        after = keras.models.load_model(applied.path, compile=False).get_layer("small").get_weights()[0]
        np.testing.assert_array_equal(after == 0, kernel == 0)
        assert not np.array_equal(after, kernel)
        assert any("Zeros were kept" in str(note) for note in applied.report.notes)
        code = Distillation().code(pruned, DistillationParameters(**given), CodePaths())
        assert "preserve(student)" in code
        compile(code, "script", "exec")

    def test_a_pair_of_layers_that_is_not_there_is_named(self, digits, baseline, tmp_path):
        with pytest.raises(Exception, match="teacher has no layer 'nowhere'"):
            distilled(
                baseline, digits, tmp_path / "out", epochs=1, hints="features", layers="small = nowhere"
            )

    def test_a_teacher_of_other_classes_is_refused(self, digits, baseline, tmp_path):
        other = parent_of(pictures(units=4), tmp_path / "other")
        with pytest.raises(Refused, match=r"cannot teach.*10 classes"):
            distilled(baseline, digits, tmp_path / "out", others={"": other}, epochs=1)

    def test_cancel_ends_it(self, digits, baseline, tmp_path):
        with pytest.raises(Cancelled):
            distilled(baseline, digits, tmp_path / "out", Reports(cancel_at=4), epochs=1000)


@pytest.mark.slow
def test_the_plain_code_learns_from_the_same_teachers(digits, baseline, dense, tmp_path):
    """What they say and what is learned from it is one file; that it is given the same is compared once."""
    compared = {"student": "this variant", "teacher": "1, 2", "hints": "features", "weight": 0.5}
    cases = {
        "narrower": ({"seed": 4}, {"": baseline}),
        "attention": ({"student": "same architecture", "hints": "attention"}, {"": baseline}),
        "several": ({**compared, "optimizer": "SGD", "seed": 4}, {"1": baseline, "2": dense}),
    }
    files = []
    for name, (parameters, others) in cases.items():
        paths = CodePaths(
            model=str(baseline.path),
            data=str(digits.folder.parent / "digits.npz"),
            output=name,
            others={key: OtherFile(other, str(other.path)) for key, other in others.items()},
        )
        values = DistillationParameters(**parameters, epochs=1, compare_seeds=0)
        files.append(write_bundle(Distillation().code(baseline, values, paths), tmp_path, f"{name}.py"))
    # One process for all: TensorFlow takes seconds to import.
    done = run_scripts(files, tmp_path, CUDA_VISIBLE_DEVICES="-1")
    assert done.returncode == 0, done.stderr[-3000:]

    made = {name: keras.models.load_model(tmp_path / f"{name}.keras", compile=False) for name in cases}
    assert made["narrower"].get_layer("small").filters == 8
    parent = keras.models.load_model(baseline.path, compile=False)
    assert [weight.path for weight in made["attention"].weights] == [weight.path for weight in parent.weights]
    parameters, others = cases["several"]
    applied = distilled(
        baseline, digits, tmp_path / "out", others=others, **parameters, epochs=1, compare_seeds=0
    )
    for one, other in zip(weights_of(applied.path), made["several"].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-3)


class TestBeforeApplying:
    def test_fits(self, digits, baseline):
        subject = Distillation()
        said = {
            "its own teacher": {"student": "this variant"},
            "not complete": {"layers": "conv = "},
        }
        for words, parameters in said.items():
            assert words in str(subject.obstacle(baseline, digits.info, DistillationParameters(**parameters)))
        lite = baseline.model_copy(update={"format": "tflite"})
        assert "Keras" in str(subject.obstacle(lite, digits.info, DistillationParameters()))
        child = baseline.model_copy(update={"id": "9", "parent": "1"})
        assert subject.obstacle(child, digits.info, DistillationParameters(student="this variant")) is None

    def test_a_model_without_a_hidden_width(self, digits, tmp_path):
        shallow = parent_of(keras.Sequential([keras.Input((64,)), layers.Dense(10)]), tmp_path)
        assert "no hidden layer" in str(
            Distillation().obstacle(shallow, digits.info, DistillationParameters())
        )
        again = DistillationParameters(student="same architecture")
        assert Distillation().obstacle(shallow, digits.info, again) is None

    def test_estimate_counts_the_trainings(self, digits, baseline):
        one = Distillation().estimate(baseline, digits.info, DistillationParameters(compare_seeds=0))
        six = Distillation().estimate(baseline, digits.info, DistillationParameters(compare_seeds=3))
        assert six.seconds == pytest.approx(6 * one.seconds)
        assert 0.2 < one.size_ratio < 0.4

    def test_names(self):
        subject = Distillation()
        assert subject.others(DistillationParameters()) == ("",)
        assert subject.others(DistillationParameters(teacher=" a,b , a")) == ("a", "b")
        assert subject.variant_name(DistillationParameters(factor=0.25)) == "distilled 0.25"
        assert subject.variant_name(DistillationParameters(student="this variant")) == "distilled"


def results(scores):
    return [
        TrainingResult(
            points=(
                TrainingPoint(
                    epoch=1,
                    seconds=1,
                    samples=10,
                    training_loss=1,
                    training_metric=0.5,
                    validation_loss=1,
                    validation_score=score,
                ),
            ),
            best_epoch=1,
            seconds=1,
        )
        for score in scores
    ]


class TestVerdict:
    def test_words(self):
        better, worse = results([0.95, 0.96, 0.95]), results([0.93, 0.935, 0.931])
        assert "Distillation won: +2.13 points" in str(verdict(better, worse, new=True))
        lost = str(verdict(worse, better, new=True))
        assert "Distillation lost: -2.13 points" in lost
        assert "Train the student without a teacher" in lost
        mixed = results([0.95, 0.92, 0.94])
        assert "No difference shown" in str(verdict(mixed, worse, new=False))
        assert "one seed" in str(verdict(better[:1], worse[:1], new=True))

    def test_the_interval_is_that_of_scipy(self):
        from scipy import stats

        ours, alone = [0.951, 0.957, 0.95, 0.96], [0.931, 0.95, 0.94, 0.937]
        differences = 100 * (np.array(ours) - np.array(alone))
        low, high = stats.t.interval(0.95, 3, differences.mean(), stats.sem(differences))
        assert f"[{low:+.2f}, {high:+.2f}]" in str(verdict(results(ours), results(alone), new=True))
        table = comparison_table([0, 1, 2, 3], results(ours), results(alone))
        assert table.rows[-1][1:3] == (round(np.mean(ours), 4), round(np.mean(alone), 4))
