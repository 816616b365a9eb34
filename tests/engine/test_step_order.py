"""Steps on top of each other: senseless orders are refused, lost effects told, a collapse explained."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.judging import judged
from workbench.api.errors import Refused
from workbench.api.recipe import Recipe, Step
from workbench.api.technique import Applied, CodePaths, Context, Estimate, Parameters, Technique
from workbench.api.text import Text, say
from workbench.api.variant import Report, Variant
from workbench.jobs.executor import Executor
from workbench.results.rows import ResultRow
from workbench.techniques import register, unregister
from workbench.workbench import Workbench

pytestmark = pytest.mark.slow


class Nothing(Parameters):
    """Nothing to choose."""


class _Changed(Technique[Nothing]):
    """Writes a Keras model with other weights."""

    produces = "keras"

    def obstacle(self, variant: Variant, dataset: object, parameters: Nothing) -> Text | None:
        return None

    def estimate(self, variant: Variant, dataset: object, parameters: Nothing) -> Estimate:
        return Estimate(seconds=1, expectation=say("Worse."))

    def code(self, variant: Variant, parameters: Nothing, paths: CodePaths) -> str:
        return ""

    def weights(self, weights: list[np.ndarray]) -> list[np.ndarray]:
        raise NotImplementedError

    def apply(self, context: Context, parameters: Nothing) -> Applied:
        import keras

        from workbench.models.reading.description import describe_keras

        model = keras.models.load_model(context.parent.path, compile=False)
        model.set_weights(self.weights(model.get_weights()))
        path = context.folder / "model.keras"
        model.save(path)
        parent = context.parent
        return Applied(path, "keras", parent.runtime, parent.settings, describe_keras(model), Report())


class Blur(_Changed):
    """Adds a little to every weight, zeros included."""

    name: ClassVar[str] = "structure.blur"
    title = "Blur"

    def weights(self, weights: list[np.ndarray]) -> list[np.ndarray]:
        return [weight + np.float32(1e-6) for weight in weights]


class Outlier(_Changed):
    """One unit of the first layer ten thousand times as large, undone by the second: the same function.

    In float32 nothing changes. In 8 bits the range of the first layer's output is that of one unit.
    """

    name: ClassVar[str] = "structure.outlier"
    title = "Outlier"

    def weights(self, weights: list[np.ndarray]) -> list[np.ndarray]:
        first, bias, second, *rest = weights
        unit = int(np.abs(first).sum(0).argmax())
        first[:, unit] *= 1e4
        bias[unit] *= 1e4
        second[unit] /= 1e4
        return [first, bias, second, *rest]


@pytest.fixture(scope="module")
def digits(
    opened_digits: Path, executor: Executor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workbench]:
    for technique in (Blur, Outlier):
        register(technique)
    folder = shutil.copytree(opened_digits, tmp_path_factory.mktemp("stacking") / "digits")
    with Workbench(folder, executor=executor) as workbench:
        yield workbench
    for technique in (Blur, Outlier):
        unregister(technique.name)


@pytest.fixture(scope="module")
def sparse(digits: Workbench) -> Variant:
    return judged(digits, digits.apply("structure.sparsity", share=0.75, epochs=3))


@pytest.fixture(scope="module")
def small(digits: Workbench, sparse: Variant) -> Variant:
    return judged(digits, digits.apply("quantization.int8", sparse.id))


def row(workbench: Workbench, variant: Variant) -> ResultRow:
    return next(row for row in workbench.results() if row.variant.id == variant.id)


def test_zeros_are_counted_and_survive_quantization(
    digits: Workbench, sparse: Variant, small: Variant
) -> None:
    assert row(digits, sparse).zeros == pytest.approx(0.75, abs=0.02)
    assert row(digits, sparse).lost == ()
    found = row(digits, small)
    assert found.zeros is not None
    assert found.zeros >= 0.74  # what is near zero becomes zero too
    assert found.lost == ()
    assert found.size is not None
    assert found.size.gzip_bytes < 0.7 * found.size.file_bytes


def test_zeros_that_a_later_step_loses_are_told(digits: Workbench, sparse: Variant) -> None:
    blurred = judged(digits, digits.apply("structure.blur", sparse.id))
    found = row(digits, blurred)
    assert found.zeros == 0
    assert [str(text) for text in found.lost] == [
        "Zeros were lost: they were 75.0% of the weights and are 0.0%."
    ]
    assert found.lost[0] in found.notes


def test_a_step_that_would_destroy_an_earlier_one_is_refused_with_the_better_order(
    digits: Workbench, sparse: Variant
) -> None:
    with pytest.raises(
        Refused, match=r"would destroy the zeros .* apply it to dense-digits, and .* after that"
    ):
        digits.apply("structure.width", sparse.id)
    assert digits.obstacle("structure.width", sparse.id) is not None
    assert digits.obstacle("structure.width") is None


def test_what_comes_before_a_quantization_is_applied_there_and_the_quantization_again(
    digits: Workbench, sparse: Variant, small: Variant
) -> None:
    with pytest.raises(Refused, match="starts from Keras"):
        digits.apply("structure.clustering", small.id, epochs=0)
    last = digits.apply_before("structure.clustering", small.id, clusters=8, epochs=0).wait()
    assert last is not None
    clustered = digits.variant(last.parent or "")
    assert (clustered.technique, clustered.parent) == ("structure.clustering", sparse.id)
    assert clustered.parameters["clusters"] == 8
    assert (last.technique, last.parameters) == (small.technique, small.parameters)
    assert row(digits, last).quality is not None


def test_a_recipe_of_a_senseless_order_is_refused_before_its_first_step(digits: Workbench) -> None:
    before = digits.variants
    steps = (Step(technique="structure.sparsity"), Step(technique="structure.width"))
    with pytest.raises(Refused, match=r"Step 2 of the recipe, structure\.width"):
        digits.run(Recipe(steps=steps))
    assert digits.variants == before


def test_the_layer_that_destroyed_a_quantized_variant_is_named(digits: Workbench) -> None:
    spoilt = judged(digits, digits.apply("structure.outlier"))
    same = row(digits, spoilt).quality_change
    assert same is not None
    assert same.change.value == pytest.approx(0, abs=0.01)

    small = judged(digits, digits.apply("quantization.int8", spoilt.id))
    found = row(digits, small)
    assert found.quality is not None
    assert found.quality.f1_macro.value < 0.9
    (table,) = found.tables
    assert str(table.title).startswith("Error down the graph")
    assert "First bad layer" in str(table.note)
    healthy = judged(digits, digits.apply("quantization.int8"))
    assert row(digits, healthy).tables == ()
