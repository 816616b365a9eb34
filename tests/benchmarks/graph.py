"""A graph of 500 nodes in a real browser: its layout, and each frame while it is drawn and moved."""

from __future__ import annotations

import http.server
import os
import random
import statistics
import threading
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from widgets import assets

NODES = 500
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PAGE = """<!doctype html><meta charset="utf-8"><title>graph</title>
<link rel="stylesheet" href="workbench.css">
<div class="workbench"><div id="here"></div></div>"""
SCRIPT = Path(__file__).with_name("graph.js")


def wish(nodes: int) -> dict[str, object]:
    """Blocks with branches and shortcuts, as networks have them."""
    chance = random.Random(0)
    edges = []
    for at in range(1, nodes):
        edges.append(
            {"from": f"layer_{at - chance.choice((1, 1, 1, 2)) if at > 1 else 0}", "to": f"layer_{at}"}
        )
        if at > 8 and chance.random() < 0.2:
            edges.append({"from": f"layer_{at - chance.randint(3, 8)}", "to": f"layer_{at}"})
    return {
        "direction": "TB",
        "nodes": [{"id": f"layer_{at}", "width": 150, "height": 67} for at in range(nodes)],
        "edges": edges,
    }


def main() -> None:
    """Prints a row for each thing that is done with the graph."""
    names = {
        "first": "layout, with library and worker",
        "again": "layout again",
        "drawn": "drawing",
        "near": "moving it, 80 steps",
        "far": "moving it, all in sight, 80 steps",
        "colours": "other colors",
    }
    with TemporaryDirectory() as folder:
        root = assets.publish(Path(folder)) / "labextensions" / assets.NAME / assets.version()
        (root / "graph.html").write_text(PAGE, encoding="utf-8")
        handler = partial(_Quiet, directory=str(root))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}/"
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1366, "height": 900})
                page.goto(f"{address}graph.html")
                found = page.evaluate(SCRIPT.read_text("utf-8"), {"wish": wish(NODES), "folder": address})
                browser.close()
            server.shutdown()
    print(f"| {NODES} nodes | ms | frames | median frame, ms | longest frame, ms |")
    print("|---|---|---|---|---|")
    for name, title in names.items():
        frames = found[name]["frames"] or [0.0]
        print(
            f"| {title} | {found[name]['ms']:.0f} | {len(frames)} "
            f"| {statistics.median(frames):.1f} | {max(frames):.1f} |"
        )


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    main()
