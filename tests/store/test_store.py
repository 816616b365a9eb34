"""The store keeps what was finished and recovers from what was not."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pytest

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import ModelDescription, TensorSpec, Variant
from workbench.jobs.state import PROCESS_ENDED, JobState
from workbench.measure.records import SizeMeasurement
from workbench.store import Store
from workbench.store.files import digest
from workbench.store.labels import Label
from workbench.store.measured import Measured

DESCRIPTION = ModelDescription(
    inputs=(TensorSpec(name="x", shape=(4,)),), outputs=(TensorSpec(name="y", shape=(2,)),)
)


def make_variant(id_: str, parent: str | None = None) -> Variant:
    return Variant(
        id=id_,
        name=id_,
        format="tflite",
        path=Path("model.tflite"),
        sha256="",
        runtime="litert",
        description=DESCRIPTION,
        parent=parent,
        created=datetime.now(UTC),
    )


def add(store: Store, id_: str, content: bytes = b"weights", parent: str | None = None) -> Variant:
    file = store.staging() / "model.tflite"
    file.write_bytes(content)
    return store.add_variant(make_variant(id_, parent), file)


def make_job(id_: str, status: str) -> JobState:
    return JobState(
        id=id_,
        kind="apply",
        title=say("A job"),
        status=status,
        created=datetime.now(UTC),
    )


def test_a_variant_survives_closing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    stored = add(store, "a", b"some weights")
    store.close()
    again = Store(tmp_path)
    assert again.variants() == (stored,)
    assert stored.path.read_bytes() == b"some weights"
    assert stored.sha256 == digest(stored.path)
    assert again.problems == ()
    again.close()


def test_a_folder_is_stored_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)
    folder = store.staging() / "model"
    folder.mkdir()
    (folder / "model.xml").write_text("<net/>")
    (folder / "model.bin").write_bytes(b"123")
    stored = store.add_variant(make_variant("a"), folder)
    assert {file.name for file in stored.path.iterdir()} == {"model.xml", "model.bin"}
    store.close()


def test_a_moved_folder_opens(tmp_path: Path) -> None:
    store = Store(tmp_path / "before")
    add(store, "a")
    store.close()
    (tmp_path / "before").rename(tmp_path / "after")
    moved = Store(tmp_path / "after")
    assert moved.variants()[0].path == tmp_path / "after" / "variants" / "a" / "model.tflite"
    assert moved.problems == ()
    moved.close()


def test_a_missing_file_is_reported_and_others_stay(tmp_path: Path) -> None:
    store = Store(tmp_path)
    add(store, "a").path.unlink()
    add(store, "b")
    store.close()
    again = Store(tmp_path)
    assert [str(problem) for problem in again.problems] == [
        f"The file of variant a is missing: {tmp_path}/variants/a/model.tflite"
    ]
    assert len(again.variants()) == 2
    again.close()


def test_deleting_is_undone_and_purging_is_not(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = add(store, "a")
    second = add(store, "b", parent="a")
    store.set_deleted(["b"], True)
    assert store.variants() == (first,)
    assert store.variants(deleted=True) == (second,)
    store.set_deleted(["b"], False)
    assert store.variants() == (first, second)
    store.set_deleted(["b"], True)
    assert store.purge() == 1
    assert not second.path.exists()
    assert first.path.exists()
    store.close()


def test_measurements_come_back_newest_first_with_arrays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    add(store, "a")
    old = SizeMeasurement(parameters=1, file_bytes=2, gzip_bytes=3)
    new = SizeMeasurement(parameters=1, file_bytes=4, gzip_bytes=5)
    scores = np.random.default_rng(0).random((5, 3), dtype=np.float32)
    store.add_measurement("size", ["a"], old, arrays={"scores": scores})
    store.add_measurement("size", ["a", "b"], new)
    assert store.measurements("size", "a", SizeMeasurement) == (new, old)
    assert store.measurements("size", "b", SizeMeasurement) == (new,)
    kept = store.arrays("size", "a")
    assert kept is not None
    np.testing.assert_array_equal(kept["scores"], scores)
    assert store.arrays("size", "b") is None
    store.close()


def test_a_variant_is_stored_with_what_was_measured_of_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    size = SizeMeasurement(parameters=1, file_bytes=7, gzip_bytes=9)
    for id_ in ("kept", "forgotten"):
        file = store.staging() / "model.tflite"
        file.write_bytes(b"weights")
        store.add_variant(make_variant(id_), file, [Measured("size", size)], {"dataset": "data/one"})
    store.forget_variant("forgotten")
    assert [variant.id for variant in store.variants()] == ["kept"]
    assert store.measurements("size", "kept", SizeMeasurement) == (size,)
    assert store.measurements("size", "forgotten", SizeMeasurement) == ()
    assert [folder.name for folder in (tmp_path / "variants").iterdir()] == ["kept"]
    assert store.fact("dataset") == "data/one"
    store.drop_fact("dataset")
    assert store.fact("dataset") is None
    store.close()


def test_data_of_an_opening_that_did_not_come_to_its_end_are_swept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in ("one", "two", ".three.abc.partial"):
        (tmp_path / "data" / name).mkdir()
    store.set_fact("dataset", str(Path("data") / "one"))
    other = Store(tmp_path)
    assert len(list((tmp_path / "data").iterdir())) == 3  # the first may be at it
    other.close()
    store.close()
    Store(tmp_path).close()
    assert [folder.name for folder in (tmp_path / "data").iterdir()] == ["one"]


def test_a_running_job_of_a_dead_process_is_interrupted(tmp_path: Path) -> None:
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.store.test_store import Store, Path, make_job, add
store = Store(Path({str(tmp_path)!r}))
add(store, "finished")
store.save_job(make_job("one", "running"))
store.save_job(make_job("two", "done"))
(store.staging() / "half").write_bytes(b"half a file")
(store.folder / "variants" / "orphan").mkdir()
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    store = Store(tmp_path)
    states = {state.id: state for state in store.jobs()}
    assert states["one"].status == "interrupted"
    assert states["one"].error == PROCESS_ENDED
    assert states["two"].status == "done"
    assert [variant.id for variant in store.variants()] == ["finished"]
    assert not any((tmp_path / "staging").iterdir())
    assert [folder.name for folder in (tmp_path / "variants").iterdir()] == ["finished"]
    store.close()


def test_a_job_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.store.test_store import Store, Path, make_job
store = Store(Path({str(tmp_path)!r}))
store.save_job(make_job("one", "running"))
(store.staging() / "half").write_bytes(b"half a file")
print("ready", flush=True)
sys.stdin.read()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    store = Store(tmp_path)
    assert [state.status for state in store.jobs()] == ["running"]
    assert len(list((tmp_path / "staging").rglob("half"))) == 1
    store.save_job(make_job("two", "queued"))
    assert store.is_behind("two", "apply")
    assert not store.is_behind("two", "open")
    store.save_job(make_job("one", "done"))
    assert not store.is_behind("two", "apply")
    store.save_job(make_job("one", "running"))
    other.communicate("")
    assert not store.is_behind("two", "apply")
    store.close()


def open_at_once(folder: Path, barrier: Barrier, seen: SimpleQueue[tuple[int, int]]) -> None:
    for number in range(20):
        barrier.wait(600)
        store = Store(folder / f"new-{number}")
        (store.staging() / "half").write_bytes(b"half a file")
        barrier.wait(600)
        seen.put((len(list((store.folder / "staging").rglob("half"))), len(store._owner.others_alive())))
        barrier.wait(600)
        store.close()


def test_processes_that_open_a_new_folder_at_once_all_have_it_and_keep_their_marks(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier, seen = spawn.Barrier(4), spawn.SimpleQueue()
    others = [spawn.Process(target=open_at_once, args=(tmp_path, barrier, seen)) for _ in range(4)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0] * 4
    assert [seen.get() for _ in range(20 * 4)] == [(4, 3)] * 80


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "workbench.sqlite").write_bytes(b"not a database, but long enough to look at" * 50)
    with pytest.raises(InvalidInput, match="is not a workbench database"):
        Store(tmp_path)


def test_names_notes_and_stars_are_kept_beside_the_variants_and_seen_by_others(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store, closing(Store(tmp_path)) as beside:
        add(store, "a")
        add(store, "b", parent="a")
        before = beside.version()
        store.set_label("b", name="for the phone")
        store.set_label("b", note="ask Lin")
        store.set_label("b", starred=True)
        assert beside.version() != before
        assert [one.name for one in beside.variants()] == ["a", "for the phone"]
        assert beside.labels() == {"b": Label(name="for the phone", note="ask Lin", starred=True)}
        for taken in ("a", "for the phone"):
            with pytest.raises(InvalidInput, match="Another variant has the name"):
                beside.set_label("a" if taken != "a" else "b", name=taken)
        beside.set_label("b", name="for the phone")  # its own
        beside.set_label("a", name="b")  # nobody has that name any more
        beside.set_deleted(["b"], True)
        with pytest.raises(InvalidInput, match="Another variant has the name"):
            beside.set_label("a", name="for the phone")
        (deleted,) = beside.variants(deleted=True)
        assert deleted.name == "for the phone"
    with closing(Store(tmp_path)) as store:
        assert [one.name for one in store.variants()] == ["b"]
        store.purge()
        assert "b" not in store.labels()
        store.set_label("a", name="for the phone")


def test_a_folder_of_the_first_schema_is_brought_to_this_one(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        add(store, "a")
    connection = sqlite3.connect(tmp_path / "workbench.sqlite")
    connection.executescript("DROP VIEW named_variants; DROP TABLE labels; PRAGMA user_version=1;")
    connection.close()
    with closing(Store(tmp_path)) as store:
        assert [one.name for one in store.variants()] == ["a"]
        store.set_label("a", name="b")
        assert [one.name for one in store.variants()] == ["b"]


def test_a_later_schema_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "workbench.sqlite")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(InvalidInput, match=r"later version of the workbench \(schema 99; known is 2\)"):
        Store(tmp_path)


def test_a_file_as_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="kept in a folder"):
        Store(tmp_path / "file")
