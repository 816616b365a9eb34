from dataclasses import replace

import numpy as np
import pytest

from workbench.api.errors import InvalidInput
from workbench.data.class_names import numbering
from workbench.data.labels import encode
from workbench.data.raw import RawData, Samples
from workbench.data.where import where


def raw(train, test=None, classes=None):
    def samples(y, suffix):
        y = np.asarray(y)
        return Samples({"": np.zeros((len(y), 1))}, y, suffix)

    splits = {"train": samples(train, "train" if test is not None else "")}
    if test is not None:
        splits["test"] = samples(test, "test")
    return RawData("labels", splits, classes=classes)


def notes(encoded):
    return [str(note) for note in encoded.notes]


def test_integers_from_zero_stay_as_they_are():
    encoded = encode(raw([2, 0, 1, 1], [1, 2]))
    assert encoded.y["train"].tolist() == [2, 0, 1, 1]
    assert encoded.y["test"].tolist() == [1, 2]
    assert encoded.y["train"].dtype == np.int64
    assert encoded.classes == ("0", "1", "2")
    assert not encoded.notes


NUMBERED = [
    ([1, 2, 3], [0, 1, 2], ("1", "2", "3"), "Labels were numbered: 1 = 0, 2 = 1, 3 = 2."),
    ([1, -1, 1], [1, 0, 1], ("-1", "1"), "Labels were numbered: -1 = 0, 1 = 1."),
    (["dog", "cat"], [1, 0], ("cat", "dog"), "Labels were numbered: cat = 0, dog = 1."),
    ([b"dog", b"cat"], [1, 0], ("cat", "dog"), "Labels were numbered: cat = 0, dog = 1."),
    (["10", "9"], [1, 0], ("9", "10"), "Labels were numbered: 9 = 0, 10 = 1."),
    (
        [b"10", b"-2", b"9.0"],
        [2, 0, 1],
        ("-2", "9.0", "10"),
        "Labels were numbered: -2 = 0, 9.0 = 1, 10 = 2.",
    ),
    (["a10", "a9"], [0, 1], ("a10", "a9"), "Labels were numbered: a10 = 0, a9 = 1."),
    (["01", "1", "2"], [0, 1, 2], ("01", "1", "2"), "Labels were numbered: 01 = 0, 1 = 1, 2 = 2."),
    ([True, False], [1, 0], ("False", "True"), "Labels were numbered: False = 0, True = 1."),
    (
        [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
        [1, 2, 0],
        ("0", "1", "2"),
        "One-hot labels became class indices 0 to 2.",
    ),
    ([[0.0, 1.0], [1.0, 0.0]], [1, 0], ("0", "1"), "One-hot labels became class indices 0 to 1."),
]


@pytest.mark.parametrize(("labels", "indices", "classes", "note"), NUMBERED)
def test_other_labels_are_numbered_and_it_is_said(labels, indices, classes, note):
    encoded = encode(raw(labels))
    assert encoded.y["train"].tolist() == indices
    assert encoded.classes == classes
    assert notes(encoded) == [note]


def test_columns_and_whole_floats_are_labels_too():
    assert encode(raw([[1], [0], [1]])).y["train"].tolist() == [1, 0, 1]
    assert encode(raw([1.0, 0.0, 2.0])).y["train"].tolist() == [1, 0, 2]
    assert encode(raw(np.array(["b", "a"], object))).y["train"].tolist() == [1, 0]


def test_class_names_of_the_source():
    assert encode(raw([1, 0, 2], classes=("a", "b", "c"))).classes == ("a", "b", "c")
    encoded = encode(raw(["low", "high"], classes=("low", "high")))
    assert encoded.y["train"].tolist() == [0, 1]


CORRECT = f"Correct the labels, or name all classes in the order of the model's outputs: {where('classes')}."
WRONG = [
    (raw([0.5, 1.2]), "y holds continuous values, such as 0.5: that is regression. "
     "The model gives no such numbers: give classes as labels, or a model with one linear output for each "
     f"number. If numbers are meant all the same: {where('task')}."),
    (raw([0.0, np.nan, np.inf]), "y holds 2 labels of 3 that are not numbers. Drop the samples "
     "without a label first."),
    (raw([[0.3, 0.7], [1, 0]]), "1 of 2 rows in y are not one-hot. "
     "Each row needs a single 1 and zeros; soft and multiple labels are not supported."),
    (raw([[1, 1], [1, 0]]), "1 of 2 rows in y are not one-hot. "
     "Each row needs a single 1 and zeros; soft and multiple labels are not supported."),
    (raw([0, 0, 0]), "All 3 labels are the same class, 0. At least two classes are needed."),
    (raw([0, 1, 3]), "y has 3 different labels from 0 to 3: 2 never occurs. "
     "Number the classes 0 to 2, or name all classes in the order of their numbers: "
     f"{where('classes')}."),
    (raw([0, 1, 2], [0, 7, 7]), "y_test holds 2 labels outside the classes: 7. The 3 classes are 0, 1, 2. "
     f"{CORRECT}"),
    (raw([0, 1, 2], [-1, 1]), "y_test holds 1 label outside the classes: -1. The 3 classes are 0, 1, 2. "
     f"{CORRECT}"),
    (raw([0, 5, 2], classes=("a", "b", "c")),
     "y holds 1 label outside the classes: 5. The 3 classes are 0, 1, 2. "
     f"{CORRECT}"),
    (raw([0, 1], ["a", "b"]), "y_test and y_train hold labels of different kinds: strings and integers. "
     "Write the labels of every split the same way."),
    (raw([0, 1], [[0, 1], [1, 0]]), "y_test and y_train hold labels of different kinds: one-hot "
     "rows of 2 and "
     "integers. Write the labels of every split the same way."),
    (raw([["a", "b"]]), "y has the shape (1, 2) and holds <U1. "
     "Labels are integers, strings or booleans, shape (n,), or one-hot rows, shape (n, classes)."),
    (raw([1 + 2j, 0]), "y has the shape (2,) and holds complex128. "
     "Labels are integers, strings or booleans, shape (n,), or one-hot rows, shape (n, classes)."),
    (raw(np.array([1, "a", None], object)), "y holds Python objects of several types. "
     "Labels are integers, strings or booleans, shape (n,), or one-hot rows, shape (n, classes)."),
    (raw([[0, 1], [1, 0]], classes=("a",)), "1 class names came with 2 classes. "
     "Give one name for each class, in the order of the labels."),
]  # fmt: skip


@pytest.mark.parametrize(("data", "text"), WRONG, ids=[text[:30] for _, text in WRONG])
def test_wrong_labels_are_explained(data, text):
    with pytest.raises(InvalidInput) as caught:
        encode(data)
    assert str(caught.value) == text


def test_hostile_class_names_are_short_unique_and_free_of_control_marks():
    long = "x" * 10_000
    names = [
        "<script>alert(1)</script>",
        '<a href="//evil">',
        "%{x}",
        "{hole}",
        "abc\u202eevil",
        "a\0b\n",
        long,
        long + "y",
    ]
    encoded = encode(raw(names))
    assert len(set(encoded.classes)) == len(names)
    assert max(map(len, encoded.classes)) <= 84
    assert "<script>alert(1)</script>" in encoded.classes  # the page escapes; data stay what they are
    assert "{hole}" in encoded.classes
    assert "abcevil" in encoded.classes
    assert "a�b�" in encoded.classes
    assert notes(encoded)[-1] == (
        "4 class names were shortened to 80 characters or freed of control characters."
    )
    # Both the template and its values survive formatting and JSON.
    assert "{hole}" in notes(encoded)[0]


def test_an_empty_class_name_can_be_seen():
    assert encode(raw(["", "a"])).classes == ("(empty)", "a")


OUTPUTS = [
    # labels, outputs, class indices, classes, note
    ([0, 1, 3, 1], 5, [0, 1, 3, 1], "01234", "Labels are the numbers of the model's 5 outputs, from 0."),
    ([1, 2, 1], 3, [1, 2, 1], "012", "Labels are the numbers of the model's 3 outputs, from 0."),
    ([1, 2, 3], 3, [0, 1, 2], "123", "Labels were numbered: 1 = 0, 2 = 1, 3 = 2."),
    ([1, 3, 1], 3, [0, 2, 0], "123", "Labels were numbered: 1 = 0, 2 = 1, 3 = 2."),
    ([[1], [0], [1]], 1, [1, 0, 1], "01", None),
    ([-1, 1, 1], 1, [0, 1, 1], ("-1", "1"), "Labels were numbered: -1 = 0, 1 = 1."),
    (["00", "03"], 4, [0, 3], ("00", "1", "2", "03"),
     "Labels are the numbers of the model's 4 outputs, from 0."),
    (["1", "3", "1"], 3, [0, 2, 0], "123", "Labels were numbered: 1 = 0, 2 = 1, 3 = 2."),
    (["2", "10"], 1, [0, 1], ("2", "10"), "Labels were numbered: 2 = 0, 10 = 1."),
    ([0.0, 2.0], 3, [0, 2], "012", "Labels are the numbers of the model's 3 outputs, from 0."),
    ([[0, 0, 1], [1, 0, 0]], 3, [2, 0], "012", "One-hot labels became class indices 0 to 2."),
]  # fmt: skip


@pytest.mark.parametrize(("labels", "outputs", "index", "classes", "note"), OUTPUTS)
def test_whole_numbers_within_the_outputs_are_class_indices(labels, outputs, index, classes, note):
    encoded = encode(raw(labels), outputs=outputs)
    assert encoded.y["train"].tolist() == index
    assert encoded.classes == tuple(classes)
    assert notes(encoded) == ([note] if note else [])


ORDERS = [
    # labels, names of the source, order asked for, classes, order told
    (["2", "10", "9"], None, None, ("2", "9", "10"), "numbers"),
    (["2", "10", "9"], None, "text", ("10", "2", "9"), "text"),
    (["class 2", "class 10"], None, None, ("class 10", "class 2"), "text"),
    (["class 2", "class 10"], None, "numbers", ("class 2", "class 10"), "numbers"),
    (["1", "2"], None, "text", ("1", "2"), None),
    ([10, 9], None, None, ("9", "10"), "numbers"),
    ([10, 9], None, "text", ("10", "9"), "text"),
    (["a", "b"], None, None, ("a", "b"), None),
    ([1, 0], ("10", "9"), None, ("10", "9"), "text"),
    ([1, 0], ("10", "9"), "numbers", ("9", "10"), "numbers"),
    ([1, 0], ("v10", "u9"), "numbers", ("v10", "u9"), None),
]


@pytest.mark.parametrize(("labels", "names", "asked", "classes", "told"), ORDERS)
def test_names_that_hold_numbers_have_two_orders(labels, names, asked, classes, told):
    data = replace(raw(labels, classes=names), numbered=numbering(names) if names else None)
    encoded = encode(data, order=asked)
    assert encoded.classes == classes
    assert encoded.order == told
    given = [str(label) if names is None else names[label] for label in labels]
    assert [encoded.classes[index] for index in encoded.y["train"]] == given


def test_no_other_order_where_the_user_has_named_the_classes():
    assert encode(raw(["10", "9"]), classes=["10", "9"]).order is None
    assert encode(raw([1, 0], classes=("10", "9"))).order is None  # from a file that names them


def test_a_class_that_only_the_test_split_has():
    encoded = encode(raw(["a", "b"], ["a", "c"]), outputs=3)
    assert encoded.classes == ("a", "b", "c")
    assert encoded.y["test"].tolist() == [0, 2]


NAMED = [
    (raw([0, 2]), ["cat", "dog", "eel"], [0, 2]),
    (raw(["eel", "cat"]), ["cat", "dog", "eel"], [2, 0]),
    (raw([1, 0], classes=("cat", "eel")), ["eel", "dog", "cat"], [0, 2]),
    (raw([10, 30]), ["10", "20", "30"], [0, 2]),
    (raw([3, 1]), ["1", "2", "3"], [2, 0]),
]


@pytest.mark.parametrize(("data", "classes", "index"), NAMED)
def test_class_names_that_the_user_gives(data, classes, index):
    encoded = encode(data, classes=classes, outputs=3)
    assert encoded.y["train"].tolist() == index
    assert encoded.classes == tuple(classes)
    numbers = ", ".join(f"{name} = {number}" for number, name in enumerate(classes))
    assert notes(encoded) == [f"Labels were numbered: {numbers}."]


def test_class_names_that_do_not_fit():
    with pytest.raises(InvalidInput) as caught:
        encode(raw([1, 0], classes=("cat", "eel")), classes=["dog", "cow"])
    assert str(caught.value) == (
        "The data have the classes cat, eel, and the names that were given are dog, cow. "
        "Spell the names as the data do, in the order of the model's outputs."
    )
    with pytest.raises(InvalidInput, match="Give at least two, each once"):
        encode(raw([1, 0]), classes=["dog", "dog"])
