"""A server learns whether a kernel has work, and keeps it for as long as it was told."""

from pathlib import Path

import pytest

from workbench.jobs import under_way
from workbench.serving.kernels import PageKernelManager
from workbench.serving.page import ServerSettings


def test_the_file_is_there_while_any_job_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "jobs-of-a-kernel"
    monkeypatch.setenv(under_way.VARIABLE, str(file))
    for change, job, there in (
        (under_way.begin, "one", True),
        (under_way.begin, "two", True),
        (under_way.end, "one", True),
        (under_way.end, "two", False),
        (under_way.end, "two", False),
    ):
        change(job)
        assert file.exists() == there


def test_a_kernel_with_jobs_is_kept_until_the_time_is_over(tmp_path: Path) -> None:
    manager = PageKernelManager(keep_jobs_seconds=60.0, jobs_folder=str(tmp_path))
    assert not manager._works_on("kernel", 0.0)
    (tmp_path / "jobs-kernel").touch()
    assert manager._works_on("kernel", 100.0)
    assert manager._works_on("kernel", 159.0)
    assert not manager._works_on("kernel", 161.0)
    manager._forget("kernel")
    assert manager._works_on("kernel", 200.0)
    manager.keep_jobs_seconds = 0.0
    assert not manager._works_on("kernel", 200.0)


def test_work_of_visitors_goes_with_their_page() -> None:
    assert ServerSettings().keeps_jobs_seconds == 1800
    assert ServerSettings(shared=True).keeps_jobs_seconds == 0
    assert "WORKBENCH_KEEPS_JOBS" not in ServerSettings(shared=True).kernel_environment(None)
    assert "WORKBENCH_KEEPS_JOBS" not in ServerSettings(keep_jobs_minutes=0).kernel_environment(None)
    assert ServerSettings().kernel_environment(None)["WORKBENCH_KEEPS_JOBS"] == "1"
