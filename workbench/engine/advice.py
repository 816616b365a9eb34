"""What a search of the advisor gives to somebody in Python or a notebook."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from workbench.advisor.demands import Demands
from workbench.advisor.ledger import Ledger, Row, Sentence
from workbench.api.number_format import percent, size, time
from workbench.api.text import say, verbatim
from workbench.api.variant import Variant
from workbench.jobs.job import Job
from workbench.results.notebook import table
from workbench.results.verdict_words import short

if TYPE_CHECKING:
    from workbench.workbench import Workbench

_MOST_ROWS = 20


class Advice:
    """What a search has found so far. Made by :meth:`workbench.Workbench.advise` only.

    Attributes:
        job: The search on its way.
        demands: What is needed.

    Args:
        workbench: Whose search it is.
        job: The search.
        demands: What is needed.
    """

    def __init__(self, workbench: Workbench, job: Job, demands: Demands) -> None:
        self.job = job
        self.demands = demands
        self._workbench = workbench
        self._task = workbench.task
        info = workbench.dataset_info
        self._classes = () if info is None else info.judged_classes
        self._last = Ledger(demands=demands)

    def wait(self, timeout: float | None = None) -> Advice:
        """Waits until the search ends, and shows how far it is.

        Args:
            timeout: Seconds to wait at most; None for ever.

        Raises:
            WorkbenchError: Why it failed.
            Cancelled: If it was cancelled; what was found until then is here.
            TimeoutError: If it has not ended in time; it goes on.
        """
        self.job.wait(timeout)
        return self

    def cancel(self) -> None:
        """Asks the search to stop; what was found stays."""
        self.job.cancel()

    @property
    def ledger(self) -> Ledger:
        """All that is known of every stack of techniques, by now."""
        kept = None if self._workbench.closed else self._workbench.ledger
        if kept is not None and kept.demands == self.demands:
            self._last = kept
        return self._last

    @property
    def winner(self) -> Variant | None:
        """What meets the demands best; None if nothing measured does."""
        return self._variant(self.ledger.winner)

    @property
    def runner_up(self) -> Variant | None:
        """The next; None if there is none."""
        return self._variant(self.ledger.runner_up)

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """What the ledger says, each with the rows that it is from."""
        return self.ledger.sentences

    def _variant(self, key: str | None) -> Variant | None:
        if key is None:
            return None
        observed = self.ledger.row(key).observed
        return None if observed is None else self._workbench.variant(observed.variant)

    def __str__(self) -> str:
        return "\n".join(self._said()) or str(say("Nothing was measured yet."))

    def _said(self) -> list[str]:
        """The sentences, and whose quality they speak of where that is of some classes alone."""
        said = [str(sentence.text) for sentence in self.sentences]
        if said and self._classes:
            of_these = say(
                "Quality is that of the classes {classes} alone: labels of others were left out.",
                classes=tuple(verbatim(name) for name in self._classes[:20]),
            )
            said.append(str(of_these))
        return said

    def __repr__(self) -> str:
        ledger = self.ledger
        measured = sum(row.status == "measured" for row in ledger.rows)
        state = self.job.state.status
        return (
            f"<Advice: {self.demands.words(self._task)}; {state}, {measured} of {len(ledger.rows)} measured>"
        )

    def _repr_html_(self) -> str:
        ledger = self.ledger
        said = "".join(f"<li>{html.escape(one)}</li>" for one in self._said())
        head = tuple(
            map(
                str,
                (
                    say("Steps"),
                    say("Status"),
                    say("Size"),
                    say("Latency"),
                    say("Expected size"),
                    say("Expected latency"),
                    say("Meets the demands"),
                ),
            )
        )
        lines = [_cells(row) for row in ledger.rows[:_MOST_ROWS]]
        demands = html.escape(str(self.demands.words(self._task)))
        return f"<div><b>{demands}</b><ul>{said}</ul>{table(head, lines)}</div>"


STATUS = {
    "measured": say("measured"),
    "failed": say("failed"),
    "not tried": say("not tried"),
    "ruled out": say("ruled out"),
    "impossible": say("not possible here"),
}
"""What became of a row."""


def _cells(row: Row) -> tuple[str, ...]:
    one, before = row.observed, row.foreseen
    return (
        short(str(row.title)),
        str(STATUS[row.status]),
        "–" if one is None else size(one.file_bytes),
        "–" if one is None or one.ms is None else time(one.ms.value),
        "–" if before is None else size(round(before.file_bytes.value)),
        "–" if before is None else f"{time(before.ms.low)} – {time(before.ms.high)}",
        "–" if before is None else percent(before.meets),
    )
