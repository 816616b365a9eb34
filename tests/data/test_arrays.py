import numpy as np
import pandas
import pytest

from tests.data.sources import described, labelled
from workbench.api.errors import InvalidInput, Refused
from workbench.data.arrays import read_arrays
from workbench.data.prepare import prepare
from workbench.data.streams import Bounds
from workbench.data.where import where
from workbench.engine.sources import hand_over_data

LIMIT = 2**24
FORMS = (
    "Use the name of a built-in data set, a path, (x, y), ((x_train, y_train), (x_test, y_test)), "
    "a dict with x_train, y_train, x_test, y_test, a DataFrame, or a tf.data.Dataset, a PyDataset or "
    "a generator of (x, y)."
)


def read(source, limit_bytes=LIMIT):
    return read_arrays(source, label=None, limit_bytes=limit_bytes)


def shapes(raw):
    return {split: samples.x[""].shape for split, samples in raw.splits.items()}


X, Y = labelled(150)


@pytest.mark.parametrize(
    "source", [(X, Y), [X, Y], (X.tolist(), Y.tolist()), {"x": X, "y": Y}, {"train": (X, Y)}]
)
def test_one_block(source):
    assert shapes(read(source)) == {"train": (150, 4)}


@pytest.mark.parametrize(
    "source",
    [
        ((X, Y), (X[:30], Y[:30])),
        {"train": (X, Y), "test": (X[:30], Y[:30])},
        {"x_train": X, "y_train": Y, "x_test": X[:30], "y_test": Y[:30]},
    ],
)
def test_as_keras_datasets_give_them(source):
    assert shapes(read(source)) == {"train": (150, 4), "test": (30, 4)}


def test_three_pairs_and_several_inputs():
    three = ((X, Y), (X[:20], Y[:20]), (X[:30], Y[:30]))
    assert shapes(read(three)) == {"train": (150, 4), "validation": (20, 4), "test": (30, 4)}
    raw = read(({"a": X, "b": X[:, :2]}, Y))
    assert {name: array.shape for name, array in raw.splits["train"].x.items()} == {
        "a": (150, 4),
        "b": (150, 2),
    }


def test_the_callers_arrays_are_not_changed(tmp_path):
    x, y = labelled(150)
    before = x.copy(), y.copy()
    prepare((x, y), tmp_path / "out", scaling="standardize")
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


WRONG = [
    (3, f"Data cannot be read from an object of the type int. {FORMS}"),
    (None, f"Data cannot be read from an object of the type NoneType. {FORMS}"),
    ((X,), f"Data cannot be read from a tuple of 1. {FORMS}"),
    ({1: X, 2: Y}, f"Data cannot be read from a dict of 2. {FORMS}"),
    ({"test": (X, Y)}, 'There is no training data; there is: test. Give it under the key "train".'),
    ({}, "The dict has no training samples with labels; it holds: nothing. It takes x_train and y_train, "
     "with x_test and y_test if there are any; or x and y."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "text"), WRONG)
def test_what_is_no_data(source, text):
    with pytest.raises(InvalidInput) as caught:
        read(source)
    assert str(caught.value) == text


def test_both_parts_of_a_directory_in_a_list(tf):
    x, y = labelled(120)
    parts = [tf.data.Dataset.from_tensor_slices((x[part], y[part])) for part in (slice(90), slice(90, 120))]
    assert shapes(read(parts)) == shapes(read(tuple(parts)))


@pytest.mark.parametrize("given", ["frame", "pair", "categorical", "splits"])
def test_categories_of_pandas_keep_their_order(given, tmp_path):
    import pandas

    x, y = labelled(120, 3)
    column = pandas.Series(pandas.Categorical.from_codes(y, ["wind", "rain", "calm"]))
    frame = pandas.DataFrame(x, columns=list("abcd"))
    source = {
        "frame": frame.assign(label=column),
        "pair": (frame, column),
        "categorical": (frame, column.array),
        "splits": ((frame[:90], column[:90]), (frame[90:], column[90:])),
    }[given]
    dataset = prepare(source, tmp_path / "out")
    assert dataset.info.classes == ("wind", "rain", "calm")
    known = {tuple(row): label for row, label in zip(x.astype(np.float32).tolist(), y, strict=True)}
    for row, label in zip(dataset.x("test").tolist(), dataset.y("test"), strict=True):
        assert known[tuple(row)] == label


def test_columns_of_one_name_and_of_several_levels(tmp_path):
    import pandas

    x, y = labelled(120, 2)
    levels = pandas.MultiIndex.from_product([["size"], list("abcde")])
    for number, columns in enumerate(([*"aabb", "label"], levels)):
        frame = pandas.DataFrame(np.c_[x, y], columns=columns)
        for kind, source in {"pair": (frame.iloc[:, :4], y), "frame": frame}.items():
            given = prepare(source, tmp_path / f"{kind} {number}").x("train")
            assert {tuple(row) for row in given.tolist()} <= {tuple(row) for row in x.astype("f4").tolist()}


def test_categories_that_do_not_occur_are_left_out(tmp_path):
    import pandas

    x, y = labelled(120, 2)
    column = pandas.Series(pandas.Categorical.from_codes(y + 1, ["wind", "rain", "calm"]))
    assert prepare((x, column), tmp_path / "two").info.classes == ("rain", "calm")
    dataset = prepare((x, column), tmp_path / "three", model=described((4,), outputs={"p": 3}))
    assert dataset.info.classes == ("wind", "rain", "calm")


def test_ragged_samples():
    with pytest.raises(
        InvalidInput,
        match=r"Samples of different shapes cannot be one array: .* "
        "Pad or crop them",
    ):
        read(([[1, 2], [3]], [0, 1]))


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


@pytest.mark.parametrize("batch", [None, 7, 150])
@pytest.mark.parametrize("one_hot", [False, True])
def test_tf_data_batched_or_not(tf, tmp_path, batch, one_hot):
    labels = np.eye(3, dtype=np.float32)[Y] if one_hot else Y
    source = tf.data.Dataset.from_tensor_slices((X, labels))
    if batch:
        source = source.batch(batch)
    raw = read(source)
    np.testing.assert_array_equal(raw.splits["train"].x[""], X)
    np.testing.assert_array_equal(raw.splits["train"].y, labels)
    dataset = prepare({"train": source, "test": source.take(40)}, tmp_path / "out")
    assert dataset.info.classes == ("0", "1", "2")


def test_tf_data_with_several_inputs_weights_and_string_labels(tf):
    names = np.array(["a", "b", "c"])[Y]
    source = tf.data.Dataset.from_tensor_slices(({"image": X, "size": X[:, :1]}, names, np.ones(150)))
    for form in (source, source.batch(32)):
        samples = read(form).splits["train"]
        assert {name: array.shape for name, array in samples.x.items()} == {
            "image": (150, 4),
            "size": (150, 1),
        }
        assert samples.y.dtype.kind == "S"


def test_tf_data_that_is_endless_empty_wrong_and_too_large(tf):
    source = tf.data.Dataset.from_tensor_slices((X, Y))
    for data, text in (
        (
            source.repeat(),
            f"The tf.data.Dataset never ends. Say how many samples are read ({where('samples')}) or how many "
            f"batches ({where('steps')}), or remove .repeat().",
        ),
        (source.take(0), "The tf.data.Dataset is empty. Each element must be (x, y)."),
    ):
        with pytest.raises(InvalidInput) as caught:
            read(data)
        assert str(caught.value) == text
    with pytest.raises(
        InvalidInput, match=r"elements of the form array \(4,\)\. Each element must be \(x, y\)"
    ):
        read(tf.data.Dataset.from_tensor_slices(X))
    with pytest.raises(Refused, match=r"tf\.data\.Dataset would take"):
        read(source, limit_bytes=1000)


def test_ragged_batches(tf):
    x = tf.ragged.constant([[1, 2], [3], [4, 5, 6]] * 20)
    batches = tf.data.Dataset.from_tensor_slices((x, np.arange(60) % 2)).batch(16)
    with pytest.raises(InvalidInput, match="Samples of different shapes cannot be one array"):
        read(batches)


def test_tf_data_samples_of_different_shapes(tf):
    source = tf.data.Dataset.from_generator(
        lambda: ((np.zeros(length, np.float32), 0) for length in (3, 4)),
        output_signature=(tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.int32)),
    )
    with pytest.raises(InvalidInput, match="Samples of different shapes cannot be one array"):
        read(source)


def test_the_columns_of_a_data_frame_beside_labels_are_inputs_of_their_own():
    frame = pandas.DataFrame({"age": np.arange(60.0), "town": np.array(["Ulm", "Bonn", "Jena"])[Y[:60] % 3]})
    labels = pandas.Series(Y[:60] % 2, index=range(100, 160))  # an index of its own, as after a split
    model = described(age=(1,), town=(1,))
    raw = read_arrays((frame, labels), label=None, limit_bytes=10**8, model=model)
    samples = raw.splits["train"]
    assert set(samples.x) == {"age", "town"}
    np.testing.assert_array_equal(samples.x["age"].ravel(), np.arange(60.0))
    np.testing.assert_array_equal(samples.y, Y[:60] % 2)
    numbers = read_arrays((frame[["age"]], labels), label=None, limit_bytes=10**8, model=described((1,)))
    np.testing.assert_array_equal(numbers.splits["train"].x[""].ravel(), np.arange(60.0))
    with pytest.raises(InvalidInput, match="60 rows and y 59 labels"):
        read_arrays((frame, labels[:59]), label=None, limit_bytes=10**8, model=model)


def test_a_label_column_is_refused_where_there_are_no_columns(tmp_path):
    with pytest.raises(InvalidInput, match="label='kind' names a column of a table, and tuple is none"):
        hand_over_data((X, Y), tmp_path, "kind", None, Bounds())
    with pytest.raises(InvalidInput, match="digits is none"):
        hand_over_data("digits", tmp_path, "kind", None, Bounds())
