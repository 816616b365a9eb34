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
from widgets.panels.details import DetailsPanel
from widgets.panels.family import (
    DistillationPanel,
    FamilyPanel,
    InferencePanel,
    QuantizationPanel,
    StructurePanel,
    TrainingPanel,
)
from widgets.panels.first_steps import FirstSteps
from widgets.panels.jobs import JobsBar
from widgets.panels.top_bar import TopBar
from widgets.panels.variants import VariantsTable

__all__ = [
    "Dashboard",
    "DetailsPanel",
    "DistillationPanel",
    "FamilyPanel",
    "FirstSteps",
    "InferencePanel",
    "JobsBar",
    "LiveChart",
    "QuantizationPanel",
    "StructurePanel",
    "TopBar",
    "TradeoffChart",
    "TrainingPanel",
    "VariantsTable",
]
