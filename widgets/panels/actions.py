"""What can be done with one variant, wherever it is shown: in the table and in the details."""

from __future__ import annotations

from typing import Any

from widgets.charts.scene import doubt_of
from widgets.component import Component
from widgets.transfer import send_file
from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.results.lookup import row_of
from workbench.results.rows import ResultRow

ACTION_LABELS = {
    "details": say("Details"),
    "continue": say("Continue from here"),
    "compare": say("Compare with"),
    "measure": say("Measure"),
    "again": say("Measure again"),
    "before": say("measured at"),
    "beforeHint": say("On this machine, for another visitor of this page who asked for the same."),
    "forMe": say("Measure for me"),
    "rename": say("Rename"),
    "note": say("Note"),
    "save": say("Save"),
    "abandon": say("Do not save"),
    "star": say("Star"),
    "download": say("Download file"),
    "deploy": say("Download with code"),
    "recipe": say("Download recipe"),
    "delete": say("Delete"),
    "keep": say("Everything is measured against the baseline: it stays."),
}


class VariantActions(Component):
    """A view that offers what can be done with a variant; a subclass says what is shown."""

    def act_select(self, variant: object = None) -> None:
        """Selects a variant."""
        self.session.select(variant)

    def act_open(self, variant: object = None) -> None:
        """Shows a variant's details."""
        self.session.reveal(variant)

    def act_continue(self, variant: object = None) -> None:
        """Techniques start from this variant from now on."""
        self.session.continue_from(variant)

    def act_compare(self, variant: object = None, reference: object = None) -> None:
        """Compares a variant with another one, and shows how they differ."""
        reference = self.session.known(reference)
        if self.session.opened:
            self.session.select(variant)
        else:
            self.session.reveal(variant)
        self.session.compare(reference)

    def act_rename(self, variant: object = None, called: object = None) -> None:
        """Gives a variant another name."""
        self.session.workbench.rename(self.session.known(variant), _text(called))

    def act_note(self, variant: object = None, note: object = None) -> None:
        """Keeps a remark on a variant."""
        self.session.workbench.annotate(self.session.known(variant), _text(note))

    def act_star(self, variant: object = None, starred: object = None) -> None:
        """Marks a variant, or takes the mark away."""
        self.session.workbench.star(self.session.known(variant), starred is True)

    def act_measure(self, variant: object = None) -> None:
        """Measures what is missing of a variant, and its latency again."""
        self.session.workbench.measure([self.session.known(variant)], "quick")

    def act_offer(self, variant: object = None, number: object = None) -> None:
        """Does what is offered where a variant's numbers leave a question open."""
        key = self.session.known(variant)
        row = row_of(self.session.rows, key)
        offers = () if row is None else row.offers
        if not isinstance(number, int) or not 0 <= number < len(offers):
            raise InvalidInput(say("This is not offered any more."))
        offer = offers[number]
        self.session.workbench.apply(offer.technique, offer.parent, **offer.parameters)

    def act_download(self, variant: object = None) -> None:
        """Sends a variant's file to the browser."""
        send_file(self, *self.session.workbench.download(self.session.known(variant)))

    def act_deploy(self, variant: object = None) -> None:
        """Sends a variant's file with code that runs it to the browser."""
        send_file(self, *self.session.workbench.deploy(self.session.known(variant)))

    def act_recipe(self, variant: object = None) -> None:
        """Sends a variant's recipe to the browser."""
        key = self.session.known(variant)
        name = "".join(
            letter if letter.isalnum() else "-" for letter in self.session.workbench.variant(key).name
        )
        recipe = self.session.workbench.recipe(key).to_yaml()
        send_file(self, f"{name}.recipe.yaml", recipe.encode())

    def act_delete(self, variant: object = None) -> None:
        """Hides a variant and what was made from it."""
        self.session.delete(variant)

    def act_undo(self) -> None:
        """Takes the last deletion back."""
        self.session.undo()

    def under_way(self, variant: Variant) -> bool:
        """Whether a job will still bring numbers of a variant."""
        return any(
            not job.ended and (job.variant == variant.id or variant.id in job.request.get("variants", ()))
            for job in self.session.jobs
        )

    def offered(self, row: ResultRow) -> dict[str, Any]:
        """What a view needs to offer the actions."""
        whole = row.latency is not None and row.quality is not None and row.size is not None
        return {
            "id": row.variant.id,
            "starred": row.starred,
            "note": row.note,
            "deletable": row.variant.parent is not None,
            "busy": self.under_way(row.variant),
            "measured": whole,
            "before": None if row.measured_before is None else row.measured_before.isoformat(),
            "offers": [str(offer.label) for offer in row.offers],
            "distrusted": None if (doubt := doubt_of(row)) is None else str(doubt),
        }


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(say("A name or a note is text. Received: {kind}.", kind=type(value).__name__))
    return value
