"""A first line that is a sample is never lost as a header, and names are never taken for a sample."""

import numpy as np
import pytest

from workbench.data.csv_files import read_csv

LIMIT = 10**8
SAMPLE = "The first line was read as a sample: the file has no names of columns."


def read(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_csv(path, label=None, limit_bytes=LIMIT)


SAMPLES = {
    "a byte order mark": ("\ufeff5.1,3.5,0\n4.9,3,1\n", 2, False),
    "a byte order mark and quotes": ('\ufeff"5.1","3.5","0"\n"4.9","3","1"\n', 2, False),
    "lines that end as on an old Mac": ("5.1,3.5,0\r4.9,3,1\r", 2, False),
    "a separator at the end": ("5.1,3.5,0,\n4.9,3,1,\n", 2, False),
    "no end of the last line": ("5.1,3.5,0\n4.9,3,1", 2, False),
    "a label in words": ("5.1,3.5,setosa\n4.9,3,setosa\n6,2,virginica\n", 3, True),
    "whole numbers and a label in words": ("5,3,setosa\n4,3,setosa\n6,2,virginica\n", 3, True),
    "a label that comes once": ("5.1,3.5,setosa\n4.9,3,virginica\n", 2, True),
    "blanks behind the commas": ("39, State, 13, <=50K\n50, Self, 13, <=50K\n20, State, 1, >50K\n", 3, True),
    "texts alone": ("p,x,s\ne,x,y\np,z,s\ne,z,y\n", 4, True),
    "blank lines": ("setosa,5.1\n\nsetosa,4.1\n\nrosea,3\n", 3, True),
    "bars": ("1.5|1|0\n2|2|1\n", 2, False),
    "blanks": ("1.5 2 0\n2   3 1\n", 2, False),
}


@pytest.mark.parametrize(("text", "count", "said"), SAMPLES.values(), ids=SAMPLES)
def test_a_first_line_that_is_a_sample_is_kept(text, count, said, tmp_path):
    raw = read(tmp_path, text)
    assert len(raw.splits["train"].y) == count
    assert (SAMPLE in [str(note) for note in raw.notes]) == said


def test_a_value_that_misses_in_the_first_sample_makes_it_no_header(tmp_path):
    for missing in ("", "?", "NaN"):
        raw = read(tmp_path, f"5.1,{missing},0\n4.9,3,1\n3,2,1\n")
        assert "1 row with missing values was dropped; missing in: column 2 (1)." in map(str, raw.notes)


NAMES = {
    "texts": ("a,b,label\nx,1,0\ny,2,1\n", 2),
    "a word and years": ("name,2019,2020,kind\na,1,2,x\nb,2,3,y\n", 2),
    "a word and wavelengths": ("kind,400.5,401.0,401.5\na,1,2,3\nb,2,3,4\na,2,3,4\n", 3),
    "an index and numbers": (",0,1,2\n0,5.5,1,1\n1,2.5,3,0\n", 2),
    "names over texts": ("colour,label\nred,yes\nblue,no\nred,no\n", 3),
    "a comma in a name": ('"a, b",c,label\n1,2,0\n3,4,1\n', 2),
    "bars": ("a|b|label\n1.5|1|0\n2|2|1\n", 2),
    "blanks": ("a b label\n1.5 2 0\n2   3 1\n", 2),
    "a separator at the end": ("a,b,kind,\n5.1,3.5,x,\n4.9,3,y,\n", 2),
}


@pytest.mark.parametrize(("text", "count"), NAMES.values(), ids=NAMES)
def test_names_are_no_sample(text, count, tmp_path):
    raw = read(tmp_path, text)
    assert len(raw.splits["train"].y) == count
    assert SAMPLE not in map(str, raw.notes)


@pytest.mark.parametrize(
    ("cells", "values", "said"),
    [
        (('"1,234.5"', "12", '"1,234,567"'), (1234.5, 12, 1234567), "marks of thousands"),
        (('"1,234"', "5", "7"), (1234, 5, 7), "marks of thousands"),
        (('"0,234"', '"1,5"', "2"), (0.234, 1.5, 2), "Decimal commas"),
    ],
)
def test_commas_in_quoted_numbers_are_read_and_said(cells, values, said, tmp_path):
    rows = [f"{cell},{label}" for label, cell in enumerate(cells)]
    raw = read(tmp_path, "\n".join(["w,label", *rows]))
    np.testing.assert_array_equal(raw.splits["train"].x[""][:, 0], values)
    assert any(said in str(note) and "in the columns w." in str(note) for note in raw.notes)
