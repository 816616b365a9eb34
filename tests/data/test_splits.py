import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.sources import labelled, npz
from workbench.api.errors import InvalidInput
from workbench.data.prepare import prepare
from workbench.data.splits import SMALLEST_SPLIT, divide
from workbench.data.where import where


def split(y, classes, *, seed=0, test=None, validation=None):
    names = tuple(f"class {number}" for number in range(classes))
    return divide(y, names, seed=seed, test_fraction=test, validation_fraction=validation)


class_sizes = st.lists(st.integers(60, 200), min_size=2, max_size=6)
fractions = st.floats(0.1, 0.4)


def shuffled_labels(sizes, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.random.default_rng(seed).permutation(labels)


@settings(max_examples=60)
@given(sizes=class_sizes, test=fractions, validation=fractions, seed=st.integers(0, 2**32 - 1))
def test_splits_are_disjoint_cover_everything_and_keep_the_shares(sizes, test, validation, seed):
    labels = shuffled_labels(sizes, seed)
    parts, _ = split({"train": labels}, len(sizes), seed=seed, test=test, validation=validation)
    indices = np.concatenate([part.index for part in parts.values()])
    np.testing.assert_array_equal(np.sort(indices), np.arange(len(labels)))
    for name, fraction in (("test", test), ("validation", validation)):
        counts = np.bincount(labels[parts[name].index], minlength=len(sizes))
        assert (np.abs(counts - np.array(sizes) * fraction) <= 0.5 + 1e-9).all()


@settings(max_examples=30)
@given(sizes=class_sizes, seed=st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_splits_and_another_seed_others(sizes, seed):
    labels = shuffled_labels(sizes, 0)
    first, _ = split({"train": labels}, len(sizes), seed=seed)
    again, _ = split({"train": labels}, len(sizes), seed=seed)
    other, _ = split({"train": labels}, len(sizes), seed=seed + 1)
    for name in first:
        np.testing.assert_array_equal(first[name].index, again[name].index)
    assert any(not np.array_equal(first[name].index, other[name].index) for name in first)


def test_the_split_of_a_seed_never_changes():
    """Demo models are only honest if their test samples stay the ones they were not trained on."""
    parts, _ = split({"train": np.arange(100) % 2}, 2)
    assert parts["validation"].index.tolist() == EXPECTED_VALIDATION


EXPECTED_VALIDATION = [11, 72, 46, 3, 79, 33, 36, 59, 4, 8]


@settings(max_examples=30)
@given(sizes=class_sizes, tests=st.integers(20, 60), seed=st.integers(0, 1000))
def test_a_given_test_split_stays_untouched(sizes, tests, seed):
    train = shuffled_labels(sizes, seed)
    given_test = np.arange(tests) % len(sizes)
    parts, _ = split({"train": train, "test": given_test}, len(sizes), seed=seed)
    assert parts["test"].source == "test"
    np.testing.assert_array_equal(parts["test"].index, np.arange(tests))
    both = np.concatenate([parts["train"].index, parts["validation"].index])
    assert parts["train"].source == parts["validation"].source == "train"
    np.testing.assert_array_equal(np.sort(both), np.arange(len(train)))


def test_given_validation_and_test_are_both_kept():
    y = np.arange(60) % 3
    parts, notes = split({"train": y, "validation": y[:30], "test": y[:15]}, 3)
    assert {name: (part.source, len(part.index)) for name, part in parts.items()} == {
        "train": ("train", 60),
        "validation": ("validation", 30),
        "test": ("test", 15),
    }
    assert [str(note) for note in notes] == ["The three splits are the source's own."]


def test_the_first_samples_of_a_sorted_file_are_representative():
    parts, _ = split({"train": np.repeat(np.arange(5), 100)}, 5)
    for part in parts.values():
        assert len(np.unique(np.repeat(np.arange(5), 100)[part.index[:40]])) == 5


def test_statements():
    y = np.arange(100) % 2
    assert str(split({"train": y}, 2, seed=7)[1][0]) == (
        "Validation (10%) and test (20%) were cut from the data by class, with seed 7."
    )
    assert str(split({"train": y, "test": y}, 2)[1][0]) == (
        "The test split is the source's own; validation (10%) was cut from train by class, with seed 0."
    )
    assert str(split({"train": y, "validation": y}, 2)[1][0]) == (
        "The validation split is the source's own; test (20%) was cut from train by class, with seed 0."
    )


REFUSED = [
    (
        {"train": np.arange(30) % 3}, {}, 3,
        "The validation split would have 3 samples; at least 10 are needed. "
        f"Add samples, or say which share it gets: {where('validation_fraction')}.",
    ),
    (
        {"train": np.arange(90) % 3, "test": np.arange(6) % 3}, {}, 3,
        "The test split would have 6 samples; at least 10 are needed. "
        "Add samples to it, or leave it out: then it is cut from the training samples.",
    ),
    (
        {"train": np.array([0] * 200 + [1] * 2)}, {}, 2,
        "The validation split has 20 samples, all of the class class 0. "
        "Every split needs samples of at least two classes: add some of the others.",
    ),
    (
        {"train": np.arange(100) % 4, "test": np.zeros(30, int)}, {}, 4,
        "The test split has 30 samples, all of the class class 0. "
        "Every split needs samples of at least two classes: add some of the others.",
    ),
    (
        {"train": np.arange(100) % 2}, {"test": 0.6, "validation": 0.4}, 2,
        "Validation (0.4) and test (0.6) leave nothing to train on. Their fractions must add up to "
        "less than 1.",
    ),
    ({"train": np.arange(100) % 2}, {"test": 0}, 2, "The test fraction is 0; it must be above 0 and "
     "below 1."),
    (
        {"train": np.arange(100) % 2}, {"validation": float("nan")}, 2,
        "The validation fraction is nan; it must be above 0 and below 1.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("y", "options", "classes", "text"), REFUSED)
def test_refused_with_numbers(y, options, classes, text):
    with pytest.raises(InvalidInput) as caught:
        split(y, classes, **options)
    assert str(caught.value) == text


@pytest.mark.parametrize(("count", "classes"), [(40, 2), (60, 3), (80, 2), (99, 7)])
def test_few_samples_give_every_split_ten(count, classes):
    parts, notes = split({"train": np.arange(count) % classes}, classes)
    sizes = {name: len(part.index) for name, part in parts.items()}
    assert min(sizes.values()) >= SMALLEST_SPLIT
    assert sum(sizes.values()) == count
    assert sizes["train"] >= count / 2
    assert str(notes[0]).startswith("Validation (")


def test_a_share_that_is_asked_for_is_taken_and_said_to_be_small():
    parts, notes = split({"train": np.arange(30) % 3}, 3, test=0.2, validation=0.1)
    assert {name: len(part.index) for name, part in parts.items()} == {
        "train": 21,
        "validation": 3,
        "test": 6,
    }
    assert [str(note) for note in notes][1:] == [
        "The validation split has only 3 samples: what is measured on them says little.",
        "The test split has only 6 samples: what is measured on them says little.",
    ]


def test_classes_that_are_in_no_sample_or_in_few_are_said():
    y = np.array([0] * 100 + [1] * 100 + [2] * 2 + [4])
    parts, notes = split({"train": y, "test": np.arange(20) % 2}, 5)
    assert np.bincount(y[parts["train"].index], minlength=5).tolist() == [90, 90, 1, 0, 1]
    assert [str(note) for note in notes][1:] == [
        "1 of 5 classes do not occur in the data: class 3.",
        "1 of 5 classes have no sample in the validation split: class 4.",
        "2 of 5 classes have no sample in the test split: class 2, class 4.",
    ]


def test_a_share_for_a_split_that_the_source_has_is_said_to_be_unused():
    y = np.arange(100) % 2
    _, notes = split({"train": y, "test": y}, 2, test=0.3)
    assert str(notes[1]) == (
        "The share that was asked for the test split was not used: the source has one of its own."
    )


def test_one_sample(tmp_path):
    path = npz(tmp_path / "one.npz", x=np.zeros((1, 3)), y=np.array([0]))
    with pytest.raises(InvalidInput) as caught:
        prepare(path, tmp_path / "out")
    assert str(caught.value) == "All 1 labels are the same class, 0. At least two classes are needed."


def test_no_sample_of_train_is_ever_in_test_or_validation(tmp_path):
    """Each sample carries its own number through reading, splitting, scaling and writing."""
    x, y = labelled(300)
    dataset = prepare((x, y), tmp_path / "out", seed=3)
    numbers = {name: set(dataset.x(name)[:, 0].astype(int)) for name in ("train", "validation", "test")}
    assert set.union(*numbers.values()) == set(range(300))
    assert sum(map(len, numbers.values())) == 300
    for name in numbers:
        np.testing.assert_array_equal(dataset.x(name)[:, 0].astype(int) % 3, dataset.y(name))
        assert dataset.info.counts[name] >= SMALLEST_SPLIT
