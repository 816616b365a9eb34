"""The page: panels, charts and tables over a :class:`workbench.workbench.Workbench`.

Everything here only shows what the engine says and passes on what the reader clicks::

    from workbench.workbench import Workbench
    from widgets import Dashboard, QuantizationPanel

    workbench = Workbench()
    Dashboard(workbench)            # the whole page
    QuantizationPanel(workbench)    # or one panel in a cell; all share their state
"""

from widgets.charts.live import LiveChart
from widgets.charts.trade_off import TradeoffChart
from widgets.dashboard import Dashboard
from widgets.panels.advisor import AdvisorPanel
from widgets.panels.best import BestLine
from widgets.panels.details import DetailsPanel
from widgets.panels.drawing import DrawingPad
from widgets.panels.family import (
    DistillationPanel,
    FamilyPanel,
    InferencePanel,
    QuantizationPanel,
    StructurePanel,
    TrainingPanel,
)
from widgets.panels.goal import GoalLine
from widgets.panels.guess import GuessPanel
from widgets.panels.jobs import JobsLine
from widgets.panels.techniques import TechniquesPanel
from widgets.panels.top_bar import TopBar
from widgets.panels.variants import VariantsTable

BarsChart = VariantsTable
"""Its earlier name: the bars stand in the cells of the table."""
FirstSteps = GoalLine
"""Its earlier name: what to do next is said by the goal."""
JobsBar = JobsLine
"""Its earlier name."""

__all__ = [
    "AdvisorPanel",
    "BarsChart",
    "BestLine",
    "Dashboard",
    "DetailsPanel",
    "DistillationPanel",
    "DrawingPad",
    "FamilyPanel",
    "FirstSteps",
    "GoalLine",
    "GuessPanel",
    "InferencePanel",
    "JobsBar",
    "JobsLine",
    "LiveChart",
    "QuantizationPanel",
    "StructurePanel",
    "TechniquesPanel",
    "TopBar",
    "TradeoffChart",
    "TrainingPanel",
    "VariantsTable",
]
