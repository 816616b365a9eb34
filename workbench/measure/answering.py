"""Lets variants answer for one sample, in a warm process of their own; the latest question wins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.api.records import Record
from workbench.api.text import Text, say
from workbench.jobs.child_process import end_child, start_module
from workbench.measure.child_process import class_of, measuring_variables
from workbench.measure.child_tasks import address_space
from workbench.measure.latency import Candidate


class Question(Record):
    """What variants are asked.

    Attributes:
        number: Later questions have higher ones.
        dataset: Folder of the prepared data.
        pixels: Of the drawing, see :mod:`workbench.measure.drawing`.
        from_logits: Whether each candidate's output is raw scores.
        candidates: Who is asked.
    """

    number: int
    dataset: Path
    pixels: tuple[float, ...]
    from_logits: tuple[bool, ...]
    candidates: tuple[Candidate, ...]


class Answer(Record):
    """What one variant says.

    Attributes:
        number: Of the question.
        variant: Identifier of the variant.
        label: Index of the class that it predicts; None where it could not answer.
        probability: Of that class.
        problem: Why it could not.
    """

    number: int
    variant: str
    label: int | None = None
    probability: float | None = None
    problem: Text | None = None


class Answering:
    """One process that has the files loaded, started with the first question.

    While it is at work only the newest further question is kept. A file that makes the process crash is
    not asked again.

    Args:
        on_answer: Called on a thread of its own with each answer.
        on_wait: Called there with what it waits for, such as a measurement, and None when it goes on.
    """

    def __init__(
        self,
        on_answer: Callable[[Answer], None],
        on_wait: Callable[[Text | None], None] = lambda reason: None,
    ) -> None:
        self._on_answer = on_answer
        self._on_wait = on_wait
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._next: Question | None = None
        self._crashed: set[str] = set()
        self._closed = False

    def ask(self, question: Question) -> None:
        """Asks; returns at once."""
        with self._changed:
            self._next = question
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Ends the process."""
        with self._changed:
            self._closed = True
            if self._process is not None:
                self._process.kill()
            self._changed.notify()

    def _run(self) -> None:
        while (question := self._take()) is not None:
            ended = 0
            while not self._closed and self._next is None:
                crashed = len(self._crashed)
                if self._put(question):
                    break
                # Once for each file that crashes, and once for a process that was idle for too long.
                ended += len(self._crashed) == crashed
                if ended > 1:
                    self._give_up(question)
                    break
        with self._changed:
            if self._process is not None:
                end_child(self._process)

    def _give_up(self, question: Question) -> None:
        problem = say("The process that asks the variants ended for no known reason.")
        for one in question.candidates:
            if one.variant not in self._crashed:
                self._on_answer(Answer(number=question.number, variant=one.variant, problem=problem))

    def _take(self) -> Question | None:
        with self._changed:
            while self._next is None and not self._closed:
                self._changed.wait()
            question, self._next = self._next, None
            return None if self._closed else question

    def _put(self, question: Question) -> bool:
        """Puts a question to the process and hears the answers; False where it ended meanwhile."""
        kept = [place for place, one in enumerate(question.candidates) if one.variant not in self._crashed]
        asked = question.model_copy(
            update={
                "candidates": tuple(question.candidates[place] for place in kept),
                "from_logits": tuple(question.from_logits[place] for place in kept),
            }
        )
        process = self._living()
        assert process.stdin is not None
        assert process.stdout is not None
        names = {one.runtime for one in asked.candidates}
        line = {
            "question": asked.model_dump(mode="json"),
            "runtimes": {one: class_of(one) for one in names},
            "address_space_bytes": address_space(asked.candidates),
        }
        working_on: str | None = None
        try:
            process.stdin.write(json.dumps(line).encode() + b"\n")
            process.stdin.flush()
            for said in process.stdout:
                message: dict[str, Any] = json.loads(said)
                if "done" in message:
                    return True
                working_on = message.get("working_on", working_on)
                self._hear(message)
        except BrokenPipeError:
            pass  # it was idle for so long that it has ended
        process.wait()
        if working_on is not None and not self._closed:
            self._crashed.add(working_on)
            problem = say("This file made its runtime crash.")
            self._on_answer(Answer(number=question.number, variant=working_on, problem=problem))
        return False

    def _hear(self, message: dict[str, Any]) -> None:
        if "answer" in message:
            self._on_answer(Answer.model_validate(message["answer"]))
        elif "waiting" in message:
            reason = message["waiting"]
            self._on_wait(None if reason is None else Text.model_validate(reason))

    def _living(self) -> subprocess.Popen[bytes]:
        with self._changed:
            if self._process is not None and self._process.poll() is not None:
                end_child(self._process)
                self._process = None
            self._process = self._process or _start()
            return self._process


def _start() -> subprocess.Popen[bytes]:
    process = start_module(
        "workbench.measure.answering_child",
        environment=measuring_variables(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    start = {"parent": os.getpid(), "path": [entry for entry in sys.path if entry]}
    process.stdin.write(json.dumps(start).encode() + b"\n")
    return process
