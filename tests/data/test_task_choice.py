"""What labels and output tell of the task, and how labels that are no classes are read."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

from workbench.api.errors import InvalidInput
from workbench.api.variant import ModelDescription, TensorSpec
from workbench.data.outputs import judged_model
from workbench.data.prepare import prepare
from workbench.data.raw import RawData, Samples
from workbench.data.task_choice import task_of

ROWS = np.random.default_rng(0).normal(size=(120, 3)).round(3)


def model(*shape, meaning="scores", name="out"):
    return ModelDescription(
        inputs=(TensorSpec(name="x", shape=(3,)),),
        outputs=(TensorSpec(name=name, shape=shape),),
        meanings=(meaning,),
    )


def chosen(labels, description, wish=None):
    raw = RawData("made", {"train": Samples({"": ROWS[: len(labels)]}, np.asarray(labels))})
    return task_of(raw, description, wish)[0]


FRACTIONS = np.linspace(0, 9.9, 120)
DIGITS = np.arange(120) % 10
BITS = np.random.default_rng(1).integers(0, 2, (120, 4))


@pytest.mark.parametrize(
    ("labels", "description", "task"),
    [
        (FRACTIONS, model(1), "regression"),
        (FRACTIONS, None, "regression"),
        (FRACTIONS / 10, model(1, meaning="probabilities"), "regression"),
        (FRACTIONS, model(7, meaning="probabilities"), "classification"),  # refused there
        (np.stack([FRACTIONS, -FRACTIONS], 1), model(2), "regression"),
        (np.arange(120), model(1), "regression"),
        (DIGITS, model(1), "regression"),
        (DIGITS, model(10), "classification"),
        (DIGITS, model(1, meaning="probabilities"), "classification"),  # refused there
        (DIGITS % 2, model(1), "classification"),
        (DIGITS % 2, model(1, meaning="probabilities"), "classification"),
        (np.eye(10)[DIGITS], model(10), "classification"),
        (np.array(["a", "b"] * 60), model(1), "classification"),
        (BITS, model(4, meaning="probabilities"), "multi-label"),
        (np.stack([DIGITS, -DIGITS], 1), model(2), "regression"),
        (np.tile(DIGITS, (5, 1)), model(120, 10, meaning="probabilities"), "per position"),
        (np.zeros((5, 8, 8, 1), np.uint8), model(8, 8, 2), "per position"),
        (np.eye(3)[np.zeros((5, 8, 8), int)], model(8, 8, 3), "per position"),
    ],
)
def test_labels_and_output_tell_the_task(labels, description, task):
    assert chosen(labels, description) == task


def test_what_was_asked_for_is_taken():
    assert chosen(DIGITS, model(10), "regression") == "regression"


def test_two_tasks_that_fit_are_asked_about():
    with pytest.raises(InvalidInput, match="Say which one is meant, multi-label or regression: task="):
        chosen(BITS, model(4))


def test_numbers_are_kept_as_they_came_and_split_at_random(tmp_path):
    y = ROWS[:, :2].sum(axis=1)
    info = prepare((ROWS, y), tmp_path / "one", model=model(1)).info
    assert (info.task, info.targets, info.classes, info.counts["test"]) == ("regression", ("y",), (), 24)
    kept = prepare((ROWS, ROWS[:, :2]), tmp_path / "two", model=model(2))
    assert kept.info.targets == ("y[0]", "y[1]")
    for split in ("train", "validation", "test"):
        assert kept.y(split).dtype == np.float32
        np.testing.assert_array_equal(kept.y(split), kept.x(split)[:, :2])
    assert "Cut from the training samples at random, with seed 0: validation (10%), test (20%)." in [
        str(note) for note in kept.info.notes
    ]


@pytest.mark.parametrize(
    ("columns", "description", "label", "targets"),
    [
        ("a b c price", model(1), None, ("price",)),
        ("price a b c", model(1, name="price"), None, ("price",)),
        ("a b c low high", model(2), None, ("low", "high")),
        ("low a b c high", model(2), "high, low", ("high", "low")),
    ],
)
def test_the_columns_of_the_numbers_are_found(tmp_path, columns, description, label, targets):
    names = columns.split()
    values = np.random.default_rng(3).normal(size=(60, len(names)))
    pandas.DataFrame(values, columns=names).to_csv(tmp_path / "houses.csv", index=False)
    found = prepare(tmp_path / "houses.csv", tmp_path / "out", model=description, label=label)
    assert found.info.targets == targets
    whole = np.concatenate([found.y(split) for split in ("train", "validation", "test")])
    np.testing.assert_allclose(
        whole.mean(axis=0),
        values[:, [names.index(name) for name in targets]].mean(axis=0),
        rtol=1e-4,
        atol=1e-6,
    )


def test_a_column_of_two_values_is_not_preferred_to_prices(tmp_path):
    frame = pandas.DataFrame({"a": ROWS[:, 0], "garden": DIGITS % 2, "c": ROWS[:, 1], "price": FRACTIONS})
    frame.to_csv(tmp_path / "houses.csv", index=False)
    info = prepare(tmp_path / "houses.csv", tmp_path / "out", model=model(1)).info
    assert info.targets == ("price",)


def test_numbers_that_are_none_are_refused(tmp_path):
    for number, (labels, problem) in enumerate(
        (
            (np.where(FRACTIONS > 5, np.nan, FRACTIONS), "labels of 120 that are not numbers"),
            (np.full(120, 2.5), "All 120 numbers to be predicted are 2.5"),
            (FRACTIONS * 1e300, "too large for float32"),
        )
    ):
        with pytest.raises(InvalidInput, match=problem):
            prepare((ROWS, labels), tmp_path / str(number), model=model(1), task="regression")


def test_a_model_of_another_width_is_refused(tmp_path):
    info = prepare((ROWS, ROWS[:, :2]), tmp_path / "out").info
    assert judged_model(model(2), info).task == "regression"
    with pytest.raises(
        InvalidInput, match=r"outputs are out \(3\), and the data need 2 numbers of each sample"
    ):
        judged_model(model(3), info)
