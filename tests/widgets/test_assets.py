"""The files of the page: named, published once, and sent on request."""

from __future__ import annotations

import json
import os
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from widgets import assets
from widgets.page import page

STATIC = Path(assets.__file__).with_name("static")


class Sent:
    """Records what a widget sends."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict, list[bytes]]] = []

    def send(self, content, buffers=()) -> None:
        self.messages.append((content, list(buffers)))


def ask(content) -> Sent:
    widget = Sent()
    assets.deliver(widget, content, [])
    return widget


def test_stub_names_its_component_and_is_small(monkeypatch):
    monkeypatch.delenv("JUPYTER_PATH", raising=False)
    text = assets.esm("table")
    assert 'const COMPONENT = "table";' in text
    assert 'const PATH = "";' in text
    assert assets.version() in text
    assert "__" not in text
    assert len(text) < 6000


@pytest.mark.parametrize("name", ["", "a b", 'x";alert(1);"', "../table"])
def test_stub_takes_only_names(name):
    with pytest.raises(ValueError, match="JavaScript name"):
        assets.esm(name)


def test_published_files_are_found_by_the_stub(tmp_path, monkeypatch):
    root = assets.publish(tmp_path)
    folder = root / "labextensions" / assets.NAME / assets.version()
    assert (folder / "workbench.js").read_bytes() == (STATIC / "workbench.js").read_bytes()
    assert (folder / "plotly.min.js").stat().st_size > 1_000_000
    monkeypatch.setenv("JUPYTER_PATH", os.pathsep.join(["/nowhere", str(root)]))
    assert f'const PATH = "{assets.NAME}/{assets.version()}";' in assets.esm("table")
    stamp = folder.stat().st_mtime_ns
    assert assets.publish(tmp_path) == root
    assert folder.stat().st_mtime_ns == stamp
    assert [entry.name for entry in folder.parent.iterdir()] == [assets.version()]


def test_kernel_sends_a_module_after_what_it_imports():
    ((content, buffers),) = ask({"kind": "neural-workbench.asset", "name": "workbench.js"}).messages
    names = [file["name"] for file in content["files"]]
    assert names[-1] == "workbench.js"
    assert len(buffers) == len(names) == len(set(names))
    for position, file in enumerate(content["files"]):
        assert set(file["imports"]) <= set(names[:position])
    assert buffers[-1] == (STATIC / "workbench.js").read_bytes()


@pytest.mark.parametrize("name", ["../assets.py", "/etc/passwd", "missing.js", None, 3, ["workbench.js"], {}])
def test_kernel_sends_nothing_else(name):
    ((content, buffers),) = ask({"kind": "neural-workbench.asset", "name": name}).messages
    assert "no asset" in content["error"]
    assert buffers == []


@pytest.mark.parametrize("content", [None, "text", {"kind": "other", "name": "workbench.js"}, {}])
def test_other_messages_are_left_alone(content):
    assert ask(content).messages == []


def test_page_has_its_notebook_and_template(tmp_path):
    served = page(tmp_path)
    assert (served.notebooks / served.dashboard).is_file()
    template = f"nbconvert/templates/{served.template}/index.html.j2"
    assert any((folder / template).is_file() for folder in served.jupyter_path)


def test_the_plotly_that_ships_is_that_of_the_python_package():
    package = Path(find_spec("plotly").submodule_search_locations[0])
    whole = (package / "package_data" / "plotly.min.js").read_text(encoding="utf-8")[:100]
    ours = (Path(assets.__file__).parent / "vendor" / "plotly.min.js").read_text(encoding="utf-8")[:100]
    version = re.compile(r"plotly\.js (?:\(.*\) )?v(\S+)")
    assert version.search(ours).group(1) == version.search(whole).group(1)


def test_the_layout_library_is_the_one_that_is_named_and_comes_late():
    folder = Path(assets.__file__).parent / "vendor"
    named = re.search(
        r"`dagre\.esm\.js` \| `@dagrejs/dagre` \| (\S+) \|", (folder / "README.md").read_text("utf-8")
    )
    assert f'"{named[1]}"' in (folder / "dagre.esm.js").read_text("utf-8")
    assert not any(
        "dagre" in path for path in assets.modules()
    )  # no page asks for it before a graph is opened
    ((content, buffers),) = ask({"kind": "neural-workbench.asset", "name": "layoutworker.js"}).messages
    assert [file["name"] for file in content["files"]] == ["arranging.js", "layoutworker.js"]
    ((content, buffers),) = ask({"kind": "neural-workbench.asset", "name": "dagre.esm.js"}).messages
    assert buffers == [(folder / "dagre.esm.js").read_bytes()]


def test_every_script_of_the_page_is_checked():
    """By its types and by the linter: ``make check`` reads no file that is not named to it."""
    folder = Path(assets.__file__).parent
    scripts = {path for path in folder.rglob("*.js") if "vendor" not in path.parts}
    assert len(scripts) > 30
    for path in scripts:
        assert path.read_text("utf-8").startswith("// @ts-check\n"), path
    root = folder.parent
    linted = json.loads((root / "biome.json").read_text("utf-8"))["files"]["includes"]
    typed = re.findall(r'"(widgets/[^"]*\.js)"', (root / "tsconfig.json").read_text("utf-8"))
    for patterns in (linted, typed):
        assert {path for pattern in patterns for path in root.glob(pattern)} >= scripts
