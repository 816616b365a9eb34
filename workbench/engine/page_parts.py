"""What the page's package offers to the engine, which knows no page."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal

from workbench.api.errors import Unavailable
from workbench.api.text import say

GROUP = "workbench.page"

Name = Literal["board", "dashboard", "job_card", "notebooks", "panels", "report"]


@cache  # every installed distribution is read for it
def page_part(name: Name) -> Any:
    """What is offered under a name as an entry point.

    Args:
        name: "dashboard" is the page that is served, "notebooks" the folder of what it shows, "panels" the
            function that refuses names of panels that it does not have, "job_card" the widget of one job,
            "report" the function that writes a workbench as HTML, "board" that which writes a class so.

    Returns:
        None if no package offers it, or it cannot be imported: without widgets there is no card.
    """
    for point in entry_points(group=GROUP, name=name):
        try:
            return point.load()
        except ImportError:
            continue
    return None


def required_part(name: Name) -> Any:
    """The same, for what cannot go on without it.

    Args:
        name: As for :func:`page_part`.

    Raises:
        Unavailable: If no package offers it.
    """
    part = page_part(name)
    if part is None:
        raise Unavailable(
            say("The page is not installed here as it should be: it offers no {name}.", name=name),
            say("Install neural-workbench again."),
        )
    return part
