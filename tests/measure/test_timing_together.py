"""Who waits to have files timed is answered by a run of somebody else, as by a run of their own."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest

from workbench.jobs.slot import SLOT_VARIABLE, slot_folder
from workbench.measure import timing_together
from workbench.measure.block_plan import BlockPlan
from workbench.measure.latency import TimedRun
from workbench.measure.latency_record import control_name
from workbench.measure.timing import measure_latency
from workbench.measure.timing_together import MOST_FILES, Samples, answered, leave_note, together


@pytest.fixture(autouse=True)
def short(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_SHORT_TIMING", "1")
    monkeypatch.setenv(SLOT_VARIABLE, str(tmp_path))


@pytest.fixture
def leave(dataset_folder):
    """Leaves notes that stay until the test ends."""
    with ExitStack() as stack:

        def note(candidates, *, data="blobs", protocol="quick", seed=0, environment="here", onednn=True):
            digests = [one.path.stem.split("-")[-1] for one in candidates]
            samples = Samples(digest=data, folder=dataset_folder)
            left = leave_note(candidates, digests, samples, protocol, seed, environment, onednn=onednn)
            return stack.enter_context(left)

        yield note


def test_one_run_answers_all_who_wait_against_the_same_reference(report, tiny, dataset_folder, leave):
    """Each has the reference under a name of its own, as each visitor has variants of his own."""
    mine = [tiny("mine-reference", sleep_s=0.001), tiny("mine-slow", sleep_s=0.02)]
    theirs = [tiny("theirs-reference", sleep_s=0.001), tiny("theirs-slower", sleep_s=0.05)]
    own, other = leave(mine), leave(theirs)

    measurement, raw = measure_latency(report, mine, dataset_folder, "quick", 0, own)
    found = answered(slot_folder(), other)
    assert found is not None
    for (measured, samples), names in (
        ((measurement, raw), [one.variant for one in mine]),
        (found, [one.variant for one in theirs]),
    ):
        assert [one.variant for one in measured.summaries] == names
        assert [[one.reference, one.variant] for one in measured.verdicts] == [names]
        assert set(samples) == {*names, control_name(names[0])}
        assert {one.shape[:2] for one in samples.values()} == {(1, measured.rounds)}
    np.testing.assert_array_equal(raw["mine-reference"], found[1]["theirs-reference"])
    assert np.median(found[1]["theirs-slower"]) >= 50.0
    assert np.median(raw["mine-slow"]) >= 20.0
    assert measurement.environment == found[0].environment

    # Their turn comes: nothing is run any more.
    for one in theirs:
        one.path.unlink()
    again, same = measure_latency(report, theirs, dataset_folder, "quick", 0, other)
    assert again == found[0]
    assert {name: one.tolist() for name, one in same.items()} == {
        name: one.tolist() for name, one in found[1].items()
    }


def test_a_file_of_somebody_else_that_cannot_run_does_no_harm(report, tiny, dataset_folder, leave):
    mine = [tiny("mine-reference"), tiny("mine-good")]
    theirs = [tiny("theirs-reference"), tiny("theirs-bad", fault="crash")]
    own, other = leave(mine), leave(theirs)
    measurement, _ = measure_latency(report, mine, dataset_folder, "quick", 0, own)
    assert [one.variant for one in measurement.summaries] == ["mine-reference", "mine-good"]
    assert answered(slot_folder(), other) is None


def test_only_what_is_comparable_is_timed_together(tiny, leave, monkeypatch):
    reference, file = tiny("a-reference"), tiny("a-file")
    threads = file.settings.model_copy(update={"threads": 2})
    own = leave([reference, file])
    leave([tiny("b-other"), tiny("b-file")])
    leave([reference, file.model_copy(update={"settings": threads})])
    leave([reference, file], data="others")
    leave([reference, file], protocol="final")
    leave([reference, file], environment="with other versions of the runtimes")
    leave([reference, file], onednn=False)
    ended = leave([reference, file])
    with_it = leave([tiny("c-reference"), tiny("c-more")], seed=3)

    monkeypatch.setattr(timing_together, "_is_there", lambda note: note.id != ended.id)
    found = together(slot_folder(), own)
    assert [note.id for note in found.notes] == [own.id, with_it.id]
    assert found.places == ((0, 1), (0, 2))
    assert [one.path.stem for one in found.candidates] == ["a-reference", "a-file", "c-more"]
    assert len(list((slot_folder() / "timing").glob("*.json"))) == 8  # that of who has ended is gone


def test_a_run_has_no_more_files_than_are_timed_well_together(tiny, leave):
    reference = tiny("a-reference")
    own = leave([reference, tiny("a-0")])
    asked = [leave([reference, tiny(f"a-{number}")]) for number in range(1, MOST_FILES + 3)]
    found = together(slot_folder(), own)
    assert len(found.candidates) == MOST_FILES
    assert [note.id for note in found.notes] == [own.id, *(note.id for note in asked[: MOST_FILES - 2])]


def test_a_note_of_a_process_that_has_ended_is_nobodys(tiny, leave):
    own = leave([tiny("a-reference"), tiny("a-file")])
    file = slot_folder() / "timing" / f"{own.id}.json"
    text = own.model_copy(update={"id": "0" * 32, "began": own.began - 60}).model_dump_json()
    gone = file.with_name(f"{'0' * 32}.json")
    gone.write_text(text, encoding="utf-8")
    file.with_name("torn.json").write_text("{", encoding="utf-8")
    # the same process, as who looks reckons when its clock was set meanwhile
    later = own.model_copy(update={"id": "1" * 32, "began": own.began - 1})
    file.with_name(f"{later.id}.json").write_text(later.model_dump_json(), encoding="utf-8")
    assert together(slot_folder(), own).notes == (own, later)
    assert not gone.exists()


def test_nothing_is_left_when_the_waiting_ends(report, tiny, dataset_folder):
    candidates = [tiny("a-reference"), tiny("a-file")]
    with leave_note(
        candidates, ["1", "2"], Samples(digest="blobs", folder=dataset_folder), "quick", 0, "here"
    ) as note:
        measurement, raw = measure_latency(report, candidates, dataset_folder, "quick", 0)
        timing_together.answer(slot_folder(), note, measurement, raw)
        assert answered(slot_folder(), note) is not None
    assert list((slot_folder() / "timing").iterdir()) == []
    timing_together.answer(slot_folder(), note, measurement, raw)  # comes too late
    assert list((slot_folder() / "timing").iterdir()) == []


def test_a_part_of_a_run_is_that_of_its_files(tiny, leave):
    reference, files = tiny("a-reference"), [tiny("a-1"), tiny("a-2")]
    own, other, alone = leave([reference, files[0]]), leave([reference, files[1]]), leave([reference])
    found = together(slot_folder(), own)
    assert [note.id for note in found.notes] == [own.id, other.id, alone.id]
    run = TimedRun(
        load_ms=(1.0, 2.0, 3.0),
        first_ms=(4.0, 5.0, 6.0),
        samples=tuple(np.full((8, runs), float(runs)) for runs in (10, 11, 12)),
        control=np.zeros((8, 10)),
        plan=BlockPlan(rounds=8, discard=1, runs=(10, 11, 12, 10), repeats=(1, 2, 3, 1)),
        waited=5.0,
        cores_busy=(np.ones(8), None, np.full(8, 2.0)),
    )
    part = found.part(run, 1)
    assert (part.load_ms, part.first_ms) == ((1.0, 3.0), (4.0, 6.0))
    assert [one.shape for one in part.samples] == [(8, 10), (8, 12)]
    assert part.control is run.control
    assert (part.plan.runs, part.plan.repeats) == ((10, 12, 10), (1, 3, 1))
    assert part.waited == 5.0
    assert found.part(run, 2).control is None
    assert found.part(run, 2).plan.runs == (10,)
