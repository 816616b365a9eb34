"""One cluster for all pages, so that one warm TensorFlow serves them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from importlib.util import find_spec


@contextlib.contextmanager
def shared_cluster() -> Iterator[str | None]:
    """Starts the cluster; ends it afterwards.

    Yields:
        The address of its scheduler. ``WORKBENCH_SCHEDULER``, if set, names one that runs already.
    """
    running = os.environ.get("WORKBENCH_SCHEDULER")
    if running or find_spec("workbench.jobs.cluster") is None:
        yield running or None
        return
    from workbench.jobs.cluster import serve_cluster

    with serve_cluster() as address:
        yield address
