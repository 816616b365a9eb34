"""How long a process waited for a processor."""

from __future__ import annotations

from pathlib import Path

from workbench.measure.processor import ProcessorTime, processor_time, share_waited


def test_the_times_of_all_threads_are_added(tmp_path: Path) -> None:
    for thread, counted in (("1", "3000 1000 7\n"), ("2", "500 250 1\n")):
        (tmp_path / thread).mkdir()
        (tmp_path / thread / "schedstat").write_text(counted)
    (tmp_path / "3").mkdir()  # it has ended meanwhile
    assert processor_time(tmp_path) == ProcessorTime(computing=3500, waiting=1250)


def test_what_the_system_does_not_say_is_unknown(tmp_path: Path) -> None:
    assert processor_time(tmp_path / "none") is None
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "schedstat").write_text("something else")
    assert processor_time(tmp_path) is None
    assert share_waited(None, ProcessorTime(1, 1)) is None


def test_the_share_is_of_the_time_between_two_moments() -> None:
    assert share_waited(ProcessorTime(1000, 500), ProcessorTime(4000, 1500)) == 25
    assert share_waited(ProcessorTime(1000, 500), ProcessorTime(900, 100)) is None
