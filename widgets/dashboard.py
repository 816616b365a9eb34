"""The whole page: every widget of a workbench in a grid."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets

from widgets.charts.live import LiveChart
from widgets.charts.trade_off import TradeoffChart
from widgets.component import Component
from widgets.link import follow, read
from widgets.panel_choice import PanelChoice
from widgets.panels.advisor import AdvisorPanel
from widgets.panels.best import BestLine
from widgets.panels.details import DetailsPanel
from widgets.panels.drawing import DrawingPad
from widgets.panels.goal import GoalLine
from widgets.panels.guess import GuessPanel
from widgets.panels.jobs import JobsLine
from widgets.panels.skip_link import SkipLink
from widgets.panels.techniques import TechniquesPanel
from widgets.panels.top_bar import TopBar
from widgets.panels.variants import VariantsTable
from widgets.session import Session, session_of
from widgets.wording import family_title
from workbench.api.errors import WorkbenchError
from workbench.api.technique import FAMILIES
from workbench.api.text import LANGUAGES, Text, say, use_language
from workbench.course.class_settings import CLASS_VARIABLE, ClassSettings, read_settings
from workbench.engine.workbench_folders import last_used
from workbench.models.demo.demo import DEMO_MODELS
from workbench.workbench import Workbench

_TITLES: dict[type[Component], Text] = {
    TradeoffChart: say("Trade-off"),
    LiveChart: say("Live curves"),
    VariantsTable: say("Variants"),
    DetailsPanel: say("Details"),
    AdvisorPanel: say("Advisor"),
    GuessPanel: say("Guess first"),
    DrawingPad: say("Draw, and let every variant answer"),
}
"""The panels that can be hidden."""


class Dashboard(ipywidgets.Box):
    """Model, techniques, charts, table and details on one page.

    Making it starts nothing: a server makes it before there is a page. When it is first seen, a
    workbench without a model opens the first demo model, so that there is something to click.

    Args:
        workbench: What is shown; by default the one that was used last.
        settings: What a teacher has fixed: a ``class.json``, or its folder; by default the one that
            ``WORKBENCH_CLASS`` names.

    Example:
        >>> page = Dashboard(workbench)  # as the last line of a cell it is the whole page
    """

    def __init__(self, workbench: Workbench | None = None, settings: str | Path | None = None) -> None:
        language = os.environ.get("WORKBENCH_LANGUAGE")
        if language in LANGUAGES:
            use_language(language)
        self._usual = workbench is None
        self._seen = False
        named = settings if settings is not None else os.environ.get(CLASS_VARIABLE)
        fixed = ClassSettings() if not named else read_settings(Path(named))
        self.session: Session = session_of(workbench or Workbench(last_used(), seed=fixed.seed or 0))
        self.session.usual_seed = fixed.seed or 0
        left = _column(TechniquesPanel(self.session))
        # What one looks for comes first: the picture, then the table; details of one variant beside them.
        middle = _column(TradeoffChart(self.session), GuessPanel(self.session), LiveChart(self.session))
        below = _column(VariantsTable(self.session), DrawingPad(self.session))
        aside = _column(DetailsPanel(self.session))
        left.add_class("wb-left")
        middle.add_class("wb-main")
        self._top_bar = TopBar(self.session)
        self._top_bar.on_msg(self._on_page_message)
        answers = _column(
            GoalLine(self.session),
            AdvisorPanel(self.session, with_goal=True),
            BestLine(self.session),
            JobsLine(self.session),
        )
        answers.add_class("wb-answers")
        top = _column(SkipLink(self.session), self._top_bar, answers)
        top.add_class("wb-wide")
        below.add_class("wb-below")
        aside.add_class("wb-aside")
        grid = ipywidgets.Box([top, left, middle, below, aside])
        grid.add_class("wb-grid")
        super().__init__([grid])
        self.add_class("wb-page")
        self.session.panels = PanelChoice(_by_name(self))
        # What a lesson has fixed for its workbench stays so on this page.
        self.session.confine(
            self.session.hidden | fixed.hidden,
            {**self.session.fixed, **fixed.fixed},
            projector=self.session.projector or fixed.projector,
        )

    @property
    def workbench(self) -> Workbench:
        """What is shown."""
        return self.session.workbench

    def _on_page_message(self, _: object, content: Any, __: object) -> None:
        if self._seen or not isinstance(content, dict) or content.get("type") != "rendered":
            return
        self._seen = True
        try:
            if self._usual:
                self.session.return_to_last_used()
                self.session.openings.recall()
            link = read(content.get("query"))
            if not link.empty:
                follow(self.session, link)
        except WorkbenchError as error:
            self._top_bar.problem = error.text
            self._top_bar.refresh()
        try:
            # Another page of this folder may be opening one now.
            jobs = (*self.workbench.jobs, *self.session.openings.jobs)
            opening = any(job.kind == "open" and not job.ended for job in jobs)
            if self.workbench.baseline is None and not opening:
                demo = next(iter(DEMO_MODELS.values()))
                self.workbench.open(demo.name, demo.dataset)
        except WorkbenchError as error:
            self._top_bar.problem = error.text
            self._top_bar.refresh()


def _column(*widgets: ipywidgets.Widget) -> ipywidgets.Box:
    box = ipywidgets.Box(list(widgets))
    box.add_class("wb-column")
    return box


def _by_name(page: ipywidgets.Box) -> dict[str, tuple[Text, list[Component]]]:
    """The panels of a page that can be hidden, by the names that links have for them."""
    named: dict[str, tuple[Text, list[Component]]] = {}
    for widget in _inside(page):
        if isinstance(widget, TechniquesPanel):
            named |= {family: (family_title(family), [widget]) for family in FAMILIES}
        for kind, title in _TITLES.items():
            if isinstance(widget, kind):
                named[kind.panel] = title, [widget]
    return named


def _inside(box: ipywidgets.Box) -> Iterator[ipywidgets.Widget]:
    for widget in box.children:
        yield widget
        if isinstance(widget, ipywidgets.Box):
            yield from _inside(widget)
