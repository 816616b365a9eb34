"""Leaving a page, losing its kernel, opening it on a machine that is too busy: nothing fails in silence."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Server, Visit, drawn, wait_until
from tests.browser.test_actions import WORK_MS, train_until_cancelled

DESK = {"width": 1440, "height": 1000}
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
"""The first opening of a page gets widgets that its kernel does not know."""


def test_a_job_goes_on_when_its_page_is_closed_and_is_seen_from_the_next_one(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    page = visit(page_server, viewport=DESK).page
    drawn(page)
    train_until_cancelled(page)
    running = page.locator(".wb-jobs-now.wb-job-running")
    expect(running).to_be_visible(timeout=WORK_MS)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    assert asked == [], "nothing is lost, so nothing is asked"
    next_page = visit(page_server, viewport=DESK).page
    drawn(next_page)
    still = next_page.locator(".wb-jobs-now.wb-job-running")
    expect(still).to_contain_text("runs in another page")
    # How far it is comes from the other kernel.
    expect(still.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"\d"))
    wait_until(lambda: page_server.status().get("connections") == 1, "the closed page to be gone")
    next_page.wait_for_timeout(5000)  # longer than a page that has closed is waited for
    expect(still).to_be_visible()
    still.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(
        next_page.get_by_role("status").filter(has_text=re.compile("Width scaling.*: cancelled"))
    ).to_have_count(1, timeout=WORK_MS)
    # Its kernel has nothing more to do.
    wait_until(lambda: page_server.status().get("kernels") == 2, "the kernel of the closed page to go")


def test_a_page_whose_kernel_is_gone_or_unknown_says_so_on_every_panel_or_is_opened_again(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    seen = visit(page_server, viewport=DESK)
    page = seen.page
    drawn(page)
    # What Voila does when a page closes.
    page.evaluate("dispatchEvent(new Event('beforeunload'))")
    lost = page.get_by_role("alert").filter(has_text="Nothing answers this page any more")
    expect(lost).to_be_visible()
    panels = page.locator(".wb-page .workbench").count()
    expect(page.locator(".wb-page .workbench.wb-stale")).to_have_count(panels)
    expect(page.get_by_text("What is shown here may be old.")).to_have_count(panels - 1)
    # ipywidgets' own sign of a broken link needs a font that is not here: it would be a box four times over.
    signs = page.evaluate(
        "document.querySelector('.jupyter-widgets').classList.add('jupyter-widgets-disconnected') ??"
        "[...document.querySelectorAll('.jupyter-widgets-disconnected')]"
        ".map((one) => getComputedStyle(one, '::before').display)"
    )
    assert set(signs) == {"none"}
    lost.get_by_role("button", name="Reload").click()
    drawn(page)
    expect(lost).to_have_count(0)
    # Its widgets may not be known in time when it is opened.
    page.add_init_script(UNKNOWN_AT_FIRST)
    opened = seen.asked_for("/")
    page.reload(wait_until="commit")
    drawn(page)
    assert seen.asked_for("/") >= opened + 2  # a machine that is too busy opens it once more
    assert seen.before_reopening
    assert seen.complaints == []
