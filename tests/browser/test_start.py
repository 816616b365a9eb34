"""The start of a page: whatever comes late or never, it is drawn in the end or says why not."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.test_serving import answer

ANSWERS_BEFORE_IT_SHOWS = """
import sys, time
import anywidget
import widgets.assets
from IPython import get_ipython
sys.stdout.flush = sys.stderr.flush = lambda: None
get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(7))
"""
"""What the cell shows leaves the kernel 7 s after the word that the cell has ended."""


def test_what_a_cell_shows_may_come_long_after_its_end(serve_probe, visit):
    with serve_probe("dashboard", before=ANSWERS_BEFORE_IT_SHOWS) as server:
        visited = visit(server)
        expect(answer(visited.page)).to_contain_text("ready")
        assert visited.asked_for("/") == 1
