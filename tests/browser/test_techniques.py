"""The techniques on the page: a column that stays, Apply always in sight, a drawer where there is no room."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server, Visit, drawn

ON_TOP = """node => {
  const { x, y, width, height } = node.getBoundingClientRect();
  const top = document.elementFromPoint(x + width / 2, y + height / 2);
  return top !== null && (node === top || node.contains(top));
}"""
ONE_HEADING = "[...document.querySelectorAll('h1')].filter((node) => node.checkVisibility()).length === 1"
IN_DRAWER = """document.activeElement === document.body
  || document.activeElement.closest('[role=dialog]') !== null"""
IN_RESULTS = "document.activeElement.closest('.wb-below') !== null"
FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


def is_on_top(node: Locator) -> bool:
    """Whether a click at its centre would reach it."""
    expect(node).to_be_visible()
    return bool(node.evaluate(ON_TOP))


def column_top(page: Page) -> float:
    return float(page.evaluate("document.querySelector('.wb-left').getBoundingClientRect().top"))


def test_the_column_stays_and_apply_is_in_sight_wherever_a_form_is_opened(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    seen = visit(page_server, viewport={"width": 1366, "height": 768})
    page = seen.page
    drawn(page)
    for width, height in ((1366, 768), (1440, 900), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        for wanted in (0, 400):
            page.evaluate(f"scrollTo({{top: {wanted}, behavior: 'instant'}})")
            scrolled = page.evaluate("scrollY")  # a tall window leaves less to scroll
            for title in ("Sparsity", "Float16 weights"):
                page.get_by_role("button", name=title).first.click()
                apply = page.get_by_role("button", name=f"Apply: {title}")
                expect(apply).to_be_enabled()
                page.wait_for_function(ON_TOP, arg=apply.element_handle())
                assert is_on_top(page.get_by_text("Expected:").first)
                assert page.evaluate("scrollY") == scrolled, "the page jumped"
        if width == 1366:  # where there is more to scroll than the head
            assert scrolled == 400
            assert column_top(page) == pytest.approx(14, abs=1)
    # What is there already is offered, beside another one like it.
    page.get_by_role("button", name="Full int8").first.click()
    expect(page.get_by_role("button", name="Make another: Full int8")).to_be_enabled()
    page.get_by_role("button", name="Show it", exact=True).click()
    expect(page.get_by_role("radio", name="int8")).to_be_checked()
    # Three fields at most, each with its help behind a button; the rest is folded.
    page.get_by_role("button", name=re.compile("^Training")).click()
    form = page.get_by_role("form", name="Training")
    expect(form.get_by_role("button", name=re.compile("^What is this"))).to_have_count(2)
    help_ = form.get_by_role("button", name="What is this? Epochs")
    expect(help_).to_have_attribute("aria-expanded", "false")
    help_.click()
    expect(help_).to_have_attribute("aria-expanded", "true")
    expect(form.get_by_text("How often the training split", exact=False)).to_be_visible()
    assert seen.complaints == []


def test_few_stops_lead_to_the_table_and_one_past_everything(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    page = visit(page_server, viewport={"width": 1440, "height": 900}).page
    drawn(page)
    assert page.evaluate(ONE_HEADING)
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "To the results"
    expect(page.get_by_role("link", name="To the results")).to_be_in_viewport()
    stops = 1
    while not page.evaluate(IN_RESULTS):
        page.keyboard.press("Tab")
        stops += 1
        assert stops <= 25
    page.get_by_role("link", name="To the results").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(IN_RESULTS)
    # One stop for the list; the arrows move in it.
    page.get_by_role("button", name="Full int8").first.focus()
    page.keyboard.press("ArrowDown")
    assert "Dynamic range" in page.evaluate(FOCUSED)
    page.keyboard.press("End")
    assert "Training" in page.evaluate(FOCUSED)
    page.keyboard.press("Home")
    assert "Full int8" in page.evaluate(FOCUSED)
    # Search and filters.
    page.get_by_role("searchbox", name="Search techniques").fill("prun")
    expect(page.get_by_text(re.compile(r"^\d of 24 techniques$"))).to_be_visible()
    page.get_by_role("button", name="Faster", exact=True).click()
    expect(page.get_by_role("button", name="Sparsity")).to_have_count(0)
    expect(page.get_by_role("button", name="Channel pruning").first).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (853, 480)])
def test_without_room_beside_the_techniques_are_a_drawer(
    page_server: Server, visit: Callable[..., Visit], width: int, height: int
) -> None:
    seen = visit(page_server, viewport={"width": width, "height": height}, reduced_motion="reduce")
    page = seen.page
    drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    opener = page.get_by_role("button", name="Techniques", exact=True)
    for scrolled in (0, 900):
        page.evaluate(f"scrollTo(0, {scrolled})")
        assert is_on_top(opener)
    expect(page.get_by_role("dialog")).to_have_count(0)
    opener.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Techniques")
    expect(drawer).to_be_visible()
    assert page.evaluate(FOCUSED) == "Close"
    drawer.get_by_role("button", name="Float16 weights").first.focus()
    page.keyboard.press("Enter")
    apply = drawer.get_by_role("button", name="Apply: Float16 weights")
    expect(apply).to_be_enabled()
    page.wait_for_function(ON_TOP, arg=apply.element_handle())
    seen.picture(f"techniques-drawer-{width}px")
    # What is behind it is out of reach, and there again afterwards.
    for _ in range(25):
        page.keyboard.press("Tab")
        assert page.evaluate(IN_DRAWER)
    apply.focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate(FOCUSED) == "Techniques"
    page.get_by_role("radio", name="int8").check()
    assert seen.complaints == []


def test_after_int8_one_click_goes_back_and_quantizes_again(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    page = visit(page_server, viewport={"width": 2560, "height": 1300}).page
    drawn(page)
    # A third column: the table stands beside the picture.
    chart = page.locator(".wb-trade-off").bounding_box()
    table = page.get_by_role("radio", name="int8").bounding_box()
    assert chart is not None
    assert table is not None
    assert table["x"] > chart["x"] + chart["width"]
    assert table["y"] < chart["y"] + chart["height"]
    page.get_by_label("New variants start from").select_option(label="int8")
    expect(page.get_by_text("New variants start from int8 now.")).to_be_attached()
    expect(page.get_by_text("before int8").first).to_be_visible()
    page.get_by_role("button", name="Weight clustering").first.click()
    form = page.get_by_role("form", name="Weight clustering")
    expect(form.get_by_role("status").filter(has_text="Comes earlier:")).to_be_visible()
    form.get_by_role("spinbutton", name="Fine-tuning").fill("0")
    form.get_by_role("button", name="Apply to dense-digits, then int8 again").click()
    expect(page.get_by_role("radio", name=re.compile("int8"))).to_have_count(2, timeout=240_000)
    page.get_by_role("button", name="back to the baseline").click()
    expect(page.get_by_label("New variants start from").locator("option:checked")).to_have_text(
        "dense-digits"
    )
