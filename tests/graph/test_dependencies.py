"""Channels are followed through each kind of layer: dead ones go without a trace, and fixed ones say why."""

from dataclasses import replace

import numpy as np
import pytest

from tests.graph.zeroing import (
    largest_change,
    randomized,
    samples,
    some_units,
    units_of,
    zero_made,
    zero_outgoing,
)
from workbench.api.errors import Refused
from workbench.graph.channel_removal import without_channels
from workbench.graph.dependencies import DependencyGraph
from workbench.models.reading.description import describe_keras
from workbench.plain.keras.observing import largest_change as change_of_outputs
from workbench.plain.keras.rebuild import rebuild
from workbench.plain.keras.unit_activity import unit_activity

keras = pytest.importorskip("keras")
L, ops = keras.layers, keras.ops


def image(side=12, channels=3):
    return keras.Input((side, side, channels))


def scored(inputs, x, units=3):
    return keras.Model(inputs, L.Dense(units, name="scores")(x))


def residual():
    i = image()
    x = short = L.Conv2D(16, 3, padding="same", name="stem")(i)
    x = L.BatchNormalization(name="norm")(x)
    x = L.Conv2D(16, 3, padding="same", name="block")(x)
    x = ops.relu(x + short)
    return scored(i, L.Flatten()(L.MaxPooling2D()(x)))


def squeeze_excite():
    i = image()
    x = L.Conv2D(16, 3, name="stem")(i)
    s = L.GlobalAveragePooling2D()(x)
    s = L.Dense(4, activation="relu", name="squeeze")(L.Reshape((1, 1, 16))(s))
    s = L.Dense(16, activation="sigmoid", name="excite")(s)
    return scored(i, L.GlobalMaxPooling2D()(L.Multiply()([x, s])))


def depthwise():
    i = image()
    x = L.DepthwiseConv2D(3, depth_multiplier=2, name="twice")(L.Conv2D(8, 1, name="stem")(i))
    x = L.PReLU(shared_axes=[1, 2])(x)
    x = L.SeparableConv2D(12, 3, depth_multiplier=2, name="separable")(x)
    x = L.Conv2DTranspose(10, 3, strides=2, name="up")(x)
    x = L.ZeroPadding2D()(L.Cropping2D()(L.UpSampling2D()(x)))
    return scored(i, L.GlobalAveragePooling2D()(x))


def grouped():
    i = image()
    x = L.Conv2D(32, 1, name="stem")(i)
    x = L.Conv2D(32, 3, groups=8, name="whole_groups")(x)
    x = L.GroupNormalization(8)(x)
    x = L.Conv2D(24, 1, groups=2, name="inside_groups")(L.Conv2D(16, 1, name="middle")(x))
    x = L.GroupNormalization(-1)(x)
    return scored(i, L.GlobalAveragePooling2D()(x))


def concatenated():
    i = image()
    parts = [L.Conv2D(n, 1, name=f"part_{n}")(i) for n in (4, 6, 8)]
    x = L.Concatenate()([*parts, i])
    x = L.BatchNormalization()(x)
    return scored(i, L.Flatten()(L.Conv2D(5, 3, name="after")(x)))


def shared_and_nested():
    inner = keras.Sequential([keras.Input((8,)), L.Dense(20, activation="relu"), L.Dense(8)], name="inner")
    i, j = keras.Input((5,)), keras.Input((6,))
    a, b = L.Dense(8, name="left")(i), L.Dense(8, name="right")(j)
    twice = L.Dense(9, name="twice")
    x = L.Concatenate()([twice(inner(a)), twice(inner(b))])
    return keras.Model([i, j], [L.Dense(3)(x), L.Dense(2)(x)])


def nested_twice():
    deep = keras.Sequential([L.Conv2D(6, 1), L.ReLU()], name="deep")
    outer = keras.Sequential([keras.Input((12, 12, 3)), L.Conv2D(7, 3), deep, L.Flatten()], name="outer")
    return keras.Sequential([keras.Input((12, 12, 3)), outer, L.Dense(9, activation="relu"), L.Dense(3)])


def attention():
    i = keras.Input((10,), dtype="int32")
    x = L.Embedding(20, 16, name="words")(i)
    x = L.Add()([x, L.MultiHeadAttention(4, 8, name="attention")(x, x)])
    y = L.EinsumDense("abc,cde->abde", (None, 4, 6), bias_axes="de", name="spread")(x)
    y = L.EinsumDense("...de,dec->...c", (16,), bias_axes="c", name="gather")(y)
    return scored(i, L.GlobalAveragePooling1D()(L.Add()([x, y])))


def transformer():
    i = keras.Input((10,), dtype="int32")
    x = L.Embedding(20, 16, name="words")(i)
    y = L.LayerNormalization(name="before")(x)
    x = x + L.MultiHeadAttention(4, 8, value_dim=5, use_bias=False, name="attention")(y, y)
    y = L.Dense(16, name="narrow")(L.Dense(64, activation="gelu", name="wide")(L.LayerNormalization()(x)))
    return scored(i, ops.mean(x + y, axis=1))


def recurrent():
    i = keras.Input((12, 5))
    x = L.Bidirectional(L.LSTM(8, return_sequences=True), name="both")(i)
    x = L.GRU(10, return_sequences=True, name="gru")(x)
    x = L.TimeDistributed(L.Dense(12, activation="relu"), name="each")(x)
    x = L.SimpleRNN(9, name="simple")(L.Conv1D(14, 3, padding="causal", name="causal")(x))
    return scored(i, L.LSTM(4, name="last")(L.RepeatVector(3)(x)))


def states():
    i = keras.Input((7, 5))
    x, h, c = L.LSTM(6, return_sequences=True, return_state=True, name="reader")(i)
    return scored(i, L.LSTM(6, name="writer")(x, initial_state=[h, c]))


def masked():
    i = keras.Input((None,), dtype="int32")
    x = L.Embedding(20, 8, mask_zero=True, name="words")(i)
    return scored(i, L.LSTM(6, name="second")(L.LSTM(9, return_sequences=True, name="first")(x)))


def moved_axes():
    i = image(8, 4)
    x = ops.reshape(L.Conv2D(12, 1, name="stem")(i), (-1, 64, 12))
    x = ops.transpose(x, (0, 2, 1))
    x = ops.transpose(x, (0, 2, 1))
    x = L.Permute((2, 1))(x)
    x = L.Reshape((4, 3, 64))(x)  # four units of three channels
    x = ops.squeeze(ops.expand_dims(x, 1), 1)
    x = ops.concatenate([x, x * 2.0], axis=1)
    return scored(i, L.Flatten()(x))


def channels_first():
    i = keras.Input((3, 8, 8))
    # Followed in the configuration only: TensorFlow on a processor does not run it.
    x = L.Conv2D(8, 3, data_format="channels_first", name="stem")(i)
    x = L.BatchNormalization(axis=1)(x)
    return scored(i, L.GlobalAveragePooling2D(data_format="channels_first")(x))


def adapted():
    i = keras.Input((6,))
    norm = L.Normalization(name="adapted")
    norm.adapt(np.random.default_rng(0).normal(3, 2, (50, 6)))
    return scored(i, L.Dense(10, activation="relu", name="hidden")(norm(i)))


MODELS = (
    residual, squeeze_excite, depthwise, grouped, concatenated, shared_and_nested, nested_twice, attention,
    transformer, recurrent, states, masked, moved_axes, adapted,
)  # fmt: skip


@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_dead_channels_go_without_a_trace(build):
    keras.utils.set_random_seed(3)
    model = build()
    units = units_of(model)
    assert not units.graph.closed
    removed = units.removing(some_units(units, 0.4))
    assert removed.any()
    randomized(model)
    zero_outgoing(model, units, removed)
    smaller = without_channels(model, units.channels, removed)
    assert largest_change(model, smaller, samples(model)) < 1e-5

    before, after = units.size(units.nothing()), units.size(removed)
    assert model.count_params() - smaller.count_params() == before.parameters - after.parameters
    again = units_of(smaller)
    assert [len(group.units) for group in again.groups] == [
        int((~removed[group.units]).sum()) for group in units.groups
    ]
    # What is taken from a model that lost channels before is the same as at once.
    half = units.removing(np.flatnonzero(removed)[::2])
    twice = without_channels(without_channels(model, units.channels, half), units.channels, removed, half)
    for one, other in zip(twice.get_weights(), smaller.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_dead_channels_are_seen_where_they_are_read(build):
    keras.utils.set_random_seed(3)
    model = build()
    units = units_of(model)
    planted = units.removing(some_units(units, 0.4))
    randomized(model)
    zero_made(model, units, planted)
    visible = [number for number, group in enumerate(units.groups) if units.is_visible(group)]
    channels = replace(units.channels, groups=[units.channels.groups[number] for number in visible])
    arrays = samples(model)
    named = arrays
    if isinstance(arrays, list):
        named = {tensor.name: array for tensor, array in zip(model.inputs, arrays, strict=True)}
    seen = unit_activity(model, channels, named, batch_size=2)
    removed = channels.removable(~seen.fires)
    for number in visible:
        group = units.groups[number].units
        # A group of which nothing fires keeps one, planted or not.
        assert removed[group[planted[group]]].all() or not seen.fires[group].any()
    smaller = without_channels(model, units.channels, removed)
    assert largest_change(model, smaller, arrays) < 1e-5


def test_a_vocabulary_that_was_learned_from_texts_stays():
    texts = np.array(["red green", "blue", "green blue red", "grey"])
    words = L.TextVectorization(output_sequence_length=4, name="words")
    words.adapt(texts)
    inputs = keras.Input((), dtype="string", name="text")
    x = L.GlobalAveragePooling1D()(L.Embedding(9, 5)(words(inputs)))
    hidden = L.Dense(8, activation="relu", name="hidden")
    model = scored(inputs, hidden(x))
    hidden.bias.assign([-9.0] * 3 + [1.0] * 5)
    units = units_of(model)
    seen = unit_activity(model, units.channels, texts)
    smaller = without_channels(model, units.channels, units.channels.removable(~seen.fires))
    assert smaller.get_layer("hidden").units == 5
    assert change_of_outputs(model, smaller, texts) < 1e-6
    again = rebuild(model, lambda path, layer: None).model
    assert change_of_outputs(model, again, texts) == 0


@pytest.mark.parametrize("build", [residual, squeeze_excite, depthwise, grouped, concatenated, nested_twice])
def test_operations_are_those_of_the_description(build):
    model = build()
    units = units_of(model)
    assert units.size(units.nothing()).macs == describe_keras(model).macs
    removed = units.removing(some_units(units, 0.5))
    smaller = without_channels(model, units.channels, removed)
    assert units.size(removed).macs == describe_keras(smaller).macs


def groups(model):
    return {
        tuple(map(str, group.makers)): (len(group.units), group.channels) for group in units_of(model).groups
    }


def reasons(model):
    return {skip.name: str(skip.reason) for skip in units_of(model).fixed}


class TestGroups:
    def test_an_addition_ties_its_layers(self):
        assert groups(residual()) == {("stem", "block"): (16, 1)}

    def test_squeeze_and_excitation_ties_the_excitation_to_what_it_scales(self):
        assert groups(squeeze_excite()) == {("stem", "excite"): (16, 1), ("squeeze",): (4, 1)}

    def test_grouped_convolutions(self):
        assert groups(grouped()) == {
            ("stem", "whole_groups"): (8, 4),  # a group goes with the channels that it reads
            ("middle",): (8, 2),  # the same position of both groups
            ("inside_groups",): (12, 2),
        }

    def test_attention(self):
        assert groups(attention()) == {
            ("words", "attention: output", "gather: c"): (16, 1),
            ("attention: heads",): (4, 1),
            ("attention: key width",): (8, 1),
            ("attention: value width",): (8, 1),
            ("spread: d",): (4, 1),
            ("spread: e",): (6, 1),
        }

    def test_split_axis(self):
        assert groups(moved_axes()) == {("stem",): (4, 3)}

    def test_channels_first(self):
        model = channels_first()
        units = units_of(model)
        assert groups(model) == {("stem",): (8, 1)}
        removed = units.removing(units.groups[0].units[:5])
        assert without_channels(model, units.channels, removed).get_layer("scores").kernel.shape == (3, 3)

    def test_fixed_layers_say_why(self):
        found = reasons(transformer())
        assert set(found) == {"words", "attention: output", "narrow", "scores"}
        assert "before normalizes over it" in found["words"]
        assert "model's output" in found["scores"]
        assert ("wide",) in groups(transformer())

    def test_a_layer_without_a_rule_is_closed_and_its_neighbours_are_not(self):
        i = keras.Input((6, 12, 12, 3))
        x = L.ConvLSTM2D(4, 3, name="memory")(i)
        x = L.Conv2D(8, 1, name="between")(x)
        x = L.Attention(name="unknown")([L.Reshape((-1, 8))(x), L.Reshape((-1, 8))(x)])
        model = scored(i, L.Dense(7, name="behind")(L.GlobalAveragePooling1D()(x)))
        units = units_of(model)
        assert {skip.name for skip in units.graph.closed} == {"memory", "unknown"}
        assert groups(model) == {("behind",): (7, 1)}
        assert "feeds unknown" in reasons(model)["between"]

    def test_an_array_as_an_operand_keeps_its_length(self):
        i = keras.Input((5,))
        model = scored(i, L.Dense(4, name="tied")(i) + np.ones(4, "float32"))
        assert not groups(model)

    def test_a_channel_that_is_repeated_along_others_stays(self):
        i = image()
        x = L.Conv2D(6, 1, name="wide")(i) * L.Conv2D(1, 1, name="single")(i)
        model = scored(i, L.GlobalAveragePooling2D()(x))
        assert groups(model) == {("wide",): (6, 1)}
        assert "repeats it" in reasons(model)["single"]

    def test_softmax_over_channels(self):
        i = keras.Input((5,))
        model = scored(i, L.Dense(4, activation="softmax", name="gate")(i))
        assert "normalizes over it" in reasons(model)["gate"]

    def test_flattening_several_channel_axes(self):
        i = keras.Input((3,))
        x = L.EinsumDense("ac,cde->ade", (4, 6), name="two_axes")(i)
        model = scored(i, L.Flatten()(x))
        assert not groups(model)
        assert "joins it" in reasons(model)["two_axes: d"]

    def test_a_quantized_layer_is_closed(self):
        model = keras.Sequential([keras.Input((8,)), L.Dense(8, name="a"), L.Dense(8, name="b"), L.Dense(2)])
        model.get_layer("b").quantize("int8")
        units = units_of(model)
        assert [(skip.name, str(skip.reason)) for skip in units.graph.closed] == [
            ("b", "Its weights are quantized.")
        ]


def test_a_subclassed_model_is_refused():
    with pytest.raises(Refused, match=r"subclassed model.*functional API"):
        DependencyGraph({"name": "own"})


def test_the_table_lists_every_group():
    units = units_of(residual())
    table = units.table(units.removing(units.groups[0].units[:4]))
    assert [(str(names), *numbers) for names, *numbers in table.rows] == [("stem, block", 16, 12, 1)]
