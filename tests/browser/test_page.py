"""The whole page over a real workbench in a real browser: seen, used by keyboard, narrow, dark, Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Visit, drawn

DESK = {"width": 1440, "height": 1000}


def unfold(page: Page) -> None:
    """Opens what is folded, in any language: reasons, jobs, the link, a form, a variant beside another."""
    page.get_by_role("radio", name="int8").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".wb-details-drawer [role=tab]").first).to_be_visible()
    for folded in page.locator(":is(.wb-best, .wb-jobs) [aria-expanded=false]").all():
        folded.click()
    page.locator(".wb-opens button").last.click()
    expect(page.locator(".wb-link .wb-primary")).to_be_visible()
    page.locator("[data-technique='structure.pruning'] .wb-disclose").click()
    expect(page.locator("[data-technique='structure.pruning'] form")).to_be_visible()


def test_page_is_complete_calm_and_asks_nobody_else(page_server: Server, visit: Callable[..., Visit]) -> None:
    seen = visit(page_server, viewport=DESK)
    page = seen.page
    drawn(page)
    for name in ("Structure", "Inference", "Quantization", "Trade-off", "Variants"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    page.get_by_role("radio", name="int8").check()
    page.get_by_role("button", name="Details", exact=True).click()
    expect(page.get_by_role("tab", name="Quality by class")).to_be_visible()
    page.get_by_role("tab", name="Quality by class").click()
    expect(page.get_by_role("img", name="F1 of each class")).to_be_visible()
    seen.picture("page-light")
    assert seen.violations(".wb-page") == {}
    assert seen.complaints == []
    assert seen.other_hosts() == []
    assert seen.asked_for("plotly.min.js") == 1


def test_every_picture_has_its_table(page_server: Server, visit: Callable[..., Visit]) -> None:
    page = visit(page_server).page
    drawn(page)
    pictures = page.locator(".wb-figure")
    buttons = page.get_by_role("button", name="Show as table")
    expect(buttons).to_have_count(pictures.count())
    buttons.first.click()
    expect(page.get_by_role("rowheader", name="int8").first).to_be_visible()


def test_a_technique_is_used_by_keyboard_alone(page_server: Server, visit: Callable[..., Visit]) -> None:
    page = visit(page_server).page
    drawn(page)
    page.get_by_role("button", name="Float16 weights").first.focus()
    page.keyboard.press("Enter")
    apply = page.get_by_role("button", name="Apply: Float16 weights")
    expect(apply).to_be_enabled()
    apply.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("progressbar").first).to_be_visible()
    expect(page.get_by_role("radio", name="float16")).to_be_visible(timeout=240_000)
    # Its latency narrows before the reader's eyes; afterwards the curves are folded and can be called back.
    live = page.locator(".wb-live")
    narrowing = live.get_by_role("img", name=re.compile("^Latency, while it is measured"))
    expect(narrowing).to_contain_text(
        re.compile(r"float16 +[\d.]+ [mµ]s \[[\d.]+, [\d.]+\]"), timeout=240_000
    )
    expect(live.get_by_role("heading", name="Curves of the last job")).to_be_visible(timeout=240_000)
    expect(narrowing).to_have_count(0)
    live.get_by_role("button", name="Show", exact=True).click()
    expect(narrowing).to_be_visible()


def test_400_pixels_are_enough(page_server: Server, visit: Callable[..., Visit]) -> None:
    seen = visit(page_server, viewport={"width": 400, "height": 800}, color_scheme="dark")
    drawn(seen.page)
    seen.picture("page-400px-dark")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 400
    seen.page.get_by_role("button", name="Open …").click()
    expect(seen.page.get_by_label("Model", exact=True)).to_be_visible()
    assert seen.violations(".wb-page") == {}
    seen.page.get_by_role("button", name="Techniques").click()
    expect(seen.page.get_by_role("dialog", name="Techniques")).to_be_visible()
    assert seen.violations(".wb-all") == {}


def test_a_projector_is_filled(page_server: Server, visit: Callable[..., Visit]) -> None:
    seen = visit(page_server, viewport={"width": 1920, "height": 1080})
    drawn(seen.page)
    seen.picture("page-1920px")
    box = seen.page.locator(".wb-grid").bounding_box()
    assert box is not None
    assert box["width"] > 1700


def test_dark_is_chosen_on_the_page_and_kept(page_server: Server, visit: Callable[..., Visit]) -> None:
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
    page.reload(wait_until="commit")
    drawn(page)
    expect(page.get_by_label("Theme")).to_have_value("dark")
    assert seen.complaints == []


def test_chinese_is_chosen_on_the_page(page_server: Server, visit: Callable[..., Visit]) -> None:
    seen = visit(page_server, viewport=DESK)
    page = seen.page
    drawn(page)
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
    assert seen.complaints == []
