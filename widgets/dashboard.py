"""The whole page: every widget of a workbench in a grid."""

from __future__ import annotations

import os

import ipywidgets

from widgets.charts.bars import BarsChart
from widgets.charts.live import LiveChart
from widgets.charts.trade_off import TradeoffChart
from widgets.panels.details import DetailsPanel
from widgets.panels.family import FamilyPanel
from widgets.panels.jobs import JobsBar
from widgets.panels.top_bar import TopBar
from widgets.panels.variants import VariantsTable
from widgets.session import Session, session_of
from workbench.models.demo import DEMO_MODELS
from workbench.technique import FAMILIES
from workbench.text import LANGUAGES, use_language
from workbench.workbench import Workbench


class Dashboard(ipywidgets.Box):  # type: ignore[misc]  # ipywidgets has no types
    """Model, techniques, charts, table and details on one page.

    Args:
        workbench: What is shown; by default the one in the usual folder. One without a model opens
            the first demo model, so that there is something to click.
    """

    def __init__(self, workbench: Workbench | None = None) -> None:
        language = os.environ.get("WORKBENCH_LANGUAGE")
        if language in LANGUAGES:
            use_language(language)
        self.workbench = workbench if workbench is not None else Workbench()
        if self.workbench.baseline is None and not any(not job.ended for job in self.workbench.jobs):
            demo = next(iter(DEMO_MODELS.values()))
            self.workbench.open(demo.name, demo.dataset)
        self.session: Session = session_of(self.workbench)
        families = {technique.family for technique in self.workbench.techniques().values()}
        left = _column(*(FamilyPanel(self.session, family) for family in FAMILIES if family in families))
        middle = _column(TradeoffChart(self.session), LiveChart(self.session), BarsChart(self.session))
        below = _column(VariantsTable(self.session), DetailsPanel(self.session))
        left.add_class("wb-left")
        middle.add_class("wb-main")
        top = _column(TopBar(self.session), JobsBar(self.session))
        top.add_class("wb-wide")
        below.add_class("wb-below")
        grid = ipywidgets.Box([top, left, middle, below])
        grid.add_class("wb-grid")
        super().__init__([grid])
        self.add_class("wb-page")


def _column(*widgets: ipywidgets.Widget) -> ipywidgets.Box:
    box = ipywidgets.Box(list(widgets))
    box.add_class("wb-column")
    return box
