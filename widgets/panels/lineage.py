"""Which variant was made from which: what the map needs besides the lines of the table."""

from __future__ import annotations

from typing import Any

from widgets.panels.graph_labels import GRAPH_LABELS
from workbench.api.lineage import Lineage
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.results.origin import origin_words, step_title

LINEAGE_LABELS = {
    "asTable": say("Table"),
    "asMap": say("Map"),
    "mapName": say("Map: which variant was made from which"),
    "mapHint": say(
        "A click selects a variant, and new ones start from it. Arrow keys go along the map, Enter selects, "
        "the space bar folds what was made from a variant, plus and minus zoom."
    ),
    "fold": say("Fold"),
    "unfold": say("Unfold"),
    "unfoldAll": say("Unfold all"),
    "hidden": say("more made from it"),
    "inAll": say("variants in all"),
    "startHere": say("new variants start here"),
    "origin": say("Made from"),
    **GRAPH_LABELS,
}


def lineage_row(lineage: Lineage, variant: Variant) -> dict[str, Any]:
    """Where a variant hangs in the map, and its way there in words."""
    parent, title = lineage.parent(variant), step_title(variant)
    return {
        "parent": None if parent is None else parent.id,
        "step": "" if title is None else str(title),
        "origin": origin_words(lineage, variant),
    }
