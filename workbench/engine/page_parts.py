"""What the page's package offers to the engine, which knows no page."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal

GROUP = "workbench.page"


@cache  # every installed distribution is read for it
def page_part(name: Literal["dashboard", "job_card", "report"]) -> Any:
    """What is offered under a name as an entry point.

    Args:
        name: "dashboard" is the page that is served, "job_card" the widget of one job, "report" the
            function that writes a workbench as HTML.

    Returns:
        None if no package offers it, or it cannot be imported: without widgets there is no card.
    """
    for point in entry_points(group=GROUP, name=name):
        try:
            return point.load()
        except ImportError:
            continue
    return None
