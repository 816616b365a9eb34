"""Weights of samples in every form that they come in, masks of positions, and labels that do not count."""

import asyncio

import numpy as np
import pandas
import pytest

from tests.data.sources import described, labelled, npz
from workbench.api.errors import InvalidInput
from workbench.api.variant import ModelDescription, TensorSpec
from workbench.data.npz import read_npz
from workbench.data.prepare import prepare
from workbench.data.streams import Bounds
from workbench.engine.sources import hand_over_data

COUNT = 120
X, Y = labelled(COUNT)
W = np.linspace(0, 2, COUNT)
SAID = (
    "Samples have weights, from 0 to 2: they count in the loss of a training and in every measure with its "
    "interval."
)


def notes(dataset):
    return [str(note) for note in dataset.info.notes]


def in_place(dataset, weights=W):
    """Each stored sample has the weight that came with it, by its number in the first value."""
    for split in dataset.info.weighted:
        rows = np.asarray(dataset.x(split))[:, 0].astype(int)
        np.testing.assert_array_equal(dataset.weights(split), weights[rows].astype(np.float32))


def frame(name, weights=W):
    table = pandas.DataFrame(X, columns=list("abcd"))
    return table.assign(**{name: weights, "label": Y})


def stream():
    return ((X[i : i + 8], Y[i : i + 8], W[i : i + 8]) for i in range(0, COUNT, 8))


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ((X, Y, W), {}),
        ((X, Y, W[:, None]), {}),
        ({"x": X, "y": Y, "w": W}, {}),
        ({"x_train": X, "y_train": Y, "sample_weight_train": W}, {}),
        ({"w": W, "x_train": X, "y_train": Y}, {}),
        (stream, {}),
        (lambda: frame("sample_weight"), {}),
        (lambda: frame("counts"), {"weights": "counts"}),
        ((pandas.DataFrame(X), Y, W), {}),
    ],
    ids=[
        "arrays",
        "column",
        "w",
        "sample_weight_train",
        "w beside",
        "stream",
        "table",
        "named column",
        "frame",
    ],
)
def test_weights_come_to_their_samples(tmp_path, source, options):
    dataset = prepare(source() if callable(source) else source, tmp_path / "out", **options)
    assert dataset.info.weighted == ("train", "validation", "test")
    assert dataset.info.input_shapes == {"": (4,)}  # the weights are no input
    in_place(dataset)
    assert SAID in notes(dataset)


def test_weights_in_files_and_of_some_splits(tmp_path):
    path = npz(tmp_path / "d.npz", x_train=X, y_train=Y, w_train=W, x_test=X[:30], y_test=Y[:30])
    dataset = prepare(path, tmp_path / "npz")
    assert dataset.info.weighted == ("train", "validation")
    assert dataset.weights("test") is None
    in_place(dataset)
    assert "There are no weights for the splits test: there each sample counts once." in notes(dataset)
    frame("counts").to_csv(tmp_path / "d.csv", index=False)
    csv = prepare(tmp_path / "d.csv", tmp_path / "csv", weights="counts", model=described((4,)))
    in_place(csv)
    with np.load(csv.save_npz(tmp_path / "saved.npz")) as saved:
        np.testing.assert_array_equal(saved["w_test"], csv.weights("test"))
    other = prepare((X, Y, W + 1), tmp_path / "other")
    assert other.info.sha256 != prepare((X, Y, W), tmp_path / "first").info.sha256


def test_rows_that_are_dropped_take_their_weights_along(tmp_path):
    table = frame("sample_weight")
    table.loc[[3, 50], "b"] = np.nan
    table.loc[[7], "label"] = np.nan
    dataset = prepare(table, tmp_path / "out")
    assert sum(dataset.info.counts.values()) == COUNT - 3
    in_place(dataset)


def test_the_weights_of_the_target_that_is_judged_are_taken(tmp_path):
    model = described((4,), outputs={"kind": 3, "amount": 1})
    targets = {"kind": Y, "amount": np.linspace(0, 1, COUNT)}
    source = (X, targets, {"kind": W, "amount": W[::-1]})
    in_place(prepare(source, tmp_path / "out", model=model))
    in_place(prepare((X, targets, [W, W[::-1]]), tmp_path / "list", model=model))
    in_place(prepare((X, targets, W), tmp_path / "all", model=model))


def test_weights_survive_the_way_into_the_workers_process(tmp_path):
    for number, source in enumerate(((X, Y, W), stream(), frame("sample_weight"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        handed = hand_over_data(source, folder, None, None, Bounds())
        if hasattr(handed, "run"):

            class Job:
                def update(self, **changes):
                    pass

            handed = asyncio.run(handed.run(Job(), described((4,))))
        raw = read_npz(handed, limit_bytes=2**24)
        np.testing.assert_array_equal(raw.splits["train"].weights[""], W)


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        (W - 1, "60 of 120 sample weights in w are below 0, missing or infinite."),
        (np.where(W > 1, np.nan, W), "60 of 120 sample weights in w are below 0, missing or infinite."),
        (W[:100], "The sample weights w have the shape (100,), and there are 120 samples."),
        (np.ones((COUNT, 4)), "The sample weights w have the shape (120, 4), and there are 120 samples."),
        (np.array(["much"] * COUNT), "The sample weights w are no numbers."),
        (np.zeros(COUNT) + (np.arange(COUNT) == 0), "split have the weight 0."),
    ],
)
def test_weights_that_cannot_be_are_refused(tmp_path, weights, problem):
    with pytest.raises(InvalidInput) as refused:
        prepare((X, Y, weights), tmp_path / "out")
    assert problem in str(refused.value)


def test_weights_that_say_nothing_and_columns_that_are_not_there(tmp_path):
    dataset = prepare((X, Y, np.full(COUNT, 3.0)), tmp_path / "out")
    assert dataset.info.weighted == ()
    assert "All sample weights are 3: they say nothing." in notes(dataset)
    with pytest.raises(InvalidInput, match="DataFrame has no column heavy"):
        prepare(frame("counts"), tmp_path / "none", weights="heavy")
    with pytest.raises(InvalidInput, match="weights='heavy' names a column of a table, and tuple is none"):
        hand_over_data((X, Y), tmp_path, None, None, Bounds(), "heavy")
    some = ((X[:8], Y[:8], W[:8]), (X[8:16], Y[8:16]))
    with pytest.raises(InvalidInput, match="Some elements of the generator have sample weights"):
        prepare((one for one in some), tmp_path / "some")


STEPS = ModelDescription(
    inputs=(TensorSpec(name="x", shape=(5, 4)),), outputs=(TensorSpec(name="y", shape=(5, 4)),)
)
SEQUENCES = np.random.default_rng(0).normal(size=(COUNT, 5, 4)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(1, 4, (COUNT, 5))


def test_padding_with_a_number_of_its_own_does_not_count(tmp_path):
    padded = np.where(np.arange(5) < 3, LABELS, 0)
    plain = prepare((SEQUENCES, padded), tmp_path / "plain", model=STEPS)
    assert plain.info.class_counts["train"][0] > 0  # as far as anybody can know, 0 is a class
    dataset = prepare((SEQUENCES, padded), tmp_path / "out", model=STEPS, ignore_label=0)
    assert dataset.info.ignored_label == 0
    assert (dataset.y("test")[:, 3:] == -1).all()
    assert (dataset.y("test")[:, :3] > 0).all()
    assert "Positions labelled 0 do not count." in notes(dataset)
    masked = prepare(
        (SEQUENCES, LABELS, (np.arange(5) < 3) * np.ones((COUNT, 1))), tmp_path / "m", model=STEPS
    )
    np.testing.assert_array_equal(masked.y("test"), dataset.y("test"))
    assert masked.info.weighted == ()
    assert "Positions of weight 0 do not count." in notes(masked)
    never = prepare((SEQUENCES, LABELS), tmp_path / "never", model=STEPS, ignore_label=255)
    assert "No position has the label 255, which was not to count." in notes(never)


def test_what_cannot_be_left_out_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="ignore_label=-1 is for labels of positions, and these are oth"):
        prepare((X, Y), tmp_path / "a", ignore_label=-1)
    with pytest.raises(InvalidInput, match="The weights of positions in w are others than 0 and 1"):
        prepare((SEQUENCES, LABELS, np.full(LABELS.shape, 0.5)), tmp_path / "b", model=STEPS)
    with pytest.raises(InvalidInput, match="No position in y counts"):
        prepare((SEQUENCES, np.zeros_like(LABELS)), tmp_path / "c", model=STEPS, ignore_label=0)
