"""Runs a server for a test: ``python server.py dashboard|lab NOTEBOOKS CACHE [shared] [hasty]``."""

import dataclasses
import sys
from pathlib import Path

from widgets.page import page
from workbench.serving.page import ServerSettings


def main() -> None:
    kind, notebooks, cache, *words = sys.argv[1:]
    served = dataclasses.replace(page(Path(cache)), notebooks=Path(notebooks))
    settings = ServerSettings(
        port=None,
        open_browser=False,
        grace_seconds=4.0,
        first_visit_seconds=1.0 if "hasty" in words else 90.0,
        shared="shared" in words,
        visitors=3,
    )
    if kind == "dashboard":
        from workbench.serving.dashboard import serve_dashboard as serve
    else:
        from workbench.serving.lab import serve_lab as serve
    serve(served, settings, None, announce=lambda address: print(address, flush=True))


if __name__ == "__main__":
    main()
