"""Lists, dicts and axes of inputs, and targets by name, against what the model has."""

import numpy as np
import pandas
import pytest
from scipy import sparse

from tests.data.sources import described, labelled
from workbench.api.dataset import Dataset
from workbench.api.errors import InvalidInput
from workbench.data.arrays import read_arrays
from workbench.data.outputs import output_wish, with_wish
from workbench.data.prepare import prepare
from workbench.data.where import where

LIMIT = 2**24
COUNT = 150
A, Y = labelled(COUNT)
B = np.random.default_rng(1).normal(size=(COUNT, 3)).astype("float32")
TWO = described((4,), (3,))


def read(source, label=None):
    return read_arrays(source, label=label, limit_bytes=LIMIT)


def prepared(source, folder, model, **options):
    """The training and test samples of each input in the order of the source, and the notes."""
    dataset = prepare(source, folder / "out", model=model, **options)
    return dataset, [str(note) for note in dataset.info.notes]


def same_rows(dataset, name, expected):
    """Every sample that was stored is the right row of the source, by its number in the first input."""
    for split in ("train", "validation", "test"):
        x = dataset.x(split)
        numbers = np.asarray(x["a"] if isinstance(x, dict) else x).reshape(dataset.info.counts[split], -1)
        rows = numbers[:, 0].astype(int)
        np.testing.assert_array_equal(x[name] if isinstance(x, dict) else x, expected[rows])


@pytest.mark.parametrize(
    "x",
    [
        [A, B],
        (A, B),
        [A.tolist(), B.tolist()],
        {"a": A, "b": B},
        {"b": B, "a": A},
        {"outer": {"a": A}, "b": B},
        {"0": A, "1": B},
        {"first": B, "second": A},
        [pandas.DataFrame(A), sparse.csr_matrix(B)],
    ],
    ids=["list", "tuple", "nested lists", "dict", "other order", "nested", "positions", "shapes", "others"],
)
def test_inputs_of_every_form_reach_the_input_that_they_are_for(tmp_path, x):
    dataset, _ = prepared((x, Y), tmp_path, TWO)
    assert list(dataset.info.input_shapes) == ["a", "b"]
    same_rows(dataset, "a", A)
    same_rows(dataset, "b", B)


def test_two_inputs_of_one_shape_are_taken_in_the_models_order(tmp_path):
    second = A[::-1].copy()
    dataset, notes = prepared(([A, second], Y), tmp_path, described((4,), (4,)))
    same_rows(dataset, "a", A)
    same_rows(dataset, "b", second)
    assert "The inputs were taken in the model's order: a, b." in notes


@pytest.mark.parametrize(
    ("x", "arrays"),
    [
        ({"p": A, "q": A}, "p (4), q (4)"),
        ([A, A, A], "0 (4), 1 (4), 2 (4)"),
        (A, "unnamed (4)"),
    ],
)
def test_inputs_that_could_be_any_are_refused(tmp_path, x, arrays):
    with pytest.raises(InvalidInput) as caught:
        prepared((x, Y), tmp_path, described((4,), (4,)))
    assert str(caught.value) == (
        f"The model's inputs are a (4), b (4); the data have {arrays}. Give one array for each input: in "
        "Python a list in the model's order or a dict by name, in an .npz file x_train.<input>."
    )
    assert not list(tmp_path.iterdir())


def test_an_array_without_an_input_is_left_out_and_said(tmp_path):
    dataset, notes = prepared(({"a": A, "id": B}, Y), tmp_path, described((4,)))
    np.testing.assert_array_equal(Y[dataset.x("test")[:, 0].astype(int)], dataset.y("test"))
    assert "Left out, as the model has no input of that name: id." in notes


@pytest.mark.parametrize(
    ("shape", "wanted"), [((28, 28), (28, 28, 1)), ((28, 28, 1), (28, 28)), ((), (1,)), ((6, 1), (None,))]
)
def test_a_last_axis_of_one_is_added_or_taken_away_and_said(tmp_path, shape, wanted):
    x = np.random.default_rng(0).random((120, *shape)).astype("float32")
    dataset, notes = prepared((x, np.arange(120) % 3), tmp_path, described(wanted))
    after = tuple(shape[0] if size is None else size for size in wanted)
    assert dataset.info.input_shapes == {"": after}
    assert sorted(np.asarray(dataset.x("train")).ravel()) == sorted(
        x[np.isin(x.reshape(120, -1)[:, 0], dataset.x("train").reshape(84, -1)[:, 0])].ravel()
    )
    assert f"became ({', '.join(map(str, after))}), as the model takes them." in " ".join(notes)


def test_rows_of_a_table_become_pictures(tmp_path):
    table = pandas.DataFrame(np.random.default_rng(0).integers(0, 255, (120, 16)))
    table["label"] = np.arange(120) % 3
    table[0] = np.arange(120)
    dataset, _ = prepared(table, tmp_path, described((4, 4, 1)))
    assert dataset.info.input_shapes == {"": (4, 4, 1)}
    first = dataset.x("test")[0].ravel()
    np.testing.assert_array_equal(first, table.iloc[int(first[0]), :16].to_numpy(float))


KINDS = {"kind": Y, "amount": np.linspace(0, 1, COUNT) + 0.5}
HEADS = described((4,), outputs={"kind": 3, "amount": 1})


@pytest.mark.parametrize(
    ("y", "options", "model"),
    [
        ({"kind": Y}, {}, HEADS),
        (KINDS, {}, HEADS),
        (KINDS, {"output": "kind"}, HEADS),
        ([Y, Y[::-1].copy()], {"output": "kind"}, HEADS),
        ((Y, Y[::-1].copy()), {"output": "0"}, HEADS),
        ({"kind": Y, "other": Y[::-1].copy()}, {}, described((4,), outputs={"kind": 3})),
    ],
    ids=["one", "one holds classes", "named", "list", "position", "one is an output"],
)
def test_one_of_several_targets_is_judged(tmp_path, y, options, model):
    dataset, _ = prepared((A, y), tmp_path, model, **options)
    assert dataset.info.target == "kind"
    np.testing.assert_array_equal(Y[dataset.x("test")[:, 0].astype(int)], dataset.y("test"))


def test_which_of_several_targets_is_asked_for(tmp_path):
    both = {"kind": Y, "amount": Y}
    with pytest.raises(InvalidInput) as caught:
        prepared((A, {"kind": Y, "other": Y, "third": Y}), tmp_path, None)
    assert str(caught.value) == (
        f"The data have the targets kind, other, third. Name the one that is judged: {where('output')}."
    )
    with pytest.raises(InvalidInput, match=r"targets amount\. Name the one that is judged"):
        prepared((A, {"amount": Y}), tmp_path, HEADS, output="kind")
    with pytest.raises(InvalidInput, match="give the labels of one target only, as y"):
        prepared((A, both), tmp_path, described((4,)))
    assert not list(tmp_path.iterdir())


def test_named_targets_in_a_file(tmp_path):
    np.savez(tmp_path / "f.npz", **{"x_train": A, "y_train.kind": Y, "y_train.amount": KINDS["amount"]})
    dataset, notes = prepared(tmp_path / "f.npz", tmp_path, HEADS)
    assert dataset.info.target == "kind"
    assert (
        "The outputs kind, amount are judged, each by its own task; kind stands for them in tables." in notes
    )


def test_each_output_has_labels_and_weights_of_its_own(tmp_path):
    amounts, weights = KINDS["amount"], np.linspace(1, 2, COUNT)
    source = (A, {"amount": amounts, "kind": Y}, {"amount": weights, "kind": weights[::-1]})
    dataset, notes = prepared(source, tmp_path, HEADS)
    assert (dataset.info.target, dataset.info.task) == ("kind", "classification")
    assert [(one.output, one.task, one.targets) for one in dataset.info.further] == [
        ("amount", "regression", ("amount",))
    ]
    beside = Dataset(dataset.folder, "amount")
    for split in ("train", "validation", "test"):
        rows = np.asarray(dataset.x(split))[:, 0].astype(int)
        np.testing.assert_array_equal(dataset.y(split), Y[rows])
        np.testing.assert_array_equal(beside.y(split)[:, 0], amounts[rows].astype("float32"))
        np.testing.assert_array_equal(beside.weights(split), weights[rows].astype("float32"))
        np.testing.assert_array_equal(dataset.weights(split), weights[::-1][rows].astype("float32"))
    assert beside.info.class_counts == {"train": (), "validation": (), "test": ()}
    assert "amount: Samples have weights, from 1 to 2" in " ".join(notes)
    other = prepare((A, {"amount": -amounts, "kind": Y}), tmp_path / "other", model=HEADS)
    assert other.info.sha256 != prepare((A, dict(KINDS)), tmp_path / "third", model=HEADS).info.sha256


def test_tasks_and_the_output_that_stands_for_all_can_be_chosen(tmp_path):
    wish = output_wish("amount=classification, kind=regression", output="amount")
    assert wish.tasks == {"amount": "classification", "kind": "regression"}
    assert output_wish({"kind": "regression"}).tasks == {"kind": "regression"}
    with pytest.raises(InvalidInput, match="There is no task 'guessing'"):
        output_wish("kind=guessing")
    model = with_wish(described((4,), outputs={"kind": 1, "amount": 2}), wish)
    targets = [Y, Y % 2]
    dataset = prepare((A, targets), tmp_path / "out", model=model, tasks=wish.tasks)
    assert (dataset.info.target, dataset.info.task) == ("amount", "classification")
    assert [(one.output, one.task) for one in dataset.info.further] == [("kind", "regression")]


def test_an_output_whose_labels_cannot_be_read_is_left_out_and_said(tmp_path):
    broken = {"kind": Y, "amount": np.where(Y == 1, np.nan, 0.5)}
    dataset, notes = prepared((A, broken), tmp_path, HEADS)
    assert dataset.info.further == ()
    assert any(note.startswith("The output amount is not judged: y holds 50 labels of 150") for note in notes)


def test_pairs_of_pairs_and_inputs_with_targets_are_told_apart():
    assert list(read(((A, Y), (A, Y))).splits) == ["train", "test"]
    raw = read(((A, B), (Y, Y[:, None])))
    assert list(raw.splits) == ["train"]
    assert list(raw.splits["train"].x) == list(raw.splits["train"].targets) == ["0", "1"]


def test_lists_of_samples_are_one_array():
    for x, y in ((list(A), list(Y)), (list(A), list(np.eye(3)[Y])), (A.tolist(), Y.tolist())):
        samples = read((x, y)).splits["train"]
        np.testing.assert_array_equal(samples.x[""], A)
        assert len(samples.y) == COUNT


def test_no_labels():
    assert read((A, None)).splits["train"].y.shape == (len(A), 0)
