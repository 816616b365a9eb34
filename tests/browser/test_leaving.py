"""Leaving a page, losing its kernel, opening it on a machine that is too busy: nothing fails in silence."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Visit, drawn
from tests.browser.test_actions import WORK_MS, open_technique

DESK = {"width": 1440, "height": 1000}


def connected(page: Page) -> None:
    """The kernel answers: it speaks the other language."""
    page.locator(".wb-top select").first.select_option("zh_CN")
    expect(page.get_by_role("heading", name="变体", exact=True)).to_be_visible()


def test_a_page_with_work_asks_before_it_is_left_and_stays_alive(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    page = visit(page_server, viewport=DESK).page
    drawn(page)
    open_technique(page, "Width scaling")
    page.get_by_role("spinbutton", name="Epochs").fill("200")
    page.get_by_role("button", name="Apply: Width scaling").click()
    running = page.locator(".wb-jobs-now.wb-job-running")
    expect(running).to_be_visible()
    with page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => location.reload(), 0)")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    connected(page)
    running.get_by_role("button").click()
    expect(running).to_have_count(0, timeout=WORK_MS)


def test_the_language_that_was_chosen_is_spoken_again(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    seen = visit(page_server, viewport=DESK)
    drawn(seen.page)
    connected(seen.page)
    seen.page.reload(wait_until="commit")
    expect(seen.page.get_by_role("heading", name="变体", exact=True)).to_be_visible()
    expect(seen.page.get_by_label("语言")).to_have_value("zh_CN")


def test_a_page_whose_kernel_is_gone_says_so(page_server: Server, visit: Callable[..., Visit]) -> None:
    page = visit(page_server, viewport=DESK).page
    drawn(page)
    # What Voila does when a page closes.
    page.evaluate("dispatchEvent(new Event('beforeunload'))")
    lost = page.get_by_role("alert").filter(has_text="Nothing answers this page any more")
    expect(lost).to_be_visible()
    lost.get_by_role("button", name="Reload").click()
    drawn(page)
    expect(lost).to_have_count(0)


UNKNOWN_AT_FIRST = """
if (!sessionStorage.getItem("visited")) {
  sessionStorage.setItem("visited", "yes");
  document.addEventListener("DOMContentLoaded", () => {
    for (const output of document.querySelectorAll('script[type="application/vnd.voila.cell-output+json"]')) {
      output.textContent = output.textContent.replace(/("model_id": ?)"\\w+"/, '$1"of-nobody"');
    }
  });
}
"""


def test_a_page_whose_widgets_are_not_known_in_time_is_opened_again(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    seen = visit(page_server, viewport=DESK)
    drawn(seen.page)
    seen.page.add_init_script(UNKNOWN_AT_FIRST)
    opened = seen.asked_for("/")
    seen.page.reload(wait_until="commit")
    drawn(seen.page)
    assert seen.asked_for("/") == opened + 2
