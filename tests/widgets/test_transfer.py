"""Files between kernel and page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from widgets.transfer import PART_BYTES, Uploads, send_file
from workbench.api.errors import InvalidInput


class Comm:
    def __init__(self) -> None:
        self.sent: list[tuple[dict[str, Any], bytes]] = []

    def send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.sent.append((content, buffers[0]))


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1])
def test_a_file_arrives_whole(size: int) -> None:
    comm, content = Comm(), bytes(range(256)) * (size // 256 + 1)
    send_file(comm, "model.tflite", content[:size])
    assert b"".join(part for _, part in comm.sent) == content[:size]
    assert [message["part"] for message, _ in comm.sent] == list(range(comm.sent[0][0]["parts"]))


def test_parts_become_a_file_that_stays_and_is_never_written_over(tmp_path: Path) -> None:
    uploads = Uploads(lambda: tmp_path / "uploads")
    assert uploads.take("t", "model.keras", 0, 2, b"ab") is None
    path = uploads.take("t", "model.keras", 1, 2, b"cd")
    assert path is not None
    assert (path.name, path.read_bytes()) == ("model.keras", b"abcd")
    assert path.is_relative_to(tmp_path / "uploads")
    again = uploads.take("u", "model.keras", 0, 1, b"other")
    assert again is not None
    assert (path.read_bytes(), again.read_bytes()) == (b"abcd", b"other")


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", ".bashrc", "a\x00b", "", "x" * 5000, "模" * 500],
)
def test_a_name_never_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    uploads = Uploads(lambda: tmp_path)
    path = uploads.take("t", name, 0, 1, b"x")
    assert path is not None
    assert path.resolve().parent.parent == tmp_path.resolve()
    assert len(path.name.encode()) <= 200


def test_a_file_above_the_limit_is_refused_and_not_kept(tmp_path: Path) -> None:
    uploads = Uploads(lambda: tmp_path, limit_bytes=1_000_000)
    with pytest.raises(InvalidInput, match="larger than 1 MB"):
        uploads.take("t", "a.npz", 0, 1, b"x" * 1_000_001)
    with pytest.raises(InvalidInput, match="interrupted"):
        uploads.take("t", "a.npz", 1, 2, b"x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "nonsense",
    [(None, "a", 0, 1), ("t", None, 0, 1), ("t", "a", -1, 1), ("t", "a", 1, 1), ("t", "a", "0", 1)],
)
def test_nonsense_is_refused(nonsense: tuple[Any, ...], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="broken"):
        Uploads(lambda: tmp_path).take(*nonsense, b"x")
