"""What data look like before they are opened: columns, classes, rows, pictures; read in another process."""

import asyncio
import json

import numpy as np
import pytest

from workbench.api.errors import InvalidInput
from workbench.data.preview import preview
from workbench.data.preview_process import previewed

LIMIT = 2**24


def test_a_table_shows_its_columns_with_their_values(tmp_path):
    path = tmp_path / "wine.csv"
    path.write_text("ash,name,label\n" + "1.5,a,red\n2.5,b,white\n3.25,c,red\n")
    found = preview(path, LIMIT)
    assert (found.kind, found.samples, found.label) == ("table", 3, "label")
    assert found.counts == (("red", 2), ("white", 1))
    assert found.rows[2] == ("3.25", "c", "red")
    assert [column.name for column in found.columns] == ["ash", "name", "label"]


def test_arrays_show_classes_and_pictures(tmp_path):
    path = tmp_path / "digits.npz"
    np.savez(path, x=np.full((30, 9, 9, 1), 7, np.uint8), y=np.arange(30) % 3, classes=["a", "b", "c"])
    found = preview(path, LIMIT)
    assert found.counts == (("0", 10), ("1", 10), ("2", 10)) or found.counts == (
        ("a", 10),
        ("b", 10),
        ("c", 10),
    )
    assert len(found.pictures) == 3
    assert "9×9×1" in str(found.notes[-1])


def test_several_targets_are_named_with_what_they_look_like(tmp_path):
    path = tmp_path / "two.npz"
    rng = np.random.default_rng(0)
    np.savez(path, **{"x": rng.random((40, 2)), "y.kind": np.arange(40) % 3, "y.size": rng.random(40)})
    found = preview(path, LIMIT)
    assert [(one.name, one.task) for one in found.targets] == [
        ("kind", "classification"),
        ("size", "regression"),
    ]
    assert (found.samples, found.counts) == (40, ())
    np.savez(path, x=rng.random((40, 2)), y=np.arange(40) % 3)
    assert preview(path, LIMIT).targets == ()


def test_labels_that_are_no_classes_are_said_and_not_hidden(tmp_path):
    path = tmp_path / "one.npz"
    np.savez(path, x=np.zeros((5, 2)), y=np.zeros(5))
    found = preview(path, LIMIT)
    assert found.counts == ()
    assert "same class" in str(found.notes[0])


def test_another_process_looks_and_says_what_is_wrong(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,label\n1,x\n2,y\n")
    assert asyncio.run(previewed(path)) == preview(path, 2**30)
    broken = tmp_path / "pickled.npz"
    np.savez(broken, x=np.array([{}], object), y=np.zeros(1))
    with pytest.raises(InvalidInput, match="object array"):
        asyncio.run(previewed(broken))
    json.dumps(preview(path, LIMIT).model_dump(mode="json"))  # it travels to the page
