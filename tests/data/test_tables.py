import numpy as np
import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.sources import described
from workbench.api.errors import InvalidInput, Refused, WorkbenchError
from workbench.api.variant import ModelDescription, TensorSpec
from workbench.data.csv_files import read_csv
from workbench.data.prepare import prepare
from workbench.data.where import where

LIMIT = 2**22


def csv(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def read(path, label=None, limit_bytes=LIMIT):
    return read_csv(path, label=label, limit_bytes=limit_bytes)


def notes(raw):
    return [str(note) for note in raw.notes]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_numbers_booleans_and_texts(tmp_path, separator, encoding):
    rows = ["size,alive,colour,label", "1.5,True,red,cat", "2,False,blue,dog", "-3e2,True,red,cat"]
    raw = read(csv(tmp_path / "t.csv", "\n".join(rows).replace(",", separator), encoding))
    np.testing.assert_array_equal(raw.splits["train"].x[""], [[1.5, 1, 0, 1], [2, 0, 1, 0], [-300, 1, 0, 1]])
    assert raw.splits["train"].y.tolist() == [0, 1, 0]
    assert raw.classes == ("cat", "dog")
    assert notes(raw) == [
        "Labels are in the column label.",
        "Text columns became one 0/1 column for each value: colour (2).",
    ]
    assert str(raw.numbered) == "Labels were numbered: cat = 0, dog = 1."


LABEL_COLUMNS = [
    ("a,b\n1,0\n2,1\n", None, "b"),
    ("y,a,class\n0,1,5\n1,2,6\n", None, "class"),
    ("a,Target,b\n1,0,2\n2,1,3\n", None, "Target"),
    ("label,a\n0,1\n1,2\n", None, "label"),
    ("label,a\n0,1\n1,0\n", "a", "a"),
]


@pytest.mark.parametrize(("text", "label", "column"), LABEL_COLUMNS)
def test_the_label_column(tmp_path, text, label, column):
    note = notes(read(csv(tmp_path / "t.csv", text), label))[0]
    assert note == f"Labels are in the column {column}." or f"so the last one, {column}, was taken" in note


def test_a_file_without_a_header(tmp_path):
    raw = read(csv(tmp_path / "t.csv", "1,2,0\n3,4,1\n"))
    assert raw.splits["train"].x[""].tolist() == [[1, 2], [3, 4]]
    assert [note[:60] for note in notes(raw)] == [
        "No column is called label, target, class, y, so the last one"
    ]


GERMAN = "Breite;Höhe;Art\n1,50;2,25;rot\n0,5;-1,5e2;blau\n3;1,0;rot\n"


def test_decimal_commas(tmp_path):
    raw = read(csv(tmp_path / "t.csv", GERMAN))
    assert raw.splits["train"].x[""].tolist() == [[1.5, 2.25], [0.5, -150], [3, 1]]
    assert raw.classes == ("blau", "rot")
    assert "Decimal commas were read in the columns Breite, Höhe." in notes(raw)


def test_decimal_commas_without_a_header(tmp_path):
    raw = read(csv(tmp_path / "t.csv", "1,5;2,5;0\n1;2,5;1\n"))
    assert raw.splits["train"].x[""].tolist() == [[1.5, 2.5], [1, 2.5]]


def test_marks_for_missing_values_among_numbers(tmp_path):
    raw = read(csv(tmp_path / "t.csv", "a,b,label\n1,?,x\n2,3,y\n-,4,x\n5,6,y\n7,8,y\n"))
    assert raw.splits["train"].x[""].tolist() == [[2, 3], [5, 6], [7, 8]]
    assert "Marks for a missing value were read as such in the columns a (1), b (1)." in notes(raw)


def test_row_numbers_without_a_name_are_left_out(tmp_path):
    raw = read(csv(tmp_path / "t.csv", ",a,label\n0,3,x\n1,4,y\n2,5,y\n"))
    assert raw.splits["train"].x[""].tolist() == [[3], [4], [5]]
    assert notes(raw)[0] == "The first column has no name and counts the rows: it was left out."


def test_a_guessed_label_column_is_called_a_guess(tmp_path):
    path = csv(tmp_path / "t.csv", "Species ,a,colour\nx,1,red\ny,2,blue\n")
    (guess,) = (note for note in notes(read(path)) if "taken for the labels" in note)
    assert guess.startswith("No column is called label, target, class, y, so the last one, colour, was taken")
    assert notes(read(path, label="Species"))[0] == "Labels are in the column Species."


def test_texts_among_numbers_are_named(tmp_path):
    rows = "a,label\n" + "".join(f"{n * 0.5},x\n{n + 0.25},y\n" for n in range(80)) + "12 km,x\n"
    with pytest.raises(
        InvalidInput, match=r"Column a holds numbers and 1 values that are none, such as '12 km'"
    ):
        read(csv(tmp_path / "t.csv", rows))


def test_missing_values_are_dropped_and_counted(tmp_path):
    rows = ["a,b,empty,label", "1,2,,x", ",2,,x", "3,NA,,y", "3,4,,", "5,6,,y", "7,8,,y"]
    raw = read(csv(tmp_path / "t.csv", "\n".join(rows)))
    assert raw.splits["train"].x[""].tolist() == [[1, 2], [5, 6], [7, 8]]
    assert notes(raw)[1:4] == [
        "1 row without a label was dropped.",
        "Columns without any value were dropped: empty.",
        "2 rows with missing values were dropped; missing in: a (1), b (1).",
    ]


WRONG = [
    ("", "t.csv is empty. Write one sample in each row, with the names of the columns in the first."),
    ("\n\na,b\n", "t.csv starts with an empty line. "
     "Write one sample in each row, with the names of the columns in the first."),
    ("a\0b,c\n1,2\n", "t.csv is not a text file. Save the table as CSV, in UTF-8."),
    ("a\n1\n2\n", "t.csv has 2 rows and 1 columns. Columns are separated by commas, semicolons, tabs or |. "
     "At least one column of values, one of labels, and one row are needed."),
    ("a,b\n", "t.csv has 0 rows and 2 columns. At least one column of values, one of labels, and "
     "one row are needed."),
    ("a,label\n1,\n2,\n", "t.csv has no row with a label and values. "
     "At least one column of values, one of labels, and one row are needed."),
    ("a,b,label\n1,,x\n2,,x\n,3,y\n", "3 of 3 rows in t.csv have missing values, in the columns b "
     "(2), a (1). "
     "Fill the missing values or leave those columns out."),
    ("id,label\n" + "".join(f"name{n},0\n" for n in range(101)),
     "Column id holds 101 different texts, too many for categories (at most 100). "
     "Leave out columns with names, identifiers or free text."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[message[:30] for _, message in WRONG])
def test_wrong_tables_are_explained(tmp_path, text, message):
    with pytest.raises(InvalidInput) as caught:
        read(csv(tmp_path / "t.csv", text))
    assert str(caught.value) == message


def test_rows_of_different_lengths(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        read(csv(tmp_path / "t.csv", "a,b\n1,2\n1,2,3,4\n"))
    assert str(caught.value).startswith("t.csv cannot be read as a table: Error tokenizing data.")
    assert str(caught.value).endswith("Every row needs the same number of columns.")


def test_not_utf8(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        read(csv(tmp_path / "t.csv", "größe,label\n1,ä\n", "latin-1"))
    assert str(caught.value) == "t.csv is not UTF-8 text. Save the table as CSV, in UTF-8."


def test_an_unknown_label_column(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        read(csv(tmp_path / "t.csv", "a,b\n1,2\n"), "species")
    assert str(caught.value) == "t.csv has no column species. Its columns are a, b."


def test_a_large_file_is_refused_unread(tmp_path):
    with pytest.raises(Refused, match=r"t\.csv would take 2\.0 MB in memory; the limit is 1\.0 MB"):
        read(csv(tmp_path / "t.csv", "1,2,3,4,5\n" * 50_000), limit_bytes=10**6)


def test_many_categories_cannot_outgrow_the_limit(tmp_path):
    rows = "".join(
        ",".join(f"{(row + column) % 90:02}x" for column in range(50)) + ",0\n" for row in range(300)
    )
    header = ",".join(f"c{column}" for column in range(50)) + ",label\n"
    with pytest.raises(Refused, match=r"would take 10\.8 MB in memory"):
        read(csv(tmp_path / "t.csv", header + rows), limit_bytes=10**6)


def test_infinity_and_regression(tmp_path):
    rows = "a,label\n" + "".join(f"{n},{n % 2}\n" for n in range(120))
    with pytest.raises(InvalidInput, match=r"x holds 0 missing .* 1 infinite values, in 1 of 120 samples"):
        prepare(csv(tmp_path / "t.csv", rows.replace("\n7,", "\ninf,")), tmp_path / "out")
    rows = "a,price\n" + "".join(f"{n},{n * 0.7}\n" for n in range(120))
    info = prepare(csv(tmp_path / "t.csv", rows), tmp_path / "out").info
    assert (info.task, info.targets, info.classes) == ("regression", ("price",), ())


def test_ten_kilobyte_labels_do_not_multiply(tmp_path):
    """As a NumPy array of strings, each of 1,000 rows would take 40 kB."""
    rows = "a,label\n" + "1,x\n" * 999 + "2," + "z" * 10_000 + "\n"
    raw = read(csv(tmp_path / "t.csv", rows))
    assert raw.splits["train"].y.dtype == np.int64
    assert len(str(raw.notes[-1])) < 200


def test_a_data_frame(tmp_path):
    frame = pandas.DataFrame(
        {
            "size": np.arange(120) / 7,
            "kind": pandas.Categorical(np.array(["a", "b", "c"])[np.arange(120) % 3]),
            "label": np.array(["x", "y"])[np.arange(120) % 2],
        }
    )
    dataset = prepare(frame, tmp_path / "out", name="frame")
    assert dataset.info.input_shapes == {"": (4,)}
    assert dataset.info.classes == ("x", "y")
    assert not dataset.info.is_image
    frame["when"] = pandas.Timestamp("2026-01-01")
    with pytest.raises(InvalidInput, match=r"Column when holds datetime64\[.*\] values."):
        prepare(frame, tmp_path / "dates", label="label")


def explained(error):
    """The text names the file or the column, and is no traceback."""
    assert "t.csv" in str(error) or "olumn" in str(error)
    assert "Traceback" not in str(error)


cells = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.floats(-1e9, 1e9).map(repr),
    st.sampled_from(["", "NA", "red", "<b>", "%{x}", "{hole}", "\u202e", '"a,b"']),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=12))
def test_any_table_is_read_or_explained(tmp_path, rows):
    path = csv(tmp_path / "t.csv", "a,b,label\n" + "\n".join(",".join(row) for row in rows))
    try:
        raw = read(path)
    except WorkbenchError as error:
        explained(error)
        return
    samples = raw.splits["train"]
    assert len(samples.x[""]) == len(samples.y) <= len(rows)
    assert np.isfinite(samples.x[""]).all()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.tuples(st.floats(-1e9, 1e9, width=32), st.integers(-1000, 1000), st.integers(0, 3)),
        min_size=1,
        max_size=20,
    )
)
def test_numbers_come_back_as_they_were(tmp_path, values):
    path = csv(tmp_path / "t.csv", "a,b,y\n" + "\n".join(f"{a!r},{b},{y}" for a, b, y in values))
    samples = read(path).splits["train"]
    np.testing.assert_allclose(samples.x[""], [[a, b] for a, b, _ in values], rtol=1e-12)
    assert samples.y.tolist() == [y for _, _, y in values]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_explained(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    try:
        read(path)
    except WorkbenchError as error:
        explained(error)


def table(path, columns, names):
    """A file with these columns; every row can be told by its first number."""
    frame = pandas.DataFrame(dict(zip(names, columns, strict=True)))
    frame.to_csv(path, index=False)
    return path


ROWS = np.arange(90)
FEATURES = [ROWS + 0.5, ROWS * 2.5, ROWS % 7 + 0.25]


@pytest.mark.parametrize("index", [False, True])
def test_numbers_that_pandas_writes_over_unnamed_columns_are_no_sample(tmp_path, index):
    path = tmp_path / "t.csv"
    pandas.DataFrame(np.c_[np.transpose(FEATURES), ROWS % 3]).to_csv(path, index=index)
    raw = read(path)
    np.testing.assert_array_equal(raw.splits["train"].x[""], np.transpose(FEATURES))
    np.testing.assert_array_equal(raw.splits["train"].y, ROWS % 3)
    if not index:
        assert notes(raw)[0] == "The first line, 0 to 3, was read as the names of the columns."


def test_years_over_the_columns_are_no_sample(tmp_path):
    path = table(tmp_path / "t.csv", [*FEATURES, ROWS % 3], ["2019", "2020", "2021", "2022"])
    raw = read(path)
    np.testing.assert_array_equal(raw.splits["train"].y, ROWS % 3)
    assert notes(raw)[0] == "The first line, 2019 to 2022, was read as the names of the columns."


def test_numbers_that_are_a_sample_stay_one(tmp_path):
    for text in ("0,1\n1,0\n2,1\n", "1,2,3\n4,5,6\n", "0,2,1\n3,4,5\n", "1,2,4\n3.5,4,5\n"):
        assert len(read(csv(tmp_path / "t.csv", text)).splits["train"].y) == text.count("\n")
    assert len(read(csv(tmp_path / "t.csv", "0,1\n1.5,0\n2.5,1\n")).splits["train"].y) == 2


LABELS = [
    # where the labels stand among the columns, names, the column that is right, what is said of it
    (0, "species a b c", "species", "species was taken for the labels: it has as many different values"),
    (2, "a b species c", "species", "species was taken for the labels: it has as many different values"),
    (3, "a b c species", "species", "so the last one, species, was taken for the labels"),
    (1, "a label b c", "label", "Labels are in the column label."),
]


@pytest.mark.parametrize(("position", "names", "column", "said"), LABELS)
def test_the_label_column_is_found_by_the_models_outputs(tmp_path, position, names, column, said):
    columns = [*FEATURES]
    columns.insert(position, ROWS % 3)
    path = table(tmp_path / "t.csv", columns, names.split())
    raw = read_csv(path, label=None, limit_bytes=LIMIT, model=described((3,)))
    assert said in notes(raw)[0]
    np.testing.assert_array_equal(raw.splits["train"].y, ROWS % 3)
    np.testing.assert_array_equal(raw.splits["train"].x[""], np.transpose(FEATURES))


@pytest.mark.parametrize("shape", [(1,), ()])
def test_the_texts_of_a_model_that_takes_one(tmp_path, shape):
    texts = [f"the words of message {row}" for row in ROWS]
    names = np.array(["ham", "spam"])[ROWS % 2]
    model = ModelDescription(
        inputs=(TensorSpec(name="message", shape=shape, dtype="str", role="text"),),
        outputs=(TensorSpec(name="p", shape=(1,)),),
    )
    for columns in ([names, texts], [texts, names], [ROWS, names, texts]):
        path = table(tmp_path / "t.csv", columns, ["v1", "v2", "v3"][: len(columns)])
        raw = read_csv(path, label=None, limit_bytes=LIMIT, model=model)
        assert raw.splits["train"].x["message"].ravel().tolist() == texts
        np.testing.assert_array_equal(raw.splits["train"].y, ROWS % 2)
        assert any(note.startswith("The texts are in the column v") for note in notes(raw))


def test_several_columns_that_may_be_the_labels(tmp_path):
    path = table(tmp_path / "t.csv", [FEATURES[0], ROWS % 3, ROWS % 3, FEATURES[1]], ["a", "p", "q", "b"])
    with pytest.raises(InvalidInput) as caught:
        read_csv(path, label=None, limit_bytes=LIMIT, model=described((3,)))
    assert str(caught.value) == (
        "Which column of t.csv holds the labels is not clear: p, q have as many different values as the "
        f"model has classes, 3. Name the label column: {where('label')}."
    )
    path = table(tmp_path / "t.csv", [FEATURES[0], ROWS % 3, FEATURES[1], ROWS % 3], ["a", "p", "b", "q"])
    raw = read_csv(path, label=None, limit_bytes=LIMIT, model=described((3,)))
    assert "As many different values are in p: where the labels are there, name it" in notes(raw)[0]


def test_labels_that_are_no_classes_lead_to_the_label_column(tmp_path):
    path = table(tmp_path / "t.csv", [ROWS % 3, *FEATURES], ["kind", "a", "b", "c"])
    with pytest.raises(InvalidInput) as caught:
        prepare(path, tmp_path / "out", model=described((3,), outputs={"p": 7}))
    assert str(caught.value) == (
        "y holds continuous values, such as 0.25: that is regression. The model gives no such numbers. "
        f"If the labels are in another column, name it: {where('label')}."
    )


def test_row_numbers_are_left_out_unless_the_model_takes_them(tmp_path):
    frame = pandas.DataFrame(np.transpose([*FEATURES, ROWS % 3]), columns=["a", "b", "c", "label"])
    frame = frame.sample(frac=1, random_state=0)  # shuffled before it was written, as by train_test_split
    frame.to_csv(tmp_path / "t.csv")
    for features, width in ((3, 3), (4, 4)):
        raw = read_csv(tmp_path / "t.csv", label=None, limit_bytes=LIMIT, model=described((features,)))
        assert raw.splits["train"].x[""].shape == (90, width)
        assert notes(raw)[0].startswith("The first column has no name and ")
    frame.sort_index().to_csv(tmp_path / "t.csv", index_label="id")
    assert read(tmp_path / "t.csv").splits["train"].x[""].shape == (90, 4)
    raw = read_csv(tmp_path / "t.csv", label=None, limit_bytes=LIMIT, model=described((3,)))
    np.testing.assert_array_equal(raw.splits["train"].x[""], frame.sort_index()[list("abc")])
    assert notes(raw)[0] == "The column id counts the rows, and the model takes 3 columns: it was left out."


def test_each_column_goes_to_the_input_of_its_name(tmp_path):
    path = table(tmp_path / "t.csv", [ROWS, FEATURES[1], ROWS % 3, FEATURES[2]], ["a", "b", "kind", "c"])
    raw = read_csv(path, label="kind", limit_bytes=LIMIT, model=described(b=(1,), a=(1,)))
    assert list(raw.splits["train"].x) == ["b", "a"]
    np.testing.assert_array_equal(raw.splits["train"].x["b"], FEATURES[1][:, None])
    assert raw.splits["train"].x["a"].dtype == np.int64
    assert "Left out, as the model has no input of that name: c." in notes(raw)


def test_whole_numbers_that_floats_do_not_hold_are_kept(tmp_path):
    ids = 2**53 + 1 + 2 * ROWS
    raw = read(table(tmp_path / "t.csv", [ids, ROWS % 3], ["id", "label"]))
    np.testing.assert_array_equal(raw.splits["train"].x[""][:, 0], ids)


def test_the_numbers_of_the_labels_are_said_once(tmp_path):
    path = table(tmp_path / "t.csv", [ROWS, np.array(["cow", "ant"])[ROWS % 2]], ["a", "label"])
    dataset = prepare(path, tmp_path / "out", classes=["dog", "cow", "ant"])
    said = [str(note) for note in dataset.info.notes]
    assert [note for note in said if "numbered" in note] == [
        "Labels were numbered: dog = 0, cow = 1, ant = 2."
    ]
    names = np.array(["cow", "ant"])[dataset.x("test")[:, 0].astype(int) % 2]
    assert [dataset.info.classes[number] for number in dataset.y("test")] == names.tolist()
