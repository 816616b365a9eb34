from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests import small_models
from tests.techniques.structure.changing import (
    accuracy,
    apply,
    assert_same_weights,
    parent_of,
    train,
    twins,
)
from workbench.api.errors import Cancelled, Refused
from workbench.graph.dependencies import DependencyGraph
from workbench.graph.units import Units
from workbench.plain.keras import channel_importance as importance
from workbench.plain.keras.channel_search import rounded
from workbench.techniques.structure.pruning.plan import PruningPlan, plan_of
from workbench.techniques.structure.pruning.pruning import ChannelPruning, PruningParameters
from workbench.training import without_optimizer

keras = pytest.importorskip("keras")
L = keras.layers


def residual():
    """Additions, concatenation, depthwise convolution and squeeze-and-excitation over digits."""
    keras.utils.set_random_seed(1)
    i = keras.Input((64,), name="pixels")
    x = L.Conv2D(16, 3, padding="same", use_bias=False, name="stem")(L.Reshape((8, 8, 1))(i))
    x = short = L.ReLU()(L.BatchNormalization(name="norm")(x))
    x = L.Conv2D(16, 3, padding="same", activation="relu", name="block")(x)
    s = L.GlobalAveragePooling2D(keepdims=True)(x)
    s = L.Conv2D(16, 1, activation="sigmoid", name="excite")(L.Dense(8, activation="relu", name="squeeze")(s))
    x = L.Concatenate()([L.Add()([short, L.Multiply()([x, s])]), L.Conv2D(8, 1, name="side")(short)])
    x = L.DepthwiseConv2D(3, name="depthwise")(x)
    x = L.Dropout(0.1)(L.Flatten()(L.MaxPooling2D()(x)))
    return keras.Model(i, L.Dense(10, name="scores")(L.Dense(32, activation="relu", name="hidden")(x)))


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory):
    return parent_of(without_optimizer(train(residual(), digits)), tmp_path_factory.mktemp("pruning"))


WAYS = {
    "local": {"remove": 0.5, "epochs": 3, "round_to": 4},
    "steps": {
        "remove": 0.6, "target": "parameters", "importance": "batchnorm", "ranking": "global",
        "steps": 2, "epochs": 2, "epochs_between": 1, "round_to": 2, "distill": 0.5,
    },
    "taylor": {"remove": 0.3, "target": "channels", "importance": "taylor", "epochs": 0, "round_to": 1},
    "random": {"remove": 0.3, "target": "bytes", "importance": "random", "ranking": "global", "epochs": 0},
}  # fmt: skip


@pytest.mark.slow
def test_each_way(digits, trained, recorder, tmp_path):
    made = {}
    for name, parameters in WAYS.items():
        recorder.fractions.clear()
        made[name] = apply(ChannelPruning(), trained, digits, tmp_path / name, recorder, **parameters)
    before = trained.description
    assert before.macs is not None
    check_local(*made["local"], before, digits)
    applied, model = made["steps"]
    assert applied.description.parameters <= 0.4 * before.parameters
    assert accuracy(model, digits) > 0.8
    assert sum("Trained for" in str(note) for note in applied.report.notes) == 2
    applied, _ = made["taylor"]
    assert any("not fine-tuned" in str(note) for note in applied.report.notes)
    applied, _ = made["random"]
    assert applied.path.stat().st_size <= 0.72 * trained.path.stat().st_size


def check_local(applied, model, before, digits):
    assert 0.2 * before.macs < applied.description.macs <= 0.5 * before.macs
    assert any("Multiples of 4 come no closer" in str(note) for note in applied.report.notes)
    assert accuracy(model, digits) > 0.85
    widths = {name: model.get_layer(name).filters for name in ("stem", "block", "excite", "side")}
    assert len({widths[name] for name in ("stem", "block", "excite")}) == 1
    assert all(width % 4 == 0 for width in widths.values())
    assert any(str(text).startswith("stem, block, excite: 16 channels") for text in applied.report.touched)
    assert {skip.name: str(skip.reason) for skip in applied.report.skipped}["scores"] == (
        "It gives the model's output."
    )
    (table,) = applied.report.tables
    names, *numbers = table.rows[0]
    assert (str(names), numbers[:2]) == ("stem, block, excite", [16, widths["stem"]])


@pytest.fixture(scope="module")
def wide(digits, tmp_path_factory):
    """So wide that no other work on the machine hides what pruning saves."""
    hidden = [L.Dense(1024, activation="relu") for _ in range(3)]
    model = keras.Sequential([keras.Input((64,)), *hidden, L.Dense(10, name="scores")])
    return parent_of(without_optimizer(train(model, digits, epochs=1)), tmp_path_factory.mktemp("wide"))


@pytest.mark.slow
def test_a_latency_is_met_as_measured_or_refused(digits, wide, recorder, tmp_path):
    parameters = {"target": "latency", "remove": 0.2, "epochs": 0, "round_to": 8}
    applied, model = apply(ChannelPruning(), wide, digits, tmp_path / "out", recorder, **parameters)
    assert model.count_params() < wide.description.parameters
    assert any("of the parent's time" in str(note) for note in applied.report.notes)
    impossible = parameters | {"remove": 0.99, "least": 0.5}
    with pytest.raises(Refused, match="less time is possible, measured in LiteRT"):
        apply(ChannelPruning(), wide, digits, tmp_path / "never", recorder, **impossible)


BUNDLES = {
    "at once": {"remove": 0.5, "round_to": 4},
    "in steps": {
        "remove": 0.6, "target": "parameters", "importance": "batchnorm", "ranking": "global",
        "steps": 2, "epochs_between": 0, "round_to": 2,
    },
    "l2": {"remove": 0.4, "importance": "l2", "steps": 2, "epochs_between": 0, "target": "channels"},
    "taylor": WAYS["taylor"],
    "random": WAYS["random"],
}  # fmt: skip


@pytest.mark.slow
def test_the_code_removes_the_same_channels(digits, trained, wide, recorder, tmp_path):
    made = []
    for name, parameters in BUNDLES.items():
        recorder.fractions.clear()
        chosen = parameters | {"epochs": 0}
        made.append(apply(ChannelPruning(), trained, digits, tmp_path / name, recorder, **chosen)[1])
    scripts = [(ChannelPruning(), trained, parameters | {"epochs": 0}) for parameters in BUNDLES.values()]
    # How fast a model is differs from run to run: this one is only run.
    fast = {"target": "latency", "remove": 0.2, "epochs": 1, "round_to": 8, "distill": 0.5}
    *theirs, faster = twins([*scripts, (ChannelPruning(), wide, fast)], digits, tmp_path / "code")
    for mine, plain in zip(made, theirs, strict=True):
        assert_same_weights(mine, plain, rtol=0, atol=0)
    assert faster.count_params() < wide.description.parameters
    assert accuracy(faster, digits) > 0.5


@pytest.mark.slow
def test_the_code_of_a_transformer(digits, recorder, tmp_path):
    """Attention, whose scores are rescaled; a model inside the model; a layer that stays as it is."""
    keras.utils.set_random_seed(2)
    i = keras.Input((64,))
    inner = keras.Sequential(
        [keras.Input((8, 8)), L.Dense(12, activation="relu", name="scores")], name="inner"
    )
    x = inner(L.Reshape((8, 8))(i))
    x = L.Add()([x, L.MultiHeadAttention(4, 6, value_dim=4, name="attention")(x, x)])
    x = L.Bidirectional(L.GRU(6, name="units"))(x)
    model = keras.Model(i, L.Dense(10)(x))
    parent = parent_of(model, tmp_path / "parent")
    parameters = {"remove": 0.4, "epochs": 0, "round_to": 2, "target": "parameters", "importance": "taylor"}
    _, mine = apply(ChannelPruning(), parent, digits, tmp_path / "out", recorder, **parameters)
    assert mine.get_layer("attention").get_config()["num_heads"] < 4
    (theirs,) = twins([(ChannelPruning(), parent, parameters)], digits, tmp_path / "code")
    assert_same_weights(mine, theirs, rtol=0, atol=0)


@pytest.mark.slow
def test_zeros_of_an_earlier_step_stay_zero_with_the_code_twin(digits, trained, recorder, tmp_path):
    model = keras.models.load_model(trained.path, compile=False)
    kernel = model.get_layer("hidden").kernel
    values = np.asarray(kernel)
    kernel.assign(np.where(np.abs(values) < np.quantile(np.abs(values), 0.7), 0, values))
    sparse = parent_of(model, tmp_path / "sparse")
    parameters = {"remove": 0.3, "epochs": 1, "round_to": 4}
    _, mine = apply(ChannelPruning(), sparse, digits, tmp_path / "out", recorder, **parameters)
    assert 0.5 < np.mean(np.asarray(mine.get_layer("hidden").kernel) == 0) < 0.9
    (theirs,) = twins([(ChannelPruning(), sparse, parameters)], digits, tmp_path / "twin")
    assert_same_weights(mine, theirs)


def test_several_outputs_are_pruned_without_training(tmp_path, recorder):
    parent = parent_of(small_models.build("two_inputs"), tmp_path / "parent")
    dataset = small_models.write_dataset("two_inputs", tmp_path / "data")
    reason = ChannelPruning().obstacle(parent, dataset.info, PruningParameters())
    assert "labels for each output" in str(reason)
    _, model = apply(ChannelPruning(), parent, dataset, tmp_path / "out", recorder, epochs=0, round_to=2)
    assert model.get_layer("extra").units == 1
    assert model.get_layer("think").units < 16


def test_cancelled(digits, trained, recorder, tmp_path):
    recorder.cancel_at = 3
    with pytest.raises(Cancelled):
        apply(ChannelPruning(), trained, digits, tmp_path / "out", recorder, epochs=5)


class TestBeforeApplying:
    def test_what_cannot_be_reached_is_told(self, digits, trained):
        reason = ChannelPruning().obstacle(trained, digits.info, PruningParameters(remove=0.99, least=0.5))
        assert "× less is possible, and 100.0× was asked for" in str(reason)
        assert "scores" in str(reason)
        assert ChannelPruning().obstacle(trained, digits.info, PruningParameters(remove=0.7)) is None

    def test_a_model_without_a_free_channel(self, digits, tmp_path):
        shallow = parent_of(keras.Sequential([keras.Input((64,)), L.Dense(10, name="only")]), tmp_path)
        reason = ChannelPruning().obstacle(shallow, digits.info, PruningParameters())
        assert str(reason) == "No channel of this model can be removed. only: It gives the model's output."

    def test_operations_of_a_free_length(self, tmp_path):
        i = keras.Input((None, 4))
        x = L.GlobalAveragePooling1D()(L.Conv1D(32, 3, name="wide")(i))
        parent = parent_of(keras.Model(i, L.Dense(4)(x)), tmp_path / "parent")
        info = small_models.write_dataset("dense", tmp_path / "data").info
        reason = ChannelPruning().obstacle(parent, info, PruningParameters())
        assert "operations cannot be counted" in str(reason)
        assert ChannelPruning().obstacle(parent, info, PruningParameters(target="parameters")) is None

    def test_other_formats(self, digits, trained):
        lite = trained.model_copy(update={"format": "tflite"})
        assert "Keras" in str(ChannelPruning().obstacle(lite, digits.info, PruningParameters()))

    def test_the_estimate_of_local_ranking_is_exact(self, digits, trained, recorder, tmp_path):
        parameters = {"remove": 0.5, "epochs": 0, "round_to": 4}
        estimate = ChannelPruning().estimate(trained, digits.info, PruningParameters(**parameters))
        applied, _ = apply(ChannelPruning(), trained, digits, tmp_path / "out", recorder, **parameters)
        share = applied.description.parameters / trained.description.parameters
        assert f"About {round(100 * share)}% of the weights" in str(estimate.expectation)
        assert estimate.size_ratio == pytest.approx(
            applied.path.stat().st_size / trained.path.stat().st_size, abs=0.1
        )

    def test_nothing_heavy_is_imported(self, trained, tmp_path):
        (tmp_path / "parent.json").write_text(trained.model_dump_json())
        program = f"""
import sys
from pathlib import Path
from workbench.api.technique import CodePaths
from workbench.techniques.structure.pruning.pruning import ChannelPruning, PruningParameters
from workbench.techniques.structure.pruning.plan import plan_of
from workbench.api.variant import Variant
parent = Variant.model_validate_json(Path({str(tmp_path / "parent.json")!r}).read_text())
plan = plan_of(parent, 8, 0.1)
assert plan.obstacle("macs", 0.5) is None
assert ChannelPruning().code(parent, PruningParameters(), CodePaths())
assert not {{"tensorflow", "keras", "sklearn"}} & set(sys.modules), sorted(sys.modules)
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def plan(model, round_to=1, least=0.1):
    return PruningPlan(
        Units(DependencyGraph(model.get_config())),
        parameters=model.count_params(),
        file_bytes=4 * model.count_params() + 1000,
        weight_bytes=4 * model.count_params(),
        round_to=round_to,
        least=least,
    )


class TestPlan:
    def test_widths_are_multiples_and_some_stay(self):
        chosen = plan(residual(), round_to=8)
        groups = chosen.channels.groups
        assert [group.name for group in groups] == ["stem", "squeeze", "side", "hidden"]
        assert [group.multiple for group in groups] == [8, 4, 4, 8]  # halved until two fit
        assert chosen.fewest == (8, 4, 4, 8)
        assert rounded(groups, np.array([11.0, 5.0, 1.0, 30.0]), chosen.all) == (8, 4, 4, 32)

    @pytest.mark.parametrize("target", ["channels", "parameters", "bytes", "macs"])
    @pytest.mark.parametrize("part", [0.9, 0.5, 0.3])
    def test_a_target_is_met_and_not_by_more_than_one_unit_needs(self, target, part):
        chosen = plan(residual())
        counts = chosen.meeting(target, part, chosen.evenly, chosen.all)
        assert chosen.part(counts, target) <= part
        more = tuple(min(count + 1, most) for count, most in zip(counts, chosen.all, strict=True))
        assert chosen.part(more, target) > part

    def test_what_remains_is_what_the_smaller_model_has(self, tmp_path):
        from workbench.graph.channel_removal import without_channels

        model = residual()
        chosen = plan(model)
        counts = chosen.meeting("macs", 0.5, chosen.evenly, chosen.all)
        smaller = without_channels(model, chosen.channels, chosen.removed(counts))
        assert chosen.remains(counts).parameters == pytest.approx(
            smaller.count_params() / model.count_params()
        )

    def test_global_ranking_takes_the_least_important_wherever_they_are(self):
        chosen = plan(residual())
        scores = np.ones(len(chosen.units.of))
        scores[chosen.groups[3].units] = np.linspace(0, 0.5, 32)
        counts = chosen.meeting("parameters", 0.8, chosen.ranked(scores), chosen.all)
        assert counts[:3] == chosen.all[:3]
        assert counts[3] < 32
        removed = chosen.removed(counts, scores)
        assert removed[chosen.groups[3].units[: 32 - counts[3]]].all()

    def test_attention_heads_are_not_rounded(self):
        i = keras.Input((6, 16))
        x = L.MultiHeadAttention(4, 16, name="attention")(i, i)
        chosen = plan(keras.Model(i, L.Dense(3)(L.Flatten()(x))), round_to=8)
        multiples = {group.name: group.multiple for group in chosen.channels.groups}
        assert multiples["attention: heads"] == 1
        assert multiples["attention: key width"] == 8

    def test_the_graph_is_read_again_when_the_file_changes(self, tmp_path):
        first = parent_of(residual(), tmp_path)
        assert plan_of(first, 8, 0.1).all == (16, 8, 8, 32)
        second = parent_of(keras.Sequential([keras.Input((4,)), L.Dense(6), L.Dense(2)]), tmp_path)
        assert plan_of(second, 8, 0.1).all == (6,)


class TestImportance:
    def model(self):
        model = keras.Sequential(
            [
                keras.Input((6, 6, 2)), L.Conv2D(4, 1, name="a"), L.BatchNormalization(name="norm"),
                L.ReLU(), L.Conv2D(3, 1, name="b"), L.GlobalAveragePooling2D(), L.Dense(2, name="c"),
            ]
        )  # fmt: skip
        kernel = np.zeros((1, 1, 2, 4), "float32")
        kernel[0, 0, 0] = [1, 2, 3, -6]
        model.get_layer("a").kernel.assign(kernel)
        model.get_layer("norm").gamma.assign([4, -3, 2, 1])
        model.get_layer("b").kernel.assign(np.ones((1, 1, 4, 3)) * [1, 2, 3])
        return model, Units(DependencyGraph(model.get_config()))

    def test_magnitude(self):
        model, units = self.model()
        a, b = (group.units for group in units.groups)
        none = units.nothing()
        np.testing.assert_allclose(
            importance.magnitude(model, units.channels, none, 1)[a], np.array([1, 2, 3, 6]) / 3
        )
        np.testing.assert_allclose(
            importance.magnitude(model, units.channels, none, 2)[b], np.array([1, 2, 3]) / 2
        )

    def test_batchnorm_scale_and_what_stands_in_for_it(self):
        model, units = self.model()
        a, b = (group.units for group in units.groups)
        scores = importance.batchnorm_scale(model, units.channels, units.nothing())
        np.testing.assert_allclose(scores[a], np.array([4, 3, 2, 1]) / 2.5)
        np.testing.assert_allclose(scores[b], np.array([1, 2, 3]) / 2)

    def test_taylor_is_the_change_of_the_loss_for_a_small_gate(self, tmp_path):
        dataset = small_models.write_dataset("dense", tmp_path / "data")
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [keras.Input((20,)), L.Dense(5, activation="relu", name="a"), L.Dense(4, name="b")]
        )
        model.get_layer("a").bias.assign([0.3, -0.2, 0.1, 0.0, 0.5])
        units = Units(DependencyGraph(model.get_config()))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        x, y = np.array(dataset.x("train")), np.array(dataset.y("train"))
        scores = importance.taylor(model, units.channels, units.nothing(), x, y, loss, batch_size=160, seed=0)
        whole = model.get_layer("a").get_weights()
        for number, unit in enumerate(units.groups[0].units):
            ends = []
            for gate in (1.001, 0.999):
                kernel, bias = (value.copy() for value in whole)
                kernel[:, number] *= gate
                bias[number] *= gate
                model.get_layer("a").set_weights([kernel, bias])
                ends.append(float(loss(y, model(x))))
            assert scores[unit] == pytest.approx(((ends[0] - ends[1]) / 0.002) ** 2, rel=0.05, abs=1e-6)
        model.get_layer("a").set_weights(whole)

    def test_random_is_the_same_for_the_same_seed(self):
        _, units = self.model()
        np.testing.assert_array_equal(
            importance.random(units.channels, 3), importance.random(units.channels, 3)
        )
        assert (importance.random(units.channels, 3) != importance.random(units.channels, 4)).any()
