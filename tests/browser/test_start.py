"""The start of a page: whatever comes late or never, it is drawn in the end or says why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen
from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import wait_until
from tests.browser.test_serving import answer
from workbench.serving.handlers import FAILED
from workbench.serving.start import start_words

ANSWERS_BEFORE_IT_SHOWS = """
import sys, time
import anywidget
import widgets.assets
from IPython import get_ipython
sys.stdout.flush = sys.stderr.flush = lambda: None
get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(7))
"""
"""What the cell shows leaves the kernel 7 s after the word that the cell has ended."""


WIDGET = "application/vnd.jupyter.widget-view+json"


def page_of(server) -> str:
    with urlopen(server.address, timeout=120) as answered:
        return answered.read().decode()


def test_a_kernel_is_kept_while_its_page_is_being_made_and_a_cell_may_show_long_after_its_end(serve_probe):
    """It waits one second for a page that has been sent; this one takes seven to be made."""
    with serve_probe("dashboard", "hasty", before=ANSWERS_BEFORE_IT_SHOWS) as server:
        page = page_of(server)
        assert WIDGET in page
        assert "workbenchComplete = true" in page
        assert "Traceback" not in "".join(server.lines)


@pytest.fixture(scope="module")
def dashboard(serve_probe):
    with serve_probe("dashboard") as server:
        yield server


OUTPUT = re.compile(r'<script type="application/vnd.voila.cell-output\+json">.*?</script>', re.DOTALL)
BROKEN: dict[str, Callable[[str], str]] = {
    "no output": lambda page: OUTPUT.sub("", page),
    "the kernel of nobody": lambda page: re.sub('(?<="kernelId": ")[^"]*', str(UUID(int=0)), page),
    "half a page": lambda page: page[: OUTPUT.search(page).start()],
    "no kernel": lambda page: page[: OUTPUT.search(page).start()] + FAILED,
}
"""What a browser may get instead of the page: the first of these left a page grey for ever."""


def at_the_root(url: str) -> bool:
    return urlsplit(url).path == "/"


def test_a_page_that_starts_broken_opens_again_and_is_drawn(dashboard, visit):
    visited = visit(dashboard)
    for broken in BROKEN:
        opens_again_and_is_drawn(visited, broken)
    assert "Traceback" not in "".join(dashboard.lines)


def opens_again_and_is_drawn(visited, broken):
    page = visited.page
    page.evaluate("sessionStorage.clear()")  # as on the first page of a tab
    opened = visited.asked_for("/")
    openings = []

    def break_the_first(route):
        openings.append(route)
        if len(openings) > 1:
            route.continue_()
            return
        answered = route.fetch()
        route.fulfill(response=answered, body=BROKEN[broken](answered.text()))

    page.route(at_the_root, break_the_first)
    page.reload(wait_until="commit")
    expect(answer(page)).to_contain_text("ready")
    expect(page.locator("#skeleton")).to_have_count(0)
    assert visited.asked_for("/") >= opened + 2  # a machine that is too busy opens it once more
    page.unroute(at_the_root)


def test_a_widget_that_comes_late_hears_its_kernel(dashboard, visit):
    visited = visit(dashboard)
    page = visited.page
    # As in a browser that is so busy that short times are over before anything was done.
    page.add_init_script("""const timeout = AbortSignal.timeout.bind(AbortSignal);
      AbortSignal.timeout = (milliseconds) => timeout(milliseconds <= 5000 ? 0 : milliseconds);""")
    page.reload(wait_until="commit")
    expect(answer(page)).to_contain_text("ready")
    page.get_by_role("button", name="Upload").click()
    expect(answer(page)).to_contain_text("received")
    assert visited.complaints == []


def test_a_page_that_cannot_start_says_so_in_the_language_of_its_reader(dashboard, visit):
    visited = visit(dashboard, viewport={"width": 390, "height": 800})
    page = visited.page
    page.evaluate("localStorage.setItem('workbench-language en', 'zh_CN')")
    page.evaluate("sessionStorage.setItem('workbench-tried-again', '3')")
    page.route("**/voila/static/voila.js*", lambda route: route.abort())
    page.reload(wait_until="commit")
    notice = page.locator("#notice")
    expect(notice.get_by_role("button")).to_be_visible()
    expect(notice).to_have_attribute("lang", "zh-CN")
    words = start_words()["zh_CN"]
    expect(notice).to_contain_text(words["script"])
    expect(notice).to_contain_text(words["given_up"])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visited.violations() == {}
    visited.picture("start-given-up")
    page.evaluate("localStorage.clear()")
    page.unroute("**/voila/static/voila.js*")
    notice.get_by_role("button").click()
    expect(answer(page)).to_contain_text("ready")


def test_a_page_whose_server_is_silent_waits_for_it(dashboard, visit):
    visited = visit(dashboard)
    page = visited.page
    silent = [True]
    page.route("**/api/**", lambda route: route.abort() if silent[0] else route.continue_())
    page.reload(wait_until="commit")
    expect(page.get_by_text(start_words()["en"]["silent"])).to_be_visible()
    visited.picture("start-silent")
    silent[0] = False
    expect(answer(page)).to_contain_text("ready")


def test_a_notebook_that_fails_is_named_and_the_terminal_says_more(serve_probe, visit):
    with serve_probe("dashboard", before="raise ValueError('of this test')") as server:
        page = visit(server).page
        page.evaluate("sessionStorage.setItem('workbench-tried-again', '3')")
        page.reload(wait_until="commit")
        expect(page.locator("#notice")).to_contain_text(start_words()["en"]["error"])
        expect(page.locator("#notice")).to_contain_text(start_words()["en"]["given_up"])
        wait_until(lambda: "of this test" in "".join(server.lines), "the error in the terminal")


def test_an_unknown_address_has_a_page_that_leads_back(dashboard, visit):
    visited = visit(dashboard)
    page = visited.page
    answered = page.goto(f"http://{dashboard.host}/nothing/here")
    assert answered.status == 404
    expect(page.get_by_role("heading", name="There is no such page here.")).to_be_visible()
    assert visited.violations() == {}
    visited.picture("start-404")
    page.get_by_role("link", name="Open the dashboard").click()
    expect(answer(page)).to_contain_text("ready")


def test_a_reader_without_the_token_is_asked_for_it(dashboard, visit):
    visited = visit(dashboard)
    page = visited.page
    page.context.clear_cookies()
    page.goto(f"http://{dashboard.host}/")
    expect(page.get_by_role("heading", name="The server refused this address.")).to_be_visible()
    assert visited.violations() == {}
    visited.picture("start-login")
    page.get_by_label("Or enter the token here:").fill(dashboard.query.partition("=")[2])
    page.get_by_role("button", name="Open the dashboard").click()
    expect(answer(page)).to_contain_text("ready")


@pytest.mark.parametrize(
    "path",
    [
        "api/kernels/00000000-0000-0000-0000-000000000000",
        "api/kernels/00000000-0000-0000-0000-000000000000/channels",
        "voila/api/expect/00000000-0000-0000-0000-000000000000",
        "voila/labextensions/nothing/here.js",
    ],
)
def test_what_is_not_there_is_refused_without_a_traceback(dashboard, path):
    with pytest.raises(HTTPError) as refused:
        urlopen(f"http://{dashboard.host}/{path}?{dashboard.query}", timeout=60)
    refused.value.close()
    assert refused.value.code == 404
    assert "Traceback" not in "".join(dashboard.lines)
