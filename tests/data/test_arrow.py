"""Parquet files and Arrow data sets as the package ``datasets`` writes them, made here with pyarrow alone."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest
from PIL import Image

from tests.data.sources import described
from workbench.api.errors import InvalidInput, Refused, Unavailable
from workbench.data import arrow_columns, arrow_files
from workbench.data.files import read_path, require_plausible
from workbench.data.prepare import prepare
from workbench.data.preview import preview

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet

LIMIT = 10**8


def table(count=60, seed=0, **more):
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "length": random.normal(size=count),
            "colour": random.choice(["red", "green"], count).tolist(),
            "label": (np.arange(count) % 3).tolist(),
            **more,
        }
    )


def told(own, **kinds):
    """The table with what ``datasets`` keeps of its columns."""
    content = json.dumps({"info": {"features": kinds}}).encode()
    return own.replace_schema_metadata({b"huggingface": content})


NAMED = {"_type": "ClassLabel", "names": ["cat", "dog", "hen"]}


def saved(folder, own, parts=2):
    """As ``save_to_disk`` leaves it: Arrow streams, and a state that names them."""
    folder.mkdir(parents=True)
    names = []
    for number in range(parts):
        names.append(f"data-{number:05d}-of-{parts:05d}.arrow")
        step = -(-len(own) // parts)
        with pa.OSFile(str(folder / names[-1]), "wb") as file, pa.ipc.new_stream(file, own.schema) as writer:
            writer.write_table(own.slice(number * step, step), max_chunksize=7)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def picture_bytes(count, size=(10, 8), kind="PNG"):
    found = []
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind)
        found.append(file.getvalue())
    return found


def read(path, label=None, **more):
    return read_path(path, label=label, limit_bytes=LIMIT, **more)


def notes(raw):
    return [str(note) for note in raw.notes]


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
def test_a_table_is_read_as_a_csv_file_with_the_same_cells(tmp_path, kind):
    own = table()
    path = tmp_path / f"t.{'parquet' if kind == 'parquet' else 'arrow'}"
    if kind == "parquet":
        parquet.write_table(own, path)
    else:
        new = pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file
        with pa.OSFile(str(path), "wb") as file, new(file, own.schema) as writer:
            writer.write_table(own)
    own.to_pandas().to_csv(tmp_path / "t.csv", index=False)
    require_plausible(path)
    ours, theirs = prepare(path, tmp_path / "1"), prepare(tmp_path / "t.csv", tmp_path / "2")
    assert ours.info == theirs.info
    seen = preview(path, LIMIT)
    assert seen == preview(tmp_path / "t.csv", LIMIT)
    assert (seen.kind, seen.label, seen.samples) == ("table", "label", 60)


@pytest.mark.parametrize("large", [False, True])
def test_pictures_of_a_saved_data_set_are_those_of_a_folder(tmp_path, monkeypatch, large):
    encoded = picture_bytes(60)
    structs = [{"bytes": content, "path": None} for content in encoded]
    own = told(
        pa.table({"image": structs, "label": (np.arange(60) % 3).tolist()}),
        image={"_type": "Image"},
        label=NAMED,
    )
    for number, content in enumerate(encoded):
        file = tmp_path / "folder" / NAMED["names"][number % 3] / f"{number:02d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    if large:
        monkeypatch.setattr(arrow_files, "LARGE_BYTES", 0)
        monkeypatch.setattr(arrow_files, "_ROWS_AT_ONCE", 11)
    parquet.write_table(own, tmp_path / "p.parquet", row_group_size=13)
    folder = read(tmp_path / "folder")
    by_class = np.argsort(np.arange(60) % 3, kind="stable")
    for path in (saved(tmp_path / "saved", own), tmp_path / "p.parquet"):
        raw = read(path)
        assert raw.classes == ("cat", "dog", "hen")
        np.testing.assert_array_equal(
            np.asarray(raw.splits["train"].x[""])[by_class], folder.splits["train"].x[""]
        )
        np.testing.assert_array_equal(raw.splits["train"].y[by_class], folder.splits["train"].y)
        assert "The pictures are in the column image." in notes(raw)
        data = prepare(path, tmp_path / f"out-{path.name}")
        assert data.info.is_image
        assert str(data.info.scaling) == "values / 255"
        seen = preview(path, LIMIT)
        assert (seen.kind, seen.samples, len(seen.pictures)) == ("pictures", 60, 3)
        assert seen.counts == (("cat", 20), ("dog", 20), ("hen", 20))
    assert not [entry for entry in tmp_path.iterdir() if entry.name.startswith(".")]


def test_a_data_set_of_splits_with_hidden_labels_and_a_damaged_picture(tmp_path):
    encoded = picture_bytes(90)
    encoded[5] = encoded[5][:20]
    labels = (np.arange(90) % 3).tolist()
    labels[7] = -1
    own = told(pa.table({"img": pa.array(encoded, pa.binary()), "y": labels}), y=NAMED)
    folder = tmp_path / "set"
    saved(folder / "train", own.slice(0, 60))
    saved(folder / "test", own.slice(60, 30), parts=1)
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "test", "../else"]}')
    raw = read(folder)
    assert {split: len(samples.y) for split, samples in raw.splits.items()} == {"train": 58, "test": 30}
    assert "1 picture could not be read and was left out." in notes(raw)
    assert "1 row without a label was dropped." in notes(raw)
    expected = np.asarray(Image.open(io.BytesIO(encoded[61])))
    np.testing.assert_array_equal(raw.splits["test"].x[""][1], expected)


def test_a_folder_of_parquet_files_has_its_splits_in_their_names(tmp_path):
    folder = tmp_path / "set" / "data"
    folder.mkdir(parents=True)
    colour = pa.array(["blue"] * 20 + ["red"] * 20)
    parquet.write_table(table(40, 1), folder / "train-00000-of-00002.parquet")
    parquet.write_table(table(40, 2), folder / "train-00001-of-00002.parquet")
    parquet.write_table(table(40, 3).set_column(1, "colour", colour), folder / "test-00000-of-00001.parquet")
    raw = read(tmp_path / "set")
    assert {split: samples.x[""].shape for split, samples in raw.splits.items()} == {
        "train": (80, 4),  # a colour of the test split has a column in both
        "test": (40, 4),
    }
    np.testing.assert_array_equal(raw.splits["test"].x[""][:, 0], table(40, 3)["length"])
    assert raw.splits["test"].x[""][:, 1].tolist() == [1.0] * 20 + [0.0] * 20


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("kind", ["list", "fixed", "nested"])
def test_rows_of_numbers_are_an_input(tmp_path, monkeypatch, kind, large):
    values = np.random.default_rng(0).integers(0, 1000, (60, 12)).astype(np.int32)
    shaped = values if kind != "nested" else values.reshape(60, 3, 4)
    rows = (
        pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 12)
        if kind == "fixed"
        else pa.array(
            shaped.tolist(), pa.list_(pa.int32()) if kind == "list" else pa.list_(pa.list_(pa.int32()))
        )
    )
    own = pa.table({"input_ids": rows, "kind": ["a", "b", None] * 20})
    if large:
        monkeypatch.setattr(arrow_columns, "LARGE_BYTES", 0)
    raw = read(saved(tmp_path / "saved", own), label="kind")
    kept = np.arange(60) % 3 < 2
    assert raw.splits["train"].x[""].dtype == np.int32
    np.testing.assert_array_equal(raw.splits["train"].x[""], shaped[kept])
    np.testing.assert_array_equal(raw.splits["train"].x[""][[5, 1]], shaped[kept][[5, 1]])
    assert raw.splits["train"].y.tolist() == ["a", "b"] * 20


def test_a_table_gets_the_names_that_its_classes_have(tmp_path):
    parquet.write_table(told(table(), label=NAMED), tmp_path / "t.parquet")
    data = prepare(tmp_path / "t.parquet", tmp_path / "out", model=described((3,)))
    assert data.info.classes == ("cat", "dog", "hen")


def test_what_cannot_be_read_is_said(tmp_path, monkeypatch):
    (tmp_path / "no.parquet").write_bytes(b"hello")
    with pytest.raises(InvalidInput, match=r"no \.parquet file"):
        require_plausible(tmp_path / "no.parquet")
    parquet.write_table(table(3000), tmp_path / "cut.parquet")
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="cannot be read as a table"):
        read(tmp_path / "cut.parquet")
    ragged = pa.table({"x": [[1, 2], [3]] * 20, "label": [0, 1] * 20})
    parquet.write_table(ragged, tmp_path / "ragged.parquet")
    with pytest.raises(InvalidInput, match="different lengths"):
        read(tmp_path / "ragged.parquet")
    lacking = saved(tmp_path / "lacking", table())
    (lacking / "data-00001-of-00002.arrow").unlink()
    with pytest.raises(InvalidInput, match=r"lacks tables that state\.json names"):
        read(lacking)
    outside = saved(tmp_path / "outside", table())
    (outside / "state.json").write_text(
        '{"_data_files": [{"filename": "../lacking/data-00000-of-00002.arrow"}]}'
    )
    with pytest.raises(InvalidInput, match="lacks tables"):
        read(outside)
    zeros = pa.table(
        {"x": pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(10**6)), 1000), "label": [0, 1] * 500}
    )
    parquet.write_table(zeros, tmp_path / "zeros.parquet")
    with pytest.raises(Refused, match="limit"):
        prepare(tmp_path / "zeros.parquet", tmp_path / "out", limit_bytes=10**6)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    parquet.write_table(table(), tmp_path / "t.parquet")
    with pytest.raises(Unavailable, match=r"neural-workbench\[tables\]"):
        require_plausible(tmp_path / "t.parquet")
