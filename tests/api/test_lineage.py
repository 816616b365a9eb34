"""Which variant was made from which."""

from __future__ import annotations

import pytest

from tests.widgets.result_rows import variant
from workbench.api.lineage import Lineage
from workbench.api.variant import Variant

MODEL = variant("m", "model").model_copy(update={"runtime": "keras_function", "is_reference": True})
FLOAT = variant("f", "float32", "inference.runtime", "m").model_copy(update={"is_reference": True})
PRUNED = variant("p", "pruned", "structure.pruning", "m")
INT8 = variant("i", "pruned → int8", "quantization.int8", "p")
ADDED = variant("a", "added", None, "m")
ALL = (FLOAT, MODEL, PRUNED, INT8, ADDED)


def names(variants: tuple[Variant, ...] | list[Variant]) -> list[str]:
    return [one.name for one in variants]


def test_the_way_from_the_baseline_and_what_comes_of_it() -> None:
    lineage = Lineage(ALL)
    assert lineage.baseline is MODEL
    assert lineage.parent(INT8) is PRUNED
    assert lineage.parent(MODEL) is None
    assert names(lineage.of(INT8)) == ["model", "pruned", "pruned → int8"]
    assert names(lineage.descendants(PRUNED)) == ["pruned → int8"]
    assert names(lineage.descendants(MODEL)) == ["float32", "pruned", "pruned → int8", "added"]
    assert lineage.descendants(INT8) == ()


def test_a_runtime_is_judged_by_the_baselines_form_in_it() -> None:
    lineage = Lineage(ALL)
    assert names(lineage.references()) == ["model", "float32"]
    assert lineage.reference("litert") is FLOAT
    assert lineage.reference("keras_function") is MODEL
    assert lineage.reference("onnx_runtime") is None


@pytest.mark.parametrize("variants", [(), (INT8,)])
def test_what_is_not_there_is_not_made_up(variants: tuple[Variant, ...]) -> None:
    lineage = Lineage(variants)
    assert lineage.baseline is None
    assert lineage.parent(INT8) is None
    assert lineage.of(INT8) == (INT8,)
    assert lineage.references() == []
