"""What stands on every graph that is drawn: of layers, and of variants."""

from __future__ import annotations

from workbench.api.text import say

GRAPH_LABELS = {
    "larger": say("Zoom in"),
    "farther": say("Zoom out"),
    "whole": say("Whole graph"),
    "laying": say("Laying out the graph …"),
    "failed": say("The graph could not be laid out."),
}
