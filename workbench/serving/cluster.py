"""One cluster for all pages, so that one warm TensorFlow serves them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from workbench.jobs.cluster_process import serve_cluster


@contextlib.contextmanager
def shared_cluster() -> Iterator[str]:
    """Starts the cluster; ends it afterwards.

    Yields:
        The address of its scheduler. ``WORKBENCH_SCHEDULER``, if set, names one that runs already.

    Raises:
        Unavailable: If it does not come up.
    """
    running = os.environ.get("WORKBENCH_SCHEDULER")
    if running:
        yield running
        return
    cluster, address = serve_cluster()
    try:
        yield address
    finally:
        cluster.close()
