"""Files of one's own: what is wrong stays at its field, what is opened is there again after a reload."""

from __future__ import annotations

import base64
import io
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from sklearn.datasets import load_digits

from tests.browser.conftest import Server, Visit, drawn
from tests.browser.test_actions import WORK_MS, model_of
from workbench.models.demo.demo import DEMO_MODELS

tables = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")

DROP = """([files]) => {
  const transfer = new DataTransfer();
  for (const [name, content] of files) {
    transfer.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
  }
  const page = document.querySelector(".wb-page");
  for (const kind of ["dragenter", "dragover", "drop"]) {
    page.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }
}"""


def drop(page: Page, *paths: Path) -> None:
    page.evaluate(DROP, [[(path.name, base64.b64encode(path.read_bytes()).decode()) for path in paths]])


def pictures(path: Path) -> Path:
    digits = load_digits()
    with zipfile.ZipFile(path, "w") as archive:
        for number, (values, digit) in enumerate(zip(digits.images[:300], digits.target, strict=False)):
            file = io.BytesIO()
            Image.fromarray((values * 15).astype("uint8")).save(file, "PNG")
            archive.writestr(f"digits/{digit}/{number}.png", file.getvalue())
    return path


def parquet(path: Path) -> Path:
    digits = load_digits()
    columns = {f"pixel {number}": values for number, values in enumerate(digits.data[:300].T)}
    tables.parquet.write_table(tables.table({**columns, "digit": digits.target[:300]}), path)
    return path


def targets(path: Path) -> Path:
    kinds, sizes = np.arange(60) % 3, np.linspace(0.1, 7.3, 60)
    np.savez(path, **{"x": np.ones((60, 4), np.float32), "y.kind": kinds, "y.size": sizes})
    return path


def test_files_of_ones_own_are_dropped_looked_at_opened_and_there_after_a_reload(
    page_server: Server, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    seen = visit(page_server, viewport={"width": 1366, "height": 768})
    page = seen.page
    drawn(page)
    nonsense, model = tmp_path / "nonsense.keras", tmp_path / "my digits.keras"
    nonsense.write_bytes(b"this is no model")
    shutil.copyfile(DEMO_MODELS["dense-digits"].path, model)
    folders = set(Path(page_server_folder(page_server)).parent.iterdir())
    form = page.get_by_role("form", name="Open …")
    looks = form.get_by_role("region", name="What is in the data")
    # A table of Parquet is looked into as one of CSV is.
    drop(page, parquet(tmp_path / "my table.parquet"))
    expect(looks).to_contain_text("300 samples", timeout=WORK_MS)
    expect(looks.get_by_role("columnheader", name="pixel 0", exact=True)).to_be_visible()
    seen.picture("opening-parquet")
    # Of data with several targets each has a task of its own.
    drop(page, targets(tmp_path / "my targets.npz"))
    expect(form.get_by_label("Task of size")).to_be_visible(timeout=WORK_MS)
    kind = form.get_by_label("Task of kind")
    expect(kind.get_by_role("option").first).to_have_text("automatic: classification")
    kind.select_option("regression")
    expect(form.get_by_label("Task", exact=True)).to_have_count(0)
    # A file that is none: the form stays, the error is at its field, the page shows what it showed.
    drop(page, nonsense, pictures(tmp_path / "my pictures.zip"))
    expect(form.locator(".wb-chosen", has_text="nonsense.keras")).to_be_visible()
    expect(looks).to_contain_text("300 samples · 10 classes")
    expect(looks.get_by_role("img")).to_have_count(0)  # they are named beside
    expect(looks.locator("img")).to_have_count(10)
    form.get_by_role("button", name="Open", exact=True).click()
    problem = form.get_by_role("alert").filter(has_text="is no model file")
    expect(problem).to_be_visible()
    expect(form.get_by_label("Model", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(form.locator(".wb-chosen", has_text="my pictures.zip")).to_be_visible()
    expect(model_of(page)).to_have_text("dense-digits")
    expect(page.get_by_role("radio", name="int8")).to_be_visible()
    assert set(Path(page_server_folder(page_server)).parent.iterdir()) == folders
    seen.picture("opening-refused")
    assert seen.violations(".wb-top") == {}
    # The right one.
    drop(page, model)
    form.get_by_role("button", name="Open", exact=True).click()
    expect(form.get_by_text("The page stays as it is until the model is there.")).to_be_visible()
    expect(model_of(page)).to_have_text("my digits", timeout=WORK_MS)
    expect(form).to_have_count(0)
    read = page.get_by_role("region", name="How the data were read")
    expect(read).to_be_visible()
    judged = read.get_by_role("form", name="What each output is judged as")
    again = judged.get_by_role("button", name="Judge as these")
    expect(again).to_be_disabled()
    judged.get_by_role("combobox").select_option("agreement")
    expect(again).to_be_enabled()
    seen.picture("opening-opened")
    read.get_by_role("button", name="Got it").click()
    expect(read).to_have_count(0)
    page.reload(wait_until="commit")
    expect(model_of(page)).to_have_text("my digits")
    page.get_by_role("button", name="Open …").click()
    page.get_by_label("Workbench", exact=True).select_option("digits")
    page.get_by_role("button", name="Go there").click()
    expect(model_of(page)).to_have_text("dense-digits")
    assert seen.complaints == []


def page_server_folder(server: Server) -> str:
    command = server.process.args
    return command[command.index("--folder") + 1]


def test_a_link_shows_what_it_was_copied_from(page_server: Server, visit: Callable[..., Visit]) -> None:
    query = (
        "open=dense-digits,digits&selected=int8&technique=quantization.int8&samples=50&lang=zh_CN&theme=dark"
    )
    seen = visit(page_server, query, viewport={"width": 1366, "height": 768})
    page = seen.page
    expect(page.get_by_role("radio", name="int8")).to_be_checked()
    expect(page.get_by_role("heading", name="变体", exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-workbench-theme", "dark")
    expect(page.locator("input[type=number], input[type=range]").first).to_be_visible()
    assert "open=" not in page.url
    assert "token=" in page.url
    page.get_by_role("button", name="链接…").or_(page.get_by_role("button", name="Link …")).click()
    address = page.locator(".wb-link input[type=text]")
    for part in query.split("&"):
        expect(address).to_have_value(re.compile(re.escape(part)))
    assert "token" not in address.input_value()
    assert seen.complaints == []
