"""The two servers with a small notebook: what reaches the page, and what happens when it closes."""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_S, REPOSITORY, running, wait_until
from widgets.page import page as served_page

PLOTLY = REPOSITORY / "widgets" / "vendor" / "plotly.min.js"


@pytest.fixture(scope="module")
def dashboard(serve_probe):
    with serve_probe("dashboard") as server:
        yield server


@pytest.fixture(scope="module")
def lab(serve_probe):
    with serve_probe("lab") as server:
        yield server


def answer(page: Page):
    return page.get_by_role("status", name="answer")


def run_all(page: Page) -> None:
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def check_quiet_and_complete(visited) -> None:
    page = visited.page
    expect(answer(page)).to_contain_text("ready")
    page.get_by_role("button", name="Count", exact=True).click()
    expect(answer(page)).to_have_text("count 1")
    for number in (1, 2):
        page.get_by_role("button", name="Plot", exact=True).click()
        expect(page.locator(".figure .main-svg").nth(3 * number - 1)).to_be_attached()
    expect(answer(page)).to_contain_text("plotted with")
    assert visited.asked_for("/plotly.min.js") == 1
    assert visited.asked_for("/workbench.js") == 2  # a HEAD, to see where it is, and the file
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(answer(page)).to_have_text(f"received {12 * 2**20} bytes")
    assert visited.other_hosts() == []
    assert visited.complaints == []


def test_dashboard_is_complete_and_asks_no_other_host(dashboard, visit):
    visited = visit(dashboard)
    check_quiet_and_complete(visited)
    page = visited.page
    expect(page).to_have_title("Probe")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.locator("#skeleton")).to_have_count(0)
    assert visited.violations() == {}
    visited.picture("serving-dashboard")


def test_lab_is_complete_and_asks_no_other_host(lab, visit):
    visited = visit(lab, viewport={"width": 1400, "height": 900})
    page = visited.page
    # From the launcher, which has a card for the dashboard that runs it, and one for the course.
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.keyboard.press("Control+Shift+L")
    launcher = page.locator(".jp-Launcher")
    card = launcher.get_by_role("button", name="Neural Workbench")
    expect(card).to_be_visible()
    visited.picture("serving-lab-launcher")
    card.click()
    expect(launcher).to_have_count(0)
    check_quiet_and_complete(visited)
    expect(page.get_by_text("Would you like to get notified")).to_have_count(0)
    visited.picture("serving-lab")
    page.keyboard.press("Control+Shift+L")
    launcher.get_by_role("button", name="Course").click()
    first = PurePosixPath(served_page().course).name
    expect(page.get_by_role("tab", name=first)).to_have_attribute("aria-selected", "true")
    assert visited.other_hosts() == []
    assert visited.complaints == []


def test_theme_from_the_address_needs_no_new_kernel(dashboard, visit):
    wait_until(lambda: dashboard.status().get("kernels", 0) >= 1, "a warm kernel")
    dark = visit(dashboard, "theme=dark")
    expect(answer(dark.page)).to_contain_text("ready")
    expect(dark.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    assert dark.page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    assert dark.violations() == {}
    light = visit(dashboard, color_scheme="light")
    expect(light.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")
    system = visit(dashboard, color_scheme="dark")
    expect(system.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    for visited in (light, system):  # what leaves before it has connected keeps its kernel for a while
        expect(answer(visited.page)).to_contain_text("ready")


def test_closing_the_page_frees_its_kernel(dashboard, visit):
    def only_the_warm_one() -> bool:
        return dashboard.status() == {"kernels": 1, "connections": 0}

    # A page that was closed before it had connected keeps its kernel for a while: it might be slow.
    wait_until(only_the_warm_one, "pages of other tests to be gone")
    visited = visit(dashboard)
    expect(answer(visited.page)).to_contain_text("ready")
    wait_until(lambda: dashboard.status() == {"kernels": 2, "connections": 1}, "the page's kernel")
    visited.page.close()
    wait_until(only_the_warm_one, "the kernel to be freed")


def test_reloading_frees_the_kernel_of_before(dashboard, visit):
    visited = visit(dashboard)
    expect(answer(visited.page)).to_contain_text("ready")
    visited.page.reload()
    expect(answer(visited.page)).to_contain_text("ready")
    wait_until(lambda: dashboard.status() == {"kernels": 2, "connections": 1}, "the kernel of before to go")


def test_a_later_opening_is_told_of_its_scripts_at_once(dashboard, visit):
    visited = visit(dashboard)
    expect(answer(visited.page)).to_contain_text("ready")
    answered = visited.page.reload(wait_until="commit")
    told = answered.header_value("link")
    expect(answer(visited.page)).to_contain_text("ready")
    assert "/anywidget/static/remoteEntry" in told
    assert "/@neural-workbench/" not in told  # the page itself names these
    loaded = visited.page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    for hint in told.split(", "):
        address = hint.partition("<")[2].partition(">")[0]
        assert sum(one.endswith(address) for one in loaded) == 1, address
    assert visited.complaints == []


def test_page_that_only_threatens_to_leave_keeps_its_kernel(dashboard, visit):
    visited = visit(dashboard)
    page = visited.page
    expect(answer(page)).to_contain_text("ready")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    page.wait_for_timeout(6000)  # longer than the server waits
    page.get_by_role("button", name="Count", exact=True).click()
    expect(answer(page)).to_have_text("count 1")


def where(address: str) -> str | int:
    """The path where an address leads to, or the status of the refusal."""
    try:
        with urlopen(address, timeout=30) as got:
            return urlsplit(got.url).path
    except HTTPError as error:
        return error.code


def test_page_without_the_secret_is_refused(dashboard):
    for path in ("", "api/status", "api/kernels/00000000-0000-0000-0000-000000000000"):
        assert where(f"http://{dashboard.host}/{path}") in {"/login", 403}


def test_shared_page_needs_no_secret_keeps_visitors_apart_and_has_so_many_places(serve_probe, visit):
    with serve_probe("dashboard", "shared") as server:
        assert "token" not in server.address
        visited = visit(server)
        expect(answer(visited.page)).to_contain_text("WORKBENCH_SHARED")
        expect(answer(visited.page)).not_to_contain_text("WORKBENCH_UPLOADS")
        wait_until(lambda: server.status().get("kernels") == 2, "the next warm kernel")
        folders = {
            child.environ().get("WORKBENCH_FOLDER")
            for child in server.descendants()
            if "ipykernel_launcher" in child.cmdline()
        }
        assert len(folders) == 2
        assert None not in folders
        visited.page.close()
        wait_until(lambda: server.status() == {"kernels": 1, "connections": 0}, "the visitor to be gone")
        more_visitors_than_places_are_refused_with_a_page(server, visit)


def more_visitors_than_places_are_refused_with_a_page(server, visit):
    # All at once: places are counted before their kernels are there.
    with ThreadPoolExecutor(6) as threads:
        statuses = sorted(threads.map(lambda _: status_of(server.address), range(6)))
    assert statuses == [200, 200, 200, 503, 503, 503]
    visited = visit(server, viewport={"width": 390, "height": 800}, color_scheme="dark")
    expect(visited.page.get_by_role("heading", name="All places are taken.")).to_be_visible()
    assert visited.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visited.violations() == {}
    visited.picture("start-refused")


def status_of(address: str) -> int:
    try:
        with urlopen(address, timeout=PATIENCE_S) as answered:
            answered.read()
            return answered.status
    except HTTPError as error:
        error.close()
        return error.code


def test_without_served_files_the_kernel_sends_them_once(serve_probe, visit):
    elsewhere = "import os\nos.environ.pop('JUPYTER_PATH')\n"
    with serve_probe("dashboard", before=elsewhere) as server:
        visited = visit(server)
        page = visited.page
        received = []
        page.on(
            "websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data)))
        )
        expect(answer(page)).to_contain_text("ready")
        for number in (1, 2):
            page.get_by_role("button", name="Plot", exact=True).click()
            expect(page.locator(".figure .main-svg").nth(3 * number - 1)).to_be_attached()
        assert visited.asked_for("/plotly.min.js") <= 1  # the page asks for it before it has a kernel
        assert visited.asked_for("/workbench.js") <= 1
        assert 1 < sum(received) / PLOTLY.stat().st_size < 1.5
        assert visited.complaints == []


def test_a_signal_leaves_no_process_behind(user_folders):
    """As Ctrl-C does, by which every server of these tests ends."""
    command = [sys.executable, "-m", "workbench.cli", "dashboard", "--no-browser"]
    with running(command, **user_folders) as server:
        wait_until(lambda: len(server.descendants()) >= 4, "kernel, cluster and workers")
        processes = server.descendants()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE_S) == 0, "".join(server.lines)
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_S)
    assert alive == []
