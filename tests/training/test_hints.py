from __future__ import annotations

import pytest

from workbench.api.errors import InvalidInput, Refused
from workbench.api.variant import Layer, ModelDescription
from workbench.training.hints import Hint, choose_hints, parse_hints


def model(*layers):
    return ModelDescription(
        inputs=(),
        outputs=(),
        layers=tuple(
            Layer(name=name, kind=kind, parameters=weights, size_bytes=0, output_shape=shape)
            for name, kind, weights, shape in layers
        ),
    )


TEACHER = model(
    ("pixels", "InputLayer", 0, (8, 8, 1)),
    ("stem", "Conv2D", 80, (8, 8, 8)),
    ("stem_relu", "ReLU", 0, (8, 8, 8)),
    ("block", "Conv2D", 900, (4, 4, 16)),
    ("block_drop", "Dropout", 0, (4, 4, 16)),
    ("pool", "GlobalAveragePooling2D", 0, (16,)),
    ("logits", "Dense", 170, (10,)),
    ("probabilities", "Softmax", 0, (10,)),
)
DENSE = model(("a", "Dense", 90, (32,)), ("b", "Dense", 90, (16,)), ("c", "Dense", 90, (10,)))


class TestChoosing:
    def test_the_last_layer_of_each_resolution_without_head_and_dropout(self):
        names = ("stem_relu", "block", "pool")
        assert choose_hints(TEACHER, TEACHER) == tuple(Hint(name, name) for name in names)

    def test_common_resolutions_are_paired_by_size(self):
        student = model(
            ("only", "Conv2D", 40, (4, 4, 6)), ("flat", "Flatten", 0, (96,)), ("out", "Dense", 9, (10,))
        )
        assert choose_hints(student, TEACHER) == (Hint("only", "block"),)
        assert choose_hints(DENSE, TEACHER) == (Hint("b", "pool"),)

    def test_without_a_common_one_the_last_hidden_layers(self):
        sequence = model(("conv", "Conv1D", 40, (12, 6)), ("out", "Dense", 9, (10,)))
        assert choose_hints(sequence, DENSE) == (Hint("conv", "b"),)

    def test_at_most_the_three_deepest(self):
        deep = model(
            *((f"conv{size}", "Conv2D", 9, (size, size, 4)) for size in (32, 16, 8, 4, 2)),
            ("out", "Dense", 9, (10,)),
        )
        assert [hint.student for hint in choose_hints(deep, deep)] == ["conv8", "conv4", "conv2"]

    def test_refused_without_hidden_layers(self):
        with pytest.raises(Refused, match="no hidden layer"):
            choose_hints(model(("out", "Dense", 9, (10,))), TEACHER)


class TestNaming:
    def test_pairs_and_single_names(self):
        assert parse_hints("a = b, c ,") == (Hint("a", "b"), Hint("c", "c"))
        assert parse_hints("") == ()

    @pytest.mark.parametrize("text", ["a=", "= b", "a, =b"])
    def test_half_a_pair(self, text):
        with pytest.raises(InvalidInput, match="not complete"):
            parse_hints(text)


class TestResolution:
    @pytest.mark.parametrize(
        ("student", "teacher", "size"),
        [
            ((8, 8, 4), (8, 8, 16), (8, 8)),
            ((4, 4, 4), (8, 8, 16), (4, 4)),
            ((8, 4, 4), (4, 8, 16), (4, 4)),
            ((6, 6, 4), (8, 8, 16), ()),
            ((12,), (8, 8, 16), ()),
            ((None, 4), (None, 8), (None,)),
            ((None, 4), (5, 8), ()),
            ((12,), (16,), ()),
        ],
    )
    def test_the_smaller_one_where_it_divides(self, student, teacher, size):
        pytest.importorskip("keras")
        from workbench.plain.keras.hidden_layers import common_size

        assert common_size(student, teacher) == size
