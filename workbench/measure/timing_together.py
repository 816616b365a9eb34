"""Several who wait to have files timed on this machine are timed in one interleaved run.

Timing takes the machine for itself, so a room of people who each ask for something of their own would wait
for one run after the other, most of which is spent on starting a process, loading and warming up. Whoever
wants files timed leaves a note beside the machine's slot before its turn comes. Who gets the slot times the
files of all waiting notes with the same reference and the same data in its own run, each file once, and
leaves an answer for each: the measurement that a run of its own would have given, with verdicts against its
own reference.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
from pydantic import ValidationError

from workbench.api.records import Record
from workbench.jobs.slot import slot_folder
from workbench.measure.latency import Candidate, TimedRun
from workbench.measure.records import LatencyMeasurement, Protocol

MOST_FILES = 12
"""Of one run: everybody waits for all, and each file's blocks lie further apart the more there are."""

Raw = dict[str, npt.NDArray[np.float64]]

_FOLDER = "timing"
_KEPT_S = 3600.0
_CLOCKS_APART_S = 5.0


class Samples(Record):
    """The data whose samples are run.

    Attributes:
        digest: Digest of their content.
        folder: Where they lie.
    """

    digest: str
    folder: Path


class Note(Record):
    """What somebody wants timed.

    Attributes:
        id: Of the note.
        process: Identifier of the process that waits for the answer.
        began: When that process was started, seconds since 1970: identifiers are used again.
        asked: When it was asked for, seconds since 1970.
        candidates: The files; the first one is the reference.
        digests: Of each file's content.
        samples: What they are run on.
        protocol: How long.
        seed: Seeds the samples and the order in each round.
        environment: Identifier of the machine's environment: several installations share a machine.
        onednn: Whether TensorFlow may use its oneDNN kernels.
    """

    id: str
    process: int
    began: float
    asked: float
    candidates: tuple[Candidate, ...]
    digests: tuple[str, ...]
    samples: Samples
    protocol: Protocol
    seed: int
    environment: str
    onednn: bool = True

    @property
    def files(self) -> tuple[str, ...]:
        """What tells each file from others: its content, and how it is run."""
        return tuple(
            f"{digest} {one.runtime} {one.settings.model_dump_json()}"
            for digest, one in zip(self.digests, self.candidates, strict=True)
        )


@contextmanager
def leave_note(
    candidates: Sequence[Candidate],
    digests: Sequence[str],
    samples: Samples,
    protocol: Protocol,
    seed: int,
    environment: str,
    *,
    onednn: bool = True,
) -> Iterator[Note]:
    """Leaves a note while one waits for the answer.

    Args:
        candidates: The files; the first one is the reference.
        digests: Of each file's content.
        samples: What they are run on.
        protocol: How long.
        seed: Seeds the samples and the order in each round.
        environment: Identifier of the machine's environment.
        onednn: Whether TensorFlow may use its oneDNN kernels.

    Yields:
        The note; it and its answer are gone at the end.
    """
    slot = slot_folder()
    note = Note(
        id=uuid.uuid4().hex,
        process=os.getpid(),
        began=psutil.Process().create_time(),
        asked=time.time(),
        candidates=tuple(candidates),
        digests=tuple(digests),
        samples=samples,
        protocol=protocol,
        seed=seed,
        environment=environment,
        onednn=onednn,
    )
    _write(_note_file(slot, note.id), note.model_dump_json().encode())
    try:
        yield note
    finally:
        _note_file(slot, note.id).unlink(missing_ok=True)
        _answer_file(slot, note.id).unlink(missing_ok=True)


@dataclass(frozen=True)
class Together:
    """Several notes that are timed in one run.

    Attributes:
        notes: The first one is that of whom runs them.
        candidates: Each file once, named by its position; the first one is the reference of all.
        places: Of each note, where its files stand in ``candidates``.
    """

    notes: tuple[Note, ...]
    candidates: tuple[Candidate, ...]
    places: tuple[tuple[int, ...], ...]

    def part(self, run: TimedRun, number: int) -> TimedRun:
        """What a run of one note's files alone would have given."""
        places, plan = self.places[number], run.plan
        control = (len(self.candidates),) if len(places) > 1 else ()
        return replace(
            run,
            load_ms=tuple(run.load_ms[place] for place in places),
            first_ms=tuple(run.first_ms[place] for place in places),
            samples=tuple(run.samples[place] for place in places),
            control=run.control if control else None,
            plan=plan.model_copy(
                update={
                    "runs": tuple(plan.runs[place] for place in (*places, *control)),
                    "repeats": tuple(plan.repeats[place] for place in (*places, *control)),
                }
            ),
            cores_busy=tuple(run.cores_busy[place] for place in places),
        )


def together(slot: Path, own: Note) -> Together:
    """What is timed with a note: who waits longest first, as far as the files of one run go.

    Args:
        slot: The folder of the machine's slot.
        own: Whose turn it is.
    """
    notes, files, candidates = [own], dict.fromkeys(own.files), list(own.candidates)
    for note in sorted(_waiting(slot), key=lambda one: one.asked):
        if note.id == own.id or not _may_share(note, own):
            continue
        new = [index for index, file in enumerate(note.files) if file not in files]
        if len(files) + len(new) > MOST_FILES:
            continue
        for index in new:
            files[note.files[index]] = None
            candidates.append(note.candidates[index])
        notes.append(note)
    order = list(files)
    return Together(
        notes=tuple(notes),
        candidates=tuple(
            one.model_copy(update={"variant": str(place)}) for place, one in enumerate(candidates)
        ),
        places=tuple(tuple(order.index(file) for file in note.files) for note in notes),
    )


def answer(slot: Path, note: Note, measurement: LatencyMeasurement, raw: Raw) -> None:
    """Leaves what was measured for whom it was measured, unless nobody waits for it any more."""
    if not _note_file(slot, note.id).exists():
        return
    file = _answer_file(slot, note.id)
    begun = file.with_suffix(".begun.npz")
    text = np.frombuffer(measurement.model_dump_json().encode(), np.uint8)
    arrays: dict[str, Any] = {str(number): samples for number, samples in enumerate(raw.values())}
    np.savez(begun, measurement=text, names=np.array(list(raw)), **arrays)
    begun.rename(file)


def answered(slot: Path, note: Note) -> tuple[LatencyMeasurement, Raw] | None:
    """What somebody else has measured for a note; None if nobody has."""
    try:
        with np.load(_answer_file(slot, note.id), allow_pickle=False) as found:
            names = [str(name) for name in found["names"]]
            raw = {name: found[str(number)] for number, name in enumerate(names)}
            measurement = LatencyMeasurement.model_validate_json(found["measurement"].tobytes())
    except (OSError, ValueError, KeyError, ValidationError):
        return None
    return measurement, raw


def _may_share(note: Note, own: Note) -> bool:
    """Whether both are judged against the same file, on the same samples, as long, in one kind of process."""
    return (
        note.protocol == own.protocol
        and (note.environment, note.onednn) == (own.environment, own.onednn)
        and note.samples.digest == own.samples.digest
        and note.files[0] == own.files[0]
        and {one.runtime for one in note.candidates} == {one.runtime for one in own.candidates}
        and {one.settings.threads for one in note.candidates}
        == {one.settings.threads for one in own.candidates}
    )


def _waiting(slot: Path) -> Iterator[Note]:
    for file in (slot / _FOLDER).glob("*.json"):
        try:
            note = Note.model_validate_json(file.read_bytes())
        except (OSError, ValidationError):
            continue
        if _is_there(note):
            yield note
        else:  # it ended without tidying up
            with suppress(OSError):
                file.unlink()
    for file in (slot / _FOLDER).glob("*.npz"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > _KEPT_S:
                file.unlink()


def _is_there(note: Note) -> bool:
    try:
        # Two processes may reckon with clocks that were set in between.
        return abs(psutil.Process(note.process).create_time() - note.began) < _CLOCKS_APART_S
    except psutil.Error:
        return False


def _note_file(slot: Path, note: str) -> Path:
    return slot / _FOLDER / f"{note}.json"


def _answer_file(slot: Path, note: str) -> Path:
    return slot / _FOLDER / f"{note}.npz"


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    begun = file.with_suffix(".begun")
    begun.write_bytes(content)
    begun.rename(file)
