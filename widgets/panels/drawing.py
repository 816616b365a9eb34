"""A pad to draw a small picture on: every variant answers with its class."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.session import Session, message_of
from widgets.wording import short, time
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.engine.measuring import candidate
from workbench.engine.shared_mode import shared_mode
from workbench.measure.answering import Answer, Answering, Question
from workbench.measure.drawing import features_of, pad_side, pixels_of
from workbench.results.rows import ResultRow
from workbench.runtimes import runtime
from workbench.workbench import Workbench

_LABELS = {
    "clear": say("Clear"),
    "sample": say("Test sample"),
    "show": say("Show"),
    "pad": say("Drawing pad: draw with the mouse or a finger, or show a test sample"),
    "variant": say("Variant"),
    "answer": say("Answer"),
    "probability": say("Probability"),
    "latency": say("Latency"),
    "tensorflow": say("Ask the Keras variants too"),
}


class DrawingPad(Component):
    """Draw a picture, and see what every variant takes it for.

    Args:
        workbench: A workbench, or the session of one.

    Example:
        >>> pad = DrawingPad(workbench)
    """

    _esm = esm("drawing")
    panel: ClassVar[str] = "draw"
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results"})

    def __init__(self, workbench: Workbench | Session) -> None:
        self._answers: dict[str, Answer] = {}
        self._waiting: Text | None = None
        self._pixels: tuple[float, ...] | None = None
        self._number = 0
        self._workbench: Workbench | None = None
        self._label: int | None = None
        self._with_tensorflow = False
        self._processes: dict[bool, Answering] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        if self.session.workbench is not self._workbench:
            self.act_clear()
            self._workbench = self.session.workbench
        side = self._side()
        if side is None:
            return {"labels": {}, "side": None}
        dataset = self.session.workbench.dataset
        classes = dataset.info.classes
        with self._lock:
            answers, waiting = dict(self._answers), self._waiting
        heavy = any(_is_heavy(row) for row in self.session.rows)
        return {
            "labels": words(_LABELS),
            "title": str(say("Draw, and let every variant answer")),
            "side": side,
            "samples": dataset.info.counts["test"],
            "hint": str(say("Draw one of: {classes}.", classes=tuple(short(one, 20) for one in classes))),
            "truth": None
            if self._label is None
            else str(say("This test sample is labelled {label}.", label=short(classes[self._label], 30))),
            "waiting": message_of(waiting),
            "problem": message_of(self.problem),
            "rows": [
                _entry(row, answers.get(row.variant.id), classes)
                for row in self.session.rows
                if row.variant.id in answers
            ],
            "tensorflow": heavy and not self._with_tensorflow and not shared_mode() and bool(answers),
        }

    def close(self) -> None:
        """Takes it off the page, with its processes."""
        for process in self.__dict__.get("_processes", {}).values():
            process.close()
        super().close()

    def _side(self) -> int | None:
        if self.session.baseline is None:
            return None
        return pad_side(self.session.workbench.dataset.info)

    def act_draw(self, pixels: object = None) -> None:
        """Asks every variant what a drawing is."""
        if not isinstance(pixels, list) or not all(isinstance(one, int | float) for one in pixels):
            raise InvalidInput(say("A drawing is a list of numbers."))
        features_of(self.session.workbench.dataset, pixels)
        self._label = None
        self._ask(tuple(map(float, pixels)))

    def act_sample(self, index: object = None) -> None:
        """Draws a test sample on the pad, and asks."""
        if not isinstance(index, int) or isinstance(index, bool):
            raise InvalidInput(say("A test sample is named by its number."))
        dataset = self.session.workbench.dataset
        pixels = pixels_of(dataset, index)
        self._label = int(dataset.y("test")[index])
        self.send({"type": "pixels", "pixels": pixels})
        self._ask(tuple(pixels))

    def act_tensorflow(self) -> None:
        """Starts TensorFlow in a process of its own, for the variants that need it."""
        self._with_tensorflow = not shared_mode()
        if self._pixels is not None:
            self._ask(self._pixels)

    def act_clear(self) -> None:
        """Forgets the drawing."""
        with self._lock:
            self._answers, self._waiting = {}, None
            self._number += 1
        self._pixels = self._label = None

    def _ask(self, pixels: tuple[float, ...]) -> None:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._pixels = pixels
        self._number += 1
        for heavy in (False, True) if self._with_tensorflow else (False,):
            rows = [row for row in self.session.rows if _is_heavy(row) == heavy]
            if not rows:
                continue
            if heavy not in self._processes:
                self._processes[heavy] = Answering(self._on_answer, self._on_wait)
            self._processes[heavy].ask(
                Question(
                    number=self._number,
                    dataset=self.session.workbench.dataset.folder,
                    pixels=pixels,
                    from_logits=tuple(row.variant.description.from_logits for row in rows),
                    candidates=tuple(candidate(row.variant) for row in rows),
                )
            )

    def _on_answer(self, answer: Answer) -> None:
        with self._lock:
            # Of a drawing that is being drawn on, the last answer that there is, until there is a newer one.
            known = self._answers.get(answer.variant)
            if self._pixels is None or (known is not None and known.number > answer.number):
                return
            self._answers[answer.variant] = answer
        self._redraw()

    def _on_wait(self, reason: Text | None) -> None:
        with self._lock:
            self._waiting = reason
        self._redraw()

    def _redraw(self) -> None:
        if self._loop is None:
            self.refresh()
            return
        try:
            self._loop.call_soon_threadsafe(self.refresh)
        except RuntimeError:  # the page's loop has ended
            self._loop = None


def _is_heavy(row: ResultRow) -> bool:
    return runtime(row.variant.runtime).imports_tensorflow


def _entry(row: ResultRow, answer: Answer | None, classes: tuple[str, ...]) -> dict[str, Any]:
    assert answer is not None
    latency = row.shown_ms
    return {
        "variant": row.variant.id,
        "name": short(row.variant.name),
        "answer": None if answer.label is None else short(classes[answer.label], 30),
        "probability": None if answer.probability is None else f"{100 * answer.probability:.1f}%",
        "share": answer.probability,
        # The one that was measured: a single call here would say something else.
        "latency": None if latency is None else time(latency.value),
        "problem": message_of(answer.problem),
    }
