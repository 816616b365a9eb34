"""What a reader does on the page, by role and name: open, upload, download, compare, delete, cancel.

Each page costs a kernel and seconds, so a reader does several things on one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Visit, drawn
from workbench.api.recipe import Recipe
from workbench.models.demo.demo import DEMO_MODELS

WORK_MS = 600_000
"""For what makes and measures a model on a busy machine."""


@pytest.fixture
def page(page_server: Server, visit: Callable[..., Visit]) -> Page:
    page_server.forget_last_used()  # the test before may have opened another model
    page = visit(page_server, viewport={"width": 1440, "height": 1000}).page
    drawn(page)
    return page


def model_of(page: Page):
    """The name of the model in the head of the page."""
    return page.locator(".wb-fact").filter(has=page.get_by_text("Model", exact=True)).locator("strong")


def open_technique(page: Page, title: str) -> None:
    page.get_by_role("button", name=title).first.click()
    expect(page.get_by_role("form", name=title)).to_be_visible()


def train_until_cancelled(page: Page) -> None:
    """Starts a training that neither ends nor stops early before a slow page has looked at it."""
    open_technique(page, "Width scaling")
    form = page.get_by_role("form", name="Width scaling")
    form.get_by_role("spinbutton", name="Epochs").fill("1000")
    form.get_by_text("More settings").click()
    form.get_by_role("spinbutton", name="Early stopping after").fill("0")
    page.get_by_role("button", name="Apply: Width scaling").click()


def test_another_built_in_model_is_opened_and_left_again(page: Page) -> None:
    page.get_by_role("button", name="Open …").click()
    page.get_by_label("Model", exact=True).select_option("dense-breast-cancer")
    page.get_by_label("Data", exact=True).select_option("breast-cancer")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(model_of(page)).to_have_text("dense-breast-cancer", timeout=WORK_MS)
    expect(page.get_by_role("radio", name="dense-breast-cancer")).to_be_visible()
    expect(page.get_by_role("radio", name="int8")).to_have_count(0)
    page.get_by_role("button", name="Open …").click()
    kept = page.get_by_label("Workbench", exact=True)
    kept.select_option(kept.get_by_role("option", name=re.compile("^dense-digits")).get_attribute("value"))
    page.get_by_role("button", name="Go there").click()
    expect(model_of(page)).to_have_text("dense-digits")
    expect(page.get_by_role("radio", name="int8")).to_be_visible()


def test_a_model_and_a_table_of_ones_own_are_opened(page: Page, tmp_path: Path) -> None:
    model, data = tmp_path / "my model.keras", tmp_path / "my table.csv"
    shutil.copyfile(DEMO_MODELS["dense-breast-cancer"].path, model)
    columns = ["outcome", *(f"value {number}" for number in range(30))]
    table = np.column_stack([np.arange(400) % 2, np.random.default_rng(0).normal(size=(400, 30))])
    np.savetxt(data, table, fmt=["%d", *["%.5f"] * 30], delimiter=",", header=",".join(columns), comments="")
    page.get_by_role("button", name="Open …").click()
    # One is uploaded, of the other the path is typed; each one that is chosen takes its field away.
    page.get_by_label("Model", exact=True).select_option(label="A file of your own …")
    page.get_by_label("Or upload a file").first.set_input_files(model)
    expect(page.locator(".wb-chosen", has_text=model.name)).to_be_visible()
    page.get_by_label("Data", exact=True).select_option(label="A file of your own …")
    page.get_by_label(re.compile(r"^Path of an")).fill(str(data))
    # The first column: left to itself the workbench would take the last.
    looks = page.get_by_role("region", name="What is in the data")
    expect(looks).to_be_visible()  # until then the columns are not known, and a name can be typed
    page.get_by_label("Label column of a table", exact=True).select_option("outcome")
    expect(looks.get_by_role("list").first).to_contain_text("0200")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(model_of(page)).to_have_text("my model", timeout=WORK_MS)
    expect(page.get_by_role("radio", name="my model")).to_be_visible()
    expect(page.get_by_text("280 / 40 / 80 samples · 2 classes")).to_be_visible()


def test_what_is_made_is_looked_at_downloaded_marked_deleted_and_compared(page: Page) -> None:
    details_open_beside_the_table_take_the_focus_and_give_it_back(page)
    the_file_and_its_recipe_are_downloaded(page)
    the_table_is_sorted_marked_filtered_and_taken_home(page)
    what_is_deleted_comes_back_and_the_focus_goes_where_the_eye_is(page)
    two_variants_are_compared_in_everything_beside_the_table(page)
    where_a_variant_comes_from_is_a_map(page)


def details_open_beside_the_table_take_the_focus_and_give_it_back(page: Page) -> None:
    page.get_by_role("radio", name="int8").focus()
    page.keyboard.press("Enter")
    details = page.get_by_role("region", name="int8", exact=True)
    expect(details.get_by_role("heading", name="int8", exact=True)).to_be_focused()
    # Long words make the table wider than what it scrolls in.
    table = page.locator(".wb-scroll", has=page.get_by_role("table", name="Variants")).bounding_box()
    drawer = details.bounding_box()
    assert table is not None
    assert drawer is not None
    assert drawer["x"] >= table["x"] + table["width"]
    page.keyboard.press("Escape")
    expect(details).to_have_count(0)
    expect(page.get_by_role("radio", name="int8")).to_be_focused()


def the_file_and_its_recipe_are_downloaded(page: Page) -> None:
    page.get_by_role("radio", name="int8").check()
    with page.expect_download() as file:
        page.get_by_role("button", name="Download file").click()
    assert file.value.suggested_filename.endswith(".tflite")
    assert file.value.path().read_bytes()[4:8] == b"TFL3"
    with page.expect_download() as text:
        page.get_by_role("button", name="Download recipe").click()
    recipe = Recipe.from_yaml(text.value.path().read_text())
    assert [step.technique for step in recipe.steps] == ["quantization.int8"]


def the_table_is_sorted_marked_filtered_and_taken_home(page: Page) -> None:
    table = page.get_by_role("table", name="Variants")
    names = table.get_by_role("radio")
    first = [radio.get_attribute("aria-label") for radio in names.all()]
    for wanted in ("ascending", "descending"):
        table.get_by_role("button", name="Size").click()
        expect(table.get_by_role("columnheader", name="Size")).to_have_attribute("aria-sort", wanted)
        smallest = table.get_by_role("radio").nth(0 if wanted == "ascending" else len(first) - 1)
        expect(smallest).to_have_attribute("aria-label", "int8")
    table.get_by_role("button", name="Size").click()
    for place, name in enumerate(first):
        expect(names.nth(place)).to_have_attribute("aria-label", name or "")
    page.get_by_role("button", name="Star: int8").click()
    expect(page.get_by_role("button", name="Star: int8")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Starred").click()
    expect(names).to_have_count(1)
    page.get_by_role("button", name="Starred").click()
    expect(names).to_have_count(len(first))
    page.get_by_role("radio", name="int8").check()
    page.get_by_role("button", name="Rename").click()
    box = page.get_by_role("textbox", name="Rename")
    expect(box).to_be_focused()
    box.fill("for the phone")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="for the phone")).to_be_visible()
    with page.expect_download() as file:
        page.get_by_role("button", name="Download the whole table as CSV").click()
    assert "for the phone,dense-digits,quantization.int8," in file.value.path().read_text("utf-8-sig")
    with page.expect_download() as file:
        page.get_by_role("button", name=re.compile("^Download a report")).click()
    report = file.value.path().read_text("utf-8")
    assert "for the phone" in report
    assert "<svg" in report
    reader = page.context.new_page()
    reader.set_content(report)
    assert Axe().run(reader).response["violations"] == []
    reader.close()
    with page.expect_download() as file:
        page.get_by_role("button", name="Save picture: Trade-off (SVG)").click()
    assert "<svg" in file.value.path().read_text("utf-8")
    page.get_by_role("button", name="Rename").click()
    box.fill("int8")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="int8")).to_be_visible()
    page.get_by_role("button", name="Star: int8").click()


def what_is_deleted_comes_back_and_the_focus_goes_where_the_eye_is(page: Page) -> None:
    page.get_by_role("radio", name="int8").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("radio", name="int8")).to_have_count(0)
    undo = page.get_by_role("button", name="Undo delete of int8")
    expect(undo).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="int8")).to_be_focused()
    expect(undo).to_have_count(0)
    page.get_by_role("radio", name="dense-digits").check()
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_disabled()


def two_variants_are_compared_in_everything_beside_the_table(page: Page) -> None:
    page.get_by_role("radio", name="dense-digits").check()
    page.get_by_label("Compare with").select_option(label="int8")
    details = page.get_by_role("region", name="dense-digits", exact=True)
    expect(details.get_by_role("heading", name="dense-digits against int8")).to_be_visible()
    expect(details.get_by_text(re.compile(r"× larger"))).to_be_visible()
    # What changed is what one sees first.
    expect(details.get_by_role("tab", name="Changed predictions")).to_have_attribute("aria-selected", "true")
    expect(details).to_contain_text(re.compile(r"Changed predictions: \d+|No prediction changed"))
    details.get_by_role("tab", name="All numbers").click()
    for name in ("dense-digits", "int8"):
        expect(details.get_by_role("columnheader", name=name, exact=True)).to_be_visible()
    details.get_by_role("tab", name="Inside").click()
    expect(details.get_by_text("Above: dense-digits. Below: int8.")).to_be_visible()
    # The layers are looked into at a click; then they are sorted by the keyboard, and colored.
    page.get_by_role("radio", name="int8").check()
    inside = page.get_by_role("region", name="int8", exact=True)
    inside.get_by_role("button", name="Time the layers").press("Enter")
    expect(inside.get_by_role("columnheader", name="Time")).to_be_visible(timeout=WORK_MS)
    expect(inside.get_by_text("add up to")).to_be_visible()
    error = inside.get_by_role("columnheader", name="Error")
    error.get_by_role("button").press("Enter")
    expect(error).to_have_attribute("aria-sort", "descending")
    expect(inside.get_by_label("Colored by")).to_have_value("error")
    decibels = [float(one) for one in re.findall(r"([\d.]+) dB", inside.locator(".wb-inside").inner_text())]
    assert len(decibels) > 2
    inside.get_by_label("Colored by").select_option(label="Bytes")
    expect(inside.locator(".wb-inside tbody tr").first).to_contain_text("hidden_1")
    expect(inside.locator(".wb-inside tbody tr").first.locator("rect.wb-heat-4")).to_be_attached()
    the_layers_are_seen_as_a_graph(page, inside)
    # What both look at is compared at a click, and held against a file that is compared with itself.
    inside.get_by_role("tab", name="What it forgot").click()
    expect(inside.get_by_text("Calibration error")).to_be_visible()
    inside.get_by_role("button", name="Compare what they look at").press("Enter")
    itself = inside.get_by_role("row", name="dense-digits against itself, same perturbations")
    expect(itself).to_contain_text("1.0000exact", timeout=WORK_MS)
    expect(inside.locator(".wb-drifted li").first.get_by_role("img")).to_have_count(3)
    page.get_by_role("radio", name="dense-digits").check()
    # The other one is ringed in the chart, and the legend says so.
    expect(page.locator(".wb-trade-off").get_by_text("compared with: int8")).to_be_visible()


def the_layers_are_seen_as_a_graph(page: Page, inside) -> None:
    """Beside the table: what is chosen in one is chosen in the other; by keys as well."""
    inside.get_by_role("button", name="Graph", exact=True).press("Enter")
    graph = inside.get_by_role("listbox", name="Graph of the layers of int8")
    heavy, next_one = (
        graph.get_by_role("option", name=re.compile(rf"^{one}\b")) for one in ("hidden_1", "hidden_2")
    )
    expect(heavy.locator("rect.wb-heat-4")).to_be_attached()
    assert graph.get_by_role("option").count() == inside.locator(".wb-inside-pick").count() + 1  # the input
    heavy.click()
    row = inside.locator(".wb-inside tbody tr.wb-selected")
    expect(row).to_contain_text("hidden_1")
    page.keyboard.press("ArrowDown")  # to what takes its output
    expect(row).to_contain_text("hidden_2")
    expect(next_one).to_be_focused()
    inside.get_by_role("button", name="hidden_1").click()
    expect(heavy).to_have_attribute("aria-selected", "true")
    # Both side by side, large, with nothing else in reach; Escape leads back to the page.
    inside.get_by_role("button", name="Side by side").click()
    expect(graph.get_by_role("option", name=re.compile(r"^[^;]+; hidden_1\b"))).to_have_count(1)
    expect(heavy).to_have_count(1)
    inside.get_by_role("button", name="Enlarge").click()
    behind = page.locator("[inert]", has=page.locator(".wb-top"))
    expect(behind).to_have_count(1)
    found = Axe().run(page, context=".wb-inside-both").response["violations"]
    assert {one["id"]: one["nodes"] for one in found} == {}
    page.keyboard.press("Escape")
    expect(behind).to_have_count(0)
    inside.get_by_role("button", name="Graph", exact=True).click()


def where_a_variant_comes_from_is_a_map(page: Page) -> None:
    variants = page.get_by_role("region", name="Variants")
    variants.get_by_role("button", name="Map", exact=True).click()
    nodes = variants.get_by_role("listbox").get_by_role("option")
    expect(nodes.filter(has_text="int8")).to_have_accessible_name(re.compile("int8; Full int8; .*smaller"))
    nodes.filter(has_text="dense-digits").click()
    expect(page.get_by_label("New variants start from")).to_have_value(re.compile("."))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    expect(nodes.first).to_be_focused()
    nodes.filter(has_text="int8").press("Enter")
    expect(nodes.filter(has_text="int8")).to_have_attribute("aria-selected", "true")
    expect(variants.get_by_text("dense-digits › int8 (Full int8)")).to_be_visible()
    expect(page.get_by_label("New variants start from").locator("option:checked")).to_have_text("int8")
    assert Axe().run(page, context=".wb-variants").response["violations"] == []
    nodes.first.press("Enter")
    expect(page.get_by_label("New variants start from").locator("option:checked")).to_have_text(
        "dense-digits"
    )
    variants.get_by_role("button", name="Table", exact=True).click()


def test_figures_that_close_leave_nothing_behind(page_server: Server, visit: Callable[..., Visit]) -> None:
    page_server.forget_last_used()
    seen = visit(page_server, viewport={"width": 1440, "height": 1000})
    page = seen.page
    drawn(page)
    page.get_by_role("radio", name="int8").check()
    page.get_by_role("button", name="Details", exact=True).click()
    # A job of a page that was closed runs on, and its curves are figures too.
    expect(page.locator(".wb-jobs .wb-job-running")).to_have_count(0, timeout=WORK_MS)
    session = page.context.new_cdp_session(page)

    def toggle(times: int) -> None:
        for _ in range(times):
            page.get_by_role("tab", name="Quality by class").click()
            expect(page.locator(".wb-details .js-plotly-plot .main-svg").first).to_be_attached()
            page.get_by_role("tab", name="All numbers").click()
            expect(page.locator(".wb-details .js-plotly-plot")).to_have_count(0)

    def held() -> tuple[int, int]:
        session.send("HeapProfiler.collectGarbage")
        nodes = session.send("Memory.getDOMCounters")["nodes"]
        heap = session.send("Runtime.getHeapUsage")["usedSize"]
        return nodes, heap

    toggle(3)
    assert seen.asked_for("plotly.min.js") == 1
    figures = page.locator(".js-plotly-plot").count()
    nodes, heap = held()
    toggle(10)  # of two figures each
    nodes_after, heap_after = held()
    assert page.locator(".js-plotly-plot").count() == figures
    # One figure of the page has about 300 nodes and 1 MB.
    assert nodes_after - nodes < 300
    assert heap_after - heap < 3_000_000
    assert seen.asked_for("plotly.min.js") == 1
    assert seen.complaints == []


def test_techniques_are_read_copied_tried_and_cancelled_and_recipes_run(page: Page, tmp_path: Path) -> None:
    a_technique_that_does_not_fit_says_why(page)
    page.get_by_label("New variants start from").select_option(label="dense-digits")
    the_code_behind_a_panel_is_copied_as_it_runs(page)
    a_training_is_cancelled(page)
    a_broken_recipe_says_where_and_a_good_one_runs(page, tmp_path)


def a_technique_that_does_not_fit_says_why(page: Page) -> None:
    page.get_by_label("New variants start from").select_option(label="int8")
    open_technique(page, "Float16 weights")
    form = page.get_by_role("form", name="Float16 weights")
    expect(form.get_by_role("status").filter(has_text="Takes its place:")).to_be_visible()
    expect(form.get_by_role("button", name="Apply to dense-digits instead")).to_be_enabled()


def the_code_behind_a_panel_is_copied_as_it_runs(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(page.get_by_role("form", name="Float16 weights")).to_be_visible()  # opened before
    entry = page.get_by_role("listitem").filter(has=page.get_by_role("form", name="Float16 weights"))
    entry.get_by_text("The code that does the same").click()
    entry.get_by_role("button", name="Copy", exact=True).click()
    expect(entry.get_by_role("button", name="Copied")).to_be_visible()
    code = page.evaluate("navigator.clipboard.readText()")
    assert code == entry.get_by_role("region", name="The code that does the same").text_content()
    assert "from plain.litert.strip import strip_metadata" in code
    compile(code, "copied.py", "exec")
    entry.get_by_role("tab", name="optimize.py").press("ArrowRight")
    expect(entry.get_by_role("tab", selected=True)).not_to_have_text("optimize.py")
    entry.get_by_role("tab", name="plain/litert/strip.py").click()
    entry.get_by_role("button", name="Copy", exact=True).click()
    expect(entry.get_by_role("button", name="Copied")).to_be_visible()
    assert "def strip_metadata(" in page.evaluate("navigator.clipboard.readText()")


def a_training_is_cancelled(page: Page) -> None:
    train_until_cancelled(page)
    # The live curve is there: it trains.
    expect(page.locator(".wb-live .js-plotly-plot .main-svg").first).to_be_visible(timeout=WORK_MS)
    job = page.locator(".wb-jobs-now").and_(page.get_by_role("group", name=re.compile("Width scaling")))
    job.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(
        page.get_by_role("status").filter(has_text=re.compile("Width scaling.*: cancelled"))
    ).to_have_count(1)
    expect(job.get_by_role("progressbar")).to_have_count(0)
    expect(job.get_by_role("button", name=re.compile("^Run again"))).to_be_visible()


def a_broken_recipe_says_where_and_a_good_one_runs(page: Page, tmp_path: Path) -> None:
    expect(page.get_by_role("radio", name="dynamic range")).to_have_count(0)
    broken, good = tmp_path / "broken.yaml", tmp_path / "small.yaml"
    broken.write_text("workbench: 1\nsteps:\n- technique: quantization.int8\n  colour: red\n")
    good.write_text("workbench: 1\nsteps:\n- technique: quantization.dynamic_range\n")
    page.get_by_role("button", name="Recipe …").click()
    page.get_by_label("Recipe", exact=True).set_input_files(broken)
    expect(page.get_by_role("alert").filter(has_text="steps.0.colour")).to_be_visible()
    page.get_by_label("Recipe", exact=True).set_input_files(good)
    step = page.get_by_role("group", name="small.yaml: 1 step on dense-digits")
    step.get_by_role("button", name="Run").click()
    expect(page.get_by_role("radio", name="dynamic range")).to_be_visible(timeout=WORK_MS)


def test_a_need_that_nothing_meets_is_answered_with_what_comes_nearest(page: Page) -> None:
    need = page.get_by_role("region", name="Need")
    kilobytes = need.get_by_label(re.compile("kB"))
    kilobytes.fill("small")
    need.get_by_role("button", name="Search").click()
    expect(need.get_by_role("alert")).to_contain_text("takes a number")
    kilobytes.fill("0.5")
    need.get_by_label("training is allowed").uncheck()
    kilobytes.press("Enter")
    expect(need).to_contain_text("No file reaches 0.5 kB: the nearest is", timeout=WORK_MS)
    expect(need.get_by_role("button", name="Search")).to_be_visible(timeout=WORK_MS)
    expect(need.get_by_role("alert")).to_have_count(0)
    need.get_by_text("What was tried, and what was not").click()
    expect(need.get_by_role("table")).to_contain_text("at most 0.5 kB are wanted")
    found = Axe().run(page, context=".wb-advisor").response["violations"]
    assert [one["id"] for one in found] == []
