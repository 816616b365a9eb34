"""The graph of a variant's layers, together with those that only the other variant has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from widgets.component import words
from widgets.panels.graph_labels import GRAPH_LABELS
from widgets.wording import short
from workbench.api.text import say
from workbench.api.variant import Edge, TensorSpec
from workbench.measure.inside.records import Inside
from workbench.results.inside_words import CHANGES


def graph_view(known: Inside, inputs: Sequence[TensorSpec], names: Sequence[str]) -> dict[str, Any] | None:
    """What the page needs besides the rows of the table, whose positions its nodes have.

    Args:
        known: What is known of the layers.
        inputs: Those of the variant, the nodes -1, -2 and so on.
        names: Of the variant and of what it is held against.

    Returns:
        None where nobody knows what is connected.
    """
    if not known.edges:
        return None
    mine = {(edge.giver, edge.taker): edge for edge in known.edges}
    theirs = {(edge.giver, edge.taker): edge for edge in known.before_edges}
    both = [*mine.values(), *(edge for ends, edge in theirs.items() if ends not in mine)]
    return {
        "title": str(say("Graph")),
        "name": str(say("Graph of the layers of {name}", name=names[0])),
        "names": list(names),
        "inputs": [
            {"name": short(one.name), "kind": str(say("input")), "shapes": [shape_words(one.shape)]}
            for one in inputs
        ],
        "layers": len(known.layers),
        "removed": len(known.removed),
        "edges": [_edge(edge, mine, theirs) for edge in both],
        "sides": bool(theirs),
        "changes": {name: str(words) for name, words in CHANGES.items()},
        "nothing": str(say("no value")),
        "legend": str(say("Colors")),
        "takes": str(say("takes")),
        "gives": str(say("gives")),
        "beside": str(say("Side by side")),
        "enlarge": str(say("Enlarge")),
        "smaller": str(say("Back to the page")),
        **words(GRAPH_LABELS),
        "keys": str(
            say(
                "Arrow keys go along the edges and across them; plus and minus zoom. Drag to move, pinch or "
                "Ctrl and the wheel to zoom."
            )
        ),
    }


def _edge(edge: Edge, mine: Any, theirs: Any) -> list[Any]:
    """From, to, the tensor's shape, and on which of the two sides it is."""
    ends = edge.giver, edge.taker
    side = "" if not theirs or (ends in mine and ends in theirs) else "mine" if ends in mine else "theirs"
    return [*ends, shape_words(edge.shape), side]


def shape_words(shape: Sequence[int | None]) -> str:
    """The lengths of a tensor's axes."""
    return "×".join("?" if length is None else str(length) for length in shape)
