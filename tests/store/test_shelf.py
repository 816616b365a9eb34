"""The shelf hands out what is whole, keeps within its limit, and survives whoever writes to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.store.test_store import make_variant
from workbench.api.errors import Unavailable
from workbench.store.files import digest
from workbench.store.measured import Stored
from workbench.store.shelf import FromShelf, Shelf

MOMENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def put(shelf: Shelf, folder: Path, key: str, content: bytes = b"weights") -> Path:
    """Puts a variant with data and two measurements on a shelf; gives its file."""
    home = folder / f"home of {key}"
    (home / "data").mkdir(parents=True)
    (home / "data" / "x.npy").write_bytes(content)
    file = home / "model.tflite"
    file.write_bytes(content)
    variant = make_variant(key).model_copy(update={"path": file, "sha256": digest(file)})
    rows = [Stored("size", "{}"), Stored("quality", '{"f1": 1}', b"scores", "machine")]
    shelf.put(key, variant, rows, (), MOMENT, home / "data")
    return file


def take(shelf: Shelf, folder: Path, key: str) -> FromShelf | None:
    into = folder / f"{key} taken {time.monotonic_ns()}"
    into.mkdir()
    return shelf.take(key, into, into / "data")


def test_what_was_put_is_taken_whole_without_a_copy_and_cannot_be_written_to(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    assert take(shelf, tmp_path, "one") is None
    file = put(shelf, tmp_path, "one")
    taken = take(shelf, tmp_path, "one")
    assert taken is not None
    assert taken.model.samefile(file)
    assert taken.data is not None
    assert (taken.data / "x.npy").read_bytes() == b"weights"
    assert taken.measured == (Stored("size", "{}"), Stored("quality", '{"f1": 1}', b"scores", "machine"))
    assert taken.kept.measured == MOMENT
    assert file.stat().st_mode & 0o222 == 0


@pytest.mark.parametrize("name", ["model/model.tflite", "data/x.npy", "entry.json"])
def test_what_is_damaged_is_never_handed_out_and_can_be_put_again(tmp_path: Path, name: str) -> None:
    shelf = Shelf(tmp_path / "shelf")
    put(shelf, tmp_path, "one")
    damaged = tmp_path / "shelf" / "entries" / "one" / name
    damaged.unlink()
    damaged.write_bytes(b"weighty")
    assert take(shelf, tmp_path, "one") is None
    put(shelf, tmp_path / "again", "one")
    assert take(shelf, tmp_path, "one") is not None


def test_what_was_not_asked_for_longest_goes_where_there_is_no_room(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", limit_bytes=9_000)
    for number, key in enumerate(("old", "asked for", "late")):
        put(shelf, tmp_path, key, bytes(1_500))
        os.utime(tmp_path / "shelf" / "entries" / key, (number, number))
        if key == "asked for":
            assert take(shelf, tmp_path, "old") is not None
            os.utime(tmp_path / "shelf" / "entries" / "old", (10, 10))
    assert {path.name for path in (tmp_path / "shelf" / "entries").iterdir()} == {"old", "late"}
    assert list((tmp_path / "shelf" / "drafts").iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.store.test_shelf import put
from workbench.store import shelf as module

shelf = module.Shelf(Path(sys.argv[1]) / "shelf")
assert shelf.turn("one") is not None
module.flush = lambda draft: os.kill(os.getpid(), signal.SIGKILL)
put(shelf, Path(sys.argv[1]) / "killed", "one")
"""


def test_a_killed_writer_leaves_nothing_half_and_its_turn_to_the_next(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    shelf = Shelf(tmp_path / "shelf")
    (draft,) = (tmp_path / "shelf" / "drafts").iterdir()
    assert (draft / "entry.json").exists()
    assert take(shelf, tmp_path, "one") is None
    assert not shelf.busy()
    turn = shelf.turn("one")
    assert turn is not None
    assert shelf.busy()
    assert shelf.turn("one") is None
    os.utime(draft, (0, 0))
    put(shelf, tmp_path, "one")
    turn.release()
    assert take(shelf, tmp_path, "one") is not None
    assert list((tmp_path / "shelf" / "drafts").iterdir()) == []
    after = shelf.turn("one")
    assert after is not None
    after.release()
    assert list((tmp_path / "shelf" / "turns").iterdir()) == []


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf").chmod(0o777)
    with pytest.raises(Unavailable, match="belongs to another user"):
        Shelf(tmp_path / "shelf")
