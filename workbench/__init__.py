"""Make neural networks smaller, faster and cheaper, with numbers you can trust.

The engine: usable from a script, from panels and from the command line. Importing it imports
neither TensorFlow nor any runtime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from workbench.api.recipe import Recipe, Step
    from workbench.api.technique import Technique
    from workbench.api.variant import Variant
    from workbench.jobs.job import Job
    from workbench.models.quiet import quiet_tensorflow
    from workbench.workbench import Workbench
    from workbench.workbench import open as open  # noqa: A004  # said with the package before it

# Without ``open``: a star import must not take Python's own away.
__all__ = ["Job", "Recipe", "Step", "Technique", "Variant", "Workbench", "__version__", "quiet_tensorflow"]

_HOMES = {
    "Job": "workbench.jobs.job",
    "Recipe": "workbench.api.recipe",
    "Step": "workbench.api.recipe",
    "Technique": "workbench.api.technique",
    "Variant": "workbench.api.variant",
    "Workbench": "workbench.workbench",
    "open": "workbench.workbench",
    "quiet_tensorflow": "workbench.models.quiet",
}


def __getattr__(name: str) -> Any:
    # Resolved when asked for: `workbench --help` should not pay for the engine.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
