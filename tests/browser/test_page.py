"""The whole page over a real workbench in a real browser: seen, used by keyboard, narrow, dark, Chinese."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Visit, running
from workbench.jobs.executor import Executor
from workbench.workbench import Workbench


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, user_folders: dict[str, str]) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("digits")
    executor = Executor()
    executor.start()
    try:
        with Workbench(folder, executor=executor) as workbench:
            workbench.open("dense-digits", "digits").wait(240)
            workbench.apply("quantization.int8").wait(240)
    finally:
        executor.close()
    command = [sys.executable, "-m", "workbench.cli", "dashboard", "--no-browser", "--folder", str(folder)]
    with running(command, **user_folders) as server:
        yield server


def drawn(page: Page) -> None:
    expect(page.get_by_role("radio", name="int8")).to_be_visible()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def test_page_is_complete_calm_and_asks_nobody_else(server: Server, visit: Callable[..., Visit]) -> None:
    seen = visit(server, viewport={"width": 1440, "height": 1000})
    page = seen.page
    drawn(page)
    for name in ("Structure", "Inference", "Quantization", "Trade-off", "Against the baseline", "Variants"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    page.get_by_role("radio", name="int8").check()
    expect(page.get_by_role("tab", name="Quality by class")).to_be_visible()
    page.get_by_role("tab", name="Quality by class").click()
    expect(page.get_by_role("img", name="F1 of each class")).to_be_visible()
    seen.picture("page-light")
    assert seen.violations(".wb-page") == {}
    assert seen.complaints == []
    assert seen.other_hosts() == []
    assert seen.asked_for("plotly.min.js") == 1


def test_every_picture_has_its_table(server: Server, visit: Callable[..., Visit]) -> None:
    page = visit(server).page
    drawn(page)
    pictures = page.locator(".wb-figure")
    buttons = page.get_by_role("button", name="Show as table")
    expect(buttons).to_have_count(pictures.count())
    buttons.first.click()
    expect(page.get_by_role("rowheader", name="int8").first).to_be_visible()


def test_a_technique_is_used_by_keyboard_alone(server: Server, visit: Callable[..., Visit]) -> None:
    page = visit(server).page
    drawn(page)
    page.get_by_role("button", name="Float16 weights").focus()
    page.keyboard.press("Enter")
    apply = page.get_by_role("button", name="Apply: Float16 weights")
    expect(apply).to_be_enabled()
    apply.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("progressbar").first).to_be_visible()
    expect(page.get_by_role("radio", name="float16")).to_be_visible(timeout=240_000)


def test_400_pixels_are_enough(server: Server, visit: Callable[..., Visit]) -> None:
    seen = visit(server, viewport={"width": 400, "height": 800}, color_scheme="dark")
    drawn(seen.page)
    seen.picture("page-400px-dark")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 400
    assert seen.violations(".wb-page") == {}


def test_theme_and_language_are_switched_on_the_page(server: Server, visit: Callable[..., Visit]) -> None:
    seen = visit(server, viewport={"width": 1440, "height": 1000}, color_scheme="light")
    page = seen.page
    drawn(page)
    page.get_by_label("Theme").select_option("dark")
    expect(page.locator("html")).to_have_attribute("data-workbench-theme", "dark")
    expect(page.locator(".wb-card").first).to_have_css("background-color", "rgb(23, 30, 37)")
    seen.picture("page-dark")
    page.get_by_label("Language").select_option("zh_CN")
    expect(page.get_by_role("combobox").filter(has_text="简体中文").first).to_have_value("zh_CN")
    seen.picture("page-chinese")
    assert seen.complaints == []
