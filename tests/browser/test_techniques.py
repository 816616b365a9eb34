"""The techniques on the page: a column that stays, Apply always in sight, a drawer where there is no room."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server, Visit, drawn, wait_until
from tests.browser.test_actions import WORK_MS
from workbench.techniques import techniques

REFUSED_FOR_DIGITS = frozenset({"inference.fold", "inference.tensorrt"})
"""What dense layers without normalization, or a machine without an accelerator, have no use for."""

ON_TOP = """node => {
  const { x, y, width, height } = node.getBoundingClientRect();
  const top = document.elementFromPoint(x + width / 2, y + height / 2);
  return top !== null && (node === top || node.contains(top));
}"""
ONE_HEADING = "[...document.querySelectorAll('h1')].filter((node) => node.checkVisibility()).length === 1"
IN_DRAWER = """document.activeElement === document.body
  || document.activeElement.closest('[role=dialog]') !== null"""
IN_RESULTS = "document.activeElement.closest('.wb-below') !== null"
ONE_ROW_EACH = """[".wb-goal", ".wb-best", ".wb-jobs"].every(
  (line) => document.querySelector(line).getBoundingClientRect().height < 45)"""
FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


def is_on_top(node: Locator) -> bool:
    """Whether a click at its centre would reach it."""
    expect(node).to_be_visible()
    return bool(node.evaluate(ON_TOP))


def column_top(page: Page) -> float:
    return float(page.evaluate("document.querySelector('.wb-left').getBoundingClientRect().top"))


def test_few_stops_lead_to_the_table_and_forms_open_in_sight_wherever_one_is(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    seen = visit(page_server, viewport={"width": 1440, "height": 900})
    drawn(seen.page)
    few_stops_lead_to_the_table_and_one_past_everything(seen.page)
    every_technique_opens_and_shows_its_code_file_by_file(seen.page)
    the_column_stays_and_apply_is_in_sight_wherever_a_form_is_opened(seen.page)
    the_figures_follow_a_slider_that_is_held(seen.page)
    after_int8_one_click_goes_back_and_quantizes_again(seen.page)
    assert seen.complaints == []


def every_technique_opens_and_shows_its_code_file_by_file(page: Page) -> None:
    shown = {}
    rows = page.locator("[data-technique]")
    expect(rows).to_have_count(len(techniques()))
    names = rows.evaluate_all("rows => rows.map((row) => row.dataset.technique)")
    assert sorted(names) == sorted(techniques())
    for name in names:
        row = page.locator(f"[data-technique='{name}']")
        row.locator(".wb-disclose").click()
        form = row.get_by_role("form")
        expect(form.locator(".wb-callout")).to_contain_text(
            re.compile(r"\w{3}")
        )  # what to expect, or why not
        if form.locator(".wb-callout-off").count():
            continue
        form.get_by_text("The code that does the same").click()
        code = form.get_by_role("region", name="The code that does the same")
        shown[name] = form.get_by_role("tab").all_text_contents() or ["the script alone"]
        for number, file in enumerate(shown[name]):
            if len(shown[name]) > 1:
                form.get_by_role("tab", name=file, exact=True).click()
                expect(form.get_by_role("tab", selected=True)).to_have_text(file)
            assert compile(code.text_content() or "", file, "exec").co_consts
            assert (number == 0) == (file in ("optimize.py", "the script alone")), shown[name]
    refused = set(names) - set(shown)
    assert refused <= REFUSED_FOR_DIGITS, f"{refused} say why not, instead of showing their code"


def the_column_stays_and_apply_is_in_sight_wherever_a_form_is_opened(page: Page) -> None:
    # Charts take a new width later, and the page gets shorter: it can still be scrolled this far then.
    for width, height, scrolled in ((1366, 768, 400), (1440, 900, 400), (1920, 1080, 250)):
        page.set_viewport_size({"width": width, "height": height})
        for wanted in (0, scrolled):
            page.evaluate(f"scrollTo({{top: {wanted}, behavior: 'instant'}})")
            for title in ("Sparsity", "Float16 weights"):
                page.get_by_role("button", name=title).first.click()
                apply = page.get_by_role("button", name=f"Apply: {title}")
                expect(apply).to_be_enabled()
                page.wait_for_function(ON_TOP, arg=apply.element_handle())
                assert is_on_top(page.get_by_text("Expected:").first)
                assert page.evaluate("scrollY") == wanted, "the page jumped"
        if width == 1366:  # where it scrolled past the head
            assert column_top(page) == pytest.approx(14, abs=1)
    # What is there already is offered, beside another one like it.
    page.get_by_role("button", name="Full int8").first.click()
    expect(page.get_by_role("button", name="Make another: Full int8")).to_be_enabled()
    page.get_by_role("button", name="Show it", exact=True).click()
    expect(page.get_by_role("radio", name="int8", exact=True)).to_be_checked()
    # Three fields at most, each with its help behind a button; the rest is folded.
    page.get_by_role("button", name=re.compile("^Training")).click()
    form = page.get_by_role("form", name="Training")
    expect(form.get_by_role("button", name=re.compile("^What is this"))).to_have_count(2)
    help_ = form.get_by_role("button", name="What is this? Epochs")
    expect(help_).to_have_attribute("aria-expanded", "false")
    help_.click()
    expect(help_).to_have_attribute("aria-expanded", "true")
    expect(form.get_by_text("How often the training split", exact=False)).to_be_visible()


def the_figures_follow_a_slider_that_is_held(page: Page) -> None:
    page.get_by_role("button", name="Channel pruning").first.click()
    form = page.get_by_role("form", name="Channel pruning")
    figures = form.get_by_role("status").filter(has_text="Expected:")
    expect(figures).to_contain_text("kB (computed)")
    expect(figures).to_contain_text("takes about")
    slider = form.get_by_role("slider", name="Share to remove")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    before, middle = figures.text_content() or "", box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for share in (0.6, 0.65, 0.7):
        page.mouse.move(box["x"] + share * box["width"], middle)
    expect(figures).not_to_have_text(before)
    page.mouse.up()
    assert is_on_top(page.get_by_role("button", name="Apply: Channel pruning"))


def few_stops_lead_to_the_table_and_one_past_everything(page: Page) -> None:
    """Begins on a page that nobody has touched."""
    assert page.evaluate(ONE_HEADING)
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "To the results"
    expect(page.get_by_role("link", name="To the results")).to_be_in_viewport()
    stops = 1
    while not page.evaluate(IN_RESULTS):
        page.keyboard.press("Tab")
        stops += 1
        assert stops <= 30
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
    expect(page.get_by_text(re.compile(r"^\d of \d+ techniques$"))).to_be_visible()
    page.get_by_role("button", name="Faster", exact=True).click()
    expect(page.get_by_role("button", name="Sparsity")).to_have_count(0)
    expect(page.get_by_role("button", name="Channel pruning").first).to_be_visible()
    page.get_by_role("button", name="Faster", exact=True).click()
    page.get_by_role("searchbox", name="Search techniques").fill("")
    expect(page.get_by_role("button", name="Sparsity").first).to_be_visible()


def test_without_room_beside_the_techniques_are_a_drawer(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    """On a phone, dark, and on a screen that is wide and low."""
    phone = {"width": 390, "height": 844}
    seen = visit(page_server, viewport=phone, reduced_motion="reduce", color_scheme="dark")
    drawn(seen.page)
    seen.picture("page-390px-dark")
    assert seen.violations(".wb-page") == {}
    the_drawer_opens_and_closes(seen, 390, "Float16 weights")
    seen.page.set_viewport_size({"width": 853, "height": 480})
    the_drawer_opens_and_closes(seen, 853, "Sparsity")
    for width in (853, 1024):
        seen.page.set_viewport_size({"width": width, "height": 700})
        seen.page.wait_for_function(ONE_ROW_EACH)
    assert seen.complaints == []


def the_drawer_opens_and_closes(seen: Visit, width: int, technique: str) -> None:
    page = seen.page
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
    opener = page.get_by_role("button", name="Techniques", exact=True)
    for scrolled in (0, 900):
        page.evaluate(f"scrollTo(0, {scrolled})")
        assert is_on_top(opener)
    expect(page.get_by_role("dialog")).to_have_count(0)
    opener.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Techniques")
    expect(drawer).to_be_visible()
    expect(drawer.get_by_role("button", name="Close", exact=True)).to_be_focused()
    drawer.get_by_role("button", name=technique).first.focus()
    page.keyboard.press("Enter")
    apply = drawer.get_by_role("button", name=f"Apply: {technique}")
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
    expect(opener).to_be_focused()
    page.get_by_role("radio", name="int8", exact=True).check()


def table_is_beside_the_picture(page: Page) -> bool:
    chart = page.locator(".wb-trade-off").bounding_box()
    table = page.get_by_role("radio", name="int8", exact=True).bounding_box()
    assert chart is not None
    assert table is not None
    return table["x"] > chart["x"] + chart["width"] and table["y"] < chart["y"] + chart["height"]


def after_int8_one_click_goes_back_and_quantizes_again(page: Page) -> None:
    page.set_viewport_size({"width": 2560, "height": 1300})
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    wait_until(lambda: table_is_beside_the_picture(page), "a third column")
    page.get_by_label("New variants start from").select_option(label="int8")
    expect(page.get_by_text("New variants start from int8 now.")).to_be_attached()
    expect(page.get_by_text("before int8").first).to_be_visible()
    page.get_by_role("button", name="Weight clustering").first.click()
    form = page.get_by_role("form", name="Weight clustering")
    expect(form.get_by_role("status").filter(has_text="Comes earlier:")).to_be_visible()
    form.get_by_role("spinbutton", name="Fine-tuning").fill("0")
    form.get_by_role("button", name="Apply to dense-digits, then int8 again").click()
    made = page.get_by_role("radio", name=re.compile("int8"))
    expect(made).to_have_count(2, timeout=WORK_MS)
    # What was expected of it stands beside what was measured.
    made.last.check()
    page.get_by_role("tab", name="How it was made").click()
    expected = page.get_by_role("table", name="Expected and measured")
    expect(expected.get_by_role("row", name=re.compile("^File"))).to_contain_text("as expected")
    expect(expected.get_by_role("row", name=re.compile("^Latency"))).to_be_visible(timeout=WORK_MS)
    page.get_by_role("button", name="back to the baseline").click()
    expect(page.get_by_label("New variants start from").locator("option:checked")).to_have_text(
        "dense-digits"
    )
