"""Who may talk to a cluster: a scheduler runs whatever it is sent, and a port is open to every user.

A cluster that the workbench starts speaks TLS with a key of its own, made at its start and kept in
a file that only its user can read. Its address names that file::

    tls://127.0.0.1:38211?credentials=/run/.../credentials.json

An address without it is used as it is, with dask's own configuration (``distributed.comm.tls``).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from workbench.api.errors import Unavailable
from workbench.api.text import say, verbatim

_MARK = "?credentials="


def make_credentials(folder: Path) -> tuple[Any, Path]:
    """Makes a key for a cluster.

    Args:
        folder: Readable by this user alone; the key is written there.

    Returns:
        A ``distributed.Security``, and the file.
    """
    from distributed import Security

    security: Any = Security.temporary()  # type: ignore[no-untyped-call]  # distributed has no types
    file = folder / "credentials.json"
    content = {"certificate": security.tls_client_cert, "key": security.tls_client_key}
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream)
    return security, file


def with_credentials(address: str, file: Path) -> str:
    """The address that others are told."""
    return f"{address}{_MARK}{file}"


def plain_address(address: str) -> str:
    """The part of an address that may be shown."""
    return address.partition(_MARK)[0]


def security_of(address: str) -> Any | None:
    """The ``distributed.Security`` that an address names; None if it names none.

    Raises:
        Unavailable: If the file cannot be read.
    """
    _, mark, path = address.partition(_MARK)
    if not mark:
        return None
    from distributed import Security

    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        certificate, key = content["certificate"], content["key"]
    except (OSError, ValueError, KeyError) as error:
        raise Unavailable(
            say("The key of the worker processes cannot be read: {error}", error=verbatim(str(error))),
            say("They can be used by the user who started them, while they run."),
        ) from error
    make_security: Any = Security  # distributed gives it no types
    return make_security(
        require_encryption=True, tls_ca_file=certificate, tls_client_cert=certificate, tls_client_key=key
    )
