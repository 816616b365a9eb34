"""A cluster runs nothing for somebody who does not have its key."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.api.errors import Unavailable
from workbench.jobs.cluster_process import ClusterProcess
from workbench.jobs.credentials import plain_address, security_of

STRANGER = """
import sys
from distributed import Client, Security
security = Security.temporary() if sys.argv[1].startswith("tls") else None  # a key, but not the key
try:
    Client(sys.argv[1], timeout=4, security=security)
except (OSError, ValueError) as error:
    print("refused")
else:
    print("came in")
"""


def test_only_who_has_the_key_comes_in() -> None:
    cluster = ClusterProcess(())
    address = cluster.start()
    try:
        assert address.startswith("tls://127.0.0.1:")
        file = Path(address.partition("?credentials=")[2])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        for tried in (plain_address(address), plain_address(address).replace("tls://", "tcp://")):
            said = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", STRANGER, tried],
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
            )
            assert said.stdout.strip().endswith("refused"), said
        assert security_of(address) is not None
        assert security_of("tcp://somewhere:8786") is None
    finally:
        cluster.close()
    assert not file.exists()
    with pytest.raises(Unavailable, match="The key of the worker processes cannot be read"):
        security_of(address)
