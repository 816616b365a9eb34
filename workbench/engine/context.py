"""What the steps of a workbench's jobs work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from workbench.engine.queries import Queries
from workbench.jobs.executor import Executor
from workbench.store import Store


@dataclass(frozen=True)
class JobContext:
    """The same for every job of one workbench.

    Attributes:
        store: Where variants and measurements go.
        queries: The baseline, the data and what else is there already.
        executor: Where work runs.
        changed: Called after something was stored, with ``variants`` or ``results``.
        seed: Seeds splits, training, the bootstrap and the order of measuring.
    """

    store: Store
    queries: Queries
    executor: Executor
    changed: Callable[[Literal["variants", "results"]], None]
    seed: int
