"""The whole page over a real workbench in a real browser: seen, used by keyboard, narrow, dark, Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Visit, drawn
from tests.browser.test_actions import WORK_MS

DESK = {"width": 1440, "height": 1000}


def unfold(page: Page) -> None:
    """Opens what is folded, in any language: reasons, jobs, the link, a form, a variant beside another."""
    page.get_by_role("radio", name="int8", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".wb-details-drawer [role=tab]").first).to_be_visible()
    for line in page.locator(":is(.wb-best, .wb-jobs) [aria-expanded]").all():
        line.click()
    page.locator(".wb-opens button").last.click()
    expect(page.locator(".wb-link .wb-primary")).to_be_visible()
    page.locator("[data-technique='structure.pruning'] .wb-disclose").click()
    expect(page.locator("[data-technique='structure.pruning'] form")).to_be_visible()


def nothing_is_too_narrow(seen: Visit) -> None:
    page = seen.page
    page.set_viewport_size({"width": 400, "height": 800})
    opener = page.locator(".wb-drawer-button")
    expect(opener).to_be_visible()
    page.locator(".wb-opens button").first.click()
    expect(page.locator(".wb-open-form")).to_be_visible()
    seen.picture("page-400px")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert seen.violations(".wb-page") == {}
    opener.click()
    expect(page.locator(".wb-all [data-close]")).to_be_visible()
    assert seen.violations(".wb-all") == {}
    page.keyboard.press("Escape")
    page.set_viewport_size(DESK)


def test_page_is_complete_calm_and_asks_nobody_else_and_a_technique_needs_no_mouse(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    seen = visit(page_server, viewport=DESK)
    page = seen.page
    drawn(page)
    for name in ("Structure", "Inference", "Quantization", "Trade-off", "Variants"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    page.get_by_role("radio", name="int8", exact=True).check()
    page.get_by_role("button", name="Details", exact=True).click()
    expect(page.get_by_role("tab", name="Quality by class")).to_be_visible()
    page.get_by_role("tab", name="Quality by class").click()
    expect(page.get_by_role("img", name="F1 of each class")).to_be_visible()
    seen.picture("page-light")
    assert seen.violations(".wb-page") == {}
    assert seen.complaints == []
    assert seen.other_hosts() == []
    assert seen.asked_for("plotly.min.js") == 1
    every_picture_has_its_table(page)
    a_projector_is_filled(seen)
    a_technique_is_used_by_keyboard_alone(page)


def every_picture_has_its_table(page: Page) -> None:
    pictures = page.locator(".wb-figure")
    buttons = page.get_by_role("button", name="Show as table")
    expect(buttons).to_have_count(pictures.count())
    buttons.first.click()
    expect(page.get_by_role("rowheader", name="int8").first).to_be_visible()


def a_projector_is_filled(seen: Visit) -> None:
    seen.page.set_viewport_size({"width": 1920, "height": 1080})
    seen.page.wait_for_function("document.querySelector('.wb-grid').getBoundingClientRect().width > 1700")
    seen.picture("page-1920px")


def a_technique_is_used_by_keyboard_alone(page: Page) -> None:
    page.get_by_role("button", name="Float16 weights").first.focus()
    page.keyboard.press("Enter")
    apply = page.get_by_role("button", name="Apply: Float16 weights")
    expect(apply).to_be_enabled()
    apply.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("progressbar").first).to_be_visible()
    expect(page.get_by_role("radio", name="float16")).to_be_visible(timeout=WORK_MS)
    # How its latency narrowed is folded with the other curves when the job has ended, and can be called back.
    live = page.locator(".wb-live")
    narrowing = live.get_by_role("img", name=re.compile("^Latency, while it is measured"))
    expect(live.get_by_role("heading", name="Curves of the last job")).to_be_visible(timeout=WORK_MS)
    expect(narrowing).to_have_count(0)
    live.get_by_role("button", name="Show", exact=True).click()
    expect(narrowing).to_contain_text(re.compile(r"float16 +[\d.]+ [mµ]s \[[\d.]+, [\d.]+\]"))


def test_dark_and_chinese_are_chosen_on_the_page_and_kept(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    seen = visit(page_server, viewport=DESK, color_scheme="light")
    page = seen.page
    drawn(page)
    page.get_by_label("Theme").select_option("dark")
    expect(page.locator("html")).to_have_attribute("data-workbench-theme", "dark")
    expect(page.locator(".wb-card").first).to_have_css("background-color", "rgb(23, 30, 37)")
    # The figures are drawn again in the colours of the dark page.
    expect(page.locator(".js-plotly-plot .xtick text").first).to_have_css("fill", "rgb(230, 235, 240)")
    unfold(page)
    seen.picture("page-dark")
    assert seen.violations(".wb-page") == {}
    nothing_is_too_narrow(seen)
    page.reload(wait_until="commit")
    drawn(page)
    expect(page.get_by_label("Theme")).to_have_value("dark")
    page.get_by_label("Theme").select_option("light")
    expect(page.locator("html")).to_have_attribute("data-workbench-theme", "light")
    page.get_by_label("Language").select_option("zh_CN")
    for name in ("结构", "推理", "量化", "大小、速度与质量的权衡", "变体"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_label("语言")).to_have_value("zh_CN")
    unfold(page)
    # plotly's texts follow.
    expect(page.locator(".wb-trade-off .xtitle")).to_contain_text("基线")
    seen.picture("page-chinese")
    assert seen.violations(".wb-page") == {}
    page.get_by_label("主题").select_option("dark")
    expect(page.locator(".wb-card").first).to_have_css("background-color", "rgb(23, 30, 37)")
    assert seen.violations(".wb-page") == {}
    nothing_is_too_narrow(seen)
    page.reload(wait_until="commit")
    expect(page.get_by_role("heading", name="变体", exact=True)).to_be_visible()
    expect(page.get_by_label("语言")).to_have_value("zh_CN")
    assert seen.complaints == []


def test_a_teachers_link_hides_fixes_and_shows_one_large_panel_at_a_time(
    page_server: Server, visit: Callable[..., Visit]
) -> None:
    query = (
        "projector=1&show=quantization&hide=variants"
        "&technique=quantization.int8&fix=quantization.int8.samples:50"
    )
    seen = visit(page_server, query, viewport=DESK)
    page = seen.page
    samples = page.get_by_role("spinbutton", name="Calibration samples")
    expect(samples).to_have_value("50")
    expect(samples).to_be_disabled()
    expect(page.get_by_text("Fixed for this class.")).to_be_visible()
    panels = page.get_by_role("toolbar", name="The panel that is shown")
    expect(panels.get_by_role("button", name="Variants")).to_have_count(0)
    trade_off = page.get_by_role("heading", name="Trade-off", exact=True)
    expect(trade_off).to_be_hidden()
    panels.get_by_role("button", name="Trade-off").click()
    expect(trade_off).to_be_visible()
    expect(samples).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= DESK["width"]
    # What is under the pointer is still found.
    point = page.locator(".wb-trade-off .points path.point").first
    expect(point).to_be_visible()
    point.hover(force=True)
    expect(page.locator(".wb-trade-off .hoverlayer .hovertext").first).to_be_visible()
    seen.picture("page-projector")
    assert seen.violations(".wb-page") == {}
    page.reload(wait_until="commit")  # what is fixed is not clicked away, nor reloaded away
    expect(page.get_by_role("toolbar", name="The panel that is shown")).to_be_visible()
    expect(page.get_by_role("heading", name="Variants", exact=True)).to_be_hidden()
    assert seen.complaints == []
