"""The site is built without a warning, asks no other host for anything, and its examples run."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HOW_TO = sorted((REPOSITORY / "docs" / "howto").glob("*.md"))
LOADING = {"src", "srcset", "data", "poster", "action", "background"}
"""Attributes whose address a browser asks for by itself, on any element."""
BUILD = """
import sys
from pathlib import Path
from scripts.site.__main__ import main
sys.exit(main(Path(sys.argv[1]), rooms=("workbench.api",)))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    pytest.importorskip("sphinx", reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site") / "site"
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Asked(HTMLParser):
    """The addresses that a page makes a browser ask for, and those that it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.style = False
        self.styles: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.style = tag == "style"
        for name, value in attrs:
            if name in LOADING or (tag == "link" and name == "href"):
                self.loaded.append(value or "")
            elif tag == "a" and name == "href":
                self.links.append(value or "")
            elif name == "style":
                self.styles.append(value or "")
            elif tag == "meta" and name == "content" and "url=" in (value or "").lower():
                self.loaded.append((value or "").partition("=")[2])

    def handle_data(self, data):
        if self.style:
            self.styles.append(data)


def test_no_page_asks_another_host(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        asked = Asked()
        asked.feed(page.read_text("utf-8"))
        assert asked.loaded
        elsewhere = [one for one in asked.loaded if re.match(r"(https?:)?//", one)]
        assert elsewhere == [], page
        for style in asked.styles:
            assert not re.search(r"@import|url\(\s*[\"']?(https?:)?//", style), page
        for link in asked.links:
            path = link.partition("#")[0]
            if path and not re.match(r"[a-z]+:", path):
                assert (page.parent / path).exists(), (page, link)


def test_no_style_and_no_script_asks_another_host(site):
    styles = [file.read_text("utf-8") for file in site.rglob("*.css")]
    scripts = [file.read_text("utf-8", "replace") for file in site.rglob("*.js")]
    assert styles
    assert scripts
    for style in styles:
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", style)
    for script in scripts:
        assert not re.search(r"(fetch|import|open|sendBeacon)\(\s*[\"'`](https?:)?//", script)
        assert not re.search(r"\.src\s*=\s*[\"'`](https?:)?//", script)


def test_everything_is_in_it(site):
    techniques = (site / "reference" / "techniques.html").read_text("utf-8")
    commands = (site / "reference" / "commands.html").read_text("utf-8")
    python = (site / "reference" / "python.html").read_text("utf-8")
    from workbench.engine.technique_names import TechniqueName

    for name in TechniqueName.__args__:
        assert f">{name}<" in techniques
    for file in (REPOSITORY / "workbench" / "cli").glob("[!_]*.py"):
        assert f"workbench {file.stem.rstrip('_')}" in commands
    for name in (
        "workbench.open",
        "workbench.workbench.Workbench.apply",
        "workbench.workbench.Workbench.results",
    ):
        assert f'id="{name}"' in python
    for notebook in (REPOSITORY / "notebooks").glob("[aq]*.ipynb"):
        assert (site / "notebooks" / f"{notebook.stem}.html").is_file()


@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch, scheduler):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_SCHEDULER", scheduler)
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)
