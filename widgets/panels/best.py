"""The best so far for the goal, in one sentence, and why it is that one."""

from __future__ import annotations

from typing import Any, ClassVar

from widgets.assets import esm
from widgets.charts.chart import family_of
from widgets.component import Component, words
from widgets.panels.outcome import alike, chips, outcome
from widgets.session import message_of
from widgets.transfer import send_file
from widgets.wording import short
from workbench.api.text import Text, say
from workbench.engine.goal import Best, best, conclusion

_LABELS = {
    "title": say("Best"),
    "why": say("Why?"),
    "compare": say("Compare"),
    "download": say("Download"),
    "again": say("Measure again"),
}


class BestLine(Component):
    """The variant that serves the goal best, with its three ratios.

    Args:
        workbench: A workbench, or the session of one.

    Example:
        >>> line = BestLine(workbench)
    """

    _esm = esm("best")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results", "jobs", "goal"})

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        found = best(self.session.rows, self.session.goal)
        return {
            "labels": words(_LABELS),
            "best": None if found is None else self._shown(found),
            "text": None if found is not None else message_of(self._instead()),
            "error": message_of(self.problem),
        }

    def _shown(self, found: Best) -> dict[str, Any]:
        row = next(row for row in self.session.rows if row.variant.id == found.variant.id)
        doubt = () if found.doubt is None else (say("Its speed is in doubt: {reason}", reason=found.doubt),)
        brought = alike(row)
        alone = () if brought is None else (say("Its speed {compared}.", compared=brought),)
        return {
            "id": found.variant.id,
            "name": short(found.variant.name),
            "family": family_of(found.variant.technique),
            "chips": chips(row),
            "doubted": found.doubt is not None,
            "measuring": any(job.kind == "measure" and not job.ended for job in self.session.jobs),
            "why": [str(text) for text in (*doubt, found.reason, *alone, *found.more)],
            "announcement": str(say("Best: {what}", what=outcome(row))),
        }

    def _instead(self) -> Text:
        """What is said while there is no best one: what to do, or how near anything came."""
        session = self.session
        if session.baseline is None:
            if any(job.kind == "open" and not job.ended for job in session.jobs):
                return say("The model is being opened and measured; then something better can be looked for.")
            # Before the page is seen nothing has been asked for: the first model opens by itself.
            return say("No model is open. Choose a model and data under “Open …”.")
        if any(job.kind == "find" and not job.ended for job in session.jobs):
            return say("Nothing yet: what is found appears here as soon as it is measured.")
        if all(one.automatic or one.is_baseline for one in session.variants):
            return say("Nothing is made yet. Press Find, or choose a technique and press Apply.")
        return conclusion(session.rows, session.goal)

    def act_compare(self, variant: object = None) -> None:
        """Shows it beside the baseline."""
        key = self.session.known(variant)
        self.session.reveal(key)
        baseline = self.session.baseline
        if baseline is not None and baseline.id != key:
            self.session.compare(baseline.id)

    def act_measure(self, variant: object = None) -> None:
        """Times it again, and its runtime against the baseline's: the first time was disturbed."""
        self.session.workbench.measure([self.session.known(variant)], "quick")

    def act_download(self, variant: object = None) -> None:
        """Sends its file to the browser."""
        send_file(self, *self.session.workbench.download(self.session.known(variant)))
