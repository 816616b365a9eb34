"""Real servers, a real browser, and pictures of what it showed (in ``artifacts``, not in git)."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from widgets.page import page as served_page
from workbench.jobs.executor import Executor
from workbench.workbench import Workbench

REPOSITORY = Path(__file__).parents[2]
ARTIFACTS = REPOSITORY / "artifacts"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 120_000
PATIENCE_S = 300
"""Against hanging only, whatever else this machine does."""

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            # Once more where it fails, and the run's summary names it: a page of five processes on a busy
            # machine. What fails twice has failed.
            item.add_marker(pytest.mark.flaky(reruns=1))


@dataclass
class Server:
    """A server in a process of its own.

    Attributes:
        process: The process.
        address: What it printed, with its token.
        lines: All that it printed.
        folder: The workbench that it was started with, where it has one.
    """

    process: subprocess.Popen[str]
    address: str
    lines: list[str]
    folder: Path | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def query(self) -> str:
        return urlsplit(self.address).query

    def status(self) -> dict[str, int]:
        """How many kernels and connections it has."""
        request = Request(f"http://{self.host}/api/status?{self.query}")
        try:
            with urlopen(request, timeout=PATIENCE_S) as answer:
                return json.load(answer)
        except HTTPError as error:
            if error.code != 500:
                raise
            return {}  # Jupyter counts kernels while one of them goes

    def forget_last_used(self) -> None:
        """Lets the next page show the workbench that the server was started with."""
        (self.folder / "last-used.txt").unlink(missing_ok=True)

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def dashboard_command(folder: Path) -> list[str]:
    """Serves the dashboard on a folder, without opening a browser."""
    return [sys.executable, "-m", "workbench.cli", "dashboard", "--no-browser", "--folder", str(folder)]


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[Server]:
    """Starts a server and waits for the address that it prints; ends it as a user does.

    Nothing of it may be left, whatever it was doing.
    """
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    lines: queue.Queue[str] = queue.Queue()
    seen: list[str] = []

    def read() -> None:
        for line in process.stdout:
            seen.append(line)
            lines.put(line)
        lines.put("")

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while True:
            line = lines.get(timeout=PATIENCE_S)
            assert line, f"the server ended:\n{''.join(seen)}"
            address = next((word for word in line.split() if word.startswith("http://")), None)
            if address is not None:
                break
        yield Server(process, address, seen)
    finally:
        family = []
        if process.poll() is None:
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(f"the server did not end:\n{''.join(seen)[-3000:]}")
        finally:
            reader.join(10)
            process.stdout.close()
        if family:
            assert process.returncode == 0, "".join(seen)[-3000:]
        _, alive = psutil.wait_procs(family, timeout=PATIENCE_S)
        assert [one.pid for one in alive] == []


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Not for the whole session: while it is open, an event loop seems to run in this thread, and
    # tests of widgets that come later in this process would wait for it.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


REOPENED = "opened again by itself"
SAY_WHEN_REOPENED = f"""try {{
  if (sessionStorage.getItem("workbench-tried-again")) console.debug("{REOPENED}");
}} catch {{ /* a frame without storage */ }}"""


@dataclass
class Visit:
    """A page with everything that it asked for and complained about.

    On a machine that is too busy a page finds that its start is broken, and opens again by itself. What
    it complained about before that is kept apart.

    Attributes:
        page: Playwright's page.
        host: The server's host and port.
        requests: The addresses.
        complaints: Errors in its console, and refused requests.
        before_reopening: Those of openings that it has given up itself.
    """

    page: Page
    host: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    before_reopening: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(SAY_WHEN_REOPENED)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "response",
            lambda answer: answer.status >= 400 and self.complaints.append(f"{answer.status} {answer.url}"),
        )

    def _on_console(self, message) -> None:
        if message.text == REOPENED:
            self.before_reopening += self.complaints
            self.complaints.clear()
        elif message.type == "error":
            self.complaints.append(message.text)

    def other_hosts(self) -> list[str]:
        """Addresses that it asked for outside the server."""
        inside = ("data:", "blob:", "about:")
        return [
            url for url in self.requests if not url.startswith(inside) and urlsplit(url).netloc != self.host
        ]

    def asked_for(self, end: str) -> int:
        return sum(urlsplit(url).path.endswith(end) for url in self.requests)

    def picture(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)

    def violations(self, inside: str | None = None) -> dict[str, list[str]]:
        """What axe-core finds: rule -> elements."""
        found = Axe().run(self.page, context=inside).response["violations"]
        return {
            violation["id"]: [" ".join(map(str, node["target"])) for node in violation["nodes"]]
            for violation in found
        }


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    contexts = []

    def open_page(server: Server, query: str = "", **options) -> Visit:
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        made = Visit(context.new_page(), server.host)
        address = server.address
        if query:
            address += ("&" if "?" in address else "?") + query
        made.page.goto(address, wait_until="commit")
        return made

    yield open_page
    for context in contexts:
        context.close()


def write_notebook(folder: Path, *sources: str) -> Path:
    """Writes ``dashboard.ipynb`` with code cells."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Probe"},
        *(
            {
                "cell_type": "code",
                "id": f"code-{number}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(sources)
        ),
    ]
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "title": "Probe",
    }
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (folder / "dashboard.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return folder


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def user_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Jupyter's settings of a user who has just installed it."""
    root = tmp_path_factory.mktemp("user")
    names = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "WORKBENCH_FOLDER",
    )
    return {name: str(root / name.lower()) for name in names}


@pytest.fixture(scope="session")
def warm(user_folders: dict[str, str], scheduler: str) -> dict[str, str]:
    """The same user, whose servers find worker processes that run already: their start is not tested."""
    return {**user_folders, "WORKBENCH_SCHEDULER": scheduler}


@pytest.fixture(scope="session")
def digits(made_once: Callable[..., Path], opened_digits: Path, executor: Executor) -> Path:
    """A finished workbench: the digits model and its int8 variant. Copy it, do not use it."""

    def make(folder: Path) -> None:
        shutil.copytree(opened_digits, folder)
        with Workbench(folder, executor=executor) as workbench:
            workbench.apply("quantization.int8").wait()

    return made_once("digits-and-int8", make)


@pytest.fixture(scope="module")
def page_server(
    digits: Path, tmp_path_factory: pytest.TempPathFactory, warm: dict[str, str]
) -> Iterator[Server]:
    """The dashboard on a copy of the finished workbench, one for all tests of a file."""
    folder = tmp_path_factory.mktemp("served") / "digits"
    shutil.copytree(digits, folder)
    command = dashboard_command(folder)
    with running(command, **warm) as server:
        server.folder = folder
        yield server


def drawn(page: Page) -> None:
    """Waits until the page shows its variants and its first figure."""
    expect(page.get_by_role("radio", name="int8", exact=True)).to_be_visible()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()


@pytest.fixture(scope="session")
def serve_probe(tmp_path_factory: pytest.TempPathFactory, warm: dict[str, str]):
    """Starts a server for the probe's notebook: ``with serve_probe("dashboard") as server``."""
    source = (Path(__file__).parent / "probe.py").read_text(encoding="utf-8")

    def start(kind: str, *words: str, before: str = ""):
        root = tmp_path_factory.mktemp("probe")
        notebooks = write_notebook(root / "notebooks", before + source)
        lesson = notebooks / served_page().course
        lesson.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebooks / "dashboard.ipynb", lesson)
        script = str(Path(__file__).parent / "server.py")
        command = [sys.executable, script, kind, str(notebooks), str(root / "cache"), *words]
        return running(command, **warm)

    return start
