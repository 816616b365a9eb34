"""What is served, and how."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from workbench.engine.shared_mode import SHELF_VARIABLE, shelf_folder

UPLOAD_LIMIT_BYTES = 250 * 1000 * 1000
"""The largest message that the page may send to a kernel: a model or data file with its envelope.

Tornado's own limit is 10 MiB, less than many models.
"""

KEEP_JOBS_MINUTES = 30.0
"""How long jobs run on after their page was closed: the lid of a laptop, a tab closed by mistake."""


@dataclass(frozen=True)
class Page:
    """What the front end brings.

    Attributes:
        notebooks: The folder of notebooks.
        dashboard: The notebook of the dashboard; a name inside ``notebooks``.
        jupyter_path: Folders to serve from, as in ``JUPYTER_PATH``: ``labextensions`` and templates.
        template: The name of the dashboard's template.
        immutable: The folder below ``labextensions`` whose addresses change with their content.
        modules: JavaScript modules that the page will import, as paths below ``labextensions``: asked
            for while the browser is still busy with what comes before them.
    """

    notebooks: Path
    dashboard: str
    jupyter_path: tuple[Path, ...]
    template: str
    immutable: str
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServerSettings:
    """How to serve it.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; None takes a free one.
        open_browser: Whether to open the user's browser.
        folder: The folder of the workbench; None leaves it to the page.
        language: Language of the page; None leaves it to the page.
        shared: Whether strangers use the page.
        uploads: Whether visitors of a shared page may bring files.
        visitors: Most kernels at a time of a shared page.
        token: Whether the address carries a secret; None means yes, except for a shared page.
        grace_seconds: How long a kernel waits for its page to come back after the connection broke.
        keep_jobs_minutes: How long jobs run on after their page was closed. Work of a shared page's
            visitors goes with their page.
        measures_baselines: Whether a shared page's built-in models are measured before anybody asks.
        first_visit_seconds: How long a kernel waits for the first connection after the last sign of its page.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    open_browser: bool = True
    folder: Path | None = None
    language: str | None = None
    shared: bool = False
    uploads: bool = False
    visitors: int = 40
    token: bool | None = None
    grace_seconds: float = 30.0
    measures_baselines: bool = False
    keep_jobs_minutes: float = KEEP_JOBS_MINUTES
    first_visit_seconds: float = 90.0

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in {"127.0.0.1", "::1", "localhost"}

    @property
    def with_token(self) -> bool:
        """Whether the address carries a secret.

        Other users of this machine can reach a loopback port too, and the page opens files as the
        user who started it. A shared page is meant for people without the secret, and opens none.
        """
        return not self.shared if self.token is None else self.token

    @property
    def keeps_jobs_seconds(self) -> float:
        """How long jobs run on after their page was closed."""
        return 0.0 if self.shared else 60 * self.keep_jobs_minutes

    def kernel_environment(self, scheduler: str | None) -> dict[str, str]:
        """The variables for the kernels.

        Args:
            scheduler: Address of the cluster that all pages share.
        """
        variables = {"WORKBENCH_UPLOAD_LIMIT": str(UPLOAD_LIMIT_BYTES)}
        if self.keeps_jobs_seconds > 0:
            variables["WORKBENCH_KEEPS_JOBS"] = "1"
        if scheduler is not None:
            variables["WORKBENCH_SCHEDULER"] = scheduler
        if self.folder is not None:
            variables["WORKBENCH_FOLDER"] = str(self.folder.absolute())
        if self.language is not None:
            variables["WORKBENCH_LANGUAGE"] = self.language
        if self.shared:
            variables["WORKBENCH_SHARED"] = "1"
            variables[SHELF_VARIABLE] = os.environ.get(SHELF_VARIABLE) or str(shelf_folder())
        if self.uploads or not self.shared:
            variables["WORKBENCH_UPLOADS"] = "1"
        return variables


@dataclass(frozen=True)
class Environment:
    """Variables set while a server runs, and put back after it.

    Attributes:
        variables: What to set.
    """

    variables: dict[str, str]
    _before: dict[str, str | None] = field(default_factory=dict, init=False, repr=False)

    def __enter__(self) -> Environment:
        for name, value in self.variables.items():
            self._before[name] = os.environ.get(name)
            os.environ[name] = value
        return self

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def server_environment(page: Page, settings: ServerSettings, scheduler: str | None) -> Environment:
    """The variables that a server and its kernels need.

    Args:
        page: What is served.
        settings: How.
        scheduler: Address of the cluster that all pages share.
    """
    before = os.environ.get("JUPYTER_PATH", "")
    folders = [str(folder) for folder in page.jupyter_path] + ([before] if before else [])
    # jupyter_core looks into the environment of this interpreter after these.
    return Environment(
        {
            "JUPYTER_PATH": os.pathsep.join(folders),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            **settings.kernel_environment(scheduler),
            **({} if sys.stdout.isatty() else {"PYTHONUNBUFFERED": "1"}),
        }
    )
