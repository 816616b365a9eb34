"""The warm process in which variants answer: ``python -m workbench.measure.answering_child``.

Started by :mod:`workbench.measure.answering`; speaks lines of JSON, as :mod:`workbench.measure.child` does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any

from workbench.api.dataset import Dataset, Features
from workbench.api.errors import WorkbenchError
from workbench.api.library_errors import reason_of
from workbench.api.runtime import Session
from workbench.api.text import Text, say
from workbench.jobs.child_process import die_with_parent
from workbench.jobs.limits import limit_for_good
from workbench.jobs.slot import shared_slot
from workbench.measure.answering import Answer, Question
from workbench.measure.child import Line, import_ahead, runtimes_of
from workbench.measure.drawing import features_of
from workbench.measure.latency import Candidate
from workbench.measure.scores import to_predictions, to_scores

IDLE_S = 600.0
"""Without a question for so long it ends; the next one starts it anew."""


class _Waiting(Line):
    """Tells what the slot waits for."""

    def wait(self, reason: Text | None, may_go_on: bool) -> bool:
        """Says so; it never goes on beside a measurement."""
        self.send(waiting=None if reason is None else reason.model_dump(mode="json"))
        return False


class _Loaded:
    """The files that are loaded, by variant."""

    def __init__(self) -> None:
        self._sessions: dict[Candidate, Session] = {}

    def session(self, candidate: Candidate, spec: dict[str, Any]) -> Session:
        """That of a file, loaded with the first question."""
        if candidate not in self._sessions:
            runtime = runtimes_of(spec)(candidate.runtime)
            self._sessions[candidate] = runtime.load(candidate.path, candidate.settings)
        return self._sessions[candidate]

    def keep(self, candidates: Sequence[Candidate]) -> None:
        """Forgets those that nobody asks any more."""
        for candidate in [one for one in self._sessions if one not in candidates]:
            self._sessions.pop(candidate).close()


def answer(line: Line, loaded: _Loaded, spec: dict[str, Any], question: Question) -> None:
    """Lets each candidate answer in turn."""
    dataset = Dataset(question.dataset)
    sample = features_of(dataset, question.pixels)
    name = next(iter(dataset.info.input_shapes))
    features: Features = {name: sample} if name else sample
    for candidate, from_logits in zip(question.candidates, question.from_logits, strict=True):
        line.working_on(candidate.variant)
        found = Answer(number=question.number, variant=candidate.variant)
        try:
            outputs = loaded.session(candidate, spec).predict(features).reshape(1, -1)
            scores, _ = to_scores(outputs, len(dataset.info.classes), from_logits=from_logits)
            label = int(to_predictions(scores)[0])
            found = found.model_copy(update={"label": label, "probability": float(scores[0, label])})
        except WorkbenchError as error:
            found = found.model_copy(update={"problem": error.problem})
        except Exception as error:  # whatever a library raises is this file's answer, not the others' end
            found = found.model_copy(update={"problem": say("It failed: {error}", error=reason_of(error))})
        line.send(answer=found.model_dump(mode="json"))
    line.working_on(None)


def main() -> int:
    """Answers until nobody asks any more."""
    line = _Waiting(os.dup(1))
    os.dup2(2, 1)  # what libraries print does not go between the messages
    start = json.loads(sys.stdin.readline())
    die_with_parent(start["parent"])  # elsewhere than on Linux the end of its input says so
    sys.path.extend(entry for entry in start["path"] if entry not in sys.path)
    loaded = _Loaded()
    while True:
        idle = threading.Timer(IDLE_S, os._exit, (0,))
        idle.daemon = True
        idle.start()
        said = sys.stdin.readline()
        idle.cancel()
        if not said:
            return 0
        spec = json.loads(said)
        question = Question.model_validate(spec["question"])
        limit_for_good(spec["address_space_bytes"])
        with shared_slot(line):
            try:
                loaded.keep(question.candidates)
                import_ahead(question.candidates, runtimes_of(spec))
                answer(line, loaded, spec, question)
            except WorkbenchError:
                pass  # a drawing that is none has no answers
        line.send(done=True)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
