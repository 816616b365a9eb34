"""``workbench purge``: what was deleted goes, what was not stays, and nobody is surprised."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.test_store import add
from workbench.store import Store


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder with one variant, and one that was deleted."""
    store = Store(tmp_path / "kept")
    add(store, "stays")
    add(store, "goes")
    store.set_deleted(["goes"], True)
    store.close()
    return tmp_path / "kept"


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "variants").iterdir()}


def test_what_was_deleted_is_removed(run, kept):
    ended = run("purge", kept, "--yes")
    assert (ended.code, ended.out) == (0, "1 variant was removed.\n")
    assert files(kept) == {"stays"}
    assert run("purge", kept).out == "0 variants were removed.\n"


def test_nothing_is_removed_without_an_answer(run, kept):
    assert run("purge", kept).code != 0
    assert files(kept) == {"stays", "goes"}


def test_an_open_folder_is_left_alone(run, kept):
    store = Store(kept)
    ended = run("purge", kept, "--yes")
    store.close()
    assert ended.code == 3
    assert "is open in another process" in ended.err
    assert files(kept) == {"stays", "goes"}


def test_another_folder_is_refused_and_left_as_it_was(run, tmp_path):
    ended = run("purge", tmp_path, "--yes")
    assert ended.code == 2
    assert "is not the folder of a workbench" in ended.err
    assert list(tmp_path.iterdir()) == []
