"""The process that holds the cluster, closed at any moment of its start."""

import threading
import time

import psutil
import pytest

from workbench.api.errors import Unavailable
from workbench.jobs.cluster_process import ClusterProcess


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.3])
def test_closed_while_it_starts_nothing_is_left(seconds):
    before = _clusters()  # that of other tests
    cluster, came = ClusterProcess(()), []

    def start():
        try:
            came.append(cluster.start())
        except Unavailable as error:
            came.append(error)

    starting = threading.Thread(target=start)
    starting.start()
    time.sleep(seconds)
    cluster.close()
    starting.join(600)

    assert not starting.is_alive()
    assert _clusters() <= before
    assert len(came) == 1  # an address, if it was that quick
    assert cluster.pid is None


def test_a_closed_one_does_not_start():
    cluster = ClusterProcess(())
    cluster.close()
    with pytest.raises(Unavailable):
        cluster.start()


def _clusters():
    """The processes of clusters that this one has started; psutil's know each other again."""
    return {child for child in psutil.Process().children() if "workbench.jobs.cluster" in _line(child)}


def _line(process):
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
